"""What people did in Discord, as a command for the one door, and its answer."""
