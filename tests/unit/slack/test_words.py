"""What a person typed, out of what Slack makes of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.slack_chat.understanding.words import (
    addressed_text,
    channel_name,
    emoji_name,
    typed_text,
)

CHANNELS = {"C1": "#social"}


@pytest.mark.parametrize(
    ("said", "typed"),
    [
        ("a red mug", "a red mug"),
        ("salt &amp; pepper, 2 &lt; 3 &gt; 1", "salt & pepper, 2 < 3 > 1"),
        ("the letters &amp;lt; as typed", "the letters &lt; as typed"),
        ("post it in <#C1|social>", "post it in #social"),
        ("post it in <#C1|general>", "post it in #social"),
        ("post it in <#C1>", "post it in #social"),
        ("post it in <#C9>", "post it in #C9"),
        ("like <https://example.com/a|the one> there", "like the one there"),
        ("see <https://example.com/?a=1&amp;b=2>", "see https://example.com/?a=1&b=2"),
        ("mail <mailto:a@example.com|a@example.com>", "mail a@example.com"),
        ("role <@U2|mia> approver", "role @mia approver"),
        ("role <@U2> approver", "role @U2 approver"),
        ("hey <!channel> and <!here>", "hey channel and here"),
        ("<!subteam^S1|@design> and <!date^1^{date}|today>", "@design and today"),
        ("<@U0BOT> a <@U0BOT> mug", "a mug"),
        ("two  spaces\nand a line", "two spaces\nand a line"),
        ("<script> a < b", "script a < b"),
    ],
)
def test_slacks_marks_become_the_words_that_were_typed(said: str, typed: str) -> None:
    assert typed_text(said, channels=CHANNELS, bot_user="U0BOT") == typed


def test_the_mention_of_us_goes_also_where_slack_does_not_say_our_id() -> None:
    assert addressed_text("<@U0BOT> like <@U2|mia>'s mug") == "like @mia's mug"
    assert addressed_text("  <@U0BOT|housestyle>   help") == "help"
    assert typed_text("<@U2> a mug") == "@U2 a mug"


def test_a_channel_that_has_no_name_gets_none() -> None:
    assert channel_name("general") == "general"
    for nameless in ("directmessage", "privategroup", "mpdm-mia--ana-1"):
        assert channel_name(nameless) == ""


def test_an_emoji_is_the_same_in_every_skin() -> None:
    assert emoji_name("+1::skin-tone-3") == emoji_name(":+1:") == "+1"


@given(st.text(max_size=200))
def test_any_text_is_read_and_no_mark_of_slack_survives(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    plain = typed_text(escaped)
    assert plain.split() == text.split()
