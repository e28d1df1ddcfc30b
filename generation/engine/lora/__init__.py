"""LoRAs that differ from row to row."""
