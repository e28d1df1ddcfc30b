"""The grammar: what people type becomes a Command, or a Mistake that says where and what instead.

    /imagine WORDS [template:NAME] [NAME=value ...] [--flag value ...] [Negative: WORDS]
    /approve ID     /reject ID REASON     /find WORDS     /help ...

- The slash may be left out, and every verb may follow `/imagine` (`/imagine queue`), where the
  whole line then fits that verb: `imagine a red mug` is a command, `help me please` is talk, and
  `/imagine queue of people` is a picture. Words in quotation marks are always just words.
- Invisible characters are left out, curly quotation marks and long dashes mean what phones made
  them of; see `grammar_text` and `grammar_flags`.
- A `Negative:` tail runs to the end; flags in it stay flags.

The time is linear in the length of the text, which is limited to MAX_TYPED characters.
"""

import re
from dataclasses import dataclass

from bot.core.commands import Command
from bot.core.errors import Mistake, Position
from bot.core.grammar_mistakes import NOTHING_QUEUED, unknown
from bot.core.grammar_pictures import Attached
from bot.core.grammar_render import render_command, render_words
from bot.core.grammar_text import Token, Typed, read_typed
from bot.core.verb_args import Args, Verb
from bot.core.verbs import BY_NAME, VERBS
from bot.core.vocabulary import Vocabulary

__all__ = [
    "MAX_TYPED",
    "NOT_A_COMMAND",
    "Attached",
    "NotACommand",
    "Vocabulary",
    "parse",
    "render_command",
    "render_words",
]

MAX_TYPED = 10_000
"""Characters of one message. Slack takes 40,000, Discord 2,000; no brief needs so many."""

_VERB = re.compile(r"/([A-Za-z][A-Za-z-]{0,39})")


@dataclass(frozen=True, kw_only=True)
class NotACommand:
    """The text is talk between people. False in a condition."""

    def __bool__(self) -> bool:
        return False


NOT_A_COMMAND = NotACommand()


def parse(
    text: str, *, vocabulary: Vocabulary, attached: str | Attached = ""
) -> Command | NotACommand:
    """Read one message. `attached` is the sha256 of a reference picture that came with it, or all
    pictures that did.

    Raises Mistake, and nothing else.
    """
    if len(text) > MAX_TYPED:
        raise Mistake(
            f"That is {len(text):,} characters; at most {MAX_TYPED:,} are read. {NOTHING_QUEUED}",
            position=Position(start=MAX_TYPED, end=len(text)),
            field="words",
        )
    typed = read_typed(text)
    if not typed.tokens:
        return NOT_A_COMMAND
    first = typed.tokens[0]
    slashed = _VERB.fullmatch(first.text)
    verb = BY_NAME.get((slashed[1] if slashed else first.text).casefold())
    if verb is None:
        if slashed:
            raise _no_verb(typed, first)
        return NOT_A_COMMAND
    args = Args(
        verb=verb.name,
        typed=typed,
        first=1,
        vocabulary=vocabulary,
        attached=Attached.of(attached),
    )
    if verb is _IMAGINE:
        return _under_imagine(args) or verb.read(args)
    return verb.read(args) if slashed else _if_it_fits(verb, args)


def _under_imagine(args: Args) -> Command | NotACommand:
    """`/imagine queue` and its like. Where a chat has no other command, a slash of its own
    (`/imagine /link`) tells a verb from a picture's first word."""
    if not args.tokens or args.attached:
        return NOT_A_COMMAND
    first = args.tokens[0].text
    slashed = _VERB.fullmatch(first)
    verb = BY_NAME.get((slashed[1] if slashed else first).casefold())
    if verb is None or verb is _IMAGINE:
        return NOT_A_COMMAND
    inner = Args(verb=verb.name, typed=args.typed, first=args.first + 1, vocabulary=args.vocabulary)
    return verb.read(inner) if slashed else _if_it_fits(verb, inner)


def _if_it_fits(verb: Verb, args: Args) -> Command | NotACommand:
    """The command if the whole line fits the verb; its mistake only if it names a thing."""
    if verb.slashed:
        return NOT_A_COMMAND
    try:
        return verb.read(args)
    except Mistake:
        if args.names_a_thing:
            raise
        return NOT_A_COMMAND


def _no_verb(typed: Typed, token: Token) -> Mistake:
    return unknown(
        f"`{token.text}` isn't a command.",
        typed.of(token),
        typed=token.text,
        allowed=tuple(f"/{verb.name}" for verb in VERBS),
        field="command",
    )


_IMAGINE = BY_NAME["imagine"]
