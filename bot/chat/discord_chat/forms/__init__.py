"""What is answered with the acknowledgement itself: choices as people type, and forms."""
