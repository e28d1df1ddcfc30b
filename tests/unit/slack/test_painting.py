"""What the message of a running job shows, and when."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from bot.chat.slack_chat.wiring import PACE
from bot.core.commands import Imagine
from bot.core.errors import ChatUnavailable
from bot.core.ids import new_id
from bot.core.jobs import Job
from bot.core.live import LiveProgress
from bot.core.lives import JobState
from bot.core.messages import Actor, Card, ChannelRef, MessageRef
from bot.core.painting import EVERY_S, LINGERS_S, SWEEP_S, Pace, Painter
from bot.core.people import Identity
from bot.core.ports import Outgoing, Signal
from bot.core.sending import Sender
from brand.kit import Channel
from brand.templates import Brief
from tests.fakes.chat import FakeChat
from tests.fakes.town import KIT, Town, make_town
from tests.fakes.waiting import until

DRAFTS = ChannelRef(platform="slack", channel="C1", team="T1")
SLACK_KIT = replace(
    KIT, channels=(Channel(name="#drafts", audience="working", platform="slack", id="C1"),)
)


class Chat(FakeChat):
    """Remembers each version of a card."""

    def __init__(self, platform: str) -> None:
        super().__init__(platform)
        self.said: list[Card] = []

    async def send(self, message: Outgoing) -> MessageRef:
        """Note it."""
        self.said.append(message.card)
        return await super().send(message)


@dataclass
class Shelf:
    """Previews by file id. What is uploaded while `closed` waits until it is opened."""

    files: dict[str, bytes] = field(default_factory=dict)
    alts: list[str] = field(default_factory=list)
    discarded: list[str] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    refuses: bool = False
    sweeps: int = 0

    async def temporary(self, team: str, data: bytes, alt: str) -> str | None:
        """Keep it."""
        assert team == "T1"
        await self.open.wait()
        if self.refuses:
            raise ChatUnavailable("Slack is away.", retry_after_s=1)
        file = f"F{len(self.files):08d}"
        self.files[file] = data
        self.alts.append(alt)
        return file

    async def sweep(self) -> None:
        """Note it; the first time there is trouble."""
        self.sweeps += 1
        if self.sweeps == 1:
            raise ChatUnavailable("Slack is away.", retry_after_s=1)

    async def discard(self, team: str, file: str) -> None:
        """Forget it."""
        assert team == "T1"
        self.discarded.append(file)


@dataclass
class Scene:
    """A job that renders, and the painter that follows it."""

    town: Town
    chat: Chat
    shelf: Shelf
    job: Job

    def now_at(self, fraction: float, preview: bytes = b"", job: str = "") -> None:
        """The renderer has come so far."""
        house, job = self.town.house, job or self.job.id
        house.live.put(job, LiveProgress(fraction=fraction, preview=preview))
        house.signals.publish(Signal(topic=f"job:{job}", kind="progress", data={}))

    async def another(self, channel: str = "C1") -> str:
        """One more job that renders; its id."""
        made = replace(self.job, id=new_id(), origin=replace(DRAFTS, channel=channel))
        async with self.town.house.store.write() as tx:
            await tx.jobs.add(made)
        return made.id

    async def begin(self, fraction: float = 0.05) -> None:
        """Until the painter has heard of it and waits for its first step."""

        def heard() -> bool:
            self.now_at(fraction)
            return self.town.clock.sleeping > 1  # the other one waits to sweep

        await until(heard)

    async def after(self, seconds: float) -> list[str]:
        """What the message has said by then."""
        await self.town.clock.advance(seconds)
        sender = Sender(self.town.house, "s1")
        while await sender.run_one():
            pass
        said = [card.status for card in self.chat.said]
        return [status for status in said if status.startswith("Rendering")]

    async def end(self) -> None:
        """The job is done."""
        async with self.town.house.store.write() as tx:
            stored = await tx.jobs.get(self.job.id)
            await tx.jobs.update(replace(stored, state=JobState.CANCELLED), was=stored)
        self.town.house.live.drop(self.job.id)


@asynccontextmanager
async def painted(platform: str = "slack", *, pace: Pace = PACE) -> AsyncIterator[Scene]:
    town = await make_town(SLACK_KIT)
    chat = town.house.chats[platform] = Chat(platform)
    async with town.house.store.write() as tx:
        mia = town.people["mia"]
        account = Identity(platform="slack", user="U1", team="T1")
        await tx.people.update(replace(mia, identities=(*mia.identities, account)), was=mia)
    user, place = ("U1", DRAFTS) if platform == "slack" else ("mia", replace(DRAFTS, team=""))
    place = replace(place, platform=platform)
    assert town.house.door is not None
    actor = Actor(platform=platform, user=user, name="Mia", channel=place)
    card = await town.house.door.dispatch(Imagine(brief=Brief(words="a <red> mug")), actor)
    assert card.subject.startswith("job:"), card
    async with town.house.store.write() as tx:
        job = await tx.jobs.claim("w1", now=town.clock.now(), lease=town.house.lease)
    assert job is not None
    shelf, stop = Shelf(), asyncio.Event()
    shelf.open.set()
    painter = asyncio.create_task(Painter(town.house, shelf, pace).run(stop))
    try:
        yield Scene(town=town, chat=chat, shelf=shelf, job=job)
    finally:
        stop.set()
        await painter


async def test_a_step_is_shown_every_few_seconds_and_the_newest_one() -> None:
    async with painted() as scene:
        await scene.begin(0.1)
        for fraction in (0.11, 0.12, 0.13):
            scene.now_at(fraction)
        assert await scene.after(EVERY_S - 0.1) == []
        assert await scene.after(0.1) == ["Rendering · 13 %"]
        scene.now_at(0.2)
        assert await scene.after(EVERY_S - 0.1) == ["Rendering · 13 %"]
        assert await scene.after(0.1) == ["Rendering · 13 %", "Rendering · 20 %"]


async def test_many_jobs_share_the_rate_of_their_workspace_and_leave_some_of_it() -> None:
    """Slack lets an app change fifty messages a minute; a click's answer changes one too."""
    async with painted() as scene:
        jobs = [scene.job.id, *[await scene.another() for _ in range(7)]]
        for step in range(1, 61):
            for job in jobs:
                scene.now_at(step / 100, job=job)
            said = await scene.after(1.0)
        assert 25 <= len(said) <= 42
        titles = {card.subject for card in scene.chat.said if card.status.startswith("Rendering")}
        assert len(titles) == len(jobs)


async def test_where_each_channel_has_its_own_rate_jobs_elsewhere_slow_nobody_down() -> None:
    pace = replace(PACE, share_s=2.0, by_channel=True)
    for channel, steps in (("C{}", 4), ("C1", 1)):
        async with painted(pace=pace) as scene:
            jobs = [scene.job.id, *[await scene.another(channel.format(n)) for n in range(2, 6)]]
            for step in range(1, 13):
                for job in jobs:
                    scene.now_at(step / 100, job=job)
                await scene.after(1.0)
            said = [card for card in scene.chat.said if card.subject == f"job:{scene.job.id}"]
            assert sum(card.status.startswith("Rendering") for card in said) == steps


async def test_a_job_that_stands_still_is_not_told_again() -> None:
    async with painted() as scene:
        await scene.begin(0.1)
        assert await scene.after(4 * EVERY_S) == ["Rendering · 10 %"]


async def test_a_job_that_was_quick_has_no_steps() -> None:
    async with painted() as scene:
        await scene.begin()
        await scene.end()
        assert await scene.after(2 * EVERY_S) == []


async def test_two_looks_are_uploaded_and_taken_away_again() -> None:
    async with painted() as scene:
        await scene.begin(0.1)
        for fraction in (0.2, 0.4, 0.5, 0.6, 0.7, 0.9):
            scene.now_at(fraction, preview=f"at {fraction}".encode())
            await scene.after(EVERY_S)
        assert list(scene.shelf.files.values()) == [b"at 0.4", b"at 0.7"]
        previews = [card.preview.blob if card.preview else "" for card in scene.chat.said]
        assert [blob for blob in dict.fromkeys(previews) if blob] == list(scene.shelf.files)
        assert scene.shelf.alts[0] == "Acme: a <red> mug (being made, 40 %)"
        await scene.end()
        await scene.after(EVERY_S)
        await scene.after(LINGERS_S)
        assert scene.shelf.discarded == list(scene.shelf.files)


async def test_a_look_that_takes_its_time_holds_no_step_up() -> None:
    async with painted() as scene:
        scene.shelf.open.clear()
        await scene.begin(0.1)
        scene.now_at(0.4, preview=b"early")
        assert (await scene.after(EVERY_S))[-1] == "Rendering · 40 %"
        scene.now_at(0.5)
        assert (await scene.after(EVERY_S))[-1] == "Rendering · 50 %"
        assert all(card.preview is None for card in scene.chat.said)
        scene.shelf.open.set()
        await scene.after(EVERY_S)
        assert scene.chat.said[-1].preview is not None


async def test_a_look_that_comes_after_the_end_is_taken_away() -> None:
    async with painted() as scene:
        scene.shelf.open.clear()
        await scene.begin(0.1)
        scene.now_at(0.4, preview=b"early")
        await scene.after(EVERY_S)
        await scene.end()
        await scene.after(EVERY_S)
        scene.shelf.open.set()
        await scene.after(LINGERS_S)
        assert scene.shelf.discarded == list(scene.shelf.files) != []


async def test_without_previews_the_steps_go_on() -> None:
    async with painted() as scene:
        scene.shelf.refuses = True
        await scene.begin(0.1)
        scene.now_at(0.4, preview=b"early")
        await scene.after(EVERY_S)
        scene.now_at(0.5)
        assert (await scene.after(EVERY_S))[-1] == "Rendering · 50 %"


async def test_at_a_stop_what_stands_in_slack_is_taken_away() -> None:
    async with painted() as scene:
        await scene.begin(0.1)
        scene.now_at(0.4, preview=b"early")
        await scene.after(2 * EVERY_S)
        assert scene.shelf.files
    assert scene.shelf.discarded == list(scene.shelf.files)


async def test_jobs_of_other_platforms_are_left_alone() -> None:
    async with painted("local") as scene:
        await scene.begin(0.4)
        scene.now_at(0.5, preview=b"early")
        assert await scene.after(4 * EVERY_S) == []
        assert scene.shelf.files == {}


async def test_previews_that_a_dead_process_left_are_swept_now_and_then() -> None:
    async with painted() as scene:
        await until(lambda: scene.shelf.sweeps == 1)
        await scene.town.clock.advance(2 * SWEEP_S)
        assert scene.shelf.sweeps == 3
