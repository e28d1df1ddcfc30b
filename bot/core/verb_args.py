"""What follows a verb: ids, reasons, the few flags that other verbs than `imagine` have."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.core.commands import Command
from bot.core.errors import Mistake
from bot.core.grammar_cursor import Cursor, joined, value_of
from bot.core.grammar_flags import read_brand, read_dashed
from bot.core.grammar_mistakes import NOTHING_DONE, mistake, shown, unknown
from bot.core.grammar_pictures import NOTHING, Attached
from bot.core.grammar_text import Token, Typed
from bot.core.grammar_values import Value
from bot.core.ids import is_id
from bot.core.lives import AssetState
from bot.core.vocabulary import Vocabulary
from brand.words import clean

_KINDS = ("asset:", "job:", "review:", "publication:", "slot:", "schedule:")
_STATES = tuple(state.value for state in AssetState)


@dataclass(frozen=True, kw_only=True)
class Args:
    """What follows a verb."""

    verb: str
    typed: Typed
    first: int
    """Index of the first token after the verb."""
    vocabulary: Vocabulary
    attached: Attached = NOTHING

    @property
    def tokens(self) -> tuple[Token, ...]:
        """The tokens after the verb."""
        return self.typed.tokens[self.first :]

    @property
    def names_a_thing(self) -> bool:
        """Whether an id follows, so that the line can hardly be talk."""
        return bool(self.tokens) and is_id(bare_id(self.tokens[0].text))


@dataclass(frozen=True, kw_only=True)
class Verb:
    """One verb."""

    name: str
    takes: str
    about: str
    read: Callable[[Args], Command]
    aliases: tuple[str, ...] = ()
    slashed: bool = False
    """It counts only with its slash: "team lunch on Friday" is talk, or a picture."""


def bare_id(text: str) -> str:
    """`review:ID` is as good as the id, however often a kind stands before it."""
    while kind := next((kind for kind in _KINDS if text.startswith(kind)), ""):
        text = text.removeprefix(kind)
    return text


def wrong(args: Args, sentence: str, index: int = 0) -> Mistake:
    """A mistake at that token, or at the end where it is missing."""
    end = len(args.typed.seen)
    tokens = args.tokens
    place = args.typed.of(tokens[index]) if index < len(tokens) else args.typed.position(end, end)
    return mistake(sentence, place, ending=NOTHING_DONE)


def id_of(args: Args, what: str) -> str:
    """The id that comes first. Raises Mistake."""
    if not args.tokens:
        raise wrong(args, f"`/{args.verb}` needs the id of {what}; it stands on the card.")
    typed = bare_id(args.tokens[0].text)
    if not is_id(typed):
        raise wrong(
            args,
            f"`{shown(typed)}` isn't an id. The id of {what} has 22 letters and digits "
            "and stands on the card.",
        )
    return typed


def nothing_more(args: Args, count: int) -> None:
    """Raises Mistake if more than `count` tokens follow the verb."""
    if len(args.tokens) > count:
        extra = shown(args.tokens[count].text)
        raise wrong(args, f"`/{args.verb}` doesn't know what to do with `{extra}`.", count)


def only_id(args: Args, what: str) -> str:
    """The id, if nothing else follows. Raises Mistake."""
    found = id_of(args, what)
    nothing_more(args, 1)
    return found


def rest_of(args: Args, index: int) -> str:
    """The words from that token on."""
    tokens = list(args.tokens[index:])
    cursor = Cursor(args.typed, args.first, args.vocabulary)
    for token in tokens:
        cursor.check_closed(token)
    return clean(joined(tokens))


def reason_of(args: Args) -> str:
    """The words after the id, which must not be missing. Raises Mistake."""
    reason = rest_of(args, 1)
    if not reason:
        raise wrong(args, f"Say why after the id, as in `/{args.verb} ID too dark`.", 1)
    return reason


def words_and_flags(
    args: Args, names: tuple[str, ...], *, free: tuple[str, ...] = ()
) -> tuple[list[Token], dict[str, str]]:
    """Plain words and the values of the flags that this verb has; `free` ones take any text."""
    cursor = Cursor(args.typed, args.first, args.vocabulary)
    words: list[Token] = []
    found: dict[str, str] = {}
    while cursor.more:
        token = cursor.take()
        dashed = None if token.quoted else read_dashed(token.text)
        if dashed is None or dashed.parameter:
            words.append(token)
            continue
        name = dashed.name.casefold()
        if name not in (*names, *free):
            raise unknown(
                f"`/{args.verb}` has no flag `--{shown(dashed.name)}`.",
                args.typed.of(token),
                typed=f"--{dashed.name}",
                allowed=tuple(f"--{item}" for item in (*names, *free)),
                field=name,
                ending=NOTHING_DONE,
            )
        if name in found:
            raise cursor.twice(f"--{name}", token, field=name)
        if dashed.inline is None and cursor.more:
            token = cursor.take()
        found[name] = _flag(args, name, token, dashed.inline)
    return words, found


def _flag(args: Args, name: str, token: Token, inline: str | None) -> str:
    text = value_of(token.text if inline is None else inline)
    position = args.typed.of(token)
    if not text or text.startswith("--"):
        raise mistake(f"`--{name}` needs a value.", position, field=name, ending=NOTHING_DONE)
    if name == "brand":
        return read_brand(Value(flag=name, text=text, position=position), args.vocabulary)
    if name != "state":
        return clean(text)
    if text.casefold() not in _STATES:
        raise unknown(
            f"`{shown(text)}` isn't a state of a picture.",
            position,
            typed=text,
            allowed=_STATES,
            field=name,
            ending=NOTHING_DONE,
        )
    return text.casefold()


def brand_only(args: Args) -> str:
    """The value of `--brand`, where nothing else may follow. Raises Mistake."""
    words, flags = words_and_flags(args, ("brand",))
    if words:
        extra = shown(words[0].text)
        raise mistake(
            f"`/{args.verb}` doesn't know what to do with `{extra}`.",
            args.typed.of(words[0]),
            ending=NOTHING_DONE,
        )
    return flags.get("brand", "")
