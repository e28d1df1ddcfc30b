"""What people write never acts in Slack: no mention, no link, no order of letters, no half mark."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.slack_chat.rendering.blocks import message_of
from bot.chat.slack_chat.rendering.limits import Message
from bot.chat.slack_chat.rendering.text import (
    Marked,
    alt,
    bold,
    code,
    cut,
    escaped,
    fallback,
    joined,
    mrk,
    packed,
    plain,
    said,
)
from bot.core.messages import Button, Card, Field, PictureRef
from bot.core.readable import length, readable
from tests.fakes.slack.blocks import LINKS, pings

ATTEMPTS = (
    "<!channel>",
    "<!here>",
    "<!everyone>",
    "<!channel|channel>",
    "<!subteam^S0123ABCD>",
    "<!subteam^S0123ABCD|@design>",
    "<@U0123ABCD>",
    "<@W0123ABCD|ana>",
    "<@B0123ABCD>",
    "<#C0123ABCD>",
    "<#C0123ABCD|social>",
    "<https://evil.example/a|Approve>",
    "<https://evil.example>",
    "<http://evil.example|https://acme.example>",
    "<mailto:a@evil.example|mail>",
    "<tel:+491234|call>",
    "<!date^1392734382^{date}^https://evil.example|today>",
    "< !channel>",
    "<\u200b!channel>",
    "<!chan\u200dnel>",
    "<\u2060@U0123ABCD>",
    "<!\x00channel>",
    "\u202e<lennahc!>",
    "\u2066<!channel>\u2069",
    "<!channel",
    "!channel>",
    "<<!channel>>",
    "<<!channel>!channel>",
    "&lt;!channel&gt;",
    "&amp;lt;!channel&amp;gt;",
    "&#60;!channel&#62;",
    "&lt<!channel>",
    "&<!here>amp;",
    "`<!channel>`",
    "``` <!channel> ```",
    "*<!channel>*",
    "\n> <!channel>",
    "]]><!channel>",
    "\\<!channel\\>",
    "\ud800<!channel>\udfff",
    "<!channel>" * 500,
    "x" * 2995 + "<!channel>",
)

OWN_ENTITIES = re.compile(r"&(?!(?:amp|lt|gt);)")
UNSEEN = re.compile("[\x00-\x08\x7f-\x9f\u200b\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def picture(text: str) -> PictureRef:
    return PictureRef(
        asset="a1",
        blob="b1",
        alt=text,
        width=64,
        height=64,
        caption=text,
        fields=(Field(label=text, value=text, ok=False),),
        buttons=(Button(label=text, action="vary:a1"),),
    )


PLACES: dict[str, Callable[[str], Card]] = {
    "title": lambda text: Card(kind="job", title=text),
    "words": lambda text: Card(kind="review", title="t", lines=(text,)),
    "state": lambda text: Card(kind="job", title="t", status=text, state="failed"),
    "variable": lambda text: Card(
        kind="reply", title="t", fields=(Field(label=text, value=text),), hint=text
    ),
    "caption": lambda text: Card(kind="job", title="t", pictures=(picture(text),)),
    "thumbnail": lambda text: Card(kind="list", title="t", pictures=(picture(text),)),
    "post": lambda text: Card(kind="post", title=text, pictures=(picture(text),)),
    "reason": lambda text: Card(kind="review", title="t", stamp=f"Rejected by Ana: {text}"),
    "name": lambda text: Card(kind="list", title="t", columns=("who",), rows=((text, text),)),
    "column": lambda text: Card(kind="list", title="t", columns=("x", text), rows=(("a", "b"),)),
    "button": lambda text: Card(
        kind="reply", title="t", buttons=(Button(label=text, action="show:1"),)
    ),
    "error": lambda text: Card(kind="error", title="t", lines=(text,), fix=text, reference=text),
    "footer": lambda text: Card(kind="reply", title="t", footer=text),
}


def sent(message: Message) -> list[dict[str, Any]]:
    return [block.to_dict() for block in message.blocks]


def texts(part: object, *names: str) -> list[str]:
    """All that stands anywhere under these names."""
    if isinstance(part, dict):
        own = [part[name] for name in names if isinstance(part.get(name), str)]
        return own + [text for value in part.values() for text in texts(value, *names)]
    if isinstance(part, list):
        return [text for value in part for text in texts(value, *names)]
    return []


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("attempt", range(len(ATTEMPTS)))
def test_nothing_that_a_person_writes_acts_anywhere(place: str, attempt: int) -> None:
    message = message_of(PLACES[place](ATTEMPTS[attempt]), files={"b1": "F0123ABCD"})
    blocks = sent(message)
    assert pings(message.text, blocks) == []
    for text in (message.text, *texts(blocks, "text", "alt_text", "accessibility_label")):
        assert "<" not in text
        assert ">" not in text
        assert LINKS.search(text) is None
        assert UNSEEN.search(text) is None
    for text in (message.text, *texts(blocks, "text")):
        assert OWN_ENTITIES.search(text) is None
    json.dumps(blocks, ensure_ascii=False).encode()


def test_slack_is_told_to_look_for_nothing_in_a_text() -> None:
    for text in (mrk("@channel #social https://evil.example"), mrk(bold("x"))):
        assert text.to_dict()["verbatim"] is True


def test_what_was_written_is_what_is_read() -> None:
    written = "Tom & Jerry <3 “tea” — 5 > 4, `a<b`"
    shown = mrk(written).text
    assert shown == "Tom &amp; Jerry &lt;3 “tea” — 5 &gt; 4, `a&lt;b`"
    assert plain(written, 75).text == shown


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a\u202eb", "ab"),
        ("a\x00b\x07", "ab"),
        ("a\u200bb\ufeff\u00ad", "ab"),
        ("a\r\nb\u2028c", "a\nb\nc"),
        ("\u2066a\u2069", "a"),
        ("a\u200db", "ab"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("نمی\u200cخواهم", "نمی\u200cخواهم"),
        ("\u200d👩", "👩"),
        ("\ud800x", "?x"),
        ("❤️", "❤️"),
    ],
)
def test_unseen_characters_go_and_those_that_join_letters_stay(text: str, seen: str) -> None:
    assert readable(text) == seen


@pytest.mark.parametrize("limit", range(5, 40))
def test_a_cut_leaves_no_half_entity_mark_code_or_emoji(limit: int) -> None:
    text = escaped("a & b < c > d & e") + "`code here` 👩\u200d🚀 e\u0301nd & more of it"
    short = cut(text, limit)
    assert length(short) <= limit
    assert OWN_ENTITIES.search(short) is None
    assert short.count("`") % 2 == 0
    assert not short.removesuffix("`").removesuffix("…").endswith(("\u200d", "\u0301"))
    assert "…" in short


def test_a_cut_closes_a_link_of_ours_by_leaving_it_out() -> None:
    assert cut("see <https://ours.example/a|the portal> now", 20) == "see…"


def test_what_fits_is_left_alone() -> None:
    assert cut("a ` b", 5) == "a ` b"
    assert cut("x" * 75, 75) == "x" * 75


def test_the_stricter_count_of_characters_is_kept() -> None:
    assert length(cut("😀" * 100, 75)) <= 75


@given(st.text(max_size=200), st.integers(3, 60))
def test_a_cut_is_never_too_long_and_never_half(text: str, limit: int) -> None:
    short = cut(escaped(text), limit)
    assert length(short) <= limit
    assert OWN_ENTITIES.search(short) is None


def test_marks_inside_bold_and_code_cannot_end_them() -> None:
    assert bold("a *b* \n c") == "*a ∗b∗ c*"
    assert code("a `b`") == "`a ˋbˋ`"
    assert bold(" \u200b ") == ""
    assert code("") == ""


def test_long_bold_text_still_ends_in_its_mark() -> None:
    assert bold("x" * 999, 20).endswith("…*")


def test_lines_are_packed_into_few_texts_none_too_long() -> None:
    lines = [said("x" * 40) for _ in range(10)]
    texts = packed(lines, 100)
    assert len(texts) == 5
    assert all(len(text) <= 100 for text in texts)
    assert packed([Marked("")]) == []


def test_an_empty_text_is_never_sent() -> None:
    assert plain("\u200b", 75).text == "—"
    assert mrk("  ").text == "—"
    assert alt("\x00") == "A picture"
    assert fallback(["", "\u200b"]) == "—"


def test_alt_text_is_read_aloud_without_entities() -> None:
    assert alt("Tom & Jerry <3") == "Tom & Jerry ‹3"


def test_the_text_beside_the_blocks_is_one_line_for_each_part() -> None:
    assert fallback(["a\nb", "", "c & d"]) == "a b\nc &amp; d"


def test_somebodys_fence_makes_no_code_of_what_others_said() -> None:
    for made in (said, bold):
        shown = joined(" · ", (made("a ```mug"), said("a `code` word")))
        assert "```" not in shown
        assert "`code`" in shown
    assert said("````") == "ˋˋˋˋ"
    assert "```" not in fallback(["```", "x"])
