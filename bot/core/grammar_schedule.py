"""Reading the calendar's own sentences.

    every Monday 9:00 Europe/Berlin theme innovation in #social
    every other Tue and Thu at 18:30 templates product, mood named "Products" fallback ID

The days come first; the other parts may stand in any order, each once. A theme runs to the next
part; in quotation marks it may hold any words.
"""

from collections.abc import Callable
from typing import Any

from bot.core import commands
from bot.core.errors import Mistake
from bot.core.grammar_cursor import joined, value_of
from bot.core.grammar_days import (
    CLOCK_WORDS,
    NUMBERS,
    OFTEN,
    SMALL,
    TIME,
    day_of,
    days_of,
    time_of,
)
from bot.core.grammar_flags import read_brand, read_dashed
from bot.core.grammar_mistakes import NOTHING_DONE, mistake, shown, unknown
from bot.core.grammar_text import Token
from bot.core.grammar_values import Value
from bot.core.ids import is_id
from bot.core.planning_rules import DAY_NAMES, zone_named, zone_names
from bot.core.verb_args import Args, bare_id
from brand.words import clean

MAX_EVERY = 12
EXAMPLE = "every Monday 9:00 Europe/Berlin theme innovation"
_PARTS = ("at", "theme", "templates", "in", "named", "fallback")
_THEMES = ("theme", "about")
_TEMPLATES = ("template", "templates")
_NAMES = ("named", "called")
_PLACES = ("in", "to")
_AND = ("and", "&", "or", ",", ";")


class _Reader:
    """Where the reading stands, and what was found. It only ever moves forward."""

    def __init__(self, args: Args) -> None:
        self.args = args
        self.tokens = args.tokens
        self.at = 0
        self.found: dict[str, Any] = {}

    @property
    def more(self) -> bool:
        """Whether a token is left."""
        return self.at < len(self.tokens)

    def word(self, ahead: int = 0) -> str:
        """A token in lower case without the comma after it; empty for a phrase or at the end."""
        index = self.at + ahead
        if index >= len(self.tokens) or self.tokens[index].quoted:
            return ""
        text = self.tokens[index].text.casefold()
        return text.rstrip(",;") or text

    def take(self) -> Token:
        """The next token. Raises Mistake at the end, and for an open quotation mark."""
        if not self.more:
            raise self.wrong("Something is missing here.")
        token = self.tokens[self.at]
        if token.unclosed >= 0:
            place = self.args.typed.position(token.unclosed, token.unclosed + 1)
            raise mistake(
                "A quotation mark is opened here and never closed.", place, ending=NOTHING_DONE
            )
        self.at += 1
        return token

    def keep(self, field: str, value: object, token: Token) -> None:
        """Note a part. Raises Mistake if it was said before."""
        if field in self.found:
            raise mistake(
                f"The {field} is said twice. Keep one.",
                self.args.typed.of(token),
                field=field,
                ending=NOTHING_DONE,
            )
        self.found[field] = value

    def wrong(self, sentence: str, token: Token | None = None, *, field: str = "") -> Mistake:
        """A mistake at that token, else at the next one or the end."""
        token = token or (self.tokens[self.at] if self.more else None)
        end = len(self.args.typed.seen)
        place = self.args.typed.of(token) if token else self.args.typed.position(end, end)
        return mistake(sentence, place, field=field, ending=NOTHING_DONE)


def read_schedule(args: Args) -> commands.AddSchedule:
    """`/schedule every Monday 9:00 ...`. Raises Mistake."""
    reader = _Reader(args)
    every_weeks, weekdays = _often(reader), _weekdays(reader)
    while reader.more:
        _part(reader)
    found = reader.found
    if "time" not in found:
        raise reader.wrong(f"Say at what time, as in `{EXAMPLE}`.", field="time")
    if not found.get("theme") and not found.get("templates"):
        raise reader.wrong(f"Say what it is about, as in `{EXAMPLE}`.", field="theme")
    return commands.AddSchedule(
        weekdays=weekdays,
        at=found["time"],
        zone=found.get("zone", ""),
        theme=found.get("theme", ""),
        templates=found.get("templates", ()),
        channel=found.get("channel", ""),
        every_weeks=every_weeks,
        name=found.get("name", ""),
        brand=found.get("brand", ""),
        fallback=found.get("fallback", ""),
    )


def _often(reader: _Reader) -> int:
    """`every`, `every other`, `every 2 weeks on`; the weeks between."""
    if reader.word() in ("every", "each", "on"):
        reader.take()
    weeks = OFTEN.get(reader.word(), 0)
    if weeks:
        reader.take()
        if reader.word() not in ("week", "weeks"):
            return weeks
    elif reader.word(1) in ("week", "weeks"):
        weeks = _weeks(reader)
    if reader.word() in ("week", "weeks"):
        reader.take()
        if reader.word() == "on":
            reader.take()
    return weeks or 1


def _weeks(reader: _Reader) -> int:
    word, token = reader.word(), reader.take()
    weeks = int(word) if SMALL.fullmatch(word) else NUMBERS.get(word, 0)
    if not 1 <= weeks <= MAX_EVERY:
        raise reader.wrong(f"It can come every 1 to {MAX_EVERY} weeks.", token, field="weeks")
    return weeks


def _weekdays(reader: _Reader) -> tuple[int, ...]:
    days: set[int] = set()
    while reader.more:
        if days and reader.word() in _AND:
            reader.take()
            continue
        found = days_of(reader.word())
        if not found:
            break
        reader.take()
        days.update(found)
    if not days:
        raise _no_day(reader)
    return tuple(sorted(days))


def _no_day(reader: _Reader) -> Mistake:
    if not reader.more:
        return reader.wrong(f"Say on which days, as in `{EXAMPLE}`.", field="days")
    token = reader.tokens[reader.at]
    return unknown(
        f"`{shown(token.text)}` isn't a day.",
        reader.args.typed.of(token),
        typed=token.text,
        allowed=(*DAY_NAMES, "weekdays", "weekends", "day"),
        field="days",
        ending=NOTHING_DONE,
    )


def _part(reader: _Reader) -> None:
    """The next part after the days. Raises Mistake for what is none."""
    word, token = reader.word(), reader.tokens[reader.at]
    read = _READ.get(word) or (_template if word.startswith("template:") else None)
    if read:
        read(reader)
    elif not token.quoted and word.startswith("#"):
        _channel(reader)
    elif word == "at" or word in CLOCK_WORDS or _looks_like_time(reader):
        _clock(reader)
    elif not token.quoted and (dashed := read_dashed(token.text)):
        _brand(reader, dashed.name, dashed.inline)
    elif zone := zone_named(word) if word else "":
        reader.keep("zone", zone, reader.take())
    elif "/" in word:
        raise _no_zone(reader, token)
    else:
        raise _no_part(reader, token)


def _no_zone(reader: _Reader, token: Token) -> Mistake:
    sentence = f"`{shown(token.text)}` isn't a time zone."
    wrong = unknown(
        sentence,
        reader.args.typed.of(token),
        typed=token.text,
        allowed=zone_names(),
        field="zone",
        ending=NOTHING_DONE,
    )
    if wrong.nearest:
        return wrong
    return reader.wrong(f"{sentence} Zones are named as in `Europe/Berlin`.", token, field="zone")


def _no_part(reader: _Reader, token: Token) -> Mistake:
    return unknown(
        f"`{shown(token.text)}` isn't a part of a schedule.",
        reader.args.typed.of(token),
        typed=token.text,
        allowed=_PARTS,
        field="schedule",
        ending=NOTHING_DONE,
    )


def _looks_like_time(reader: _Reader) -> bool:
    match = TIME.fullmatch(reader.word())
    return match is not None and bool(match[2] or match[3] or reader.word(1) in ("am", "pm"))


def _clock(reader: _Reader) -> None:
    if reader.word() == "at":
        reader.take()
    word, token = reader.word(), reader.take()
    half = reader.word() if reader.word() in ("am", "pm") else ""
    if half:
        reader.take()
    at = time_of(word + half)
    if at is None:
        raise reader.wrong(f"`{shown(token.text)}` isn't a time of day.", token, field="time")
    reader.keep("time", at, token)


def _starts_part(reader: _Reader) -> bool:
    """Whether a theme ends here."""
    if not reader.more or reader.tokens[reader.at].quoted:
        return not reader.more
    word = reader.word()
    if word in (*_TEMPLATES, *_NAMES) or word.startswith(("#", "template:")):
        return True
    if word in _PLACES and reader.word(1).startswith("#"):
        return True
    if word == "fallback" and is_id(_bare(reader, 1)):
        return True
    return read_dashed(reader.tokens[reader.at].text) is not None


def _bare(reader: _Reader, ahead: int) -> str:
    index = reader.at + ahead
    text = reader.tokens[index].text if index < len(reader.tokens) else ""
    return bare_id(text.rstrip(",;"))


def _theme(reader: _Reader) -> None:
    first = reader.take()
    text = _words(reader)
    if not text:
        raise reader.wrong("Say the theme after `theme`.", field="theme")
    reader.keep("theme", text, first)


def _words(reader: _Reader) -> str:
    """Free words up to the next part; one phrase in quotation marks ends by itself."""
    words: list[Token] = []
    while not _starts_part(reader):
        words.append(reader.take())
        if len(words) == 1 and words[0].quoted:
            break
    text = joined(words)
    return clean(text if len(words) == 1 and words[0].quoted else text.rstrip(" ,;"))


def _template(reader: _Reader) -> None:
    """`templates product, mood in turn`, `template:product`."""
    first, names = reader.tokens[reader.at], []
    word = reader.word()
    if word.startswith("template:"):
        token = reader.take()
        names.append(_template_named(reader, token, token.text.partition(":")[2]))
    else:
        reader.take()
    while reader.more and not _starts_part(reader):
        if reader.word() in _AND and names:
            reader.take()
        elif reader.word() == "in" and reader.word(1) == "turn":
            reader.take()
            reader.take()
            break
        elif names and reader.args.vocabulary.template(_name(reader)) is None:
            break
        else:
            token = reader.take()
            names += [_template_named(reader, token, part) for part in _name_parts(token)]
    if not names:
        raise reader.wrong("Name a template after `templates`.", field="templates")
    reader.keep("templates", tuple(names), first)


def _name(reader: _Reader) -> str:
    parts = _name_parts(reader.tokens[reader.at])
    return parts[0] if parts else ""


def _name_parts(token: Token) -> list[str]:
    if token.phrase is not None:
        return [token.phrase]
    return [part for part in token.text.split(",") if part]


def _template_named(reader: _Reader, token: Token, typed: str) -> str:
    typed = value_of(typed)
    found = reader.args.vocabulary.template(typed)
    if found is not None:
        return found.name
    raise unknown(
        f"`{shown(typed)}` isn't a template of {reader.args.vocabulary.brand}.",
        reader.args.typed.of(token),
        typed=typed,
        allowed=tuple(item.name for item in reader.args.vocabulary.templates),
        field="templates",
        none="Its kit has none yet.",
        ending=NOTHING_DONE,
    )


def _channel(reader: _Reader) -> None:
    if reader.word() in _PLACES:
        reader.take()
    token = reader.take()
    typed = value_of(token.text)
    found = reader.args.vocabulary.channel(typed)
    if found is None:
        raise unknown(
            f"`{shown(typed)}` isn't a channel of {reader.args.vocabulary.brand}.",
            reader.args.typed.of(token),
            typed=typed,
            allowed=tuple(item.name for item in reader.args.vocabulary.channels),
            field="channel",
            none="Its kit lists none.",
            ending=NOTHING_DONE,
        )
    reader.keep("channel", found.name, token)


def _named(reader: _Reader) -> None:
    first = reader.take()
    text = _words(reader)
    if not text:
        raise reader.wrong("Say the name after `named`.", field="name")
    reader.keep("name", text, first)


def _fallback(reader: _Reader) -> None:
    reader.take()
    token = reader.take()
    key = bare_id(token.text.rstrip(",;"))
    if not is_id(key):
        raise reader.wrong(
            f"`{shown(token.text)}` isn't the id of an approved picture.", token, field="fallback"
        )
    reader.keep("fallback", key, token)


def _brand(reader: _Reader, name: str, inline: str | None) -> None:
    token = reader.take()
    if name.casefold() != "brand":
        raise unknown(
            f"`/{reader.args.verb}` has no flag `--{shown(name)}`.",
            reader.args.typed.of(token),
            typed=f"--{name}",
            allowed=("--brand",),
            field=name.casefold(),
            ending=NOTHING_DONE,
        )
    value = reader.take() if inline is None else token
    text = value_of(value.text if inline is None else inline)
    if not text or text.startswith("--"):
        raise reader.wrong("`--brand` needs a value.", value, field="brand")
    position = reader.args.typed.of(value)
    found = read_brand(Value(flag="brand", text=text, position=position), reader.args.vocabulary)
    reader.keep("brand", found, token)


_READ: dict[str, Callable[[_Reader], None]] = {
    **dict.fromkeys(_THEMES, _theme),
    **dict.fromkeys(_TEMPLATES, _template),
    **dict.fromkeys(_PLACES, _channel),
    **dict.fromkeys(_NAMES, _named),
    "fallback": _fallback,
}


def read_move(args: Args, slot: str) -> commands.MoveSlot:
    """`/move ID 2026-03-09 [at] 14:30`, after its id. Raises Mistake."""
    reader = _Reader(args)
    reader.take()
    if reader.word() == "to":
        reader.take()
    if not reader.more:
        raise reader.wrong("Say the day after the id, as in `2026-03-09 14:30`.", field="day")
    token = reader.take()
    day = day_of(token.text.rstrip(",;"))
    if day is None:
        raise reader.wrong(
            f"`{shown(token.text)}` isn't a day; write it as 2026-03-09.", token, field="day"
        )
    if reader.more:
        _clock(reader)
    if reader.more:
        extra = shown(reader.tokens[reader.at].text)
        raise reader.wrong(f"`/{args.verb}` doesn't know what to do with `{extra}`.")
    return commands.MoveSlot(slot=slot, day=day, at=reader.found.get("time"))
