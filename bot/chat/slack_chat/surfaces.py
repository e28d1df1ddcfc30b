"""What people meet in Slack: the tables that handlers, manifest, doctor and tests are made from."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class SlashCommand:
    """A slash command, as the manifest has it."""

    description: str
    usage_hint: str


@dataclass(frozen=True, kw_only=True)
class Shortcut:
    """A shortcut. `kind` is message or global; names have at most 24 characters."""

    name: str
    kind: str
    description: str


@dataclass(frozen=True, kw_only=True)
class EventSubscription:
    """An event that Slack tells of, and the bot scopes that it needs."""

    scopes: tuple[str, ...] = ()


COMMANDS: dict[str, SlashCommand] = {
    "/imagine": SlashCommand(
        description="Make an on-brand picture",
        usage_hint="a red mug on a wooden table | help | queue | find mug",
    ),
}

REFERENCE_SHORTCUT = "use_as_reference"
PICTURE_SHORTCUT = "new_picture"
SHORTCUTS: dict[str, Shortcut] = {
    REFERENCE_SHORTCUT: Shortcut(
        name="Use as reference", kind="message", description="Start a picture from this one"
    ),
    PICTURE_SHORTCUT: Shortcut(
        name="New picture", kind="global", description="Make an on-brand picture"
    ),
}

EVENTS: dict[str, EventSubscription] = {
    "app_mention": EventSubscription(scopes=("app_mentions:read",)),
    "message.im": EventSubscription(scopes=("im:history",)),
    "reaction_added": EventSubscription(scopes=("reactions:read",)),
    "app_home_opened": EventSubscription(),
    "app_uninstalled": EventSubscription(),
    "tokens_revoked": EventSubscription(),
}
"""Names as the manifest subscribes to them; `message.im` arrives as `message`."""

ACTION_PREFIX = "do:"
"""A card's button has the action id `do:ACTION`, so that ids are unique in a message."""
OPEN_PREFIX = "open:"
"""A button that opens a form: `open:imagine`, `open:reference:ASSET`."""

VIEW_IMAGINE = "imagine"
VIEW_ASK = "ask"
VIEWS = (VIEW_IMAGINE, VIEW_ASK)
"""Callback ids of our modals."""

PICK_BRAND = "pick_brand"
PICK_TEMPLATE = "pick_template"
PICKERS = (PICK_BRAND, PICK_TEMPLATE)
"""Action ids of the selects whose options we load."""


def event_scopes() -> frozenset[str]:
    """The bot scopes that the events, commands and shortcuts need."""
    needed = {scope for event in EVENTS.values() for scope in event.scopes}
    return frozenset(needed | {"commands"})
