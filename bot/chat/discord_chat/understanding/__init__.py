"""What a delivery means: a command for the one door, and its answer."""
