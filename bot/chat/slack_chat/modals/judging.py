"""What is wrong in a form that was sent off, each thing at its own block, from memory alone."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from bot.chat.slack_chat.modals.asking import NEW_WORDS, Question
from bot.chat.slack_chat.modals.reading import Reference, state_of
from bot.chat.slack_chat.modals.wish import (
    BRAND,
    CHANNEL,
    COUNT,
    FILE,
    MARK,
    NEGATIVE,
    NO_TEMPLATE,
    SEED,
    SIZE,
    SOME_PICTURE,
    TEMPLATE,
    VAR,
    WORDS,
    Wish,
    imagine_of,
    wish_of,
)
from bot.chat.slack_chat.rendering.commands import in_mistake
from bot.core.commands import Imagine
from bot.core.errors import Mistake
from bot.core.grammar import Vocabulary, parse
from bot.core.queueing import compile_all
from brand.kit import BrandKit

MAX_ERRORS = 20
MAX_WORDS = 1000
"""Characters of a mistake at its field: more would push the form off a phone's screen."""
ANY_WORD = "mug"
"""Stands where something wrong stood, while the rest is looked at."""
_FIELDS = {
    "brand": BRAND,
    "template": TEMPLATE,
    "words": WORDS,
    "negative": NEGATIVE,
    "aspect": SIZE,
    "size": SIZE,
    "n": COUNT,
    "seed": SEED,
    "channel": CHANNEL,
    "reference": FILE,
    "image": FILE,
    "strength": FILE,
    "image_weight": FILE,
}


def judge(view: Mapping[str, Any], kits: Iterable[BrandKit]) -> dict[str, str]:
    """Block id -> what is wrong there; empty where the form can be taken as it is.

    `view` is what Slack sends with a submission."""
    metadata = view.get("private_metadata")
    wish = wish_of(metadata if isinstance(metadata, str) else "", state_of(view))
    blocks = _block_ids(view)
    kit = next((kit for kit in kits if kit.id == wish.brand), None)
    if kit is None:
        words = "This brand isn't here any more. Choose another one. Nothing was queued."
        return {_at(BRAND, blocks): words} if blocks else {}
    found: dict[str, str] = {}
    for _ in range(MAX_ERRORS):
        mistake = _mistake(wish, kit)
        if mistake is None:
            return found
        key, words = _told(mistake, wish, blocks)
        found.setdefault(_at(key, blocks), words)
        mended = _mended(wish, kit, key)
        if mended is None:
            return found
        wish = mended
    return found


def judge_words(question: Question, answer: str, kit: BrandKit | None) -> str:
    """What is wrong with the answer to a button's question; empty where nothing is."""
    if not answer.strip():
        return "Write something. Nothing was done yet."
    if question.asks != NEW_WORDS or kit is None:
        return ""
    try:
        command = parse(f"/imagine {answer}", vocabulary=Vocabulary.of(kit))
        if not isinstance(command, Imagine):
            return "New words can't be a command. Write what the picture should show."
        compile_all(command.brief.with_pictures(lambda _: SOME_PICTURE), kit)
    except Mistake as exc:
        return _words_of(exc)
    return ""


def _mistake(wish: Wish, kit: BrandKit) -> Mistake | None:
    try:
        brief = imagine_of(wish, kit).brief
        compile_all(replace(brief, reference=SOME_PICTURE if wish.has_picture else ""), kit)
    except Mistake as exc:
        return exc
    return None


def _key_of(field: str) -> str:
    return _FIELDS.get(field, f"{VAR}{field}" if field.isupper() else WORDS)


def _told(mistake: Mistake, wish: Wish, blocks: Mapping[str, str]) -> tuple[str, str]:
    key = _key_of(mistake.field)
    chosen = wish.values.get(TEMPLATE, "")
    if key.startswith(VAR) and key not in blocks and chosen not in ("", NO_TEMPLATE, wish.shown):
        # Sent off before the inputs of the template that was chosen last had come.
        return TEMPLATE, (
            "Its inputs weren't here yet. Choose another one, then this one again. "
            "Nothing was queued."
        )
    return key, _words_of(mistake)


def _words_of(mistake: Mistake) -> str:
    said = in_mistake(f"{mistake.message} {mistake.fix}".strip())
    return said if len(said) <= MAX_WORDS else f"{said[: MAX_WORDS - 1]}…"


def _mended(wish: Wish, kit: BrandKit, key: str) -> Wish | None:
    """The same wish without that mistake, to find what else is wrong; None where the rest hangs
    on it."""
    if key == TEMPLATE:
        return None
    if key == FILE:
        return replace(wish, files=(), reference=Reference())
    values = {name: value for name, value in wish.values.items() if name != key}
    if key == WORDS:
        values[WORDS] = ANY_WORD
    elif key.startswith(VAR):
        template = wish.template_in(kit)
        variable = template.variable(key.removeprefix(VAR)) if template else None
        if variable is not None:
            values[key] = (*variable.values, ANY_WORD)[0]
    mended = replace(wish, values=values)
    return None if mended == wish else mended


def _block_ids(view: Mapping[str, Any]) -> dict[str, str]:
    """Key -> block id of the view's inputs, in their order."""
    blocks = view.get("blocks")
    ids = [
        block.get("block_id")
        for block in (blocks if isinstance(blocks, list) else ())
        if isinstance(block, dict) and block.get("type") == "input"
    ]
    return {one.partition(MARK)[0]: one for one in ids if isinstance(one, str)}


def _at(key: str, blocks: Mapping[str, str]) -> str:
    """The block of this key; the words' or any other where the form has none."""
    return blocks.get(key) or blocks.get(WORDS) or next(iter(blocks.values()), key)
