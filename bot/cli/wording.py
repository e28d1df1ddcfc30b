"""Words and flags of the command line, read by the one grammar."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.cli.console import CommandFailed, caret_line, failure_of
from bot.core.commands import Imagine
from bot.core.errors import Mistake
from bot.core.grammar import parse
from bot.core.grammar_text import quoted, read_typed
from bot.core.vocabulary import Vocabulary
from brand.kit import BrandKit

_START = "/imagine"


def read_words(
    words: Sequence[str],
    kit: BrandKit,
    flags: Mapping[str, object] | None = None,
    *,
    attached: str = "",
) -> Imagine:
    """The command of these words. Raises CommandFailed with the place of a mistake marked."""
    vocabulary = Vocabulary.of(kit)
    said = " ".join(_word(word, vocabulary) for word in words)
    command = _parsed(said, kit, flags or {}, attached)
    # "queue" alone is a command in a chat; here the command has been named already.
    return command or _parsed(quoted(said), kit, flags or {}, attached) or _nothing()


def _parsed(said: str, kit: BrandKit, flags: Mapping[str, object], attached: str) -> Imagine | None:
    parts = [_START, said, *(_flag(name, value) for name, value in flags.items())]
    line = " ".join(part for part in parts if part)
    try:
        command = parse(line, vocabulary=Vocabulary.of(kit), attached=attached)
    except Mistake as exc:
        failure = failure_of(exc)
        if exc.position is not None and line.isprintable():
            failure = replace(failure, detail=caret_line(line, exc.position))
        raise CommandFailed(replace(failure, facts=failure.facts | {"text": line})) from exc
    return command if isinstance(command, Imagine) else None


def _nothing() -> Imagine:
    raise Mistake("Say what the picture shows.", fix='As in: housestyle imagine "a red mug"')


def _flag(name: str, value: object) -> str:
    if value is None or value is False:
        return ""
    return f"--{name}" if value is True else f"--{name} {_value(str(value))}"


def _word(word: str, vocabulary: Vocabulary) -> str:
    """One argument. The shell took the quotation marks of NAME='two words' away: they come back,
    unless the argument is a whole line with more such pairs or flags in it."""
    name, _, value = word.partition("=")
    several = "=" in value or " --" in value
    known = vocabulary.owner_of(name.upper()) is not None
    return f"{name}={_value(value)}" if known and value and not several else word


def _value(value: str) -> str:
    tokens = read_typed(value).tokens
    plain = len(tokens) == 1 and tokens[0].unclosed < 0 and not value.startswith("--")
    return value if plain else quoted(value)
