"""The real product as real processes, spoken to over real HTTP."""
