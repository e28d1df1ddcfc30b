"""Every command that a person can give, as plain values: text, forms and buttons all end here."""

from dataclasses import dataclass

from bot.core.messages import ChannelRef
from brand.templates import Brief


@dataclass(frozen=True, kw_only=True)
class Imagine:
    """Make pictures of a brief. `brand` empty: the channel's brand, else the only one."""

    brief: Brief
    brand: str = ""
    target: ChannelRef | None = None
    """Where the picture is meant to be posted, if said."""


@dataclass(frozen=True, kw_only=True)
class Vary:
    """New pictures near an asset: `strong` changes more."""

    asset: str
    strong: bool = False


@dataclass(frozen=True, kw_only=True)
class Reroll:
    """The same brief again with a new seed. `target` is a job or an asset id."""

    target: str


@dataclass(frozen=True, kw_only=True)
class Upscale:
    """The same picture with more pixels: a plain, whole factor."""

    asset: str
    factor: int = 2


@dataclass(frozen=True, kw_only=True)
class EditWords:
    """The same recipe and seed with other words. `text` is read by the grammar."""

    asset: str
    text: str


@dataclass(frozen=True, kw_only=True)
class SendToApproval:
    """Ask for approval of an asset, to be posted to `channel` (a kit channel's name)."""

    asset: str
    channel: str = ""
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class Approve:
    """Approve a review (or the open review of an asset)."""

    review: str


@dataclass(frozen=True, kw_only=True)
class Reject:
    """Reject a review, with the reason that the requester reads."""

    review: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class AskChange:
    """Close a review with a wish for a change."""

    review: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Withdraw:
    """Take back one's own open review or approved asset (undo of sending)."""

    asset: str


@dataclass(frozen=True, kw_only=True)
class Cancel:
    """Stop a job. `job` empty: the person's newest job that has not ended."""

    job: str = ""


@dataclass(frozen=True, kw_only=True)
class Queue:
    """What runs and what waits."""

    brand: str = ""


@dataclass(frozen=True, kw_only=True)
class Show:
    """One job, asset or review by id."""

    target: str


@dataclass(frozen=True, kw_only=True)
class Find:
    """Search the archive."""

    text: str = ""
    brand: str = ""
    state: str = ""


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What was used this month: pictures, device seconds, cost."""

    brand: str = ""


@dataclass(frozen=True, kw_only=True)
class Settle:
    """Settle an ambiguous publication: it did (`sent`) or did not arrive (send again)."""

    publication: str
    sent: bool


@dataclass(frozen=True, kw_only=True)
class Help:
    """How to say things; `topic` narrows it."""

    topic: str = ""


Command = (
    Imagine
    | Vary
    | Reroll
    | Upscale
    | EditWords
    | SendToApproval
    | Approve
    | Reject
    | AskChange
    | Withdraw
    | Cancel
    | Queue
    | Show
    | Find
    | Usage
    | Settle
    | Help
)
