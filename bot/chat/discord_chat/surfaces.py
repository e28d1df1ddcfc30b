"""What people meet in Discord: the tables that commands, handlers, doctor and tests come from."""

from dataclasses import dataclass
from enum import IntEnum


class Kind(IntEnum):
    """Types of an option (docs.discord.com, application command option type)."""

    TEXT = 3
    WHOLE = 4
    YES = 5
    FILE = 11


@dataclass(frozen=True, kw_only=True)
class Option:
    """An option of a slash command. `name` has at most 32 characters, `about` 100."""

    name: str
    about: str
    kind: Kind = Kind.TEXT
    required: bool = False
    suggests: bool = False
    """Whether what fits is shown while they type."""
    low: int | None = None
    high: int | None = None
    longest: int | None = None


@dataclass(frozen=True, kw_only=True)
class SlashCommand:
    """A slash command."""

    about: str
    options: tuple[Option, ...] = ()
    line: str = ""
    """What its one free text follows, as it is typed in any other chat: `/find`."""


PROMPT, TEMPLATE, BRAND, LORA = "prompt", "template", "brand", "lora"
REFERENCE = "reference"
LONGEST_LINE = 2000

IMAGINE = "imagine"
COMMANDS: dict[str, SlashCommand] = {
    IMAGINE: SlashCommand(
        about="Make an on-brand picture",
        options=(
            Option(
                name=PROMPT,
                about="What it should show; --ar 16:9 and the like work too",
                longest=LONGEST_LINE,
            ),
            Option(name=TEMPLATE, about="One of the brand's templates", suggests=True),
            Option(name=BRAND, about="Which brand, where you work for several", suggests=True),
            Option(name="count", about="How many pictures", kind=Kind.WHOLE, low=1, high=10),
            Option(name="aspect", about="Shape, such as 16:9", suggests=True),
            Option(name="seed", about="The same seed, the same picture", kind=Kind.WHOLE, low=0),
            Option(name="negative", about="What it should not show", longest=500),
            Option(name=LORA, about="Another of the brand's looks", suggests=True),
            Option(name=REFERENCE, about="A picture to start from", kind=Kind.FILE),
            Option(name="private", about="Drafts for you alone", kind=Kind.YES),
        ),
        line="/imagine",
    ),
    "queue": SlashCommand(about="What waits and what is being made", line="/queue"),
    "show": SlashCommand(
        about="A job, picture or review by its id",
        options=(Option(name="id", about="Its id", required=True, longest=64),),
        line="/show",
    ),
    "find": SlashCommand(
        about="Search the archive",
        options=(Option(name="words", about="What it shows", required=True, longest=200),),
        line="/find",
    ),
    "usage": SlashCommand(
        about="What was used this month, and what is left",
        options=(Option(name=BRAND, about="Of one brand", suggests=True),),
        line="/usage",
    ),
    "schedule": SlashCommand(
        about="Plan posts: every Monday 09:00, theme innovation",
        options=(Option(name="rule", about="When and what", longest=LONGEST_LINE),),
        line="/schedule",
    ),
    BRAND: SlashCommand(
        about="What a brand allows: templates, shapes, words",
        options=(Option(name=BRAND, about="Which one", suggests=True),),
        line="/help templates",
    ),
    "help": SlashCommand(
        about="What I can do, with examples",
        options=(Option(name="about", about="A command or a topic", longest=100),),
        line="/help",
    ),
    "link": SlashCommand(
        about="Join this account with one you have here already",
        options=(Option(name="code", about="The code that the other account shows", longest=64),),
        line="/link",
    ),
    "housestyle": SlashCommand(
        about="Any other command, as one line",
        options=(
            Option(
                name="line", about="people, send ID, role …", required=True, longest=LONGEST_LINE
            ),
        ),
    ),
}
"""By name, without the slash."""

USE_AS_REFERENCE, DETAILS, APPROVE = "Use as reference", "Details", "Approve"
MENUS = (USE_AS_REFERENCE, DETAILS, APPROVE)
"""Commands in a message's menu."""

ACTION_PREFIX = "do:"
"""A card's button has the custom id `do:ACTION`."""
ASK_PREFIX = "ask:"
"""`ask:WHAT:ACTION`, where the button asks for something first."""
ASKS = ("reason", "words", "reference")
FORM_PREFIX = "form:"
"""A form's custom id: `form:WHAT:ACTION`, or `form:imagine:…` (see forms)."""
PICK_PREFIX = "pick:"
"""A card's menu has the custom id `pick:ASSET`, and behind it its number from the second on; what
is chosen in it is a button's custom id."""
SHOWN_PREFIX = "shown:"
"""Of a button that only links or is switched off: nothing is done."""
MAX_CUSTOM_ID = 100

APPROVE_EMOJI, REJECT_EMOJI = ("✅", "✔️", "👍"), ("❌", "🚫")
"""What votes on a review, beside what the options name."""
RECIPE_EMOJI, DELETE_EMOJI = "✉️", "❌"
"""On a picture's card: the recipe by direct message; on one's own card: delete it. On a review
❌ rejects."""

INTENTS = ("guilds", "guild_messages", "guild_reactions")
"""As discord.py names them. None of them is privileged."""

PERMISSIONS: dict[str, int] = {
    "View Channels": 1 << 10,
    "Send Messages": 1 << 11,
    "Attach Files": 1 << 15,
    "Read Message History": 1 << 16,
    "Add Reactions": 1 << 6,
    "Send Messages in Threads": 1 << 38,
}
"""What the invitation asks for (docs.discord.com, permissions)."""
