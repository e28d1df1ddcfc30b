"""Mistakes of a form, each at its own block, without asking anybody."""

from dataclasses import replace
from typing import Any

import pytest

from bot.chat.slack_chat.modals.imagine import imagine_view
from bot.chat.slack_chat.modals.judging import judge
from bot.chat.slack_chat.modals.reading import Reference
from bot.chat.slack_chat.modals.wish import Wish
from brand.kit import BrandKit, Template, Variable, WayPolicy
from brand.spec import MAX_SEED
from tests.fakes.slack_forms import ACME

GOOD = {"words": "a mug"}
PRODUCT = {"template": "product", "var:COLOR": "red", "var:THING": "mug"}


def sent(
    values: dict[str, str], *, shown: str | None = None, kit: BrandKit = ACME, **wish: Any
) -> dict[str, Any]:
    """A form as Slack sends it off. `shown`: the template whose inputs it has, if another one."""
    of = Wish(brand=kit.id, values={"template": shown} if shown is not None else values, **wish)
    view = imagine_view(kit, of, brands=2).to_dict()
    ids = {b["block_id"].partition("~")[0]: b["block_id"] for b in view["blocks"] if "element" in b}
    state = {
        ids[key]: {"x": {"type": "plain_text_input", "value": value}}
        for key, value in values.items()
        if key in ids
    }
    return {**view, "state": {"values": state}}


def wrong(view: dict[str, Any], *kits: BrandKit) -> dict[str, str]:
    """What is wrong, by key; every block named is an input of the form."""
    told = judge(view, kits or (ACME,))
    inputs = {b["block_id"] for b in view["blocks"] if b["type"] == "input"}
    assert set(told) <= inputs
    return {block.partition("~")[0]: words for block, words in told.items()}


@pytest.mark.parametrize("values", [GOOD, PRODUCT, {**PRODUCT, "words": "x", "n": "4"}])
def test_a_good_form_is_taken(values: dict[str, str]) -> None:
    assert wrong(sent(values)) == {}


@pytest.mark.parametrize(
    ("values", "key", "says"),
    [
        ({"words": "a cheap mug"}, "words", "tone rule 4"),
        ({"words": "\u200b"}, "words", "Say what the picture shows"),
        ({**GOOD, "negative": "x" * 2001}, "negative", "2,000"),
        ({**GOOD, "seed": "-1"}, "seed", "between"),
        ({**GOOD, "seed": str(MAX_SEED + 1)}, "seed", "between"),
        ({**GOOD, "seed": "many"}, "seed", "whole number"),
        ({**GOOD, "n": "9"}, "n", "between 1 and 4"),
        ({**GOOD, "size": "9:1"}, "size", "Choose one of 1:1, 4:5"),
        ({**GOOD, "channel": "#drafts"}, "channel", "posts to"),
        ({**PRODUCT, "var:COLOR": "pink"}, "var:COLOR", "red, green, blue"),
        ({**PRODUCT, "var:THING": "cheap mug"}, "var:THING", "affordable"),
        ({**PRODUCT, "var:PLACE": "x" * 201}, "var:PLACE", "at most 200"),
        ({"template": "product", "var:COLOR": "red"}, "var:THING", "needs `THING=`"),
    ],
)
def test_a_mistake_shows_at_its_field(values: dict[str, str], key: str, says: str) -> None:
    found = wrong(sent(values))
    assert list(found) == [key]
    assert says in found[key]


def test_all_mistakes_are_told_at_once() -> None:
    values = {
        "template": "product",
        "var:COLOR": "pink",
        "var:THING": "cheap",
        "words": "so cheap",
        "n": "9",
        "seed": "x",
        "negative": "y" * 2001,
    }
    assert set(wrong(sent(values))) == {
        "var:COLOR", "var:THING", "words", "n", "seed", "negative",
    }  # fmt: skip


def test_a_template_that_is_gone_is_told_at_the_picker() -> None:
    later = replace(ACME, templates=ACME.templates[1:])
    assert list(wrong(sent(PRODUCT), later)) == ["template"]


def test_a_brand_that_is_gone_is_told_at_the_picker() -> None:
    assert list(wrong(sent(GOOD), replace(ACME, id="other"))) == ["brand"]


def test_inputs_that_had_not_come_yet_are_asked_for() -> None:
    found = wrong(sent({"template": "product", "words": "x"}, shown="poster"))
    assert list(found) == ["template"]
    assert "weren't here yet" in found["template"]


def test_a_picture_that_the_kit_does_not_allow_is_told_at_the_file() -> None:
    kit = replace(ACME, ways=WayPolicy(image=False))
    assert list(wrong(sent(GOOD, kit=kit, reference=Reference(files=("F1",))), kit)) == ["file"]
    assert wrong(sent(GOOD, kit=kit), kit) == {}


def test_a_mistake_without_a_field_of_its_own_stands_at_the_words() -> None:
    broken = replace(ACME, generation=replace(ACME.generation, sampler="none"))
    assert list(wrong(sent(GOOD), broken)) == ["words"]


def test_where_the_kit_bans_any_word_the_persons_own_is_told() -> None:
    banned = replace(ACME.banned[0], words=("mug",))
    kit = replace(ACME, banned=(*ACME.banned, banned))
    found = wrong(sent({"words": "so cheap"}, kit=kit), kit)
    assert list(found) == ["words"]
    assert "'cheap'" in found["words"]


@pytest.mark.parametrize("view", [{}, {"blocks": None}, {"private_metadata": 7, "state": []}])
def test_an_odd_view_is_no_crash(view: dict[str, Any]) -> None:
    judge(view, (ACME,))


def test_a_large_form_is_judged_in_a_moment() -> None:
    variables = tuple(Variable(name=f"V{at}", values=("a", "b")) for at in range(80))
    template = Template(
        name="wide", text=" ".join(f"[V{at}]" for at in range(80)), variables=variables
    )
    kit = replace(ACME, templates=(template,))
    values = {"template": "wide", **{f"var:V{at}": "c" for at in range(80)}}
    assert len(wrong(sent(values, kit=kit), kit)) == 20
