"""The verbs of the content calendar."""

from bot.core import commands
from bot.core.grammar_mistakes import NOTHING_DONE, mistake, shown
from bot.core.grammar_schedule import read_move, read_schedule
from bot.core.verb_args import (
    Args,
    Verb,
    bare_id,
    id_of,
    only_id,
    rest_of,
    words_and_flags,
    wrong,
)

MAX_WEEKS = 8
_SPANS = {
    "": 1,
    "week": 1,
    "this week": 1,
    "next week": 2,
    "month": 4,
    "next month": 8,
}


def _calendar(args: Args) -> commands.Calendar:
    words, flags = words_and_flags(args, ("brand",))
    said = " ".join(token.text.casefold() for token in words)
    number = said.removesuffix(" weeks").removesuffix(" week")
    if number.isascii() and number.isdigit() and 1 <= int(number[:4]) <= MAX_WEEKS:
        return commands.Calendar(weeks=int(number[:4]), brand=flags.get("brand", ""))
    if said not in _SPANS:
        raise mistake(
            f"`/{args.verb}` takes a number of weeks from 1 to {MAX_WEEKS}, not `{shown(said)}`.",
            args.typed.of(words[0]),
            ending=NOTHING_DONE,
        )
    return commands.Calendar(weeks=_SPANS[said], brand=flags.get("brand", ""))


def _schedule_of(args: Args) -> str:
    """A schedule's id, or its name. Raises Mistake."""
    name = bare_id(rest_of(args, 0))
    if not name:
        raise wrong(args, f"`/{args.verb}` needs the id or the name of a schedule.")
    return name


def _move(args: Args) -> commands.MoveSlot:
    return read_move(args, id_of(args, "a slot"))


CALENDAR_VERBS = (
    Verb(
        name="schedule",
        takes="DAYS TIME [ZONE] theme WORDS [in #CHANNEL]",
        about="post pictures every week",
        read=read_schedule,
        aliases=("every",),
    ),
    Verb(
        name="calendar",
        takes="[WEEKS]",
        about="what happens in the next weeks",
        read=_calendar,
    ),
    Verb(
        name="pause",
        takes="SCHEDULE",
        about="let a schedule rest",
        read=lambda a: commands.PauseSchedule(schedule=_schedule_of(a)),
        slashed=True,
    ),
    Verb(
        name="resume",
        takes="SCHEDULE",
        about="go on with a paused schedule",
        read=lambda a: commands.ResumeSchedule(schedule=_schedule_of(a)),
        slashed=True,
    ),
    Verb(
        name="end",
        takes="SCHEDULE",
        about="end a schedule for good",
        read=lambda a: commands.EndSchedule(schedule=_schedule_of(a)),
        slashed=True,
    ),
    Verb(
        name="skip",
        takes="ID [REASON]",
        about="leave one slot of the calendar out",
        read=lambda a: commands.SkipSlot(slot=id_of(a, "a slot"), reason=rest_of(a, 1)),
    ),
    Verb(
        name="restore",
        takes="ID",
        about="take a skipped slot back in",
        read=lambda a: commands.RestoreSlot(slot=only_id(a, "a slot")),
    ),
    Verb(name="move", takes="ID DAY [TIME]", about="give one slot another time", read=_move),
    Verb(
        name="reroll-slot",
        takes="ID",
        about="make another picture for a slot",
        read=lambda a: commands.RerollSlot(slot=only_id(a, "a slot")),
    ),
)
