"""What Slack delivers: checked, written down, acknowledged."""
