"""Prompts become what a model is told."""
