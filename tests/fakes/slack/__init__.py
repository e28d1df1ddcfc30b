"""A strict Slack on loopback; see `app.py` for how to use it."""
