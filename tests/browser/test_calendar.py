"""The calendar in a browser: moved by keys, pointer and form; live, and refusing in place."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from bot.core.lives import ScheduleState, SlotState
from bot.core.slots import Schedule, Slot
from bot.web.calendar_days import Month, Week
from tests.browser.conftest import LOOKS, Live, Visit, key, ready, window_of
from tests.browser.test_looks import DRAFTS
from tests.fakes import week

pytestmark = pytest.mark.browser
ZONE = "UTC"


@dataclass(frozen=True)
class Planned:
    """Next week's Wednesday, nine o'clock."""

    rule: Schedule
    slot: Slot
    week: Week

    @property
    def path(self) -> str:
        """Its week's page."""
        return self.week.href

    def day(self, number: int, hour: int = 9, minute: int = 0) -> datetime:
        """A moment of that week; 0 is Monday."""
        return datetime.combine(self.week.days[number], time(hour, minute), UTC)


@pytest.fixture
def planned(live: Live) -> Planned:
    """A schedule of Mia's with one slot in the week to come."""
    there = Week.of(live.portal.town.house.clock.now().date()).step(1)
    rule = live.call(week.schedule(live.portal, weekdays=(2,), zone=ZONE, name="Tea time"))
    slot = week.slot(rule, datetime.combine(there.days[2], time(9), UTC))
    live.call(_add(live, slot))
    return Planned(rule, slot, there)


async def _add(live: Live, *slots: Slot) -> None:
    async with live.portal.town.house.store.write() as tx:
        for slot in slots:
            await tx.schedules.add_slot(slot)


def stored(live: Live, slot: Slot) -> Slot:
    """The slot as it stands now."""

    async def get() -> Slot:
        async with live.portal.town.house.store.read() as tx:
            return await tx.schedules.get_slot(slot.id)

    return live.call(get())


def card(slot: Slot) -> str:
    return f"#s-{slot.id}"


def test_a_slot_is_moved_by_keys_and_moved_back(live: Live, visit: Visit, planned: Planned) -> None:
    page = visit.enter("ana").go(planned.path)
    page.locator(card(planned.slot)).focus()
    key(page, "m")
    expect(page.locator("#cal-moving")).to_contain_text("To Wednesday")
    for name in ("ArrowRight", "ArrowRight", "ArrowDown", "Shift+ArrowDown"):
        page.keyboard.press(name)
    expect(page.locator("#cal-moving")).to_contain_text("10:15 UTC")
    assert visit.axe() == []
    page.keyboard.press("Enter")
    expect(page.locator(".slot-note")).to_contain_text("Moved")
    assert stored(live, planned.slot).due_at == planned.day(4, 10, 15)
    friday = page.locator(f"#d-{planned.week.days[4].isoformat()}")
    expect(friday.locator(card(planned.slot))).to_be_focused()
    page.click("button:has-text('Undo the move')")
    expect(page.locator(".slot-when")).to_contain_text("09:00")
    assert stored(live, planned.slot).due_at == planned.day(2)


def test_escape_leaves_a_slot_where_it_was(live: Live, visit: Visit, planned: Planned) -> None:
    page = visit.enter("ana").go(planned.path)
    page.locator(card(planned.slot)).focus()
    key(page, "m")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    expect(page.locator("#cal-moving")).to_be_hidden()
    expect(page.locator("#announce")).to_contain_text("Left where it was")
    assert stored(live, planned.slot).due_at == planned.day(2)


def test_in_the_month_the_arrows_move_by_days_and_weeks(
    live: Live, visit: Visit, planned: Planned
) -> None:
    page = visit.enter("ana").go(Month.of(planned.week.days[2]).href)
    page.locator(card(planned.slot)).focus()
    key(page, "m")
    for name in ("ArrowDown", "ArrowLeft"):
        page.keyboard.press(name)
    page.keyboard.press("Enter")
    expect(page.locator(".note-good")).to_contain_text("Moved")
    assert stored(live, planned.slot).due_at == planned.day(1) + timedelta(days=7)


def drag(page: Page, slot: Slot, to: date) -> None:
    """By the mouse, in a few steps as a hand does it."""
    start = page.locator(f"{card(slot)} .slot-name").bounding_box()
    end = page.locator(f"[data-date='{to.isoformat()}']").bounding_box()
    assert start
    assert end
    ready(page)
    page.mouse.move(start["x"] + 8, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(start["x"] + 40, start["y"] + 20, steps=4)
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + 60, steps=6)


def test_a_slot_is_dragged_to_another_day(live: Live, visit: Visit, planned: Planned) -> None:
    page = visit.enter("ana").go(planned.path)
    drag(page, planned.slot, planned.week.days[5])
    expect(page.locator("#cal-moving")).to_contain_text("To Saturday")
    expect(page.locator(".is-target")).to_have_count(1)
    page.mouse.up()
    expect(page.locator(".slot-note")).to_contain_text("Moved")
    assert stored(live, planned.slot).due_at == planned.day(5)
    assert page.locator(".slot-ghost").count() == 0


def test_a_drag_is_given_up_by_escape(live: Live, visit: Visit, planned: Planned) -> None:
    page = visit.enter("ana").go(planned.path)
    drag(page, planned.slot, planned.week.days[5])
    page.keyboard.press("Escape")
    page.mouse.up()
    assert page.locator(".slot-ghost").count() == 0
    expect(page.locator("#cal-moving")).to_be_hidden()
    assert stored(live, planned.slot).due_at == planned.day(2)


def test_a_finger_drags_by_the_grip_alone(live: Live, browser: Browser, planned: Planned) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 1600}, has_touch=True)
    window = Visit(live, context).enter("ana")
    page = window.go(planned.path)
    ready(page)
    target = page.locator(f"[data-date='{planned.week.days[3].isoformat()}']").bounding_box()
    assert target
    for part, due in ((".slot-name", planned.day(2)), (".slot-grip", planned.day(3))):
        box = page.locator(f"{card(planned.slot)} {part}").bounding_box()
        assert box
        page.evaluate(
            """([from, to, part]) => {
            const at = document.querySelector(part);
            const send = (kind, x, y) => at.dispatchEvent(new PointerEvent(kind, {pointerId: 1,
              pointerType: 'touch', button: 0, clientX: x, clientY: y, bubbles: true}));
            Element.prototype.setPointerCapture = () => {};
            send('pointerdown', from[0], from[1]); send('pointermove', from[0], from[1] + 20);
            send('pointermove', to[0], to[1]); send('pointerup', to[0], to[1]); }""",
            [
                [box["x"] + 5, box["y"] + 5],
                [target["x"] + 60, target["y"] + 10],
                f"{card(planned.slot)} {part}",
            ],
        )
        if due != planned.day(2):
            expect(page.locator(".slot-note")).to_contain_text("Moved")
        assert stored(live, planned.slot).due_at == due
    assert not window.complaints
    context.close()


def test_a_move_to_the_past_is_refused_at_the_slot(
    live: Live, visit: Visit, planned: Planned
) -> None:
    page = visit.enter("ana").go(planned.path)
    page.locator(card(planned.slot)).focus()
    key(page, "m")
    for _ in range(21):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    note = page.locator(f"{card(planned.slot)} .note-bad")
    expect(note).to_contain_text("past")
    expect(page.locator("#announce")).to_contain_text("past")
    assert page.locator("button:has-text('Undo the move')").count() == 0
    assert stored(live, planned.slot).due_at == planned.day(2)


def test_skip_and_its_undo_stay_on_the_page(live: Live, visit: Visit, planned: Planned) -> None:
    page = visit.enter("ana").go(planned.path)
    page.evaluate("window.same = true")
    page.click(".slot-menu summary")
    assert visit.axe() == []
    page.click(".slot-panel button:has-text('Skip')")
    expect(page.locator(".slot .tag")).to_contain_text("skipped")
    page.click("button:has-text('Restore')")
    expect(page.locator(".slot .tag")).to_contain_text("planned")
    assert page.evaluate("window.same")
    assert stored(live, planned.slot).state is SlotState.PLANNED


def test_what_others_do_shows_by_itself(live: Live, visit: Visit, planned: Planned) -> None:
    page = visit.enter("mia").go(planned.path)
    ready(page)
    town = live.portal.town
    ana = replace(town.actor("ana", DRAFTS), person=town.people["ana"].id)
    live.call(live.portal.desk.press(ana, f"skip:{planned.slot.id}"))
    expect(page.locator(".slot .tag")).to_contain_text("skipped")


def test_the_answer_to_ones_own_command_outlives_what_others_do(
    live: Live, visit: Visit, planned: Planned
) -> None:
    live.call(week.in_review(live.portal, planned.slot, "a teal mug"))
    page = visit.enter("ana").go(planned.path)
    ready(page)
    page.click("button:has-text('Approve it')")
    expect(page.locator(".flash")).to_contain_text("1 approved")
    town = live.portal.town
    ben = replace(town.actor("ben", DRAFTS), person=town.people["ben"].id)
    live.call(live.portal.desk.press(ben, f"skip:{planned.slot.id}"))
    expect(page.locator(".slot .tag").last).to_contain_text("skipped")
    expect(page.locator(".flash")).to_contain_text("1 approved")


def test_the_calendar_with_scripts_off(live: Live, browser: Browser, planned: Planned) -> None:
    live.call(week.in_review(live.portal, planned.slot, "a teal mug"))
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(live.link("ana"))
    page.click("text=Open Housestyle")
    page.click("nav >> text=Calendar")
    page.click("a[rel=next]")
    page.click(".slot-menu summary")
    page.fill("input[name=day]", planned.week.days[3].isoformat())
    page.fill("input[name=at]", "17:45")
    page.click(".slot-move button")
    expect(page.locator(".slot-note")).to_contain_text("Moved")
    assert stored(live, planned.slot).due_at == planned.day(3, 17, 45)
    page.click("button:has-text('Undo the move')")
    assert stored(live, planned.slot).due_at == planned.day(2)
    page.click("button:has-text('Approve it')")
    expect(page.locator(".flash")).to_contain_text("1 approved")
    context.close()


def test_the_line_of_a_new_schedule_changes_while_one_fills_it_in(live: Live, visit: Visit) -> None:
    page = visit.enter("ida").go("/calendar")
    page.click("text=fill in a form")
    ready(page)
    page.fill("#zone", "Europe/Berlin")
    page.fill("#theme", "innovation")
    page.locator(".pick:has-text('Thu')").click()
    expect(page.locator("#sched-line")).to_contain_text("Europe/Berlin")
    expect(page.locator("#sched-line")).to_contain_text("innovation")
    page.locator(".pick:has-text('Thu')").click()
    page.locator(".pick:has-text('Mon')").click()
    expect(page.locator("#sched-wrong")).to_contain_text("No day is chosen")
    page.locator(".pick:has-text('Mon')").click()
    expect(page.locator("#sched-wrong")).to_be_hidden()
    page.click("button:has-text('Add it')")
    expect(page.locator(".flash")).to_contain_text("Scheduled")
    expect(page.locator(".rule")).to_contain_text("Mondays 09:00, Berlin")
    page.click(".rule summary:has-text('End')")
    page.click(".rule .ask-form button")
    expect(page.locator(".empty")).to_be_visible()


async def furnish(live: Live, planned: Planned) -> None:
    """One slot in every state, in the week to come."""
    portal = live.portal
    rule = await week.schedule(portal, zone=ZONE, name="Every sort of day")
    made = [week.slot(rule, planned.day(n, 14)) for n in range(7)]
    await _add(live, *made)
    await week.in_review(portal, made[0], "a teal mug")
    await week.in_review(portal, made[1], "an orange lamp on a very long wooden table by a window")
    await week.change(portal, made[2], SlotState.SKIPPED, reason="Skipped by Ana.")
    await week.change(portal, made[3], SlotState.RENDERING)
    await week.change(portal, made[4], SlotState.MISSED, reason="Nobody approved it in time.")
    await week.in_review(portal, made[5], "a book")
    await week.change(portal, made[5], SlotState.READY)
    await week.schedule(portal, name="Sleeping", state=ScheduleState.PAUSED)


@LOOKS
def test_the_calendar_is_accessible_and_fits(
    live: Live, browser: Browser, planned: Planned, tmp_path: Path, size: str, scheme: str
) -> None:
    live.call(furnish(live, planned))
    window = window_of(live, browser, size, scheme).enter("ida")
    month = Month.of(planned.week.days[2]).href
    for path in ("/calendar", planned.path, month, "/calendar/new", "/calendar?week=2001-W01"):
        page = window.go(path)
        ready(page)
        assert window.axe() == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    page = window.go(planned.path)
    page.locator(".slot-menu summary").last.click()
    page.screenshot(path=tmp_path / f"calendar-{size}-{scheme}.png")
    assert window.axe() == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not window.complaints
    window.context.close()
