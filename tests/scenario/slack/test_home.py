"""The Home tab in a strict Slack: what it shows, what can be done there, and that it keeps up."""

import asyncio

from bot.core.lives import JobState, ReviewState
from tests.fakes.slack.looking import anywhere, button_of, pictured
from tests.fakes.slack.people import Person
from tests.fakes.slack.state import View
from tests.fakes.slack_town import Running
from tests.fakes.waiting import until


async def opened(person: Person) -> View:
    """The page once it is there."""
    await person.open_home()
    await until(lambda: person.home is not None)
    assert person.home is not None
    return person.home


async def test_a_new_picture_begins_on_the_page(slack_house: Running) -> None:
    mia = slack_house.slack.person("U0MIA")
    page = await opened(mia)
    assert "You have asked for no picture yet." in str(page.blocks())
    await mia.click(page, "open:imagine")
    form = await slack_house.slack.form(mia, "imagine")
    assert form.blocks()


async def test_an_approver_decides_on_the_page_with_the_picture_in_sight(
    slack_house: Running,
) -> None:
    slack, mia, ana = slack_house.slack, *map(slack_house.slack.person, ("U0MIA", "U0ANA"))
    await mia.command("/imagine", "a red mug", channel="C0DRAFTS")
    card = await slack.message("C0DRAFTS", pictured)
    await mia.click(card, button_of(card, "do:send:"))
    await anywhere(slack, lambda m: button_of(m, "do:approve:"))
    await opened(ana)
    await until(lambda: "slack_file" in str(ana.home and ana.home.blocks()))
    page = ana.home
    assert page is not None
    await ana.click(page, button_of(page, "do:approve:"))
    await slack.message("C0SOCIAL", pictured)
    review = await slack_house.town.review_of((await slack_house.town.newest_asset()).id)
    assert review.state is ReviewState.DECIDED


async def test_the_page_follows_what_happens_and_a_job_can_be_stopped_there(
    slack_house: Running,
) -> None:
    let_go = asyncio.Event()

    async def hold(_: object) -> None:
        await let_go.wait()

    slack_house.town.renderer.before_picture = hold
    try:
        mia = slack_house.slack.person("U0MIA")
        await opened(mia)
        await mia.command("/imagine", "a red mug", channel="C0DRAFTS")
        await until(lambda: "My jobs: 1 open" in str(mia.home and mia.home.blocks()))
        [job] = await slack_house.town.jobs()
        assert mia.home is not None
        await mia.choose(mia.home, f"more:{job.id}", f"cancel:{job.id}")

        async def cancelled() -> bool:
            return (await slack_house.town.jobs())[0].state is JobState.CANCELLED

        await until(cancelled)
    finally:
        let_go.set()
