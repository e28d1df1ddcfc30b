"""Training: the demo model's own recipe and brand LoRAs."""
