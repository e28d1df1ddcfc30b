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
from typing import Protocol

from slack_sdk.models.views import View

from bot.chat.slack_chat.home.page import home_view, stranger_view
from bot.chat.slack_chat.incoming.heard import Heard
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
PICTURES_S = 2.0
"""How long a page waits for pictures that are not in Slack yet; they come with the next one."""


class Shown(Protocol):
    """Pictures as files of a workspace (the Shelf)."""

    async def shown(self, team: str, blob: str, alt: str) -> str | None:
        """Slack's file id, None where it can't be shown. Raises ChatError."""
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

    async def opened(self, heard: Heard) -> None:
        """Somebody opened their tab: show it as things stand, and keep it so.

        Raises Unavailable where the house can't be asked now; that Slack can't is tried again."""
        now = self._house.clock.now()
        key = (heard.team, heard.user)
        page = self._pages.get(key)
        if page is None:
            page = _Page(team=heard.team, user=heard.user, name=heard.name, opened=now)
            self._pages[key] = page
        page.opened = now
        if not await self._refreshed(page):
            self._changed.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Publish what changed, until `stop` is set."""
        clock = self._house.clock
        async with self._listening():
            while not stop.is_set():
                await first_of(stop.wait(), self._changed.wait(), clock.sleep(EVERY_S))
                self._changed.clear()
                if not await self._all():
                    self._changed.set()
                await first_of(stop.wait(), clock.sleep(GAP.total_seconds()))
        for fetching in self._fetching:
            fetching.cancel()
        await asyncio.gather(*self._fetching, return_exceptions=True)

    async def _all(self) -> bool:
        """Bring all open pages up to date; False where one has to wait for its turn."""
        oldest = self._house.clock.now() - OPEN_FOR
        self._pages = {key: page for key, page in self._pages.items() if page.opened > oldest}
        done = True
        for page in list(self._pages.values()):
            try:
                done = await self._refreshed(page) and done
            except HousestyleError:
                log.exception("A Home tab is published later", extra={"team": page.team})
        return done

    async def _refreshed(self, page: _Page) -> bool:
        """Publish the page if it changed; False where it is too early to look."""
        async with page.turn:
            now = self._house.clock.now()
            if page.published is not None and now - page.published < GAP:
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
            return await self._shelf.shown(team, blob, alt)
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
