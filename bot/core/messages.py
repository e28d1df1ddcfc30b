"""What the product says, without a platform: cards, buttons, places and people.

An adapter turns a Card into Block Kit, components or HTML; it adds no rule and no word.
"""

from dataclasses import dataclass
from enum import StrEnum


class Audience(StrEnum):
    """Who can see a channel (DESIGN, rule 3)."""

    REQUESTER = "requester"
    WORKING = "working"
    PUBLIC = "public"


@dataclass(frozen=True, kw_only=True)
class ChannelRef:
    """A place on a chat platform. `channel` is the platform's own id, `thread` likewise."""

    platform: str
    channel: str
    thread: str = ""
    team: str = ""

    def __str__(self) -> str:
        return f"{self.platform}:{self.channel}"


@dataclass(frozen=True, kw_only=True)
class MessageRef:
    """A message that stands on a platform."""

    platform: str
    channel: str
    message: str
    team: str = ""
    link: str = ""


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who gives a command, and from where. `person` is empty for someone we do not know."""

    platform: str
    user: str
    """The platform's own user id."""
    name: str
    person: str = ""
    channel: ChannelRef | None = None
    delivery: str = ""
    """The platform's id of the delivery, for de-duplication; empty inside the house."""
    roles: frozenset[str] = frozenset()
    """Roles of the person in the brand that the command concerns (filled by dispatch)."""
    groups: frozenset[str] = frozenset()
    """Their roles on the platform, as `discord:ROLE_ID`; empty where it has none, or in a direct
    message."""
    place: str = ""
    """The server or workspace they speak in, as `discord:GUILD_ID` or `slack:T0123456789`; empty
    where there is none, as in a direct message on Discord."""


class Style(StrEnum):
    """How much a button is meant to stand out."""

    PRIMARY = "primary"
    DANGER = "danger"
    QUIET = "quiet"


@dataclass(frozen=True, kw_only=True)
class Button:
    """A command as a button. `action` is `verb:ID[:extra]`, at most 100 characters.

    `asks` names the one thing an adapter must ask first ("reason", "words"; "reference": open the
    form for a new picture with this one as its reference), or is empty.
    """

    label: str
    action: str
    style: Style = Style.QUIET
    icon: str = ""
    asks: str = ""


@dataclass(frozen=True, kw_only=True)
class Swatch:
    """A measured colour: `share` of the picture from 0 to 1, `hex` as #rrggbb."""

    name: str
    hex: str
    share: float
    wanted: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Field:
    """One fact of a card."""

    label: str
    value: str
    swatches: tuple[Swatch, ...] = ()
    ok: bool | None = None
    """True passed, False failed, None not judged."""


@dataclass(frozen=True, kw_only=True)
class PictureRef:
    """A picture of a card: a blob of the archive, its alt text and its own buttons."""

    asset: str
    blob: str
    """File hash of what is shown."""
    alt: str
    width: int
    height: int
    number: int = 1
    draft: bool = True
    buttons: tuple[Button, ...] = ()
    fields: tuple[Field, ...] = ()
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class Card:
    """A reply without a platform.

    `subject` ("job:ID", "review:ID", "publication:ID") names the thing the card is about: a
    later card with the same subject and channel replaces it in place. `kind` is one of job,
    review, post, reply, list, error.
    """

    kind: str
    title: str
    subject: str = ""
    lines: tuple[str, ...] = ()
    state: str = ""
    """Machine word of the state shown, e.g. `rendering`."""
    status: str = ""
    """The state line as people read it: "Queued, 3rd in line, about 40 s"."""
    progress: float | None = None
    """0 to 1 while something runs."""
    pictures: tuple[PictureRef, ...] = ()
    preview: PictureRef | None = None
    """What the picture looks like so far, while it is being made; without buttons."""
    fields: tuple[Field, ...] = ()
    buttons: tuple[Button, ...] = ()
    stamp: str = ""
    """What was decided, by whom and when; buttons are gone then."""
    footer: str = ""
    draft: bool = False
    private: bool = False
    rows: tuple[tuple[str, ...], ...] = ()
    """Table rows of a list card; `columns` heads them."""
    columns: tuple[str, ...] = ()
    reference: str = ""
    """Reference id of an error; the log has the same."""
    fix: str = ""
    """What to do next, one sentence."""
    hint: str = ""
    """A working example to try next."""
