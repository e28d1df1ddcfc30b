"""What the calendar says, as cards: a schedule, a slot, a week, a reminder, a miss."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from bot.core.calendar_view import CalendarRow, ScheduleRow
from bot.core.lives import ScheduleState, SlotState
from bot.core.messages import Button, Card, PictureRef
from brand.kit import BrandKit

MAX_BUTTONS = 5  # the next ones; the table has the id of every slot
COLUMNS = ("day", "time", "channel", "what", "state", "slot")
EXAMPLE = "/schedule every Monday 9:00 Europe/Berlin theme innovation in #social"


def week_card(
    kit: BrandKit,
    title: str,
    rows: Sequence[CalendarRow],
    schedules: Sequence[ScheduleRow] = (),
    *,
    subject: str = "",
    private: bool = True,
) -> Card:
    """A week or several as rows, each picture with what may be done with its slot."""
    return Card(
        kind="list",
        subject=subject,
        title=title,
        lines=(
            *(() if rows else ("Nothing is planned for these days.",)),
            *(_schedule_line(row) for row in schedules),
        ),
        columns=COLUMNS if rows else (),
        rows=tuple(_cells(row) for row in rows),
        pictures=tuple(_thumb(row, n) for n, row in enumerate(rows, start=1) if row.picture),
        buttons=_row_buttons(rows),
        draft=any(row.picture is not None and row.picture.draft for row in rows),
        private=private,
        hint="" if rows or schedules else EXAMPLE,
    )


def _cells(row: CalendarRow) -> tuple[str, ...]:
    state = f"{row.words}: {row.problem}" if row.problem else row.words
    time = f"{row.local:%H:%M} {row.place}"
    return f"{row.local:%a %d %b}", time, row.channel, row.what, state, row.slot.id


def _thumb(row: CalendarRow, number: int) -> PictureRef:
    if row.picture is None:
        raise ValueError("A row without a picture has no thumbnail.")
    caption = f"{row.when} · {row.channel} · {row.words}"
    return replace(row.picture, number=number, buttons=row.buttons, fields=(), caption=caption)


def _row_buttons(rows: Sequence[CalendarRow]) -> tuple[Button, ...]:
    """Those of the next rows that have no picture to stand under, named by their day, and by
    their channel where two fall together."""
    times = Counter(row.local for row in rows)
    named = [
        replace(
            button,
            label=f"{button.label} {row.local:%a %d %b %H:%M}"
            + (f" {row.channel}" if times[row.local] > 1 else ""),
        )
        for row in rows
        if row.picture is None
        for button in row.buttons
    ]
    return tuple(named[:MAX_BUTTONS])


def _schedule_line(row: ScheduleRow) -> str:
    paused = " (paused)" if row.schedule.state is ScheduleState.PAUSED else ""
    return f"{row.schedule.name}{paused}: {row.rule}, {row.channel} · {row.schedule.id}"


def schedule_card(row: ScheduleRow, title: str, next_rows: Sequence[CalendarRow] = ()) -> Card:
    """One schedule, with the times that come next."""
    schedule = row.schedule
    said = [f"theme “{schedule.theme}”"] if schedule.theme else []
    if schedule.templates:
        turns = " in turn" if len(schedule.templates) > 1 else ""
        said.append(f"template {', '.join(schedule.templates)}{turns}")
    following = ", ".join(f"{each.local:%a %d %b %H:%M}" for each in next_rows[:3])
    lines = [f"{row.rule}, to {row.channel}", " · ".join(said)]
    if following:
        lines.append(f"Next: {following}. Pictures come to approval before.")
    return Card(
        kind="reply",
        title=title,
        lines=tuple(line for line in lines if line),
        state=schedule.state.value,
        status=f"schedule {schedule.id}",
        buttons=row.buttons,
        private=True,
    )


def slot_card(row: CalendarRow, title: str, *lines: str, private: bool = True) -> Card:
    """One slot with what may be done with it."""
    problem = (row.problem,) if row.problem and row.problem not in lines else ()
    return Card(
        kind="reply",
        title=title,
        lines=(f"{row.when} · {row.channel} · {row.what}", *lines, *problem),
        state=row.slot.state.value,
        status=row.words,
        pictures=(replace(row.picture, buttons=(), fields=()),) if row.picture else (),
        buttons=row.buttons,
        draft=row.picture is not None and row.picture.draft,
        private=private,
    )


def reminder_card(row: CalendarRow, hours: int) -> Card:
    """A slot is not ready and its time comes near."""
    missing = {
        SlotState.IN_REVIEW: "Its picture waits for approval.",
        SlotState.RENDERING: "Its picture is not made yet.",
        SlotState.PLANNED: "It has no picture yet.",
    }.get(row.slot.state, "")
    title = f"Due in {hours} h and not ready: {row.channel}"
    return slot_card(row, title, missing, "What is not approved by then is not posted.")


def hindered_card(row: CalendarRow) -> Card:
    """Something stands in a slot's way that a person has to look at."""
    return slot_card(row, f"The calendar can't go on: {row.channel}", row.problem)


def missed_card(row: CalendarRow) -> Card:
    """A slot went by without a post."""
    card = slot_card(row, f"Missed: nothing was posted to {row.channel}", private=False)
    return replace(card, subject=f"slot:{row.slot.id}")
