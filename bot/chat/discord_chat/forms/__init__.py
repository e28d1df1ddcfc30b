"""What Discord is answered at once from memory: choices while somebody types, and forms."""
