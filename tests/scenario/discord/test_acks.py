"""Discord is answered in time, whatever the database, the renderer and Discord itself do; and where
it takes no acknowledgement, the answer comes all the same.

How quick that is under load, `tests.benchmarks.discord` measures. Here what an acknowledgement must
not wait for takes longer than Discord would."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from storage.inbox import JournalInbox
from storage.memory import MemoryStore
from tests.fakes.chat_town import settled
from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord.interactions import Modal
from tests.fakes.discord.looking import button_of, pictured, posted
from tests.fakes.discord.people import Person
from tests.fakes.discord.state import ACK_S, Message
from tests.fakes.discord_deeds import in_review, told
from tests.fakes.discord_town import DRAFTS, Running, make_discord_town, running
from tests.fakes.silent_store import SilentStore
from tests.fakes.uploads import png
from tests.fakes.waiting import until

CALLBACK = "POST /interactions/*/callback"
ELSE = ("GET *", "PUT *", "PATCH *", "DELETE *", "POST /channels/*", "POST /users/*")
"""Everything but the acknowledgement."""
UNKNOWN_INTERACTION = 10062
FILLED = {"var:PRODUCT": "mug", "var:PLACE": "on the beach"}


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A house at work, with a picture, a review and an open form in front of its people."""

    house: Running
    store: SilentStore
    inbox: JournalInbox
    mia: Person
    rob: Person
    card: Message
    review: Message
    form: Modal

    @property
    def discord(self) -> FakeDiscord:
        """The platform."""
        return self.house.discord

    async def waits(self) -> int:
        """Deliveries that are written down and not done."""
        return len(await self.inbox.pending())

    async def rests(self) -> bool:
        """Whether all is done."""
        return await self.waits() == 0

    def silence(self) -> None:
        """Let the database answer nobody, and Discord slowly."""
        self.store.hush()
        for what in ELSE:
            self.discord.troubles.add(what, "slow", times=None, seconds=ACK_S + 0.5)

    def speak(self) -> None:
        """Let all be well again."""
        self.discord.troubles.clear()
        self.store.speak()


@pytest.fixture
async def scene(discord: FakeDiscord, tmp_path: Path) -> AsyncIterator[Scene]:
    """All is well so far."""
    store = SilentStore(MemoryStore())
    town = await make_discord_town(store=store)
    inbox = await JournalInbox.open(tmp_path)
    async with running(discord, town, inbox=inbox) as house:
        mia, rob = house.person("mia"), house.person("rob")
        review = await in_review(house)
        card = discord.messages(DRAFTS)[0]
        form = (await mia.command("imagine", template="product", channel=DRAFTS)).modal
        assert form is not None
        made = Scene(
            house=house,
            store=store,
            inbox=inbox,
            mia=mia,
            rob=rob,
            card=card,
            review=review,
            form=form,
        )
        await until(made.rests)
        yield made
        made.speak()
    await inbox.close()


async def test_every_surface_is_acknowledged_while_all_else_is_silent(scene: Scene) -> None:
    mia, rob, card, review = scene.mia, scene.rob, scene.card, scene.review
    brought = mia.attach(png(), channel=DRAFTS)
    scene.silence()
    receipts = {
        "suggestions": await mia.type("imagine", "template", "pro", channel=DRAFTS),
        "command": await mia.command("imagine", prompt="a green mug", channel=DRAFTS),
        "direct": await mia.command("imagine", prompt="a white mug"),
        "picture": await mia.command(
            "imagine", prompt="a new mug", reference=brought, channel=DRAFTS
        ),
        "opens": await mia.command("imagine", template="product", channel=DRAFTS),
        "form": await mia.submit(scene.form, **FILLED),
        "asks": await mia.click(card, button_of(card, "ask:words:")),
        "menu": await mia.menu("Details", card),
        "menu that opens": await mia.menu("Use as reference", card),
        "button": await rob.click(review, button_of(review, "do:approve:")),
    }
    rob.react(review, "✅")
    assert [name for name, receipt in receipts.items() if not receipt.acked] == []
    await until(lambda: _at_least(scene, 7))
    assert len(scene.house.renderer.requests) == 1, "nothing was done yet"
    scene.speak()
    await until(scene.rests)
    jobs = await scene.house.town.jobs()
    assert len(jobs) == 5, "the first and the four that had to wait, each once"


async def _at_least(scene: Scene, count: int) -> bool:
    return await scene.waits() >= count


async def test_it_is_on_the_disk_before_discord_hears_of_it(scene: Scene) -> None:
    scene.store.hush()
    scene.discord.troubles.add(CALLBACK, "slow", seconds=0.3)
    asking = asyncio.create_task(scene.mia.command("queue", channel=DRAFTS))
    await until(lambda: scene.discord.calls(CALLBACK)[-1].status == 0)
    assert await scene.waits() == 1
    assert (await asking).acked


async def test_acknowledgements_come_while_the_render_queue_is_full(scene: Scene) -> None:
    scene.house.renderer.away = True
    for number in range(40):
        words = f"a mug with the number {number}"
        assert (await scene.mia.command("imagine", prompt=words, channel=DRAFTS)).acked
    await until(scene.rests)
    assert len(await scene.house.town.jobs()) == 41


async def test_many_at_once_are_acknowledged_in_time(scene: Scene) -> None:
    people = [scene.house.person(name) for name in ("mia", "rob", "ana", "ida", "eve")]
    asked = [person.command("queue", channel=DRAFTS) for person in people for _ in range(10)]
    assert all(receipt.acked for receipt in await asyncio.gather(*asked))


@pytest.fixture
def unanswered(scene: Scene) -> Scene:
    """Discord knows none of the interactions any more that are acknowledged."""
    scene.discord.troubles.add(CALLBACK, "refuse", status=404, code=UNKNOWN_INTERACTION, times=None)
    for person in (scene.mia, scene.rob):
        person.wait_s = 0.01
    return scene


def forgiven(scene: Scene) -> None:
    """Discord did not let us respond, so that we did not is no fault of ours."""
    wrong = scene.discord.violations
    wrong[:] = [each for each in wrong if "did not respond" not in each]


async def test_what_could_not_be_acknowledged_is_done_and_answered_all_the_same(
    unanswered: Scene,
) -> None:
    scene, mia, rob, discord = unanswered, unanswered.mia, unanswered.rob, unanswered.discord
    card, review = scene.card, scene.review
    asked = await asyncio.gather(
        mia.command("imagine", prompt="a blue mug", channel=DRAFTS),
        mia.submit(scene.form, **FILLED),
        mia.menu("Details", card),
        mia.click(card, button_of(card, "do:upscale:")),
        rob.command("usage", channel=DRAFTS),
        rob.click(review, button_of(review, "do:approve:")),
    )
    assert not any(receipt.acked for receipt in asked)
    for words in ("a blue mug", "on the beach"):
        await posted(discord, DRAFTS, lambda m, words=words: pictured(m) and words in m.text)
    await until(lambda: "Approved by Rob" in review.text)
    await until(lambda: told(scene.house, "mia").count("Queued") == 3)
    await until(lambda: "Recipe" in told(scene.house, "mia"))
    await until(lambda: "this month" in told(scene.house, "rob"))
    forgiven(scene)


async def test_what_opens_or_suggests_leaves_nothing_behind_where_it_came_too_late(
    unanswered: Scene,
) -> None:
    scene, mia = unanswered, unanswered.mia
    before = len(tried(scene))
    await mia.type("imagine", "template", channel=DRAFTS)
    await mia.click(scene.card, button_of(scene.card, "ask:words:"))
    await mia.command("imagine", template="product", channel=DRAFTS)
    await until(lambda: len(tried(scene)) >= before + 3)
    assert await scene.rests()
    assert told(scene.house, "mia") == ""
    forgiven(scene)


def tried(scene: Scene) -> set[str]:
    """Interactions whose acknowledgement was tried."""
    return {call.path for call in scene.discord.calls(CALLBACK)}


async def test_where_direct_messages_are_closed_one_line_stands_in_the_channel(
    unanswered: Scene,
) -> None:
    scene, rob = unanswered, unanswered.rob
    scene.discord.world.users[rob.id].takes_dms = False
    await rob.command("usage", channel=DRAFTS)
    line = await posted(scene.discord, DRAFTS, lambda m: "private answer" in m.text)
    assert "this month" not in line.text
    await settled(scene.house.house)
    lines = [m for m in scene.discord.messages(DRAFTS) if "private answer" in m.text]
    assert lines == [line]
    forgiven(scene)
