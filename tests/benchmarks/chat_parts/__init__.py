"""What the benchmarks of Slack and Discord share: processes, kills, what is typed and counted."""
