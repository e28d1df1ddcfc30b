"""Extra networks in a prompt: `<lora:NAME:WEIGHT>` as the house writes it, all others refused.

None stays in the prompt: there it would be words that the model reads.
"""

import math
import re

from bot.web.api.webui.refusing import refused
from brand.lora_rules import lora_text

_TAG = re.compile(r"<\s*([^\W\d][\w-]{0,40})\s*:([^<>]*)>")
_LORA = re.compile(
    r"\s*([^:<>+\s](?:[^:<>+]{0,98}[^:<>+\s])?)\s*(?::\s*([+-]?[0-9.]{1,12}(?:e[+-]?[0-9]{1,3})?)\s*)?",
    re.IGNORECASE,
)
_BROKEN = re.compile(r"<\s*(?:lora|lyco|hypernet)\b", re.IGNORECASE)
"""What was meant as one, but has no end or another one in it."""


def taken_out(prompt: str) -> tuple[str, str]:
    """The words without their `<lora:NAME:WEIGHT>`, and these as the house writes them.

    Raises ApiFailure for anything else of that kind.
    """
    found = _TAG.findall(prompt)
    choices = tuple(_choice(kind, text) for kind, text in found)
    words = " ".join(_TAG.sub(" ", prompt).split()) if found else prompt
    _check_rest(words, "prompt")
    return words, lora_text(choices)


def none_in(text: str, field: str) -> str:
    """The same text, which has no extra network in it. Raises ApiFailure."""
    if (tag := _TAG.search(text)) is not None:
        raise refused(field, f"`{tag[0][:80]}` has no place in `{field}`. Take it out.")
    _check_rest(text, field)
    return text


def _choice(kind: str, text: str) -> tuple[str, float | None]:
    if kind.casefold() != "lora":
        raise refused(
            "prompt",
            f"`<{kind}:{text[:60]}>` isn't known here. LoRAs of the kit's list are, as "
            "<lora:NAME:0.8>; words for anything else are written without < and >.",
        )
    read = _LORA.fullmatch(text)
    try:
        weight = float(read[2]) if read and read[2] else None
    except ValueError:
        weight = math.nan
    if read is None or (weight is not None and not math.isfinite(weight)):
        raise refused(
            "prompt",
            f"`<lora:{text[:60]}>` can't be read: a LoRA has a name and one number as its weight, "
            "<lora:NAME:0.8>.",
        )
    return read[1], weight


def _check_rest(text: str, field: str) -> None:
    if _BROKEN.search(text):
        raise refused(field, f"A LoRA in `{field}` isn't closed. Write <lora:NAME:0.8>.")
