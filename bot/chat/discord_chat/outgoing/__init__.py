"""What is sent to Discord, and fetched from it."""
