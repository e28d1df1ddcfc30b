"""Cards as components."""
