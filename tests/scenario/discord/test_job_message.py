"""One message tells a job's life: its place, how far it is, and its end, in place."""

from collections.abc import Iterator

import pytest

from bot.core.crew import JOBS as JOBS_AT_ONCE
from bot.core.jobs import Job
from tests.fakes.chat_town import settled
from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord.looking import alts, button_of, pictured, posted
from tests.fakes.discord.state import Message
from tests.fakes.discord_town import DRAFTS, Running
from tests.fakes.easel import Easel
from tests.fakes.waiting import until


@pytest.fixture
def easel(discord_house: Running) -> Iterator[Easel]:
    """Whatever a test says, nothing hangs on it at the end."""
    easel = Easel(discord_house)
    yield easel
    easel.let_go()


async def ask(house: Running, words: str = "a red mug") -> Job:
    """Mia asks for a picture."""
    receipt = await house.person("mia").command("imagine", prompt=words, channel=DRAFTS)
    assert receipt.acked
    jobs: list[Job] = []

    async def queued() -> bool:
        jobs[:] = [job for job in await house.town.jobs() if job.brief.words == words]
        return bool(jobs)

    await until(queued)
    return jobs[0]


def said(message: Message) -> list[str]:
    """What it said, from the first to now."""
    return [*(str(version.components) for version in message.versions), message.text]


def rendering(discord: FakeDiscord) -> int:
    """How many cards say so."""
    return sum("Rendering" in message.text for message in discord.messages(DRAFTS))


async def test_it_shows_its_place_then_a_look_at_the_picture_and_then_the_picture(
    discord: FakeDiscord, discord_house: Running, easel: Easel
) -> None:
    job = await ask(discord_house)
    await posted(discord, DRAFTS, lambda message: "Rendering" in message.text)
    easel.show(job.id, 0.4)
    so_far = await posted(discord, DRAFTS, pictured)
    assert "40 %" in so_far.text
    assert alts(so_far) == ["Acme: a red mug (being made, 40 %)"]
    assert button_of(so_far, "do:cancel:")
    easel.let_go()
    done = await posted(discord, DRAFTS, lambda message: "Done" in message.text)
    assert alts(done) == ["Acme: a red mug (draft, picture 1)"]
    await settled(discord_house.house)
    assert discord.messages(DRAFTS) == [done], "one message, which changed in place"


async def test_who_has_to_wait_reads_their_place(
    discord: FakeDiscord, discord_house: Running, easel: Easel
) -> None:
    for number in range(JOBS_AT_ONCE):
        await ask(discord_house, f"mug {number}")
    await until(
        lambda: sum("Rendering" in m.text for m in discord.messages(DRAFTS)) >= JOBS_AT_ONCE
    )
    await ask(discord_house, "a teal mug")
    waiting = await posted(discord, DRAFTS, lambda message: "teal" in message.text)
    assert f"{JOBS_AT_ONCE + 1}th in line" in waiting.text
    easel.let_go()
    await posted(discord, DRAFTS, lambda m: "teal" in m.text and "Done" in m.text)


async def test_many_steps_in_a_row_are_few_changes_and_the_last_one_lands(
    discord: FakeDiscord, discord_house: Running, easel: Easel
) -> None:
    job = await ask(discord_house)
    await posted(discord, DRAFTS, lambda message: "Rendering" in message.text)
    for step in range(1, 31):
        easel.show(job.id, step / 100)
    so_far = await posted(discord, DRAFTS, lambda message: "30 %" in message.text)
    assert not any("29 %" in text for text in said(so_far))
    easel.let_go()
    done = await posted(discord, DRAFTS, lambda message: "Done" in message.text)
    await settled(discord_house.house)
    changes = discord.calls(f"PATCH /channels/{DRAFTS}/messages/{done.id}")
    assert len(changes) <= 6


async def test_its_last_state_lands_whatever_happens_to_its_changes(
    discord: FakeDiscord, discord_house: Running
) -> None:
    change = "PATCH /channels/*/messages/*"
    discord.troubles.add(change, "429", retry_after=0.3)
    discord.troubles.add(change, "lost")
    discord.troubles.add(change, "html502")
    await ask(discord_house)
    done = await posted(discord, DRAFTS, lambda m: "Done" in m.text)
    await settled(discord_house.house)
    assert discord.messages(DRAFTS) == [done]


@pytest.mark.parametrize("who", ["mia", "rob"])
async def test_its_owner_and_a_moderator_cancel_it(
    discord: FakeDiscord, discord_house: Running, easel: Easel, who: str
) -> None:
    job = await ask(discord_house)
    card = await posted(discord, DRAFTS, lambda message: "Rendering" in message.text)
    receipt = await discord_house.person(who).click(card, f"do:cancel:{job.id}")
    assert receipt.acked
    await receipt.answer()
    easel.let_go()
    await until(lambda: "ancelled" in card.text)
    assert not button_of(card, "do:cancel:")
    await settled(discord_house.house)
    assert discord.messages(DRAFTS) == [card]


async def test_nobody_else_cancels_it(
    discord: FakeDiscord, discord_house: Running, easel: Easel
) -> None:
    job = await ask(discord_house)
    card = await posted(discord, DRAFTS, lambda message: "Rendering" in message.text)
    receipt = await discord_house.person("eve").click(card, f"do:cancel:{job.id}")
    assert receipt.ephemeral
    assert "can't" in (await receipt.answer()).text
    easel.let_go()
    await posted(discord, DRAFTS, lambda message: "Done" in message.text)
