"""The Home tab: all that concerns one person on one page, published when it changes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import pytest

from bot.chat.slack_chat.home.page import home_view, stranger_view
from bot.chat.slack_chat.home.publisher import EVERY_S, GAP, OPEN_FOR, HomePublisher
from bot.chat.slack_chat.incoming.heard import Heard, Kind
from bot.chat.slack_chat.methods import Method
from bot.chat.slack_chat.web import SlackRefused, Web
from bot.core.cards import brief_title
from bot.core.errors import ChatUnavailable, NotAllowed
from bot.core.messages import Button, Card, Field, PictureRef, Style
from bot.core.overview import Overview, overview
from bot.core.people import Identity, Person
from bot.core.ports import Signal
from tests.fakes.slack.blocks import check_view, pings
from tests.fakes.town import Town, make_town
from tests.fakes.waiting import until
from tests.scenario.calendar.planning import NEXT, go_to, scheduled
from tests.scenario.conftest import candidate, in_review
from tests.scenario.spending import ask, jobs, limit

JOB, REVIEW = "0Ab1Cd2Ef3Gh4Ij5Kl6Mn7", "1Ab1Cd2Ef3Gh4Ij5Kl6Mn7"
NOTHING = Card(kind="list", title="Nothing")


def a_vote(text: str = "a red mug") -> PictureRef:
    return PictureRef(
        asset="a1",
        blob="b1",
        alt=text,
        width=64,
        height=64,
        fields=(Field(label="palette", value="92 %", ok=True),),
        buttons=(
            Button(label="Approve", action=f"approve:{REVIEW}", style=Style.PRIMARY),
            Button(label="Reject…", action=f"reject:{REVIEW}", asks="reason"),
            Button(label="Open", action=f"show:{REVIEW}"),
        ),
        caption=f"{text}\nMia asks for #social, by Mon 09 Mar 09:00 UTC",
    )


def page(text: str = "a red mug", **given: Card) -> Overview:
    cards = {
        "jobs": Card(
            kind="list", title="My jobs: 1 open", columns=("words", "state", "job"),
            rows=((text, "Queued, next in line.", JOB),),
        ),
        "approvals": Card(kind="list", title="To approve: 1", pictures=(a_vote(text),)),
        "week": NOTHING,
        "budget": Card(
            kind="list", title="Budget", fields=(Field(label="your budget", value="20 %: 2 of 10"),)
        ),
        **given,
    }  # fmt: skip
    buttons = (
        Button(label="Open", action=f"show:{JOB}"),
        Button(label="Cancel", action=f"cancel:{JOB}"),
    )
    return Overview(**cards, row_buttons={JOB: buttons})


def blocks(
    seen: Overview, files: dict[str, str] | None = None, **more: Any
) -> list[dict[str, Any]]:
    view = home_view(seen, files={} if files is None else files, **more).to_dict()
    assert check_view(view, files=lambda _file: None) == []
    shown: list[dict[str, Any]] = view["blocks"]
    return shown


def words(shown: list[dict[str, Any]]) -> str:
    texts = [block.get("text", {}).get("text", "") for block in shown]
    return "\n".join(
        texts + [e["text"] for b in shown if b["type"] == "context" for e in b["elements"]]
    )


def actions(shown: list[dict[str, Any]]) -> list[str]:
    found = []
    for block in shown:
        for element in (*block.get("elements", ()), block.get("accessory", {})):
            found += [element["action_id"]] if "action_id" in element else []
            found += [option["value"] for option in element.get("options", ())]
    return found


def test_a_new_picture_is_one_tap_away_and_the_portal_another() -> None:
    assert actions(blocks(page()))[0] == "open:imagine"
    with_portal = blocks(page(), portal="https://pictures.acme.example")
    assert with_portal[0]["elements"][1]["url"] == "https://pictures.acme.example"
    assert "link:portal" not in actions(blocks(page(), portal="http://127.0.0.1:8000"))


def test_a_job_stands_with_its_state_and_a_menu() -> None:
    shown = blocks(page())
    [job] = [b for b in shown if "Queued" in b.get("text", {}).get("text", "")]
    assert job["text"]["text"] == "*a red mug*\nQueued, next in line."
    assert job["accessory"]["action_id"] == f"more:{JOB}"
    assert [o["value"] for o in job["accessory"]["options"]] == [f"show:{JOB}", f"cancel:{JOB}"]


def test_nobody_votes_on_a_picture_that_they_do_not_see() -> None:
    seen = actions(blocks(page(), files={"b1": "F0123ABCD"}))
    assert f"do:approve:{REVIEW}" in seen
    assert f"do:reject:{REVIEW}" in seen
    unseen = actions(blocks(page()))
    assert f"do:show:{REVIEW}" in unseen
    assert not [action for action in unseen if "approve" in action or "reject" in action]


def test_an_approval_shows_the_picture_the_check_and_who_asks() -> None:
    shown = blocks(page(), files={"b1": "F0123ABCD"})
    [vote] = [b for b in shown if b.get("accessory", {}).get("type") == "image"]
    assert vote["accessory"]["slack_file"] == {"id": "F0123ABCD"}
    text = vote["text"]["text"]
    assert text.startswith("*a red mug*\nMia asks for #social")
    assert "✏️ draft · ✅ *Brand check passed*" in text


def test_an_empty_part_teaches_in_words_that_work_here() -> None:
    empty = Card(
        kind="list",
        title="This week",
        lines=("Nothing is planned.",),
        hint="/schedule every Monday",
    )
    said = words(blocks(page(week=empty, budget=replace(NOTHING, fix="`/usage` shows more."))))
    assert "Try `/imagine schedule every Monday`" in said
    assert "`/imagine usage` shows more." in said


def test_an_action_that_two_parts_offer_is_there_once() -> None:
    rows = Card(kind="list", title="This week", columns=("day", "slot"), rows=(("Mon", REVIEW),))
    seen = page(week=rows)
    both = replace(seen, row_buttons={**seen.row_buttons, REVIEW: a_vote().buttons})
    shown = actions(blocks(both, files={"b1": "F0123ABCD"}))
    assert len(shown) == len(set(shown))


@pytest.mark.parametrize("attempt", ["<!channel>", "<@U0123ABCD>", "a & <b>", "\u202e<!here>"])
def test_words_of_people_do_not_act_on_the_page(attempt: str) -> None:
    shown = blocks(page(attempt), files={"b1": "F0123ABCD"})
    assert pings("", shown) == []
    assert "<" not in words(shown)


def test_a_stranger_reads_how_to_get_in() -> None:
    view = stranger_view(NotAllowed("I don't know you yet.", fix="Type `/link` in the account."))
    assert "`/imagine /link`" in str(view.to_dict())


@dataclass
class RecordedWeb:
    """One workspace, which takes views."""

    team: str = "T1"
    bot_user: str = "UBOT"
    url: str = ""
    views: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    hangs: set[str] = field(default_factory=set)
    """Users whose page Slack takes its time with."""
    refusals: list[Exception] = field(default_factory=list)

    async def web(self, team: str) -> Web:
        """The only one there is, whatever is asked for."""
        return self

    async def teams(self) -> Sequence[str]:
        return [self.team]

    async def call(
        self, method: Method, *, place: str = "", key: str = "", **arguments: Any
    ) -> dict[str, Any]:
        assert method is Method.VIEWS_PUBLISH
        if self.refusals:
            raise self.refusals.pop()
        if arguments["user_id"] in self.hangs:
            await asyncio.Event().wait()
        assert check_view(arguments["view"], files=lambda _file: None) == []
        self.views.append((arguments["user_id"], arguments["view"]))
        return {"ok": True}

    async def upload(self, data: bytes, *, name: str, title: str, alt: str) -> str:
        raise AssertionError("a page uploads nothing by itself")

    async def post_file(
        self, data: bytes, *, name: str, alt: str, channel: str, thread: str, text: str, key: str
    ) -> str:
        raise AssertionError("a page posts nothing")

    async def download(self, url: str, *, limit: int) -> bytes:
        raise AssertionError("a page downloads nothing")

    def page(self, user: str = "UMIA") -> str:
        """What this person reads now."""
        return str(next(view for who, view in reversed(self.views) if who == user))


@dataclass
class Files:
    """A shelf whose pictures come when they are let."""

    ready: asyncio.Event = field(default_factory=asyncio.Event)
    fault: Exception | None = None

    async def awaited(self, _team: str, _blob: str, _alt: str) -> str | None:
        await self.ready.wait()
        if self.fault is not None:
            raise self.fault
        return "F0123ABCD"


@dataclass
class Home:
    """A town whose people are on Slack, and what they see."""

    town: Town
    web: RecordedWeb
    files: Files
    publisher: HomePublisher

    async def opened(self, user: str = "UMIA", kind: Kind = Kind.HOME) -> None:
        heard = Heard(kind=kind, key=f"T1:event:{user}", team="T1", user=user)
        await self.publisher.opened(heard)
        await self.publisher.settled()

    def changed(self, topic: str = "queue", kind: str = "changed") -> None:
        self.town.house.signals.publish(Signal(topic=topic, kind=kind, data={}))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        stop = asyncio.Event()
        task = asyncio.create_task(self.publisher.run(stop))
        try:
            await until(lambda: self.town.clock.sleeping)
            yield
        finally:
            stop.set()
            await task

    async def sees(self, condition: Callable[[], object]) -> None:
        """Let the time go on until this holds."""

        async def held() -> bool:
            await self.town.clock.advance(1)
            return bool(condition())

        await until(held)


@pytest.fixture
async def home() -> Home:
    town = await make_town()
    async with town.house.store.write() as tx:
        for name, member in town.people.items():
            slack = Identity(platform="slack", user=f"U{name.upper()}", team="T1")
            town.people[name] = await tx.people.update(
                replace(member, identities=(*member.identities, slack)), was=member
            )
    web, files = RecordedWeb(), Files()
    files.ready.set()
    return Home(town=town, web=web, files=files, publisher=HomePublisher(town.house, web, files))


async def another(town: Town, count: int = 1) -> None:
    """More of the newest job, straight in the records: no signal tells of them."""
    newest = (await jobs(town))[-1]
    async with town.house.store.write() as tx:
        for number in range(count):
            await tx.jobs.add(replace(newest, id=f"{number:022}", version=0))


async def test_opening_the_tab_publishes_the_page_at_once(home: Home) -> None:
    await ask(home.town)
    await home.opened()
    assert "a red mug" in home.web.page()


async def test_a_page_that_did_not_change_is_not_published_again(home: Home) -> None:
    await home.opened()
    await home.town.clock.advance(60)
    await home.opened()
    assert len(home.web.views) == 1


async def test_a_change_reaches_an_open_page_and_nobody_elses(home: Home) -> None:
    async with home.running():
        await home.opened()
        await ask(home.town)
        home.changed()
        await home.sees(lambda: "a red mug" in home.web.page())
    assert {user for user, _ in home.web.views} == {"UMIA"}


async def test_what_another_process_changed_is_seen_without_a_signal(home: Home) -> None:
    await ask(home.town)
    async with home.running():
        await home.opened()
        await another(home.town)
        await home.town.clock.advance(EVERY_S + 1)
        await until(lambda: "My jobs: 2 open" in home.web.page())


async def test_a_page_is_published_every_five_seconds_at_most(home: Home) -> None:
    times = []
    async with home.running():
        await home.opened()
        for _ in range(12):
            await ask(home.town)
            home.changed()
            before = len(home.web.views)
            await home.town.clock.advance(1)
            if len(home.web.views) > before:
                times.append(home.town.clock.now())
        await home.sees(lambda: "My jobs: 12 open" in home.web.page())
    assert times
    assert all(later - earlier >= GAP for earlier, later in pairwise(times))


async def test_a_tab_opened_again_too_soon_is_brought_up_to_date_after_it(home: Home) -> None:
    async with home.running():
        await home.opened()
        await ask(home.town)
        await home.opened()
        assert len(home.web.views) == 1
        await home.sees(lambda: len(home.web.views) == 2)


async def test_what_somebody_does_on_their_page_shows_there_at_once(home: Home) -> None:
    await home.opened()
    await ask(home.town)
    await home.opened(kind=Kind.ACTION)
    assert "a red mug" in home.web.page()


async def test_opening_a_tab_waits_for_slack_no_longer_than_its_delivery(home: Home) -> None:
    home.web.hangs = {"UMIA"}
    heard = Heard(kind=Kind.HOME, key="T1:event:1", team="T1", user="UMIA")
    async with home.running():
        await home.publisher.opened(heard)
        await home.publisher.opened(replace(heard, user="UANA"))
        await until(lambda: [user for user, _ in home.web.views] == ["UANA"])
        await home.publisher.opened(replace(heard, user="UBEN"))
        await until(lambda: len(home.web.views) == 2)


async def test_a_page_that_slack_takes_its_time_with_keeps_no_other_waiting(home: Home) -> None:
    async with home.running():
        await home.opened()
        await home.opened("UANA")
        home.web.hangs = {"UMIA"}
        await ask(home.town)
        await in_review(home.town)
        home.changed()
        await home.sees(lambda: "do:approve" in home.web.page("UANA"))


async def test_after_an_hour_a_page_is_left_alone_until_it_is_opened(home: Home) -> None:
    async with home.running():
        await home.opened()
        home.town.clock.jump(OPEN_FOR.total_seconds())
        await ask(home.town)
        home.changed()
        await home.town.clock.advance(60)
        assert len(home.web.views) == 1
        await home.opened()
        assert "a red mug" in home.web.page()


async def test_a_jobs_progress_publishes_nothing(home: Home) -> None:
    await ask(home.town)
    async with home.running():
        await home.opened()
        await another(home.town)
        home.changed("job:1", kind="progress")
        await home.town.clock.advance(EVERY_S - 1)
        assert len(home.web.views) == 1
        home.changed("job:1", kind="changed")
        await home.sees(lambda: len(home.web.views) == 2)


async def test_slack_that_is_busy_gets_the_page_later(home: Home) -> None:
    home.web.refusals = [ChatUnavailable("busy", retry_after_s=1)]
    async with home.running():
        await home.opened()
        assert home.web.views == []
        await home.sees(lambda: home.web.views)


async def test_a_page_that_slack_refuses_is_not_tried_again_and_again(home: Home) -> None:
    home.web.refusals = [SlackRefused("no", code="user_not_found")]
    async with home.running():
        await home.opened()
        await home.town.clock.advance(120)
        assert home.web.views == []
        await home.opened()
        assert home.web.views


async def test_a_stranger_sees_how_to_be_let_in_and_no_records(home: Home) -> None:
    await ask(home.town)
    await home.opened("UNOBODY")
    assert "/imagine /link" in home.web.page("UNOBODY")
    assert "a red mug" not in home.web.page("UNOBODY")


async def test_the_same_user_id_in_another_workspace_is_somebody_else(home: Home) -> None:
    await ask(home.town)
    heard = Heard(kind=Kind.HOME, key="T2:event:1", team="T2", user="UMIA")
    await home.publisher.opened(heard)
    await home.publisher.settled()
    assert "a red mug" not in home.web.page()


async def test_an_approver_sees_the_picture_and_decides_on_the_page(home: Home) -> None:
    review = await in_review(home.town)
    await home.opened("UANA")
    assert "F0123ABCD" in home.web.page("UANA")
    assert f"do:approve:{review.id}" in home.web.page("UANA")


async def test_a_page_does_not_wait_long_for_pictures_and_shows_them_once_there(
    home: Home,
) -> None:
    home.publisher = HomePublisher(home.town.house, home.web, home.files, pictures_s=0.01)
    home.files.ready.clear()
    await in_review(home.town)
    async with home.running():
        await home.opened("UANA")
        assert "F0123ABCD" not in home.web.page("UANA")
        home.files.ready.set()
        begun = home.town.clock.now()
        await home.sees(lambda: "F0123ABCD" in home.web.page("UANA"))
        waited = home.town.clock.now() - begun
        assert waited.total_seconds() < EVERY_S, "it came by itself, not with the next look"


async def test_a_picture_that_cannot_be_shown_leaves_the_rest_of_the_page(home: Home) -> None:
    home.files.fault = ChatUnavailable("busy", retry_after_s=1)
    review = await in_review(home.town)
    await home.opened("UANA")
    assert f"do:show:{review.id}" in home.web.page("UANA")


async def test_with_500_jobs_and_a_full_week_the_page_stays_under_100_blocks(home: Home) -> None:
    town = home.town
    await scheduled(town)
    await go_to(town, NEXT.replace(day=7))
    for _ in range(8):
        await in_review(town)
    await limit(town, pictures=5000)
    await candidate(town)
    await ask(town)
    await another(town, 499)
    someone: Person = town.people["mia"]
    seen = await overview(town.house, someone, town.clock.now())
    shown = blocks(seen, files={"b1": "F0123ABCD"})
    assert len(shown) < 100
    assert "My jobs: 500 open" in words(shown)
    assert "494 more wait" in words(shown)
    assert brief_title((await jobs(town))[0].brief) in words(shown)
