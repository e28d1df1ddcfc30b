"""Help: one card per topic, with examples made of the brand's own words that can be sent as is."""

from bot.core.errors import NotFound
from bot.core.grammar_cursor import any_of
from bot.core.grammar_flags import FLAGS, IMAGE_WEIGHT, STYLIZE
from bot.core.grammar_schedule import EXAMPLE as SCHEDULE_EXAMPLE
from bot.core.grammar_values import Flag
from bot.core.messages import Card, Field
from bot.core.people import Role
from bot.core.verb_args import Verb
from bot.core.verbs import BY_NAME, FACTORS, TOPICS, VERBS
from bot.core.vocabulary import Vocabulary
from brand.kit import Template, Variable

EXAMPLE_WORDS = "a red mug on a wooden table"
DAILY = ("imagine", "queue", "find", "vary", "send", "approve", "reject")
"""Verbs that help names first, in the order in which people come to need them."""
EXAMPLE_ID = "0Ab1Cd2Ef3Gh4Ij5Kl6Mn7"
"""Has the form of an id, and belongs to nothing."""

_MORE = {
    "imagine": (
        "Free words, in any language the model knows. Words in quotation marks are just words.",
        "`Negative:` and what must not be in the picture may end the line.",
        "`/help flags` lists the flags, `/help templates` the templates.",
        "The first attached picture is the reference; say `--mask`, `control:canny` or `--like` "
        "for each further one, in their order.",
    ),
    "extend": ("Without sides: a quarter of its width to the left and to the right.",),
    "reject": ("The requester reads the reason, so say what would make it right.",),
    "cancel": ("What is already rendered is thrown away; the budget gets back the rest.",),
    "pause-job": (
        "Others have the model meanwhile; `/resume-job` lets it go on, to the same pictures.",
        "What is paused for 24 hours is cancelled.",
    ),
    "budget": (
        "Both limits are set at once: the one you leave out is taken away, as `none` does.",
        "`--per day` sets those of a day, beside those of the month. A role or place is named as "
        "its platform knows it: `/budget role discord:ID --pictures 20 --per day`.",
        "Months are counted in UTC. At 80 % people are told, at 100 % new pictures wait.",
    ),
    "settle": ("A post is doubtful when the connection broke while it was sent.",),
    "schedule": (
        "`/every Monday ...` is the same, and `every Monday ...` alone.",
        "Days: `Mon and Thu`, `weekdays`, `every other Tue`. Times are those of the zone's clocks.",
        "More: `templates a, b` in turn, `named NAME`, `fallback ID` of an approved picture.",
        "Pictures are made four days before and need approval; what has none is not posted.",
    ),
    "pause": ("A schedule is named by its id or its name; `/calendar` lists both.",),
    "skip": ("`/restore ID` takes it back in, until its time has come.",),
    "move": ("The time is that of the schedule's zone; without one it stays.",),
    "invite": (
        f"Roles: {', '.join(role.value for role in Role)}; `--role` may be said several times.",
        "The link that lets them in is on the People page. With `--account`, for admins, they are "
        "in without one: whoever I don't know reads theirs when they say something to me.",
    ),
    "role": (f"Roles: {', '.join(role.value for role in Role)}.", "Without a brand: in all."),
    "deactivate": ("Their sessions and keys end at once; what they asked for stays.",),
    "erase": ("You are asked before anything goes. It can't be undone.",),
    "link": (
        "Say it in the account I know, then type the code in the other one, then say yes here.",
    ),
    "send": ("The picture stays a draft until an approver has said yes.",),
    "share": (
        "A draft goes to the approvers first. What was approved is posted where it was approved "
        "for; a post that failed is tried once more.",
    ),
    "use": ("The file has its label. A draft is for you to look at, not for publication.",),
}


def help_card(topic: str, vocabulary: Vocabulary) -> Card:
    """The card on a topic: a verb, `all` of them, `templates`, `flags`, `approval`, a template's
    name; without one, on what people say daily.

    Raises NotFound for anything else.
    """
    topic = topic.casefold().removeprefix("/")
    if not topic:
        return _daily_card(vocabulary)
    if topic in BY_NAME:
        return _verb_card(BY_NAME[topic], vocabulary)
    if topic in _TOPIC_CARDS:
        return _TOPIC_CARDS[topic](vocabulary)
    template = vocabulary.template(topic)
    if template is not None:
        return template_card(template)
    raise NotFound("There is no help on that.", fix="`/help all` lists all there is.")


def example_of(verb: str, vocabulary: Vocabulary) -> str:
    """A line with this verb that the grammar takes as it is."""
    channel = next((c.name for c in vocabulary.channels if c.audience == "public"), "")
    channel = f" #{channel.removeprefix('#')}" if channel else ""
    rest = {
        "imagine": _imagine_example(vocabulary),
        "vary": f"{EXAMPLE_ID} strong",
        "upscale": f"{EXAMPLE_ID} {FACTORS[0]}",
        "extend": f"{EXAMPLE_ID} left=64,right=64",
        "edit": f"{EXAMPLE_ID} {EXAMPLE_WORDS}",
        "send": f"{EXAMPLE_ID}{channel} Tea for two",
        "share": f"{EXAMPLE_ID}{channel} Tea for two",
        "reject": f"{EXAMPLE_ID} too dark, the mug is hard to see",
        "change": f"{EXAMPLE_ID} the same in a warmer light",
        "settle": f"{EXAMPLE_ID} sent",
        "schedule": f"{SCHEDULE_EXAMPLE}{channel and f' in{channel}'}",
        "calendar": "2 weeks",
        "pause": "Innovation",
        "resume": "Innovation",
        "end": "Innovation",
        "skip": f"{EXAMPLE_ID} a holiday",
        "move": f"{EXAMPLE_ID} 2026-03-09 14:30",
        "invite": "Mia --role approver",
        "role": "Mia approver",
        "team": "Mia design",
        "deactivate": "Mia",
        "reactivate": "Mia",
        "erase": "Mia",
        "unlink": "slack",
        "budget": "team design --pictures 200",
        "find": "mug --state approved",
        "help": "templates",
    }
    needs_id = BY_NAME[verb].takes.startswith("ID")
    return f"/{verb} {rest.get(verb, EXAMPLE_ID if needs_id else '')}".strip()


def template_example(template: Template) -> str:
    """A line that uses this template, with a value for every variable."""
    values = [f"{item.name}={_quoted(_sample(item))}" for item in template.variables]
    words = [EXAMPLE_WORDS] if "[WORDS]" in template.text else []
    return " ".join([f"/imagine template:{template.name}", *words, *values])


def _imagine_example(vocabulary: Vocabulary) -> str:
    shape = f" --ar {vocabulary.aspects[-1]}" if vocabulary.aspects else ""
    return f"{EXAMPLE_WORDS}{shape} --seed 7"


def _sample(variable: Variable) -> str:
    return variable.default or next(iter(variable.values), "Tea for two")


def _quoted(text: str) -> str:
    return f'"{text}"' if " " in text else text


def _usage(verb: Verb) -> str:
    return f"/{verb.name} {verb.takes}".strip()


def _daily_card(vocabulary: Vocabulary) -> Card:
    return Card(
        kind="list",
        title=f"What you can say about {vocabulary.brand}",
        lines=("`/help all` lists every command; `/help` and a word tells more of one.",),
        columns=("say", "to"),
        rows=tuple((_usage(BY_NAME[name]), BY_NAME[name].about) for name in DAILY),
        hint=example_of("imagine", vocabulary),
        private=True,
    )


def _all_card(vocabulary: Vocabulary) -> Card:
    return Card(
        kind="list",
        title=f"All you can say about {vocabulary.brand}",
        lines=("`/help` and a word tells more: a command, `templates`, `flags` or `approval`.",),
        columns=("say", "to"),
        rows=tuple((_usage(verb), verb.about) for verb in VERBS),
        hint=example_of("imagine", vocabulary),
        private=True,
    )


def _verb_card(verb: Verb, vocabulary: Vocabulary) -> Card:
    other = tuple(f"/{name}" for name in verb.aliases)
    also = (f"Also: {', '.join(other)}.",) if other else ()
    return Card(
        kind="reply",
        title=_usage(verb),
        lines=(verb.about.capitalize() + ".", *_MORE.get(verb.name, ()), *also),
        hint=example_of(verb.name, vocabulary),
        private=True,
    )


def _templates_card(vocabulary: Vocabulary) -> Card:
    first = next(iter(vocabulary.templates), None)
    none = (f"{vocabulary.brand} has no templates yet; its kit can hold them.",)
    return Card(
        kind="list",
        title=f"Templates of {vocabulary.brand}",
        lines=() if first else none,
        columns=("template", "for", "variables") if first else (),
        rows=tuple(
            (
                item.name,
                item.description or item.text,
                ", ".join(variable.name for variable in item.variables) or "none",
            )
            for item in vocabulary.templates
        ),
        hint=template_example(first) if first else example_of("imagine", vocabulary),
        private=True,
    )


def template_card(template: Template) -> Card:
    """A template with its variables, their values, and an example."""
    return Card(
        kind="reply",
        title=f"Template {template.name}",
        lines=tuple(line for line in (template.description, f"`{template.text}`") if line),
        fields=tuple(
            Field(label=f"{item.name}=", value=_variable_line(item)) for item in template.variables
        ),
        hint=template_example(template),
        private=True,
    )


def _variable_line(variable: Variable) -> str:
    values = any_of(variable.values, limit=40) if variable.values else "any short text"
    default = f"; `{variable.default}` if left out" if variable.default else "; needed"
    about = f"{variable.description} " if variable.description else ""
    return f"{about}{values}{default}"


def _flags_card(vocabulary: Vocabulary) -> Card:
    return Card(
        kind="list",
        title="Flags of /imagine",
        lines=("A flag may stand anywhere in the line. Phones' long dashes count as `--`.",),
        columns=("flag", "says", "values"),
        rows=tuple(
            (f"--{flag.name} {flag.takes}".strip(), flag.about, _values(flag, vocabulary))
            for flag in FLAGS
        ),
        hint=example_of("imagine", vocabulary),
        private=True,
    )


def _values(flag: Flag, vocabulary: Vocabulary) -> str:
    """What may stand after a flag, as this brand has it."""
    loras = tuple(dict.fromkeys(item.name for item in vocabulary.loras))
    known = {
        "ar": ", ".join(vocabulary.aspects),
        "n": str(vocabulary.n),
        "seed": "a whole number",
        "steps": str(vocabulary.steps),
        "cfg": str(vocabulary.cfg),
        "sampler": ", ".join(vocabulary.samplers),
        "strength": str(vocabulary.strength),
        "iw": str(IMAGE_WEIGHT),
        "stylize": str(STYLIZE),
        "control": ", ".join(vocabulary.controls),
        "highres": str(vocabulary.highres),
        "recipe": ", ".join(vocabulary.recipes),
        "lora": ", ".join(loras if vocabulary.lora_required else (*loras, "none")),
        "channel": ", ".join(channel.name for channel in vocabulary.channels),
        "brand": ", ".join(vocabulary.brands),
        "ref": "a picture's id",
        "no": "words, up to the next flag",
    }
    return known.get(flag.name, "")


def _approval_card(vocabulary: Vocabulary) -> Card:
    verbs = ("send", "share", "approve", "reject", "change", "take-back", "withdraw")
    return Card(
        kind="list",
        title="How a picture is approved",
        lines=(
            "A new picture is a draft. Send it to approval, and the approvers see it with its "
            "brand check.",
            "✅ or ❌ on the card does the same as the buttons. Nobody approves their own request.",
            "Once approved, exactly that file is posted and archived.",
        ),
        columns=("say", "to"),
        rows=tuple((_usage(BY_NAME[name]), BY_NAME[name].about) for name in verbs),
        hint=example_of("send", vocabulary),
        private=True,
    )


_TOPIC_CARDS = dict(
    zip(TOPICS, (_all_card, _templates_card, _flags_card, _approval_card), strict=True)
)
