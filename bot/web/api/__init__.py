"""The HTTP API: the same use cases as the chats, for programs with an API key."""
