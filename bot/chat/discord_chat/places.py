"""Where things are on Discord, in the words of the core.

Every id is a snowflake, unique in all of Discord, so a place needs no team. A thread is a channel
of its own there: its place is the channel it belongs to with the thread's id beside, while a
message in it (`MessageRef`) stands in the thread itself. A conversation of two with the app is the
person's direct line, `@USER`.
"""

from bot.core.messages import ChannelRef

PLATFORM = "discord"
FILES_PLATFORM = f"{PLATFORM}.files"
"""The name in the inbox of what comes with pictures, which are fetched before all else."""
REACTIONS_PLATFORM = f"{PLATFORM}.reactions"
"""The same of reactions."""


def room_of(place: ChannelRef) -> str:
    """The id of the Discord channel that a place stands for; `@USER` for a direct line."""
    return place.thread or place.channel
