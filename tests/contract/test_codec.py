"""Values through plain JSON and back."""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.assets import Asset
from bot.core.errors import Mistake
from bot.core.jobs import Job
from bot.core.ledger import Event
from bot.core.messages import Actor, Card
from bot.core.people import Key, Person
from bot.core.ports import Delivery, Outgoing, TimelineMessage
from bot.core.publications import Publication
from bot.core.reviews import Review
from bot.core.slots import Schedule, Slot
from brand.kit import BrandKit
from brand.loras import LoraVersion
from storage.codec import Hint, Plain, decode, decode_as, encode
from storage.errors import CodecError
from tests.contract.strategies import values
from tests.contract.values import make_job, make_kit, make_outgoing

KINDS = (
    Actor,
    Asset,
    BrandKit,
    Card,
    Delivery,
    Event,
    Job,
    Key,
    LoraVersion,
    Outgoing,
    Person,
    Publication,
    Review,
    Schedule,
    Slot,
    TimelineMessage,
)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_any_value_survives_plain_json(kind: type, data: st.DataObject) -> None:
    value = data.draw(values(kind))
    text = json.dumps(encode(value), allow_nan=False)
    assert decode(kind, json.loads(text)) == value


def test_a_field_added_later_reads_as_its_default() -> None:
    raw = encode(make_job())
    del raw["priority"]
    assert decode(Job, raw) == make_job(id=raw["id"])


def test_a_default_is_written_out_so_that_a_later_change_of_it_changes_nothing() -> None:
    assert encode(make_kit())["gates"]["min_sharpness"] == make_kit().gates.min_sharpness


def test_a_field_of_a_newer_version_is_refused_by_name() -> None:
    raw = encode(make_job()) | {"mood": "blue"}
    with pytest.raises(CodecError, match="no field 'mood'"):
        decode(Job, raw)


@pytest.mark.parametrize(
    ("hint", "raw"),
    [
        (int, "1"),
        (int, True),
        (bool, 1),
        (str, None),
        (float, "1.5"),
        (datetime, "2026-03-02T09:00:00"),
        (datetime, 5),
        (datetime, "yesterday"),
        (Card, []),
        (Card, {"kind": "job"}),
        (tuple[str, ...], "ab"),
        (tuple[str, str], ["a"]),
        (dict[str, int], [1]),
        (dict[str, int], {"a": "b"}),
        (int | None, "x"),
        (int | str, 1.5),
        (type(None), 1),
    ],
    ids=str,
)
def test_what_does_not_fit_its_hint_is_refused(hint: Hint, raw: Plain) -> None:
    with pytest.raises(CodecError):
        decode_as(hint, raw)


def test_a_value_that_refuses_itself_is_refused() -> None:
    raw = encode(make_job())
    raw["items"][0]["spec"]["steps"] = 0
    with pytest.raises(CodecError, match="steps"):
        decode(Job, raw)


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), datetime(2026, 3, 2), object(), {1: "x"}, b"bytes"],  # noqa: DTZ001
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_plain_form_is_refused(value: object) -> None:
    with pytest.raises(CodecError):
        encode({"facts": value})


@pytest.mark.parametrize("text", ["nul \x00", "half \ud83d", "\udc00"])
def test_text_that_no_database_keeps_is_the_writers_mistake(text: str) -> None:
    message = make_outgoing()
    with pytest.raises(Mistake):
        encode(replace(message, card=replace(message.card, lines=("fine", text))))
    with pytest.raises(Mistake):
        encode({text: 1})


@dataclass(frozen=True, kw_only=True)
class Counted:
    """A value with a field that is computed."""

    words: tuple[str, ...]
    count: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "count", len(self.words))


def test_computed_fields_are_computed_again() -> None:
    value = Counted(words=("a", "b"))
    assert encode(value) == {"words": ["a", "b"]}
    assert decode(Counted, encode(value)).count == 2
