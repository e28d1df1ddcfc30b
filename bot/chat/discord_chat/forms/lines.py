"""A filled-in command or form for a picture as the line that one would type in any chat.

The grammar then reads it, so that a mistake says the same everywhere.
"""

from collections.abc import Iterator, Mapping

from bot.chat.discord_chat.surfaces import BRAND, LORA, PROMPT, TEMPLATE
from bot.core.grammar_text import QUOTES, SINGLE_QUOTES, quoted

VAR = "var:"
"""Begins the name of a form's input for a variable of the template."""
YES = "true"
_FLAGS = (("aspect", "ar"), ("count", "n"), ("seed", "seed"), (LORA, "lora"), (BRAND, "brand"))
NEGATIVE, PRIVATE = "negative", "private"


def imagine_line(options: Mapping[str, str], *, reference: str = "") -> str:
    """`/imagine …` of these options or inputs; `reference` names a picture to start from.

    What was chosen comes first and the free words last, so that they may hold anything; only
    what must not be in it follows, unless a flag can end it.
    """
    chosen = list(_chosen(options, reference))
    negative = options.get(NEGATIVE, "").strip()
    unwanted = [f"--no {negative}"] if negative else []
    words = [text] if (text := options.get(PROMPT, "").strip()) else []
    parts = [*unwanted, *chosen, *words] if chosen else [*words, *unwanted]
    return " ".join(["/imagine", *parts])


def flags_line(options: Mapping[str, str]) -> str:
    """The same without the command and its variables: what stands in a form's box for words."""
    own = {name: value for name, value in options.items() if not name.startswith(VAR)}
    return imagine_line(own).removeprefix("/imagine").strip()


def _chosen(options: Mapping[str, str], reference: str) -> Iterator[str]:
    if template := options.get(TEMPLATE, "").strip():
        yield f"template:{_value(template)}"
    for name, flag in _FLAGS:
        if value := options.get(name, "").strip():
            yield f"--{flag} {_value(value)}"
    if options.get(PRIVATE) == YES:
        yield "--private"
    if reference:
        yield f"--ref {reference}"
    for name, value in options.items():
        if name.startswith(VAR) and value.strip():
            yield f"{name.removeprefix(VAR)}={_value(value.strip())}"


def _value(text: str) -> str:
    """As one word."""
    awkward = any(char.isspace() or char in QUOTES or char in SINGLE_QUOTES for char in text)
    return quoted(text) if awkward or text.endswith((",", ";")) or text.startswith("-") else text
