"""The calendar with scripts off: weeks, months, slots, schedules, and the form for a new one."""

from datetime import UTC, date, datetime, time, timedelta

import httpx
import pytest

from bot.core.ids import new_id
from bot.core.lives import ReviewState, ScheduleState, SlotState
from bot.core.people import Role
from bot.core.slots import Schedule, Slot
from bot.web.calendar_days import Month, Week
from brand.templates import Brief
from tests.fakes import week
from tests.fakes.html import Page
from tests.fakes.portal import Portal, add_person, make_portal
from tests.fakes.town import START, person
from tests.unit.web.test_pages import ME, page

BERLIN_NINE = datetime(2026, 3, 5, 8, 0, tzinfo=UTC)
"""Thursday of the town's week, 09:00 in Berlin."""


@pytest.fixture
async def rule(portal: Portal) -> Schedule:
    """Mondays and Thursdays at nine in Berlin; owned by Mia."""
    return await week.schedule(portal)


@pytest.fixture
async def thursday(portal: Portal, rule: Schedule) -> Slot:
    """Its slot of the town's week; today's Monday is over."""
    return (await week.slots(portal, rule))[0]


async def stored(portal: Portal, slot: Slot) -> Slot:
    async with portal.town.house.store.read() as tx:
        return await tx.schedules.get_slot(slot.id)


async def follow(client: httpx.AsyncClient, path: str, data: dict[str, str]) -> Page:
    answer = await client.post(path, data=data, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    return Page(answer.text)


@pytest.mark.parametrize("text", ["2026-W53", "2020-W53", "2026-W01", "2027-W01"])
def test_weeks_are_read_as_they_are_called(text: str) -> None:
    parsed = Week.parse(text)
    assert parsed is not None
    assert parsed.name == text
    assert parsed.days[0].weekday() == 0


@pytest.mark.parametrize(
    "text", ["2026-W54", "2025-W53", "2026-11", "W11", "0001-W01", "9999-W52", "²026-W11", ""]
)
def test_what_is_no_week_is_none(text: str) -> None:
    assert Week.parse(text) is None


@pytest.mark.parametrize("text", ["2026-00", "2026-13", "0000-01", "9999-12", "2026-3", ""])
def test_what_is_no_month_is_none(text: str) -> None:
    assert Month.parse(text) is None


def test_weeks_and_months_follow_each_other_over_the_years_end() -> None:
    assert Week.of(date(2026, 12, 31)).step(1).name == "2027-W01"
    assert Month.of(date(2026, 12, 31)).step(1).name == "2027-01"
    assert Month.of(date(2026, 1, 31)).step(-1).name == "2025-12"
    assert Week.of(date(2026, 12, 31)).title == "28 Dec 2026–3 Jan 2027"
    assert Month.of(date(2026, 2, 1)).weeks[0].name == "2026-W05"


async def test_the_week_shows_each_slot_on_the_day_of_its_own_zone(portal: Portal) -> None:
    late = await week.schedule(portal, zone="Pacific/Kiritimati", name="Early birds")
    async with portal.town.house.store.write() as tx:
        await tx.schedules.add_slot(week.slot(late, datetime(2026, 3, 4, 19, 0, tzinfo=UTC)))
    async with portal.browser("mia") as client:
        html = (await client.get("/calendar?week=2026-W10")).text
    thursday = html[html.index("d-2026-03-05") : html.index("d-2026-03-06")]
    assert "Early birds" in thursday
    assert ">09:00</time>" in thursday
    assert 'title="2026-03-04 19:00:00 UTC"' in thursday
    assert "Kiritimati" in thursday


async def test_the_month_shows_it_too_and_leads_to_its_week(portal: Portal, thursday: Slot) -> None:
    async with portal.browser("mia") as client:
        shown = await page(client, "/calendar?month=2026-03")
    assert "March 2026" in shown.text
    link = next(href for text, href in shown.links.items() if "Thursday 5 March" in text)
    assert link == f"/calendar?week=2026-W10#s-{thursday.id}"


@pytest.mark.parametrize("query", ["week=nonsense", "week=9999-W52", "month=0", "week=&month="])
async def test_odd_addresses_show_the_week_of_today(portal: Portal, query: str) -> None:
    async with portal.browser("mia") as client:
        assert "2–8 March 2026" in (await page(client, f"/calendar?{query}")).text


async def test_every_view_obeys_the_content_policy_and_names_things_once(
    portal: Portal, thursday: Slot
) -> None:
    await week.in_review(portal, thursday)
    async with portal.browser("ana") as client:
        for path in ("/calendar", "/calendar?week=2026-W10", "/calendar?month=2026-03"):
            shown = await page(client, path)
            assert not shown.inline
            assert len(shown.ids) == len(set(shown.ids))
            assert all("alt" in image for image in shown.images)


async def test_states_are_said_in_words(portal: Portal, rule: Schedule, thursday: Slot) -> None:
    for state, words in (
        (SlotState.RENDERING, "being made"),
        (SlotState.IN_REVIEW, "to approve"),
        (SlotState.READY, "approved"),
    ):
        await week.change(portal, thursday, state)
        async with portal.browser("mia") as client:
            assert words in (await page(client, "/calendar")).text
    await week.change(portal, thursday, SlotState.MISSED, reason="Nobody approved it in time.")
    async with portal.browser("mia") as client:
        shown = await page(client, "/calendar")
    assert "missed" in shown.text
    assert "Nobody approved it in time." in shown.text


async def test_a_draft_is_marked_and_its_slot_opens_the_review(
    portal: Portal, thursday: Slot
) -> None:
    review = await week.in_review(portal, thursday)
    async with portal.browser("ana") as client:
        shown = await page(client, "/calendar")
    assert "draft" in shown.text
    assert f"/review/{review.id}" in shown.links.values()


async def test_pictures_stay_hidden_from_those_who_may_not_see_them(
    portal: Portal, thursday: Slot
) -> None:
    secret = await portal.picture(where=ME, brief=Brief(words="secret", private=True))
    await week.change(portal, thursday, SlotState.RENDERING, asset=secret.id)
    for who, seen in (("mia", 1), ("ana", 0)):
        async with portal.browser(who) as client:
            shown = await page(client, "/calendar")
            assert len(shown.images) == seen
            assert "Innovation" in shown.text


async def test_a_slot_is_moved_by_a_plain_form_and_moved_back(
    portal: Portal, thursday: Slot
) -> None:
    async with portal.browser("ana") as client:
        form = (await page(client, "/calendar")).form(MOVE)
        data = form.data(MOVE, day="2026-03-06", at="18:30")
        moved = await follow(client, form.action, data)
        assert (await stored(portal, thursday)).due_at == datetime(2026, 3, 6, 17, 30, tzinfo=UTC)
        back = moved.form("Undo the move")
        await follow(client, back.action, back.data("Undo the move"))
    assert (await stored(portal, thursday)).due_at == BERLIN_NINE


MOVE = "Move (Innovation, Thursday 5 March 09:00 Berlin)"


async def test_a_refused_move_is_told_at_the_slot_and_offers_no_way_back(
    portal: Portal, thursday: Slot
) -> None:
    async with portal.browser("ana") as client:
        form = (await page(client, "/calendar")).form(MOVE)
        answer = await client.post(
            form.action, data=form.data(MOVE, day="2026-03-01"), follow_redirects=True
        )
    own = answer.text[answer.text.index(f'id="s-{thursday.id}"') :]
    assert "note-bad" in own[: own.index("</article>")]
    assert "Undo the move" not in answer.text
    assert (await stored(portal, thursday)).due_at == BERLIN_NINE


@pytest.mark.parametrize(
    "typed", [{"day": "soon"}, {"at": "9"}, {"at": "25:99"}, {"slot": "x"}, {"slot": new_id()}]
)
async def test_odd_moves_are_refused(portal: Portal, thursday: Slot, typed: dict[str, str]) -> None:
    data = {"slot": thursday.id, "day": "2026-03-06", "at": "09:00", "delivery": new_id()}
    async with portal.browser("ana") as client:
        answer = await client.post("/calendar/move", data=data | typed, follow_redirects=True)
    assert answer.status_code in (200, 422)
    assert (await stored(portal, thursday)).due_at == BERLIN_NINE


async def test_skipping_is_undone_where_it_was_done(portal: Portal, thursday: Slot) -> None:
    label = "{} (Innovation, Thursday 5 March 09:00 Berlin)"
    async with portal.browser("ana") as client:
        skip = (await page(client, "/calendar")).form(label.format("Skip"))
        skipped = await follow(client, "/act", skip.data(label.format("Skip")))
        assert (await stored(portal, thursday)).state is SlotState.SKIPPED
        restore = skipped.form(label.format("Restore"))
        await follow(client, "/act", restore.data(label.format("Restore")))
    assert (await stored(portal, thursday)).state is SlotState.PLANNED


async def test_those_who_may_not_tend_it_see_no_buttons(portal: Portal, thursday: Slot) -> None:
    await add_person(portal, person("Noa", Role.REQUESTER))
    async with portal.browser("noa") as client:
        shown = await page(client, "/calendar")
    labels = [label for form in shown.forms for label in form.buttons]
    assert not [label for label in labels if label.startswith(("Skip", "Move", "Pause", "End"))]
    assert "Add a schedule" not in shown.links


async def test_schedules_are_paused_resumed_and_ended(portal: Portal, rule: Schedule) -> None:
    async def state() -> ScheduleState:
        async with portal.town.house.store.read() as tx:
            return (await tx.schedules.get(rule.id)).state

    async with portal.browser("ida") as client:
        first = await page(client, "/calendar")
        assert "Next: Thu 5 Mar 09:00 Mon 9 Mar" in first.text.replace(" · ", " ")
        for label, after in (
            ("Pause (Innovation)", ScheduleState.PAUSED),
            ("Resume (Innovation)", ScheduleState.ACTIVE),
            ("End (Innovation)", ScheduleState.ENDED),
        ):
            form = (await page(client, "/calendar")).form(label)
            await follow(client, "/act", form.data(label))
            assert await state() is after


async def test_the_approver_approves_all_and_hears_which_were_not(
    portal: Portal, rule: Schedule
) -> None:
    made = await week.slots(portal, rule)
    mine = await week.in_review(portal, made[0], "a red mug")
    theirs = await week.in_review(portal, made[1], "a blue hat")
    votes = [f"{mine.id}.{new_id()}", f"{theirs.id}.{new_id()}"]
    async with portal.browser("ana") as client:
        shown = (await client.get("/calendar")).text
        assert shown.count('name="vote"') == 2
        async with portal.browser("ben") as other:
            first = {"action": f"reject:{theirs.id}", "said": "Too blue."}
            await other.post("/act", data=first)
        path = "/calendar/approve"
        answer = await client.post(path, data={"vote": votes}, follow_redirects=True)
        again = await client.post(path, data={"vote": votes}, follow_redirects=True)
    told = Page(answer.text).text
    assert "1 approved, 1 not." in told
    assert "“a blue hat”" in told
    assert "Rejected by Ben" in told
    async with portal.town.house.store.read() as tx:
        assert (await tx.reviews.get(mine.id)).state is ReviewState.DECIDED
        assert len((await tx.reviews.get(mine.id)).votes) == 1
    assert "1 approved, 1 not." in Page(again.text).text


async def test_nobody_approves_all_of_their_own(portal: Portal, thursday: Slot) -> None:
    await week.in_review(portal, thursday, who="ana")
    async with portal.browser("ana") as client:
        assert 'name="vote"' not in (await client.get("/calendar")).text
    async with portal.browser("ben") as client:
        assert 'name="vote"' in (await client.get("/calendar")).text


async def test_in_the_demo_one_person_plays_both_parts() -> None:
    portal = await make_portal(demo=True)
    rule = await week.schedule(portal, who="ana")
    own = await week.in_review(portal, (await week.slots(portal, rule))[0], who="ana")
    async with portal.browser("ana") as client:
        shown = await page(client, "/calendar")
        label = next(
            text for f in shown.forms for text in f.buttons if text.startswith("Approve (")
        )
        await follow(client, "/act", shown.form(label).data(label))
    async with portal.town.house.store.read() as tx:
        assert (await tx.reviews.get(own.id)).votes[0].own_request


async def test_what_others_were_told_is_not_shown(portal: Portal, thursday: Slot) -> None:
    review = await week.in_review(portal, thursday)
    async with portal.browser("ana") as client:
        data = {"vote": f"{review.id}.{new_id()}"}
        answer = await client.post("/calendar/approve", data=data)
    async with portal.browser("ben") as client:
        assert "1 approved" not in (await page(client, answer.headers["location"])).text


async def test_the_digest_says_what_happens_next_week(portal: Portal, rule: Schedule) -> None:
    await week.slots(portal, rule)
    async with portal.browser("mia") as client:
        shown = await page(client, "/calendar")
    assert "What happens next week 2 posts: 2 planned." in shown.text
    assert "1 post: 1 planned." in shown.text


async def test_an_empty_calendar_teaches_with_a_line_that_works(portal: Portal) -> None:
    async with portal.browser("ida") as client:
        empty = await page(client, "/calendar")
        link = next(href for text, href in empty.links.items() if text.startswith("Try"))
        form = (await page(client, link)).form("Send")
        await client.post(form.action, data=form.data("Send"))
        assert "Mondays 09:00, Berlin" in (await page(client, "/calendar")).text


async def add(client: httpx.AsyncClient, **typed: object) -> httpx.Response:
    data = {"on": ["0", "3"], "at": "07:30", "zone": "America/New_York", "theme": "city lights"}
    data |= {"channel": "#social", "every": "2", "name": "Nights", "fallback": ""}
    data |= {"delivery": new_id()} | typed
    return await client.post("/calendar/new", data=data, follow_redirects=True)


async def test_the_form_adds_what_its_line_says(portal: Portal) -> None:
    async with portal.browser("ida") as client:
        answer = await add(client)
        assert answer.status_code == 200
        assert "/calendar?" in str(answer.url)
        mine = await page(client, "/chat/me")
    assert "Nights" not in mine.text  # a form's line stands in no chat
    async with portal.town.house.store.read() as tx:
        (made,) = await tx.schedules.of_brand("acme")
    assert (made.weekdays, made.at, made.zone) == ((0, 3), time(7, 30), "America/New_York")
    assert (made.theme, made.every_weeks, made.name) == ("city lights", 2, "Nights")
    assert made.target.channel == "social"


async def test_a_form_that_comes_twice_adds_one_schedule(portal: Portal) -> None:
    delivery = new_id()
    async with portal.browser("ida") as client:
        await add(client, delivery=delivery)
        await add(client, delivery=delivery)
    async with portal.town.house.store.read() as tx:
        assert len(await tx.schedules.of_brand("acme")) == 1


@pytest.mark.parametrize(
    "typed",
    [
        {"zone": "Europe/Atlantis"},
        {"channel": "#nowhere"},
        {"on": []},
        {"at": "soon"},
        {"every": "0"},
        {"theme": "cheap tricks"},
    ],
)
async def test_a_refused_form_keeps_what_was_typed_and_says_why(
    portal: Portal, typed: dict[str, object]
) -> None:
    async with portal.browser("ida") as client:
        answer = await add(client, **typed)
    shown = Page(answer.text)
    assert shown.form("Add it").fields["name"] == "Nights"
    assert "note-bad" in answer.text or "bad" in answer.text
    async with portal.town.house.store.read() as tx:
        assert not await tx.schedules.of_brand("acme")


async def test_the_line_is_shown_without_scripts_too(portal: Portal) -> None:
    async with portal.browser("ida") as client:
        shown = await page(client, "/calendar/new?on=0&at=09:00&zone=UTC&theme=tea&every=1")
        words = await client.get("/calendar/new/words?on=0&at=09:00&zone=UTC&theme=tea&every=1")
    line = words.json()["line"]
    assert line.startswith("/schedule")
    assert line in shown.text


async def test_theme_words_cannot_become_other_parts_of_the_line(portal: Portal) -> None:
    async with portal.browser("ida") as client:
        await add(client, theme='mugs in #drafts "every 3 weeks" --brand other')
    async with portal.town.house.store.read() as tx:
        (made,) = await tx.schedules.of_brand("acme")
    assert made.theme == 'mugs in #drafts "every 3 weeks" --brand other'
    assert (made.target.channel, made.every_weeks) == ("social", 2)


def test_the_town_begins_on_a_monday() -> None:
    assert START.weekday() == 0
    assert START + timedelta(days=3) > BERLIN_NINE
