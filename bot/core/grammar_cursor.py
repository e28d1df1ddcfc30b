"""A cursor over typed tokens, shared by the parts that read `/imagine`."""

from bot.core.errors import Mistake, Position
from bot.core.grammar_flags import read_dashed
from bot.core.grammar_mistakes import mistake
from bot.core.grammar_text import Token, Typed, unquoted
from bot.core.vocabulary import Vocabulary

_TAIL = "negative:"


class Cursor:
    """Where the reading stands. It only ever moves forward."""

    def __init__(self, typed: Typed, first: int, vocabulary: Vocabulary) -> None:
        self.typed = typed
        self.tokens = typed.tokens
        self.first = first
        self.at = first
        self.vocabulary = vocabulary

    @property
    def more(self) -> bool:
        """Whether a token is left."""
        return self.at < len(self.tokens)

    @property
    def token(self) -> Token:
        """The next token."""
        return self.tokens[self.at]

    def take(self) -> Token:
        """The next token, checked for an open quotation mark; moves past it."""
        token = self.token
        self.check_closed(token)
        self.at += 1
        return token

    def is_flag(self, index: int) -> bool:
        """Whether that token is meant as a flag."""
        token = self.tokens[index]
        return not token.quoted and read_dashed(token.text) is not None

    def tail_length(self, index: int) -> int:
        """How many tokens from there are `Negative:` or `Negative prompt:`; 0 if neither."""
        text = self.tokens[index].text.casefold()
        if text.startswith(_TAIL):
            return 1
        if text == "negative" and index + 1 < len(self.tokens):
            return 2 if self.tokens[index + 1].text.casefold().startswith("prompt:") else 0
        return 0

    def check_closed(self, token: Token) -> None:
        """Raises Mistake if a quotation mark in it is never closed."""
        if token.unclosed >= 0:
            raise mistake(
                "A quotation mark is opened here and never closed.",
                self.typed.position(token.unclosed, token.unclosed + 1),
                field="words",
            )

    def check_length(self, text: str, limit: int, name: str, position: Position) -> None:
        """Raises Mistake if the text is longer than what is read."""
        if len(text) > limit:
            raise mistake(
                f"{name} has {len(text):,} characters; at most {limit:,} are read.",
                position,
                field=name.strip("`=").casefold(),
            )

    def twice(self, name: str, token: Token, *, field: str) -> Mistake:
        """What is said when something may stand only once."""
        return mistake(f"`{name}` is said twice. Keep one.", self.typed.of(token), field=field)


def value_of(text: str) -> str:
    """A value as typed: a list's comma after it dropped, then its quotation marks."""
    return unquoted(text.rstrip(",;"))


def joined(tokens: list[Token]) -> str:
    """The words of these tokens. A single quoted phrase loses its quotation marks, since they only
    hold it together; within a sentence they are part of it."""
    if len(tokens) == 1 and tokens[0].phrase is not None:
        return tokens[0].phrase
    return " ".join(token.text for token in tokens)


def any_of(choices: tuple[str, ...], *, limit: int = 12) -> str:
    """`red`, `blue` or `green`; at most `limit` of them."""
    some = [f"`{item}`" for item in choices[:limit]]
    if len(choices) > limit:
        return ", ".join(some) + f" and {len(choices) - limit} more"
    return " or ".join([", ".join(some[:-1]), some[-1]] if len(some) > 1 else some)
