"""Slack, over HTTP or sockets: payloads become commands, cards become Block Kit."""
