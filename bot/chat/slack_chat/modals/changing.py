"""What this process knows of open forms in which people choose quickly."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field

from bot.chat.slack_chat.incoming.heard import Heard

MAX_VIEWS = 1_000
"""Open forms that are remembered."""


@dataclass(kw_only=True)
class Changing:
    """One open form."""

    at: float = 0.0
    """When the latest choice was made that was heard here."""
    hash: str = ""
    """The form as this process left it; empty where it changed nothing."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One change of it at a time, for the next must know its hash."""


class Changes:
    """The forms of which something is known, the latest at the end."""

    def __init__(self) -> None:
        self._forms: OrderedDict[str, Changing] = OrderedDict()

    def of(self, heard: Heard) -> Changing:
        """The form in which something was chosen."""
        form = self._forms.setdefault(heard.view, Changing())
        self._forms.move_to_end(heard.view)
        while len(self._forms) > MAX_VIEWS:
            self._forms.popitem(last=False)
        return form
