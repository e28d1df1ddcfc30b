"""Whatever is typed: only Mistake, linear work, and commands that come back as they were."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.commands import Command, Imagine
from bot.core.errors import Mistake
from bot.core.grammar import NotACommand, parse, render_command
from bot.core.grammar_flags import FLAG_NAMES
from bot.core.grammar_text import read_typed
from bot.core.verbs import VERBS
from brand.templates import Brief
from brand.words import clean
from tests.fakes.vocabulary import ID, SHA, VOCABULARY

PIECES = (
    *(f"/{verb.name}" for verb in VERBS),
    *(f"--{name}" for name in FLAG_NAMES),
    *(f"—{name}" for name in FLAG_NAMES),
    *("template:", "template:product", "template:poster", "template:prodct", "PRODUCT=", "=", ":"),
    *(
        "HEADLINE=",
        "COLOR=deep",
        "COLOR=red",
        "e=mc2",
        "Negative:",
        "negative",
        "prompt:",
        "--",
        "-",
    ),
    *(
        "gift",
        "box",
        "on",
        "the",
        "beach",
        "1:1",
        "16:9",
        "0",
        "-1",
        "1e309",
        "nan",
        "none",
        "acme",
    ),
    *('"', "“", "”", "'", "’", "\\", '\\"', ",", ";", "\u200b", "\u202e", "\u0000", "\ud800"),
    *(
        " ",
        " ",
        " ",
        "\n",
        "\t",
        "#social",
        "to",
        "strong",
        "sent",
        ID,
        f"review:{ID}",
        SHA,
        "é",
        "🍵",
    ),
    *("every ", "other ", "Monday ", "Mon,Thu ", "mon-fri ", "and ", "weekdays ", "at ", "9:00 "),
    *(
        "25:61 ",
        "9 am ",
        "noon ",
        "Europe/Berlin ",
        "Europe/Berln ",
        "utc ",
        "theme ",
        "templates ",
    ),
    *(
        "product, plain in turn ",
        "in #social ",
        "named ",
        "fallback ",
        "2 weeks on ",
        "--brand acme ",
    ),
    *("control:canny ", "control:canny@0.8 ", "control:depth@1@0-0.5!:", "like:", "like:@0.5 "),
    *("outpaint:left=128 ", "outpaint:", "64,top=8 ", "highres:2 ", "lora:acme:0.5 ", "mask:"),
    *("recipe:scene ", "recipe:", "mask: a red one "),
    *("2026-03-09 ", "2026-02-30 ", "9999-12-31 ", "next week ", "slot:"),
    *("[COLOR]", "{{7*7}}", "{0.__class__}", "<lora:evil:1>", "((((", "]]]]", "`", "@everyone"),
)
sentences = st.lists(st.sampled_from(PIECES), max_size=40).map("".join) | st.text(max_size=200)
lines = st.tuples(
    st.sampled_from(
        [
            *("", "/imagine ", "imagine ", "/find ", "/reject ", f"/send {ID} ", "/help "),
            *("/schedule every Monday 9:00 ", "every Mon 9:00 theme tea ", "/schedule "),
            *("/every ", "/calendar ", "/pause ", f"/skip {ID} ", f"/move {ID} "),
        ]
    ),
    sentences,
).map("".join)


def read(text: str, attached: str = "") -> Command | NotACommand | Mistake:
    """What `parse` makes of it; anything that is raised but Mistake fails the test."""
    try:
        return parse(text, vocabulary=VOCABULARY, attached=attached)
    except Mistake as found:
        return found


def check_mistake(text: str, attached: str) -> None:
    found = read(text, attached)
    if isinstance(found, Mistake):
        assert found.position is not None
        assert 0 <= found.position.start <= found.position.end <= len(text)
        assert len(found.message) < 500


def check_round_trip(text: str) -> None:
    command = read(text)
    if isinstance(command, Mistake) or not command:
        return
    again = render_command(command, vocabulary=VOCABULARY)
    assert parse(again, vocabulary=VOCABULARY) == command, again


@pytest.mark.parametrize("text", ["/pause schedule:slot:", "/end slot:slot:Spring"])
def test_a_name_that_begins_like_several_ids_comes_back_as_well(text: str) -> None:
    check_round_trip(text)


@settings(max_examples=1000, deadline=None)
@given(lines, st.sampled_from(["", SHA]))
def test_nothing_but_a_mistake_is_raised(text: str, attached: str) -> None:
    check_mistake(text, attached)


@settings(max_examples=500, deadline=None)
@given(lines)
def test_a_parsed_command_comes_back_from_its_own_text(text: str) -> None:
    check_round_trip(text)


@pytest.mark.deep
@settings(max_examples=10_000, deadline=None)
@given(lines, st.sampled_from(["", SHA]))
def test_nothing_but_a_mistake_is_raised_by_ten_thousand(text: str, attached: str) -> None:
    check_mistake(text, attached)


@pytest.mark.deep
@settings(max_examples=10_000, deadline=None)
@given(lines)
def test_ten_thousand_commands_come_back_from_their_own_text(text: str) -> None:
    check_round_trip(text)


words = st.text(max_size=60).map(clean)
phrases = st.lists(st.sampled_from(PIECES), max_size=8).map(lambda parts: clean("".join(parts)))


@st.composite
def briefs(draw: Callable[..., Any]) -> Brief:
    """Briefs as forms and cards make them, whatever stands in their texts."""
    template = draw(st.sampled_from(["", "poster", "plain"]))
    text = draw(words | phrases)
    headline = draw((words | phrases).filter(bool))
    reference = draw(st.sampled_from(["", SHA]))
    lora = draw(st.sampled_from(["", "acme", "acme@3", "sketch", "none"]))
    weight = st.none() if lora == "none" else st.none() | st.floats(0.2, 1.2)
    chosen = draw(weight.map(lambda x: x if x is None else round(x, 4)))
    said = draw(st.sampled_from(["", "strength", "iw"])) if reference else ""
    return Brief(
        words=text or ("" if template else "x"),
        template=template,
        variables=(("HEADLINE", headline),) if template == "poster" else (),
        negative=draw(words | phrases).strip(" ,"),
        aspect=draw(st.sampled_from(["", "3:2"])),
        n=draw(st.integers(1, 8)),
        seed=draw(st.none() | st.integers(0, 2**63 - 1)),
        steps=draw(st.none() | st.integers(1, 50)),
        cfg=draw(st.none() | st.floats(0, 12).map(lambda x: round(x, 4))),
        sampler=draw(st.sampled_from(["", "euler"])),
        strength=draw(st.none() | st.floats(0, 1).map(lambda x: round(x, 4)))
        if said == "strength"
        else None,
        image_weight=draw(st.floats(0, 3).map(lambda x: round(x, 4))) if said == "iw" else None,
        lora=lora,
        lora_weight=chosen,
        stylize=draw(st.none() | st.integers(0, 1000)) if chosen is None else None,
        tile=draw(st.booleans()),
        private=draw(st.booleans()),
        reference=reference,
    )


@settings(max_examples=500, deadline=None)
@given(briefs())
def test_any_brief_can_be_put_into_words_and_read_again(brief: Brief) -> None:
    text = render_command(Imagine(brief=brief), vocabulary=VOCABULARY)
    assert parse(text, vocabulary=VOCABULARY) == Imagine(brief=brief), text


def steps(text: str) -> int:
    """How many lines of the grammar run to read this text."""
    count = 0

    def trace(frame: FrameType, event: str, _arg: object) -> Callable[..., Any] | None:
        nonlocal count
        name = frame.f_globals.get("__name__", "")
        if not name.startswith(("bot.core.grammar", "bot.core.verb")):
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        read(text)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize(
    "piece",
    [
        "word ",
        'a" ',
        '"a" ',
        '="',
        ' ="a',
        " x='a",
        "\\",
        '"\\" ',
        "x=y ",
        "a: ",
        "—a ",
        "negative ",
        "--no a ",
        "\u200b",
        ",;",
        "'",
        "mon ",
        "mon,",
        "product, ",
        "fallback ",
    ],
)
@pytest.mark.parametrize(
    "start",
    [
        *("/imagine ", "/imagine template:poster ", "/find ", '/imagine "'),
        *("/schedule Mon 9:00 theme ", "/schedule Mon 9:00 templates ", "/schedule ", "/pause "),
    ],
)
def test_twice_the_text_is_at_most_twice_the_work(start: str, piece: str) -> None:
    short, long = (steps(start + piece * (length // len(piece))) for length in (1500, 3000))
    assert long <= 2.2 * short + 200


def test_cutting_into_tokens_stays_linear_far_beyond_the_limit() -> None:
    def cut(length: int) -> int:
        before = sys.gettrace()
        count = 0

        def trace(_frame: FrameType, event: str, _arg: object) -> Callable[..., Any]:
            nonlocal count
            count += event == "line"
            return trace

        sys.settrace(trace)
        try:
            read_typed("x='a \"b ='c " * (length // 12))
        finally:
            sys.settrace(before)
        return count

    assert cut(40_000) <= 2.1 * cut(20_000)
