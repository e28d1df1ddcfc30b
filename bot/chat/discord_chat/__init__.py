"""Discord: gateway and interactions in, components and files out."""
