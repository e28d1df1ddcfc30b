"""Whether a line asks for a picture, or is talk: a picture costs time that nobody asked for.

A mention counts where the message begins with it. Without a slash, thanks and greetings make no
picture, and in the direct messages neither does a word or two.
"""

import re

from bot.chat.slack_chat.incoming.heard import Heard, Kind
from bot.core.cards import reply_card
from bot.core.lines import EXAMPLE
from bot.core.messages import Card
from brand.templates import Brief

FEWEST_WORDS = 3
"""Words that make a picture in the direct messages without `/imagine` before them."""
THANKS = frozenset(
    {
        "thanks", "thank", "thx", "ty", "cheers", "hi", "hello", "hey", "bye", "goodbye", "ok",
        "okay", "danke", "hallo", "tschüss", "merci", "bonjour", "salut", "gracias", "hola",
        "grazie", "ciao", "obrigado", "obrigada", "olá",
    }
)  # fmt: skip
"""First words of lines that are no pictures, in small letters."""
_FIRST = re.compile(r"\w+")
_MENTION = re.compile(r"\s*<@([^<>|]*)(?:\|[^<>]*)?>")
_MAX_HINT = 200


def in_passing(heard: Heard) -> bool:
    """Whether a message only speaks of us."""
    first = _MENTION.match(heard.text)
    is_ours = first is not None and heard.bot_user in ("", first[1])
    return heard.kind is Kind.MENTION and not is_ours


def is_talk(heard: Heard, text: str, brief: Brief) -> bool:
    """Whether what reads as a picture's words, `text` without the mention, is meant for people."""
    if heard.kind not in (Kind.MENTION, Kind.TALK) or text.startswith("/"):
        return False
    first = _FIRST.search(text)
    if first is not None and first[0].casefold() in THANKS:
        return True
    is_asked = bool(heard.files or brief.template) or "--" in text
    return heard.kind is Kind.TALK and not is_asked and len(text.split()) < FEWEST_WORDS


def passing_card() -> Card:
    """For a mention that begins no message."""
    return reply_card(
        "Did you want a picture?",
        "I make one where a message begins with my name, or with `/imagine`. Nothing was queued.",
        hint=EXAMPLE,
    )


def talk_card(text: str) -> Card:
    """For talk; its hint makes a picture of it all the same."""
    words = " ".join(text.split())[:_MAX_HINT]
    return reply_card(
        "Did you want a picture?",
        "I took that for talk, so nothing was queued. This line makes a picture of it:",
        hint=f"/imagine {words}",
    )
