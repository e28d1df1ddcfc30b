"""`housestyle calendar`: what is planned, new rules, and changes of single slots."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.cards import facts_of, say, text_of
from bot.cli.console import Terminal
from bot.cli.options import BrandId, Json, settings_of
from bot.cli.owner import at_terminal, run_async

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.cli.owner import AtTerminal
    from bot.core.calendar_view import CalendarRow, ScheduleRow
    from bot.core.commands import AddSchedule, Command
    from bot.core.vocabulary import Vocabulary
    from bot.settings import Settings

MAX_NEXT = 50
group = typer.Typer(
    help="The content calendar: what is planned, new rules, single slots.", no_args_is_help=True
)
ScheduleKey = Annotated[str, typer.Argument(help="The schedule's id or name.", metavar="SCHEDULE")]
SlotId = Annotated[str, typer.Argument(help="The slot's id.", metavar="SLOT")]


@group.command()
def show(
    context: typer.Context,
    weeks: Annotated[int, typer.Option(min=1, max=8, help="How many weeks from today on.")] = 1,
    brand: BrandId = "",
    as_json: Json = False,
) -> None:
    """The schedules, and what happens in the next weeks."""
    terminal, settings = Terminal(as_json=as_json), settings_of(context)
    schedules, rows = run_async(lambda: _seen(settings, weeks, brand))
    if as_json:
        facts = {
            "schedules": [_schedule_facts(each) for each in schedules],
            "slots": [_slot_facts(row) for row in rows],
        }
        terminal.result("", facts)
        return
    for each in schedules:
        terminal.note(f"{each.schedule.name}: {each.rule}, {each.channel} ({each.schedule.id})")
    if not schedules:
        terminal.note(
            "There is no schedule yet. Try: housestyle calendar add "
            "every Monday 9:00 Europe/Berlin --theme innovation"
        )
    if rows:
        _table(terminal, rows)


@group.command("next")
def next_(
    context: typer.Context,
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=MAX_NEXT)] = 1,
    brand: BrandId = "",
    as_json: Json = False,
) -> None:
    """The slots that come next."""
    from bot.core.calendar_view import BEFORE

    terminal, settings = Terminal(as_json=as_json), settings_of(context)
    _, rows = run_async(lambda: _seen(settings, 5, brand))
    coming = [row for row in rows if row.slot.state in BEFORE][:count]
    if not coming:
        terminal.note("Nothing is planned.")
    if coming or as_json:
        _table(terminal, coming)


@group.command(no_args_is_help=True)
def add(
    context: typer.Context,
    words: Annotated[
        list[str], typer.Argument(help="As in a chat: every Monday 9:00 Europe/Berlin …")
    ],
    theme: Annotated[str, typer.Option(help="What the pictures are about.")] = "",
    template: Annotated[
        list[str] | None, typer.Option(help="A template; several are taken in turn.")
    ] = None,
    channel: Annotated[str, typer.Option(help="Where it is posted, without the #.")] = "",
    name: Annotated[str, typer.Option(help="The schedule's name.")] = "",
    fallback: Annotated[
        str, typer.Option(help="Id of an approved picture for slots that are not ready.")
    ] = "",
    brand: BrandId = "",
    as_json: Json = False,
) -> None:
    """Make a schedule: post pictures every week."""
    from bot.core.grammar_text import quoted

    parts = [
        *words,
        f"theme {quoted(theme)}" if theme else "",
        f"templates {', '.join(quoted(each) for each in template)}" if template else "",
        f"in #{channel.removeprefix('#')}" if channel else "",
        f"named {quoted(name)}" if name else "",
        f"fallback {fallback}" if fallback else "",
    ]
    line = " ".join(part for part in parts if part)
    terminal, settings = Terminal(as_json=as_json), settings_of(context)

    async def work() -> None:
        async with at_terminal(settings) as here:
            command = await _read(here, line, brand)
            card = await here.say(command)
            terminal.result(text_of(card), facts_of(card))

    run_async(work)


@group.command()
def pause(context: typer.Context, schedule: ScheduleKey, as_json: Json = False) -> None:
    """Let a schedule rest: nothing is planned, rendered or posted."""
    from bot.core.commands import PauseSchedule

    say(settings_of(context), PauseSchedule(schedule=schedule), as_json=as_json)


@group.command()
def resume(context: typer.Context, schedule: ScheduleKey, as_json: Json = False) -> None:
    """Go on with a paused schedule."""
    from bot.core.commands import ResumeSchedule

    say(settings_of(context), ResumeSchedule(schedule=schedule), as_json=as_json)


@group.command()
def end(context: typer.Context, schedule: ScheduleKey, as_json: Json = False) -> None:
    """End a schedule for good; its slots that are not posted are skipped."""
    from bot.core.commands import EndSchedule

    say(settings_of(context), EndSchedule(schedule=schedule), as_json=as_json)


@group.command()
def skip(
    context: typer.Context,
    slot: SlotId,
    reason: Annotated[list[str] | None, typer.Argument(help="Why; shown in the calendar.")] = None,
    as_json: Json = False,
) -> None:
    """Leave one slot out."""
    from bot.core.commands import SkipSlot

    say(settings_of(context), SkipSlot(slot=slot, reason=" ".join(reason or ())), as_json=as_json)


@group.command()
def restore(context: typer.Context, slot: SlotId, as_json: Json = False) -> None:
    """Take a skipped slot back in, as long as its time has not come."""
    from bot.core.commands import RestoreSlot

    say(settings_of(context), RestoreSlot(slot=slot), as_json=as_json)


@group.command()
def move(
    context: typer.Context,
    slot: SlotId,
    to: Annotated[list[str], typer.Argument(help="A day and a time: 2026-03-09 14:30")],
    as_json: Json = False,
) -> None:
    """Give one slot another day or time, in its schedule's zone."""
    settings, terminal = settings_of(context), Terminal(as_json=as_json)

    async def work() -> None:
        async with at_terminal(settings) as here:
            card = await here.say(_parsed(f"/move {slot} {' '.join(to)}", _no_words()))
            terminal.result(text_of(card), facts_of(card))

    run_async(work)


async def _seen(
    settings: "Settings", weeks: int, brand: str
) -> "tuple[Sequence[ScheduleRow], Sequence[CalendarRow]]":
    from datetime import timedelta

    from bot.core.calendar_view import rows_between, schedules_of
    from bot.core.caller import kit_for

    async with at_terminal(settings) as here, here.house.store.read() as tx:
        now = here.house.clock.now()
        kit = await kit_for(tx, brand, here.actor)
        schedules = await schedules_of(tx, kit, here.owner)
        last = now.date() + timedelta(days=7 * weeks)
        rows = await rows_between(tx, kit, here.owner, now.date(), last, now=now)
    return schedules, rows


async def _read(here: "AtTerminal", line: str, brand: str) -> "AddSchedule":
    from dataclasses import replace

    from bot.core.caller import kit_for
    from bot.core.commands import AddSchedule
    from bot.core.vocabulary import Vocabulary

    async with here.house.store.read() as tx:
        kit = await kit_for(tx, brand, here.actor)
    command = _parsed(f"/schedule {line}", Vocabulary.of(kit))
    if not isinstance(command, AddSchedule):
        raise TypeError("A schedule's words gave another command.")
    return replace(command, brand=kit.id)


def _parsed(line: str, vocabulary: "Vocabulary") -> "Command":
    """Raises CommandFailed with the place of a mistake marked."""
    from dataclasses import replace

    from bot.cli.console import CommandFailed, caret_line, failure_of
    from bot.core.errors import Mistake
    from bot.core.grammar import NotACommand, parse

    try:
        command = parse(line, vocabulary=vocabulary)
    except Mistake as exc:
        failure = failure_of(exc)
        if exc.position is not None and line.isprintable():
            failure = replace(failure, detail=caret_line(line, exc.position))
        raise CommandFailed(replace(failure, facts=failure.facts | {"text": line})) from exc
    if isinstance(command, NotACommand):
        raise Mistake("That is no command.", fix="`housestyle calendar --help` shows how.")
    return command


def _no_words() -> "Vocabulary":
    from bot.core.vocabulary import Vocabulary

    return Vocabulary(brand="")


def _table(terminal: Terminal, rows: "Sequence[CalendarRow]") -> None:
    cells = [
        (row.slot.id, row.when, row.channel, row.what, f"{row.words} {row.problem}".strip())
        for row in rows
    ]
    facts = [_slot_facts(row) for row in rows]
    terminal.table(("slot", "when", "channel", "what", "state"), cells, facts)


def _slot_facts(row: "CalendarRow") -> dict[str, Any]:
    slot = row.slot
    return {
        "slot": slot.id,
        "schedule": slot.schedule,
        "name": row.schedule.name,
        "local": _wall(row.local),
        "zone": row.schedule.zone,
        "due_at": slot.due_at.isoformat(),
        "channel": row.channel,
        "theme": slot.theme,
        "template": slot.template,
        "state": slot.state.value,
        "moved": slot.moved,
        "problem": row.problem,
        "asset": slot.asset,
        "review": row.review,
    }


def _wall(local: "datetime") -> str:
    return f"{local:%Y-%m-%dT%H:%M}"


def _schedule_facts(row: "ScheduleRow") -> dict[str, Any]:
    schedule = row.schedule
    return {
        "schedule": schedule.id,
        "name": schedule.name,
        "rule": row.rule,
        "weekdays": list(schedule.weekdays),
        "at": f"{schedule.at:%H:%M}",
        "zone": schedule.zone,
        "every_weeks": schedule.every_weeks,
        "channel": row.channel,
        "theme": schedule.theme,
        "templates": list(schedule.templates),
        "fallback": schedule.fallback_asset,
        "state": schedule.state.value,
    }
