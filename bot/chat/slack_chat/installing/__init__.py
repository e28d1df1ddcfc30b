"""Workspaces: their installation, their tokens."""
