"""Cards as Discord's components."""
