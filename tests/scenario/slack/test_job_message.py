"""One message tells a job's life: it changes in place, not too often, and ends with the end."""

from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from bot.chat.slack_chat.outgoing.throttle import PER_MESSAGE_S
from bot.core.jobs import Job
from tests.fakes.chat_town import settled
from tests.fakes.easel import Easel
from tests.fakes.slack.app import FakeSlack
from tests.fakes.slack.state import Message
from tests.fakes.slack_town import DRAFTS, Running, SlackTown, running

ROOM = DRAFTS.channel


@pytest.fixture
async def house(slack: FakeSlack, slack_town: SlackTown) -> AsyncIterator[Running]:
    """What is sent is the same by HTTP and by sockets: here by HTTP."""
    async with running(slack, slack_town) as house:
        yield house


async def ask(house: Running) -> Job:
    """Mia asks for a picture."""
    receipt = await house.slack.person("U0MIA").command("/imagine", "a red mug", channel=ROOM)
    assert receipt.acked
    await house.slack.message(ROOM, lambda m: "Rendering" in m.text)
    [job] = await house.town.jobs()
    return job


def pictures(message: Message) -> list[str]:
    return [b["slack_file"]["id"] for b in message.blocks if b["type"] == "image"]


def changes(message: Message) -> list[float]:
    """Seconds between its changes."""
    return [later - earlier for earlier, later in pairwise(message.edits)]


async def test_it_shows_a_step_with_a_preview_and_then_the_picture(
    slack: FakeSlack, house: Running
) -> None:
    easel = Easel(house)
    job = await ask(house)
    easel.show(job.id, 0.4)
    so_far = await slack.message(ROOM, pictures)
    assert "40 %" in so_far.text
    [preview] = pictures(so_far)
    easel.let_go()
    done = await slack.message(ROOM, lambda m: "Done" in m.text)
    assert pictures(done) != [preview]
    await settled(house.house)
    assert slack.messages(ROOM) == [done]
    assert min(changes(done)) > PER_MESSAGE_S / 2, "as they arrive, which a busy machine delays"


async def test_its_last_state_lands_whatever_happens_to_its_changes(
    slack: FakeSlack, house: Running
) -> None:
    slack.troubles.add("chat.update", "429", retry_after=1)
    slack.troubles.add("chat.update", "lost")
    receipt = await slack.person("U0MIA").command("/imagine", "a red mug", channel=ROOM)
    assert receipt.acked
    done = await slack.message(ROOM, lambda m: "Done" in m.text)
    await settled(house.house)
    assert slack.messages(ROOM) == [done]


async def test_its_button_cancels_the_job(slack: FakeSlack, house: Running) -> None:
    easel = Easel(house)
    job = await ask(house)
    message = await slack.message(ROOM)
    receipt = await slack.person("U0MIA").click(message, f"do:cancel:{job.id}")
    assert receipt.acked
    easel.let_go()
    ended = await slack.message(ROOM, lambda m: "ancelled" in m.text)
    await settled(house.house)
    assert slack.messages(ROOM) == [ended]
    assert "do:cancel" not in str(ended.blocks)
