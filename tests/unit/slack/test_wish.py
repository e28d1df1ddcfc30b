"""What stands in the form, between Slack's view state and a brief."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.slack_chat.modals.choices import chosen_of, key_of, mark_of, option
from bot.chat.slack_chat.modals.imagine import imagine_view
from bot.chat.slack_chat.modals.reading import Origin, Reference, loaded_object
from bot.chat.slack_chat.modals.wish import MAX_METADATA, Wish, brief_of, imagine_of, wish_of
from bot.chat.slack_chat.rendering.limits import checked_view
from bot.core.errors import Mistake
from bot.core.messages import ChannelRef
from bot.core.ranking import ranked
from brand.kit import Channel, Template, Variable
from brand.templates import Brief
from tests.fakes.slack_forms import ACME

FULL = Wish(
    brand="acme",
    values={
        "template": "product",
        "words": "in  the snow\u200b",
        "var:COLOR": "red",
        "var:THING": "mug",
        "negative": "people",
        "size": "4:5",
        "n": "3",
        "seed": "42",
        "channel": "#social",
    },
    origin=Origin(channel="C1", message="1.2", thread="1.1"),
    reference=Reference(files=("F1", "F2")),
    team="T1",
    user="U1",
)


def text(value: str | None) -> dict[str, Any]:
    """A text input's state."""
    return {"x": {"type": "plain_text_input", "value": value}}


def test_a_form_becomes_a_brief_and_where_it_is_meant_to_go() -> None:
    command = imagine_of(FULL, ACME)
    assert command.brief == Brief(
        words="in the snow",
        template="product",
        variables=(("COLOR", "red"), ("THING", "mug")),
        negative="people",
        aspect="4:5",
        n=3,
        seed=42,
    )
    assert command.brand == "acme"
    assert command.target == ChannelRef(platform="slack", channel="C0SOCIAL")


def test_what_is_not_said_is_the_kits_to_say() -> None:
    kit = replace(ACME, generation=replace(ACME.generation, count=2))
    brief = brief_of(Wish(brand="acme", values={"words": "a mug"}), kit)
    assert brief == Brief(words="a mug", n=2)


def test_what_was_said_to_another_template_is_left_out_of_the_brief() -> None:
    wish = replace(FULL, values={**FULL.values, "template": "poster", "var:MOOD": "cold"})
    assert brief_of(wish, ACME).variables == (("THING", "mug"), ("MOOD", "cold"))


def test_values_that_were_carried_are_not_sent_off() -> None:
    wish = Wish(brand="acme", values={"words": "a mug"}, carried={"seed": "7", "size": "4:5"})
    assert brief_of(wish, ACME) == Brief(words="a mug")


@pytest.mark.parametrize(
    ("key", "value", "field"),
    [
        ("seed", "1e9", "seed"),
        ("seed", "٣", "seed"),
        ("seed", "9" * 30, "seed"),
        ("n", "1.5", "n"),
        ("channel", "#drafts", "channel"),
        ("channel", "#elsewhere", "channel"),
        ("template", "gone", "template"),
    ],
)
def test_what_cannot_be_read_is_a_mistake_of_its_field(key: str, value: str, field: str) -> None:
    with pytest.raises(Mistake) as found:
        imagine_of(replace(FULL, values={**FULL.values, key: value}), ACME)
    assert found.value.field == field
    assert "Nothing was queued" in found.value.message


def test_only_publish_channels_are_offered_and_others_say_where_they_are() -> None:
    channels = (*ACME.channels, Channel(name="#art", audience="public", platform="discord"))
    blocks = imagine_view(replace(ACME, channels=channels), FULL, brands=1).to_dict()["blocks"]
    (block,) = [b for b in blocks if b.get("block_id", "").startswith("channel~")]
    labels = [item["text"]["text"] for item in block["element"]["options"]]
    assert labels == ["#social", "#art on Discord"]


def test_a_wish_goes_through_the_metadata() -> None:
    told = wish_of(FULL.metadata(frozenset()), {})
    assert dict(told.carried) == dict(FULL.values)
    assert replace(told, carried={}, values=FULL.values) == FULL


def test_what_the_form_shows_is_not_carried() -> None:
    kept = wish_of(FULL.metadata(frozenset({"words", "var:COLOR"})), {}).carried
    assert "words" not in kept
    assert kept["var:THING"] == "mug"


def test_the_blocks_of_the_form_go_before_what_is_carried() -> None:
    metadata = Wish(brand="acme", carried={"var:THING": "old", "seed": "1"}).metadata(frozenset())
    wish = wish_of(metadata, {"var:THING": text("new"), "var:COLOR~12345678": text("red")})
    assert dict(wish.values) == {"var:THING": "new", "var:COLOR": "red"}
    assert dict(wish.carried) == {"seed": "1"}
    assert wish.said("var:THING") == "new"


def test_the_oldest_values_are_left_behind_where_the_metadata_is_full() -> None:
    values = {f"var:NAME{at:03}": "x" * 150 for at in range(40)}
    metadata = Wish(brand="acme", values={"words": "n" * 200}, carried=values).metadata(frozenset())
    assert len(metadata) <= MAX_METADATA
    kept = wish_of(metadata, {}).carried
    assert kept["words"] == "n" * 200
    assert "var:NAME000" in kept
    assert "var:NAME039" not in kept


@given(st.dictionaries(st.text(max_size=40), st.text(max_size=600), max_size=30))
def test_the_metadata_never_outgrows_slack(values: dict[str, str]) -> None:
    metadata = Wish(brand="acme", carried=values).metadata(frozenset())
    assert len(metadata.encode("utf-16-le", "surrogatepass")) // 2 <= MAX_METADATA
    assert json.loads(metadata)["b"] == "acme"


@given(st.recursive(st.none() | st.text() | st.integers(), lambda of: st.lists(of) | of))
def test_any_state_reads_as_something(state: object) -> None:
    wish = wish_of(
        json.dumps(state), {"words": state, "x": {"y": state}, "z": {"y": {"value": state}}}
    )
    assert wish.brand == ""
    assert loaded_object(json.dumps({"a": state})) == {"a": state}


def test_files_are_read_by_their_ids() -> None:
    files = [{"id": "F1"}, {"id": 7}, "F2", {"name": "x"}, {"id": "F3"}]
    assert wish_of("", {"file": {"file": {"files": files}}}).files == ("F1", "F3")
    assert wish_of("", {"file": {"file": {"files": None}}}).files == ()


# ----------------------------------------------------------------------------------- choices


@pytest.mark.parametrize("value", ["red", "x" * 150, "x" * 151, "~odd", "", "naïve ☕"])
def test_every_choice_has_a_key_that_slack_takes_and_is_found_by_it(value: str) -> None:
    key = key_of(value)
    assert 0 < len(key) <= 150
    assert chosen_of(key, ("other", value)) == value


def test_a_choice_is_found_in_any_case_and_what_it_is_not_stays() -> None:
    assert chosen_of("RED", ("red", "blue")) == "red"
    assert chosen_of("pink", ("red", "blue")) == "pink"


def test_a_select_has_another_id_where_its_choices_are_others() -> None:
    assert mark_of(["a", "b"]) == mark_of(["a", "b"])
    assert mark_of(["a", "b"]) != mark_of(["b", "a"])


def test_labels_are_cut_to_what_slack_shows() -> None:
    shown = option("x" * 140, about="y" * 200).to_dict()
    assert len(shown["text"]["text"]) <= 75
    assert len(shown["description"]["text"]) <= 75
    assert shown["value"] == "x" * 140


def test_the_best_fit_comes_first() -> None:
    items = [("blue mug", ""), ("mug", "a cup"), ("smug", ""), ("bowl", "not a mug"), ("tea", "")]
    assert [items[at][0] for at in ranked(" MUG ", items)] == ["mug", "blue mug", "smug", "bowl"]
    assert ranked("", items) == [0, 1, 2, 3, 4]
    assert [items[at][0] for at in ranked("bwol", items)] == ["bowl"]


# -------------------------------------------------------------------------------------- views


def test_a_template_with_very_many_variables_stays_within_a_hundred_blocks() -> None:
    variables = tuple(Variable(name=f"V{at}", default="x") for at in range(300))
    template = Template(name="wide", text="a mug", variables=variables)
    wish = Wish(brand="acme", values={"template": "wide"})
    view = imagine_view(replace(ACME, templates=(template,)), wish, brands=2, notes=("one",))
    assert len(view.to_dict()["blocks"]) <= 100
    assert "220 more variables" in json.dumps(view.to_dict())


@given(st.text(max_size=300), st.text(max_size=200), st.lists(st.text(max_size=300), max_size=120))
def test_slack_takes_every_form(words: str, name: str, values: list[str]) -> None:
    variable = Variable(name="ANY", values=tuple(values), description=words)
    template = Template(name=name, text=words, description=words, variables=(variable,))
    said = {"template": key_of(name), "words": words, "var:ANY": words, "size": words, "n": "2"}
    wish = Wish(brand="acme", values=said, user=name)
    kit = replace(ACME, name=name or "x", templates=(template,))
    checked_view(imagine_view(kit, wish, brands=2))
