"""Real processes that are killed and frozen, and a chat platform that loses its answers."""
