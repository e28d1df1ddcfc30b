"""Parts of the benchmark of Slack: its processes, who types, who kills, and what is counted."""
