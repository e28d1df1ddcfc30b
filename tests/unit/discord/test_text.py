"""Nothing that a person writes can act in Discord, wherever it stands."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.discord_chat.rendering.cards import rendered
from bot.chat.discord_chat.rendering.text import (
    Marked,
    bold,
    code,
    cut,
    escaped,
    linked,
    plain,
    posted,
    quiet,
    said,
)
from bot.core.messages import Button, Card, Field, PictureRef, Swatch
from bot.core.readable import length, readable
from tests.fakes.discord_reading import acts, contents, links, pings, seen, strings

ASSET = "0Ab1Cd2Ef3Gh4Ij5Kl6Mn7"
ATTEMPTS = (
    "@everyone",
    "@here",
    "@EVERYONE",
    "mia@everyone.example",
    "@\u200beveryone",
    "@every\u200bone",
    "@e\u00adveryone",
    "@\u2060here",
    "\u202e@everyone",
    "\u2066@here\u2069",
    "@everyone" * 300,
    "\\@everyone",
    "\\\\@everyone",
    "`@everyone`",
    "```@everyone```",
    "``@here``",
    "**@everyone**",
    "> @everyone",
    ">>> @here",
    "||@everyone||",
    "# @everyone",
    "-# @here",
    "- @everyone",
    "1. @everyone",
    "[@everyone](https://evil.example)",
    "<@1>",
    "<@!1>",
    "<@&1>",
    "<@\u200b1>",
    "<\u200b@&1>",
    "<#1>",
    "</imagine:1>",
    "<id:customize>",
    "<:wave:1>",
    "<a:wave:1>",
    "<t:1618953630:R>",
    "[Approve](https://evil.example)",
    "[Approve](<https://evil.example>)",
    "[a\\](https://evil.example)",
    "[https://acme.example](https://evil.example)",
    "<https://evil.example>",
    "https://evil.example/a_b_c",
    "\\[Approve](https://evil.example)",
    "`[Approve](https://evil.example)",
    "`` ` ``[Approve](https://evil.example)`",
    ":thumbsup:",
    "__*~~x~~*__",
    "\n# big\n- one\n2) two",
    "```py\nimport this\n```<@1>",
    "\ud800<@1>\udfff",
    "x" * 3900 + "<@1>",
    "*" * 5000,
)


def picture(text: str) -> PictureRef:
    return PictureRef(
        asset=ASSET,
        blob="b1",
        alt=text,
        width=64,
        height=64,
        caption=text,
        fields=(
            Field(label=text, value=text, ok=False),
            Field(label="palette", value="p", swatches=(Swatch(name=text, hex=text, share=1.0),)),
        ),
        buttons=(Button(label=text, action=f"vary:{ASSET}"),),
    )


def second(text: str) -> PictureRef:
    return PictureRef(asset=ASSET[::-1], blob="b2", alt=text, width=64, height=64, number=2)


PLACES: dict[str, Callable[[str], Card]] = {
    "title": lambda text: Card(kind="job", title=text),
    "who": lambda text: Card(kind="job", title="t", lines=(text, text)),
    "words": lambda text: Card(kind="review", title="t", lines=(text,)),
    "state": lambda text: Card(kind="job", title="t", status=text, state="failed"),
    "variable": lambda text: Card(
        kind="reply", title="t", fields=(Field(label=text, value=text),), hint=text
    ),
    "caption": lambda text: Card(kind="job", title="t", pictures=(picture(text),)),
    "menu": lambda text: Card(kind="job", title="t", pictures=(picture(text), second(text))),
    "measure": lambda text: Card(kind="review", title="t", fields=picture(text).fields),
    "reason": lambda text: Card(kind="review", title="t", stamp=f"Rejected by Ana: {text}"),
    "name": lambda text: Card(kind="list", title="t", columns=("who",), rows=((text, text),)),
    "column": lambda text: Card(kind="list", title="t", columns=("x", text), rows=(("a", "b"),)),
    "button": lambda text: Card(
        kind="reply", title="t", buttons=(Button(label=text, action=f"show:{ASSET}"),)
    ),
    "channel": lambda text: Card(
        kind="reply", title="t", buttons=(Button(label="Send", action=f"send:{ASSET}:{text}"),)
    ),
    "error": lambda text: Card(kind="error", title="t", lines=(text,), fix=text, reference=text),
    "footer": lambda text: Card(kind="reply", title="t", footer=text),
}


def test_there_are_attempts_enough() -> None:
    assert len(set(ATTEMPTS)) >= 40
    assert len(PLACES) >= 10


@pytest.mark.parametrize("place", PLACES)
def test_an_attempt_at_a_ping_or_a_link_is_plain_text_there(place: str) -> None:
    for attempt in ATTEMPTS:
        message = rendered(PLACES[place](attempt), shown={"b1": "a.png", "b2": "b.png"})
        for text in (*_shown(message.components), message.text):
            assert pings(text) == [], attempt
        for text in (*contents(message.components), message.text):  # labels know no marks
            assert links(text) == [], attempt
        json.dumps(message.components, ensure_ascii=False).encode()


def _shown(components: object) -> list[str]:
    """What people are shown; a custom id is an id, and what it carries is checked on its way in."""
    if isinstance(components, dict):
        hidden = ("custom_id", "value")
        return [
            text for name, part in components.items() if name not in hidden for text in _shown(part)
        ]
    if isinstance(components, list | tuple):
        return [text for part in components for text in _shown(part)]
    return list(strings(components))


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_no_mark_in_what_somebody_wrote_acts(attempt: str) -> None:
    assert acts(escaped(attempt)) == []
    assert acts(said(attempt)) == []
    assert acts(bold(attempt).removeprefix("**").removesuffix("**")) == []
    assert pings(code(attempt) + plain(attempt, 80) + posted(attempt)) == []


@given(text=st.text(st.sampled_from("ab1\\`*_~|<>[]()#-+.:/@!& \n\u200b") | st.characters()))
def test_any_text_is_read_as_it_was_written_and_nothing_in_it_acts(text: str) -> None:
    shown = escaped(text)
    assert acts(shown) == []
    assert pings(shown) == []
    assert seen(shown) == readable(text).replace("`", "\u02cb").replace("\u200b", "")
    assert acts(said(text)) == []


@given(
    text=st.text(st.sampled_from("ab*`\\_ \n@<👍🏽\u0301[") | st.characters(), max_size=80),
    limit=st.integers(10, 60),
)
def test_a_text_is_cut_where_nothing_stays_open(text: str, limit: int) -> None:
    for shown in (said(text, limit), code(text, limit), plain(text, limit), posted(text, limit)):
        assert length(shown) <= limit
    assert acts(said(text, limit)) == []
    assert length(bold(text, limit)) <= limit
    whole = bold(text, limit)
    assert acts(whole[2:-2]) == []


def test_our_own_code_is_code_and_what_stands_in_it_is_kept() -> None:
    assert said("`template:prodct` isn't one of 2 * 3") == "`template:prodct` isn't one of 2 \\* 3"
    assert said("say `a_b*c`") == "say `a_b*c`"
    assert said("a ` alone") == "a \u02cb alone"


def test_a_cut_text_leaves_no_bold_and_no_code_open() -> None:
    assert cut("**" + "x" * 50 + "**", 20).endswith("…**")
    assert cut("see `" + "x" * 50 + "`", 20).endswith("…`")
    assert cut("\\*" * 20, 9) == "\\*\\*…"
    assert cut("`a ** b` " + "x" * 50, 20).endswith("…")


def test_small_print_is_small_in_every_line() -> None:
    assert quiet(Marked("a\n\nb")) == "-# a\n-# b"
    assert quiet(Marked("")) == ""


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://a.example/)[x](y", "https://a b", "", "http://<x>"]
)
def test_only_an_address_becomes_a_link(url: str) -> None:
    assert linked("the portal", url) == "the portal"


def test_the_portal_becomes_a_link() -> None:
    assert linked("it", "http://localhost:8000/a_b") == "[it](http://localhost:8000/a_b)"


def test_the_words_of_a_post_keep_their_addresses_whole() -> None:
    words = "Tea_time *now* at https://acme.example/a_b?c=*d and [x](https://acme.example/e_f)"
    assert posted(words) == (
        "Tea\\_time \\*now\\* at https://acme.example/a_b?c=\\*d and "
        "\\[x\\](https://acme.example/e_f)"
    )
    assert links(posted(words)) == []
    assert pings(posted("@everyone tea")) == []
