"""Emphasis: AUTOMATIC1111's notation, hostile input, and linear time."""

import math
import time
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from brand.emphasis import (
    MAX_CHARACTERS,
    WEIGHT_LIMITS,
    Span,
    contained,
    escape_emphasis,
    parse_emphasis,
    plain_text,
)
from brand.errors import PromptTooLong

hostile_text = st.text(
    alphabet=st.sampled_from("ab ()[]\\:.13eE+-,BREAK\n\x00\u202e\u200b"), max_size=80
)


def spans(prompt: str) -> list[tuple[str, float]]:
    """The spans of a prompt of one chunk."""
    (chunk,) = parse_emphasis(prompt)
    return [(span.text, span.weight) for span in chunk]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a red mug", [("a red mug", 1.0)]),
        ("a (red) mug", [("a ", 1.0), ("red", 1.1), (" mug", 1.0)]),
        ("a ((red)) mug", [("a ", 1.0), ("red", 1.21), (" mug", 1.0)]),
        ("a [red] mug", [("a ", 1.0), ("red", 0.909091), (" mug", 1.0)]),
        ("a (red:1.3) mug", [("a ", 1.0), ("red", 1.3), (" mug", 1.0)]),
        ("(red: 1.3 )", [("red", 1.3)]),
        ("(red:.5)", [("red", 0.5)]),
        ("((red:1.5) mug)", [("red", 1.65), (" mug", 1.1)]),
        (r"a \(red\) mug", [("a (red) mug", 1.0)]),
        (r"(a \(b\):1.2)", [("a (b)", 1.2)]),
        (r"\\(red)", [("\\", 1.0), ("red", 1.1)]),
        ("a) mug", [("a) mug", 1.0)]),
        ("a] mug", [("a] mug", 1.0)]),
        ("a (red mug", [("a ", 1.0), ("red mug", 1.1)]),
        ("ratio 16:9", [("ratio 16:9", 1.0)]),
        ("[red:1.3]", [("red:1.3", 0.909091)]),
        ("red:1.3) mug", [("red:1.3) mug", 1.0)]),
        ("(red:1.2.3)", [("red:1.2.3", 1.1)]),
        ("([red) mug", [("red mug", 1.0)]),
        ("()", []),
        ("", []),
    ],
)
def test_emphasis_is_read_as_people_know_it(prompt: str, expected: list[tuple[str, float]]) -> None:
    assert spans(prompt) == expected


def test_break_starts_a_new_chunk_and_keeps_the_weight() -> None:
    assert parse_emphasis("a mug BREAK (a hat BREAK a shoe)") == (
        (Span(text="a mug"),),
        (Span(text="a hat", weight=1.1),),
        (Span(text="a shoe", weight=1.1),),
    )


def test_break_is_a_word_of_its_own() -> None:
    assert spans("BREAKFAST with a tea break") == [("BREAKFAST with a tea break", 1.0)]


@pytest.mark.parametrize(
    ("prompt", "weight"),
    [("(x:1e309)", 2.0), ("(x:99)", 2.0), ("(x:-5)", 0.1), ("(x:0)", 0.1), ("((x:2):2)", 2.0)],
)
def test_weights_are_capped(prompt: str, weight: float) -> None:
    assert spans(prompt) == [("x", weight)]


def test_ten_thousand_nested_brackets_take_linear_time() -> None:
    def seconds(depth: int) -> float:
        best = math.inf
        for _ in range(3):
            start = time.process_time()
            parse_emphasis("(" * depth + "x" + ")" * depth)
            parse_emphasis("[" * depth + "x")
            best = min(best, time.process_time() - start)
        return best

    assert spans("(" * 10_000 + "x" + ")" * 10_000) == [("x", 2.0)]
    assert seconds(40_000) < 20 * seconds(4_000) + 0.05


@pytest.mark.parametrize(
    "piece", ["(", "[", ")", "]", "\\", ":", ":1", "1", " ", "\n", "B", "BREAK ", "(x:1.3", "(a[b)"]
)
def test_no_repeated_piece_makes_the_reader_slow(piece: str) -> None:
    prompt = (piece * MAX_CHARACTERS)[:MAX_CHARACTERS]
    start = time.process_time()
    parse_emphasis(prompt)
    contained(prompt)
    assert time.process_time() - start < 3


def test_a_prompt_beyond_the_limit_is_refused_in_words() -> None:
    with pytest.raises(PromptTooLong, match="100,001 characters"):
        parse_emphasis("x" * (MAX_CHARACTERS + 1))


@given(st.one_of(hostile_text, st.text(max_size=200)))
@example("(x:1e309)")
@example("(:1)")
def test_any_text_gives_capped_weights_and_no_exception(prompt: str) -> None:
    low, high = WEIGHT_LIMITS
    for chunk in parse_emphasis(prompt):
        assert all(low <= span.weight <= high and span.text for span in chunk)
        assert all(a.weight != b.weight for a, b in pairwise(chunk))


@given(st.text(max_size=200))
def test_escaped_text_weighs_nothing_and_reads_as_it_was(text: str) -> None:
    prompt = escape_emphasis(text.replace("BREAK", "break"))
    expected = text.replace("BREAK", "break").strip()
    assert spans(prompt) == ([(expected, 1.0)] if expected else [])


@given(hostile_text)
@example("[[[[ mug")
@example("mug))")
@example("mug\\")
@example("x:1.3)")
@example("([a)")
def test_contained_words_cannot_weigh_what_stands_around_them(words: str) -> None:
    chunks = parse_emphasis(f"before, ({contained(words)}), after")
    first, last = chunks[0][0], chunks[-1][-1]
    assert first.text.startswith("before")
    assert first.weight == 1.0
    assert last.text.endswith("after")
    assert last.weight == 1.0


@given(hostile_text)
def test_containing_twice_changes_nothing_more(words: str) -> None:
    assert contained(contained(words)) == contained(words)


def test_contained_keeps_emphasis_that_is_closed() -> None:
    assert contained("a (red:1.3) [mug]") == "a (red:1.3) [mug]"


def test_plain_text_is_the_words_alone() -> None:
    assert plain_text(r"a (red:1.3) mug BREAK \(new\) [shoe]") == "a red mug (new) shoe"
