"""What was asked for privately stays with whoever asked, also where others may stop it; what is
asked for in a brand, with those who have a part in it."""

from dataclasses import replace

import pytest

from bot.core.assets import Asset
from bot.core.commands import (
    Cancel,
    EditWords,
    Extend,
    Imagine,
    PauseJob,
    Queue,
    Reroll,
    ResumeJob,
    SendToApproval,
    Share,
    Upscale,
    Vary,
)
from bot.core.lives import JobState
from bot.core.people import Role
from brand.templates import Brief
from tests.fakes.town import START, Town
from tests.scenario.conftest import newest_asset

SECRET = Brief(words="the mug of a merger", private=True)


async def private_picture(town: Town) -> Asset:
    """Mia's, rendered."""
    await town.say(Imagine(brief=SECRET))
    await town.settle()
    return await newest_asset(town)


@pytest.mark.parametrize("command", [Vary, Upscale, Extend, EditWords, SendToApproval, Share])
@pytest.mark.parametrize("who", ["ana", "ida"])
async def test_nobody_else_goes_on_with_a_private_picture(
    town: Town, command: type, who: str
) -> None:
    asset = await private_picture(town)
    more = {"text": "a blue mug"} if command is EditWords else {}
    card = await town.say(command(asset=asset.id, **more), who)
    assert card.kind == "error"
    assert "merger" not in repr(card)
    assert (await newest_asset(town)).state is asset.state


async def test_nobody_else_asks_for_a_private_picture_anew_by_its_job_or_id(town: Town) -> None:
    asset = await private_picture(town)
    for target in (asset.job, asset.id):
        card = await town.say(Reroll(target=target), "ana")
        assert card.lines == (f"There is no picture `{target}`.",)
    assert (await town.say(Reroll(target=asset.id))).kind == "job", "Mia herself does"


async def test_a_private_picture_that_was_sent_to_approval_is_the_approvers_to_go_on_with(
    town: Town,
) -> None:
    asset = await private_picture(town)
    await town.say(SendToApproval(asset=asset.id))
    assert (await town.say(Reroll(target=asset.id), "ana")).kind == "job"
    assert (await town.say(Vary(asset=asset.id), "ana")).kind == "job"


@pytest.mark.parametrize("command", [Cancel, PauseJob])
async def test_who_stops_a_private_job_does_not_read_it(town: Town, command: type) -> None:
    job = (await town.say(Imagine(brief=SECRET))).subject.removeprefix("job:")
    card = await town.say(command(job=job), "ben")
    assert card.title == "A private request"
    assert "merger" not in repr(card)
    async with town.house.store.read() as tx:
        stored = await tx.jobs.get(job)
    assert stored.is_paused or stored.state is JobState.CANCELLED


async def test_who_lets_a_private_job_go_on_does_not_read_it_however_often(town: Town) -> None:
    job = (await town.say(Imagine(brief=SECRET))).subject.removeprefix("job:")
    await town.say(PauseJob(job=job))
    for _ in range(2):
        assert "merger" not in repr(await town.say(ResumeJob(job=job), "ben"))
    assert "merger" in repr(await town.say(PauseJob(job=job))), "Mia herself does"


async def test_the_queue_tells_nothing_of_brands_in_which_one_has_no_part(town: Town) -> None:
    kit, ben = replace(town.kit, id="zeta", name="Zeta", channels=()), town.people["ben"]
    async with town.house.store.write() as tx:
        await tx.kits.put(kit, source="", at=START)
        await tx.people.update(replace(ben, roles=(("zeta", Role.REQUESTER),)), was=ben)
    await town.say(Imagine(brief=Brief(words="a red mug"), brand="acme"))
    await town.say(Imagine(brief=Brief(words="a blue mug"), brand="zeta"), "ben")
    [row] = (await town.say(Queue(), "ben")).rows
    assert (row[0], row[2]) == ("2", "Ben")
    assert (await town.say(Queue(brand="acme"), "ben")).rows == ()
    assert len((await town.say(Queue())).rows) == 2
