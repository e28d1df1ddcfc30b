"""Settings of the chats as the options that their adapters take."""
