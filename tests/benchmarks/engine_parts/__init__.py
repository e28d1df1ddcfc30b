"""What the engine's benchmark is made of: one figure a file, and what they share."""
