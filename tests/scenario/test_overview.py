"""One page of all that concerns a person: their jobs, their votes, the week, their budget."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.commands import Approve, Cancel
from bot.core.ids import new_id
from bot.core.overview import Overview, overview
from bot.core.people import Person, Role
from bot.core.reviewing import open_review
from tests.fakes.town import PUBLIC, START, Town, make_town, person
from tests.scenario.calendar.planning import MONDAYS, NEXT, go_to, scheduled
from tests.scenario.conftest import candidate, in_review
from tests.scenario.spending import ask, jobs, limit


@pytest.fixture
async def town() -> Town:
    """On memory: what is asked of the records here is asked of each store elsewhere."""
    return await make_town()


async def seen(town: Town, who: str | Person = "mia") -> Overview:
    someone = town.people[who] if isinstance(who, str) else who
    return await overview(town.house, someone, town.clock.now())


def labels(page: Overview, row: tuple[str, ...]) -> list[str]:
    return [button.label for button in page.row_buttons[row[-1]]]


async def test_somebody_new_is_taught_the_next_step_everywhere(town: Town) -> None:
    page = await seen(town)
    assert page.jobs.lines == ("You have asked for no picture yet.",)
    assert page.jobs.hint == "/imagine a red mug on a wooden table"
    assert page.approvals.lines == ("Nothing waits for your vote.",)
    assert page.week.hint.endswith("in #social")
    assert page.budget.lines == ("No budget limits your pictures.",)


async def test_my_open_jobs_stand_first_with_their_place_and_a_way_out(town: Town) -> None:
    await candidate(town, "an old mug")
    await ask(town)
    page = await seen(town)
    assert page.jobs.title == "My jobs: 1 open"
    [new, old] = page.jobs.rows
    assert new[0] == "a red mug"
    assert new[1].startswith("Queued, next in line")
    assert not new[1].endswith("message.")
    assert old[:2][0] == "an old mug"
    assert old[1].startswith("Done: 1 picture")
    assert labels(page, new) == ["Open", "Cancel"]
    assert labels(page, old) == ["Open"]
    assert page.row_buttons[new[-1]][0].action == f"show:{new[-1]}"


async def test_other_peoples_jobs_are_not_mine(town: Town) -> None:
    await ask(town, who="ana")
    assert (await seen(town)).jobs.rows == ()


async def test_of_many_jobs_the_first_are_shown_and_the_rest_counted(town: Town) -> None:
    for _ in range(8):
        await ask(town)
    card = (await seen(town)).jobs
    assert card.title == "My jobs: 8 open"
    assert len(card.rows) == 6
    assert card.footer == "2 more wait: `/queue` shows all."


async def test_a_cancelled_job_has_ended(town: Town) -> None:
    await ask(town)
    await town.say(Cancel(job=(await jobs(town))[0].id))
    assert (await seen(town)).jobs.title == "My jobs"


async def test_what_waits_for_my_vote_comes_with_its_check_and_its_buttons(town: Town) -> None:
    review = await in_review(town)
    [picture] = (await seen(town, "ana")).approvals.pictures
    assert [button.label for button in picture.buttons] == [
        "Approve",
        "Reject…",
        "Ask for a change…",
        "Open",
    ]
    assert picture.buttons[0].action == f"approve:{review.id}"
    assert "Mia asks for #social" in picture.caption
    assert picture.draft
    assert picture.fields


async def test_nobody_is_shown_what_they_may_not_vote_on(town: Town) -> None:
    await in_review(town, who="ana")
    assert (await seen(town, "mia")).approvals.pictures == ()
    assert (await seen(town, "ana")).approvals.pictures == (), "nobody approves their own"
    assert len((await seen(town, "ben")).approvals.pictures) == 1


async def test_what_is_decided_waits_no_more(town: Town) -> None:
    review = await in_review(town)
    await town.say(Approve(review=review.id), "ana")
    assert (await seen(town, "ben")).approvals.title == "To approve"


async def test_the_most_urgent_stands_first_and_too_many_are_counted(town: Town) -> None:
    for _ in range(7):
        await in_review(town)
    asset, now = await candidate(town), town.clock.now()
    async with town.house.store.write() as tx:
        urgent = await open_review(
            tx,
            asset,
            town.kit,
            target=PUBLIC,
            actor=asset.requester,
            now=now,
            deadline=now + timedelta(hours=2),
        )
    card = (await seen(town, "ben")).approvals
    assert card.title == "To approve: 8"
    assert card.pictures[0].buttons[0].action == f"approve:{urgent.id}"
    assert [picture.number for picture in card.pictures] == [1, 2, 3, 4, 5, 6]
    assert card.footer.startswith("2 more wait")


async def test_the_week_shows_what_is_due_and_what_may_be_done(town: Town) -> None:
    await scheduled(town)
    await go_to(town, NEXT - timedelta(days=2))
    page = await seen(town, "ana")
    assert page.week.title == "This week: 1"
    [row] = page.week.rows
    assert row[:3] == ("Mon 09 Mar", "09:00 Berlin", "#social")
    assert labels(page, row) == ["Approve", "Skip", "Re-roll", "Open"]
    assert page.week.pictures == ()
    assert labels(await seen(town, "mia"), row) == [], "a requester tends no calendar"


async def test_what_lies_further_off_is_not_of_this_week(town: Town) -> None:
    await scheduled(town, replace(MONDAYS, weekdays=(0, 1, 2, 3, 4, 5, 6)))
    await go_to(town, START + timedelta(hours=1))
    card = (await seen(town, "ida")).week
    assert card.title == "This week: 7"


async def test_my_budgets_are_shown_and_nobody_elses(town: Town) -> None:
    await limit(town, pictures=10)
    await limit(town, pictures=4, scope="person", key=town.people["mia"].id, brand="")
    await limit(town, pictures=5, scope="person", key=town.people["ana"].id, brand="")
    await ask(town, 2)
    fields = (await seen(town)).budget.fields
    assert sorted((field.label, field.value) for field in fields) == [
        ("Acme's budget", "20 %: 2 of 10 pictures"),
        ("your budget", "50 %: 2 of 4 pictures"),
    ]


async def test_of_two_brands_each_slot_says_whose_it_is(town: Town) -> None:
    async with town.house.store.write() as tx:
        await tx.kits.put(replace(town.kit, id="beta", name="Beta"), source="", at=START)
    await scheduled(town, replace(MONDAYS, brand="acme"))
    await go_to(town, NEXT - timedelta(days=2))
    [row] = (await seen(town, "ida")).week.rows
    assert row[2] == "Acme #social"


async def test_who_has_no_role_sees_empty_cards(town: Town) -> None:
    guest = Person(id=new_id(), name="Gil", created_at=START)
    await scheduled(town)
    await in_review(town)
    page = await seen(town, guest)
    assert page.week.rows == ()
    assert page.week.hint == ""
    assert page.approvals.pictures == ()
    ole = await seen(town, person("Ole", Role.AUDITOR))
    assert ole.approvals.pictures == ()
