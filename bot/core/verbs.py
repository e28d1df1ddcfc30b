"""The verbs of the product: their names, how they are written, how what follows is read."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.core import commands
from bot.core.commands import Command
from bot.core.errors import Mistake
from bot.core.grammar_cursor import Cursor, any_of, joined, value_of
from bot.core.grammar_flags import Value, read_brand, read_dashed
from bot.core.grammar_imagine import read_imagine
from bot.core.grammar_mistakes import NOTHING_DONE, mistake, shown, unknown
from bot.core.grammar_text import Token, Typed
from bot.core.ids import is_id
from bot.core.lives import AssetState
from bot.core.vocabulary import Vocabulary
from brand.words import clean

FACTORS = ("2", "4")
TOPICS = ("templates", "flags", "approval")
_KINDS = ("asset:", "job:", "review:", "publication:")
_SENT = {"sent": True, "arrived": True, "again": False, "lost": False}
_STATES = tuple(state.value for state in AssetState)


@dataclass(frozen=True, kw_only=True)
class Args:
    """What follows a verb."""

    verb: str
    typed: Typed
    first: int
    """Index of the first token after the verb."""
    vocabulary: Vocabulary
    attached: str = ""

    @property
    def tokens(self) -> tuple[Token, ...]:
        """The tokens after the verb."""
        return self.typed.tokens[self.first :]

    @property
    def names_a_thing(self) -> bool:
        """Whether an id follows, so that the line can hardly be talk."""
        return bool(self.tokens) and is_id(_bare(self.tokens[0].text))


@dataclass(frozen=True, kw_only=True)
class Verb:
    """One verb."""

    name: str
    takes: str
    about: str
    read: Callable[[Args], Command]
    aliases: tuple[str, ...] = ()


def _bare(text: str) -> str:
    for kind in _KINDS:
        text = text.removeprefix(kind)
    return text


def _wrong(args: Args, sentence: str, index: int = 0) -> Mistake:
    end = len(args.typed.seen)
    tokens = args.tokens
    place = args.typed.of(tokens[index]) if index < len(tokens) else args.typed.position(end, end)
    return mistake(sentence, place, ending=NOTHING_DONE)


def _id(args: Args, what: str) -> str:
    if not args.tokens:
        raise _wrong(args, f"`/{args.verb}` needs the id of {what}; it stands on the card.")
    typed = _bare(args.tokens[0].text)
    if not is_id(typed):
        raise _wrong(
            args,
            f"`{shown(typed)}` isn't an id. The id of {what} has 22 letters and digits "
            "and stands on the card.",
        )
    return typed


def _nothing_more(args: Args, count: int) -> None:
    if len(args.tokens) > count:
        extra = shown(args.tokens[count].text)
        raise _wrong(args, f"`/{args.verb}` doesn't know what to do with `{extra}`.", count)


def _only_id(args: Args, what: str) -> str:
    found = _id(args, what)
    _nothing_more(args, 1)
    return found


def _rest(args: Args, index: int) -> str:
    """The words from that token on."""
    tokens = list(args.tokens[index:])
    cursor = Cursor(args.typed, args.first, args.vocabulary)
    for token in tokens:
        cursor.check_closed(token)
    return clean(joined(tokens))


def _reason(args: Args) -> str:
    reason = _rest(args, 1)
    if not reason:
        raise _wrong(args, f"Say why after the id, as in `/{args.verb} ID too dark`.", 1)
    return reason


def _flags(args: Args, names: tuple[str, ...]) -> tuple[list[Token], dict[str, str]]:
    """Plain words and the values of the flags that this verb has."""
    cursor = Cursor(args.typed, args.first, args.vocabulary)
    words: list[Token] = []
    found: dict[str, str] = {}
    while cursor.more:
        token = cursor.take()
        dashed = None if token.quoted else read_dashed(token.text)
        if dashed is None:
            words.append(token)
            continue
        name = dashed.name.casefold()
        if name not in names:
            raise unknown(
                f"`/{args.verb}` has no flag `--{shown(dashed.name)}`.",
                args.typed.of(token),
                typed=f"--{dashed.name}",
                allowed=tuple(f"--{item}" for item in names),
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


def _brand_only(args: Args) -> str:
    words, flags = _flags(args, ("brand",))
    if words:
        extra = shown(words[0].text)
        raise mistake(
            f"`/{args.verb}` doesn't know what to do with `{extra}`.",
            args.typed.of(words[0]),
            ending=NOTHING_DONE,
        )
    return flags.get("brand", "")


# ---------------------------------------------------------------------------- one per command


def _imagine(args: Args) -> Command:
    return read_imagine(args.typed, args.first, args.vocabulary, args.attached)


def _vary(args: Args) -> Command:
    asset = _id(args, "a picture")
    _nothing_more(args, 2)
    how = args.tokens[1].text.casefold().strip("-") if len(args.tokens) > 1 else "subtle"
    if how not in ("strong", "strongly", "subtle"):
        raise _wrong(args, f"`/{args.verb} ID` takes `strong` or nothing, not `{shown(how)}`.", 1)
    return commands.Vary(asset=asset, strong=how.startswith("strong"))


def _upscale(args: Args) -> Command:
    asset = _id(args, "a picture")
    _nothing_more(args, 2)
    factor = args.tokens[1].text.casefold().strip("x×") if len(args.tokens) > 1 else "2"
    if factor not in FACTORS:
        wrong = _wrong(args, f"A picture can be enlarged by {any_of(FACTORS)}.", 1)
        wrong.allowed = FACTORS
        raise wrong
    return commands.Upscale(asset=asset, factor=int(factor))


def _edit(args: Args) -> Command:
    asset = _id(args, "a picture")
    if len(args.tokens) < 2:
        raise _wrong(args, f"Say the new words after the id: `/{args.verb} ID a blue mug`.", 1)
    return commands.EditWords(asset=asset, text=args.typed.rest(args.tokens[1]))


def _send(args: Args) -> Command:
    asset = _id(args, "a picture")
    channel, index = _channel(args)
    return commands.SendToApproval(asset=asset, channel=channel, caption=_rest(args, index))


def _channel(args: Args) -> tuple[str, int]:
    """The channel's name in the kit, if one is said, and the index of what follows it."""
    to = len(args.tokens) > 2 and args.tokens[1].text.casefold() == "to"
    index = 2 if to else 1
    if index >= len(args.tokens):
        return "", index
    typed = args.tokens[index].text
    found = args.vocabulary.channel(typed)
    if typed.startswith("#") and found is None:
        raise unknown(
            f"`{shown(typed)}` isn't a channel of {args.vocabulary.brand}.",
            args.typed.of(args.tokens[index]),
            typed=typed,
            allowed=tuple(item.name for item in args.vocabulary.channels),
            field="channel",
            none="Its kit lists none.",
            ending=NOTHING_DONE,
        )
    if found is not None and (to or typed.startswith("#")):
        return found.name, index + 1
    return "", 1


def _cancel(args: Args) -> Command:
    return commands.Cancel(job=_only_id(args, "a job") if args.tokens else "")


def _find(args: Args) -> Command:
    words, flags = _flags(args, ("state", "brand"))
    return commands.Find(
        text=clean(joined(words)), brand=flags.get("brand", ""), state=flags.get("state", "")
    )


def _settle(args: Args) -> Command:
    publication = _id(args, "a post")
    _nothing_more(args, 2)
    said = args.tokens[1].text.casefold() if len(args.tokens) > 1 else ""
    if said not in _SENT:
        raise _wrong(args, "Say `sent` if the post is there, or `again` to post it again.", 1)
    return commands.Settle(publication=publication, sent=_SENT[said])


def _help(args: Args) -> Command:
    topic = clean(joined(list(args.tokens))).casefold().removeprefix("/")
    if not topic:
        return commands.Help()
    verb = BY_NAME.get(topic)
    template = args.vocabulary.template(topic)
    if verb or template or topic in TOPICS:
        return commands.Help(topic=verb.name if verb else template.name if template else topic)
    names = tuple(item.name for item in args.vocabulary.templates)
    raise unknown(
        f"There is no help on `{shown(topic)}`.",
        args.typed.of(args.tokens[0]),
        typed=topic,
        allowed=(*(verb.name for verb in VERBS), *TOPICS, *names),
        field="topic",
        ending="`/help` lists all there is.",
    )


VERBS = (
    Verb(name="imagine", takes="WORDS", about="make pictures", read=_imagine),
    Verb(
        name="vary",
        takes="ID [strong]",
        about="new pictures near this one",
        read=_vary,
        aliases=("variation",),
    ),
    Verb(
        name="reroll",
        takes="ID",
        about="the same words with a new seed",
        read=lambda a: commands.Reroll(target=_only_id(a, "a picture or job")),
        aliases=("re-roll",),
    ),
    Verb(name="upscale", takes="ID [2|4]", about="the same picture, larger", read=_upscale),
    Verb(
        name="edit",
        takes="ID WORDS",
        about="the same recipe with other words",
        read=_edit,
        aliases=("edit-words",),
    ),
    Verb(name="send", takes="ID [#CHANNEL] [CAPTION]", about="ask for approval", read=_send),
    Verb(
        name="approve",
        takes="ID",
        about="approve a picture",
        read=lambda a: commands.Approve(review=_only_id(a, "a review or picture")),
    ),
    Verb(
        name="reject",
        takes="ID REASON",
        about="reject a picture and say why",
        read=lambda a: commands.Reject(review=_id(a, "a review or picture"), reason=_reason(a)),
    ),
    Verb(
        name="change",
        takes="ID WISH",
        about="ask for a change",
        read=lambda a: commands.AskChange(review=_id(a, "a review or picture"), reason=_reason(a)),
    ),
    Verb(
        name="withdraw",
        takes="ID",
        about="take back what you sent to approval",
        read=lambda a: commands.Withdraw(asset=_only_id(a, "a picture")),
    ),
    Verb(
        name="cancel", takes="[ID]", about="stop a job, your newest if you name none", read=_cancel
    ),
    Verb(
        name="queue",
        takes="",
        about="what runs and what waits",
        read=lambda a: commands.Queue(brand=_brand_only(a)),
    ),
    Verb(
        name="show",
        takes="ID",
        about="one picture, job or review",
        read=lambda a: commands.Show(target=_only_id(a, "a picture, job or review")),
    ),
    Verb(name="find", takes="WORDS [--state STATE]", about="search the archive", read=_find),
    Verb(
        name="usage",
        takes="",
        about="pictures, device time and cost of this month",
        read=lambda a: commands.Usage(brand=_brand_only(a)),
    ),
    Verb(
        name="settle",
        takes="ID sent|again",
        about="say whether a doubtful post arrived",
        read=_settle,
    ),
    Verb(name="help", takes="[TOPIC]", about="how to say things", read=_help),
)
BY_NAME = {name: verb for verb in VERBS for name in (verb.name, *verb.aliases)}
