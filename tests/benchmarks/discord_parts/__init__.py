"""Parts of the benchmark of Discord: its town, who types and reacts, and what is counted."""
