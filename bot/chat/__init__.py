"""Chat adapters: a platform's payload becomes a command, a card becomes its message."""
