"""Everything that is said to Slack."""
