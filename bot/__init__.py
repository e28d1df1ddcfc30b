"""The application: the core, its chats, its web pages and its command line."""
