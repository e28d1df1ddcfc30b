"""The error tree of the application. The message is what a person reads, with the way to fix it.

HousestyleError
├── Refused            a rule says no: named with its owner and the way out
│   ├── NotAllowed     the person may not do this
│   ├── OverBudget     a quota or budget is used up
│   │   └── TooMuchWaiting  the pictures that someone brought fill their room
│   └── Unapproved     what would be published was not approved as it is
├── Mistake            the input is wrong: position, allowed values, nearest word
├── NotFound           no such thing
├── Unavailable        a part of the house does not answer now; it may in a moment
├── CorruptBlob        a stored file no longer has the bytes that its name says
├── Conflict           someone or something was faster
│   ├── StaleState     the thing changed since it was read
│   └── LeaseLost      another worker has taken over
└── ChatError          a platform did not take a message
    ├── ChatRejected   it never will: say why and what to fix
    ├── ChatUnavailable  later it may: with the seconds to wait
    ├── ChatIncomplete it did, with less than it should: change it in place later
    └── ChatAmbiguous  nobody knows whether it did
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.core.messages import MessageRef


def word_of(kind: type[Exception]) -> str:
    """The word for machines of a class of errors."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


class HousestyleError(Exception):
    """Base of all errors that a person may see."""

    title = "That didn't work"

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix

    @property
    def code(self) -> str:
        """The error's word for machines: `not_allowed` for NotAllowed."""
        return word_of(type(self))


class Refused(HousestyleError):
    """A rule says no."""

    title = "Not allowed by the rules"


class NotAllowed(Refused):
    """The person lacks the right."""

    title = "You can't do that"


class OverBudget(Refused):
    """A quota or budget is used up."""

    title = "Budget used up"


class TooMuchWaiting(OverBudget):
    """The pictures that one person has brought, and that wait, fill the room for them."""

    title = "Too many pictures wait"


class Unapproved(Refused):
    """What would be published is not what was approved."""

    title = "Not approved"


@dataclass(frozen=True, kw_only=True)
class Position:
    """Where in the typed text the mistake is: characters, from 0."""

    start: int
    end: int


class Mistake(HousestyleError):
    """The input is wrong; nothing was queued and nothing was charged."""

    title = "Please check"

    def __init__(
        self,
        message: str,
        *,
        fix: str = "",
        position: Position | None = None,
        allowed: tuple[str, ...] = (),
        nearest: str = "",
        field: str = "",
    ) -> None:
        super().__init__(message, fix=fix)
        self.position = position
        self.allowed = allowed
        self.nearest = nearest
        self.field = field


class NotFound(HousestyleError):
    """No such thing, or not visible to this person."""

    title = "Not found"


class Unavailable(HousestyleError):
    """A part of the house does not answer now: nothing was decided, so the same thing can be
    tried again as it is."""

    title = "Please wait a moment"


class CorruptBlob(HousestyleError):
    """A stored file no longer has the bytes that its name says: the disk or someone changed it."""

    title = "Damaged file"

    def __init__(self, sha256: str) -> None:
        super().__init__(
            f"The stored file {sha256[:12]}… is damaged: its contents no longer match its name.",
            fix="Bring it back from a backup; `housestyle assets check` lists all such files.",
        )
        self.sha256 = sha256


class Conflict(HousestyleError):
    """Someone or something was faster."""

    title = "Already done"


class StaleState(Conflict):
    """The thing changed since it was read, or the step is not in its transition table."""


class LeaseLost(Conflict):
    """Another worker has taken over; what this one did after that does not count."""


class ChatError(HousestyleError):
    """A platform did not take a message."""

    title = "Message not delivered"


class ChatRejected(ChatError):
    """The platform will never take it (no such channel, not a member, too large)."""


class ChatUnavailable(ChatError):
    """The platform cannot take it now. `queued`: that is no failed attempt, since only a rate is in
    the way, or a key of the app's own that somebody has to set right; its turn comes."""

    def __init__(self, message: str, *, retry_after_s: float, queued: bool = False) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.queued = queued


class ChatIncomplete(ChatError):
    """The card stands at `sent`, but something of it is to come, as a picture that the platform
    still looks at: change it there later. `queued`: that is no failure, it only takes its time."""

    def __init__(
        self, message: str, *, sent: "MessageRef", retry_after_s: float, queued: bool
    ) -> None:
        super().__init__(message)
        self.sent = sent
        self.retry_after_s = retry_after_s
        self.queued = queued


class ChatAmbiguous(ChatError):
    """The answer was lost: the message may or may not stand there."""
