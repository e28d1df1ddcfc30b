"""HomePublisher: keeps the Home tab of those who look at it up to date.

Slack keeps what was published last, and tells when somebody opens the tab, not when they leave.
So a page is kept fresh for an hour after it was opened; opening it again starts that anew. Which
pages are open is known to this process alone: what is lost with it comes with the next opening.
"""

import asyncio
import hashlib
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from slack_sdk.models.views import View

from bot.chat.slack_chat.home.page import home_view, stranger_view
from bot.chat.slack_chat.incoming.heard import Heard, Kind
from bot.chat.slack_chat.methods import Method
from bot.chat.slack_chat.places import PLATFORM
from bot.chat.slack_chat.rendering.blocks import blobs_of
from bot.chat.slack_chat.web import Webs
from bot.core.caller import known
from bot.core.errors import ChatError, ChatRejected, HousestyleError, NotAllowed
from bot.core.house import House
from bot.core.messages import Actor, Card
from bot.core.overview import overview
from bot.core.policy import direct_line
from bot.core.ports import Signal
from bot.core.waking import first_of

log = logging.getLogger(__name__)

TOPICS = ("job:*", "queue", "reviews", "publications", "calendar")
EVERY_S = 15.0
"""How old a page may be where another process changed something."""
GAP = timedelta(seconds=5)
"""Between two publications of one person's page."""
OPEN_FOR = timedelta(hours=1)
AT_ONCE = 4
"""Pages that are looked at and published at the same time."""
PICTURES_S = 2.0
"""How long a page waits for pictures that are not in Slack yet; they come with the next one."""


class Shown(Protocol):
    """Pictures as files of a workspace (the Shelf)."""

    async def awaited(self, team: str, blob: str, alt: str) -> str | None:
        """Slack's file id once it is ready, None where it can't be shown. Raises ChatError."""
        ...


@dataclass(kw_only=True)
class _Page:
    """One person's page."""

    team: str
    user: str
    name: str
    opened: datetime
    published: datetime | None = None
    content: str = ""
    """Hash of what was published last."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class HomePublisher:
    """The pages that are open."""

    def __init__(
        self, house: House, webs: Webs, shelf: Shown, *, pictures_s: float = PICTURES_S
    ) -> None:
        self._house = house
        self._webs = webs
        self._shelf = shelf
        self._pictures_s = pictures_s
        self._pages: dict[tuple[str, str], _Page] = {}
        self._changed = asyncio.Event()
        self._fetching: set[asyncio.Future[str | None]] = set()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._looking: set[asyncio.Task[None]] = set()

    async def opened(self, heard: Heard) -> None:
        """Somebody opened their tab, or did something on it: it shows how things stand, and is
        kept so. Waits for nothing: what can't be published now is tried again."""
        now = self._house.clock.now()
        key = (heard.team, heard.user)
        page = self._pages.get(key)
        if page is None:
            page = _Page(team=heard.team, user=heard.user, name=heard.name, opened=now)
            self._pages[key] = page
        page.opened = now
        self._start(page, at_once=heard.kind is not Kind.HOME)

    async def settled(self) -> None:
        """Returns once every page that is looked at was published, or is tried later."""
        await asyncio.gather(*self._looking, return_exceptions=True)

    def _start(self, page: _Page, *, at_once: bool = False) -> None:
        looking = asyncio.create_task(self._look_at(page, at_once=at_once))
        self._looking.add(looking)
        looking.add_done_callback(self._looking.discard)

    async def _look_at(self, page: _Page, *, at_once: bool) -> None:
        if not await self._looked_at(page, at_once=at_once):
            self._changed.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Publish what changed, until `stop` is set."""
        clock = self._house.clock
        async with self._listening():
            while not stop.is_set():
                await first_of(stop.wait(), self._changed.wait(), clock.sleep(EVERY_S))
                self._changed.clear()
                self._look_at_all()
                await first_of(stop.wait(), clock.sleep(GAP.total_seconds()))
        left: list[asyncio.Future[Any]] = [*self._fetching, *self._looking]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _look_at_all(self) -> None:
        """Begin to bring all open pages up to date that are not being looked at still."""
        oldest = self._house.clock.now() - OPEN_FOR
        self._pages = {key: page for key, page in self._pages.items() if page.opened > oldest}
        for page in self._pages.values():
            if page.turn.locked():
                self._changed.set()
            else:
                self._start(page)

    async def _looked_at(self, page: _Page, *, at_once: bool) -> bool:
        """Whether the page is up to date now."""
        try:
            return await self._refreshed(page, at_once=at_once)
        except HousestyleError:
            log.exception("A Home tab is published later", extra={"team": page.team})
            return False

    async def _refreshed(self, page: _Page, *, at_once: bool) -> bool:
        """Publish the page if it changed; False where it is too early to look, which for what its
        reader did themselves it never is."""
        async with page.turn, self._turns:
            now = self._house.clock.now()
            if not at_once and page.published is not None and now - page.published < GAP:
                return False
            view = (await self._view(page, now)).to_dict()
            content = hashlib.sha256(json.dumps(view, sort_keys=True).encode()).hexdigest()
            if content != page.content:
                await self._publish(page, view, content, now)
            return True

    async def _publish(
        self, page: _Page, view: dict[str, object], content: str, now: datetime
    ) -> None:
        try:
            web = await self._webs.web(page.team)
            key = f"home {page.user}"
            await web.call(Method.VIEWS_PUBLISH, key=key, user_id=page.user, view=view)
        except ChatRejected as exc:
            # It never will be taken; opening the tab again asks anew.
            self._pages.pop((page.team, page.user), None)
            log.warning("Slack takes no Home tab: %s", exc, extra={"team": page.team})
        except ChatError as exc:
            log.info("A Home tab is published later: %s", exc, extra={"team": page.team})
            page.published = now
        else:
            page.published, page.content = now, content

    async def _view(self, page: _Page, now: datetime) -> View:
        line = direct_line(PLATFORM, page.user, page.team)
        actor = Actor(platform=PLATFORM, user=page.user, name=page.name, channel=line)
        try:
            async with self._house.store.read() as tx:
                caller = await known(tx, actor)
        except NotAllowed as exc:
            return stranger_view(exc)
        seen = await overview(self._house, caller.person, now)
        files = await self._files(page.team, seen.approvals)
        return home_view(seen, files=files, portal=self._house.base_url)

    async def _files(self, team: str, card: Card) -> dict[str, str]:
        """Those of the card's pictures that can be shown soon; the others make the page change
        when they can."""
        asked = {
            asyncio.ensure_future(self._file(team, blob, alt)): blob for blob, alt in blobs_of(card)
        }
        if not asked:
            return {}
        done, late = await asyncio.wait(asked, timeout=self._pictures_s)
        for fetching in late:
            self._fetching.add(fetching)
            fetching.add_done_callback(self._fetched)
        return {asked[each]: file for each in done if (file := each.result())}

    async def _file(self, team: str, blob: str, alt: str) -> str | None:
        try:
            return await self._shelf.awaited(team, blob, alt)
        except ChatError as exc:
            log.info("A picture is missing on a Home tab: %s", exc, extra={"blob": blob})
            return None

    def _fetched(self, fetching: asyncio.Future[str | None]) -> None:
        self._fetching.discard(fetching)
        self._changed.set()

    @asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        async def listen() -> None:
            async with self._house.signals.subscribe(*TOPICS) as signals:
                async for signal in signals:
                    self._noticed(signal)

        task = asyncio.create_task(listen())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _noticed(self, signal: Signal) -> None:
        """A page shows no percents, so a job's progress changes nothing on it."""
        if signal.kind != "progress":
            self._changed.set()
