"""What Discord would refuse is never sent."""

from typing import Any

import pytest

from bot.chat.discord_chat.rendering.cards import rendered
from bot.chat.discord_chat.rendering.limits import Unsendable, checked, counted, written
from bot.core.messages import Card

TEXT: dict[str, Any] = {"type": 10, "content": "hello"}
BUTTON: dict[str, Any] = {"type": 2, "style": 2, "label": "Use", "custom_id": "do:x"}
OPTION = {"label": "Use", "value": "use"}
MENU: dict[str, Any] = {"type": 3, "custom_id": "pick:x", "options": [OPTION]}
ITEM = {"media": {"url": "attachment://a.png"}, "description": "A mug"}


def box(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": 17, "components": list(parts), **more}


def row(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"type": 1, "components": list(parts)}


def buttons(count: int) -> list[dict[str, Any]]:
    return [{**BUTTON, "custom_id": f"do:{number}"} for number in range(count)]


def test_what_discord_takes_is_let_through() -> None:
    section = {"type": 9, "components": [TEXT], "accessory": {"type": 11, **ITEM}}
    gallery = {"type": 12, "items": [ITEM] * 10}
    whole = [box(TEXT, gallery, section, row(*buttons(5)), row(MENU), id=7)]
    assert checked(whole) is whole
    assert counted(whole) == 14
    assert written(whole) == 10


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ([], "0 components"),
        ([box(*[TEXT] * 40)], "41 components"),
        ([box(*[{**TEXT, "content": "x" * 2001}] * 2)], "4002 characters"),
        ([box({**TEXT, "content": " \n"})], "empty"),
        ([box()], "parts in a container"),
        ([row()], "parts in a row"),
        ([row(*buttons(6))], "parts in a row"),
        ([row(*buttons(1), MENU)], "stands in a row with others"),
        ([row({**BUTTON, "label": ""})], "label"),
        ([row({**BUTTON, "label": "x" * 81})], "label"),
        ([row({**BUTTON, "custom_id": "x" * 101})], "custom id"),
        ([row({**BUTTON, "custom_id": ""})], "custom id"),
        ([row(BUTTON, BUTTON)], "same custom_id"),
        ([row({**BUTTON, "style": 5, "custom_id": None})], "address"),
        ([box(TEXT, id=3), {**TEXT, "id": 3}], "same id"),
        ([box(TEXT, id=0)], "an id"),
        ([box(TEXT, id=2**31)], "an id"),
        ([row({**MENU, "options": []})], "options of a menu"),
        ([row({**MENU, "options": [{**OPTION, "value": str(n)} for n in range(26)]})], "options"),
        ([row({**MENU, "options": [OPTION, OPTION]})], "same value"),
        ([row({**MENU, "options": [{**OPTION, "label": "x" * 101}]})], "option's label"),
        ([row({**MENU, "options": [{**OPTION, "value": ""}]})], "option's value"),
        ([row({**MENU, "placeholder": "x" * 151})], "placeholder"),
        ([{"type": 12, "items": []}], "pictures in a gallery"),
        ([{"type": 12, "items": [ITEM] * 11}], "pictures in a gallery"),
        ([{"type": 12, "items": [{**ITEM, "description": ""}]}], "alt text"),
        ([{"type": 12, "items": [{**ITEM, "description": "x" * 1025}]}], "alt text"),
        ([{"type": 12, "items": [{"media": {"url": "https://x"}}]}], "no attachment"),
        ([{"type": 9, "components": [], "accessory": BUTTON}], "texts in a section"),
        ([{"type": 99}], "of type 99"),
    ],
)
def test_what_discord_would_refuse_is_not_sent_and_says_why(
    parts: list[dict[str, Any]], problem: str
) -> None:
    with pytest.raises(Unsendable, match=problem) as refused:
        checked(parts)
    assert "admin" in refused.value.fix


def test_a_character_outside_the_basic_plane_counts_as_two() -> None:
    with pytest.raises(Unsendable):
        checked([{**TEXT, "content": "🎨" * 2001}])


@pytest.mark.parametrize("kind", ["job", "review", "reply", "error"])
def test_a_card_of_nothing_but_short_lines_still_fits(kind: str) -> None:
    """Each line of small grey text has its own mark, which counts too."""
    short = "a\n" * 400
    card = Card(
        kind=kind,
        title=short,
        lines=(short, short),
        status=short,
        stamp=short,
        fix=short,
        hint=short,
        footer=short,
        reference=short,
    )
    drawn = rendered(card, marker="m", shown={})
    assert checked(drawn.components) == drawn.components
