"""The portal on a town: the real chat, intake, door and pages; only the outside is pretended."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import httpx
from fastapi import FastAPI

from bot.chat.local_chat.chat import LocalChat
from bot.chat.local_chat.intake import LocalIntake
from bot.core.access import issue
from bot.core.assets import Asset, AssetQuery
from bot.core.commands import Imagine, SendToApproval
from bot.core.dispatch import Dispatch
from bot.core.limits import UploadLimits
from bot.core.lives import JOB_STEPS
from bot.core.messages import ChannelRef
from bot.core.people import KeyKind, Person
from bot.core.ports import Clock, Renderer, Studio
from bot.core.reviews import Review
from bot.core.tariff import Tariff
from bot.web.portal import build_portal
from brand.kit import BrandKit
from brand.templates import Brief
from tests.fakes.town import KIT, WORKING, Town, make_town
from tests.fakes.waiting import STEP_S

ORIGIN = "http://portal.test"
ENDS_WITHIN_S = 30
SAME = {"sec-fetch-site": "same-origin"}
"""What a browser says of a request that one of our own pages makes."""


@dataclass
class Portal:
    """A portal with its town."""

    app: FastAPI
    town: Town
    desk: LocalIntake

    async def link(self, who: str) -> str:
        """The secret of a one-time link."""
        house = self.town.house
        async with house.store.write() as tx:
            person = self.town.people[who]
            return await issue(tx, house.clock, person.id, KeyKind.LINK, timedelta(minutes=30))

    @asynccontextmanager
    async def browser(self, who: str = "") -> AsyncIterator[httpx.AsyncClient]:
        """A client like a browser with scripts off, signed in as this person."""
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=SAME) as client:
            if who:
                answer = await client.post("/enter", data={"key": await self.link(who)})
                assert answer.status_code == 303, answer.text
            yield client

    async def picture(
        self,
        words: str = "a red mug",
        *,
        who: str = "mia",
        where: ChannelRef = WORKING,
        brief: Brief | None = None,
    ) -> Asset:
        """A picture that was asked for, rendered and told of."""
        command = Imagine(brief=brief or Brief(words=words), brand=self.kit.id)
        card = await self.town.say(command, who, where)
        await self.town.settle()
        await self._ended(card.subject.removeprefix("job:"))
        return await self.newest()

    async def _ended(self, job_id: str) -> None:
        """Wait for a job that another worker has taken: some portals run their own."""
        async with asyncio.timeout(ENDS_WITHIN_S):
            while True:
                async with self.town.house.store.read() as tx:
                    if not JOB_STEPS[(await tx.jobs.get(job_id)).state]:
                        return
                await asyncio.sleep(STEP_S)

    async def newest(self) -> Asset:
        """The picture rendered last."""
        async with self.town.house.store.read() as tx:
            return (await tx.assets.find(AssetQuery(brand=self.kit.id)))[0]

    async def review(self, words: str = "a red mug", *, who: str = "mia") -> Review:
        """An open review of a new picture."""
        asset = await self.picture(words, who=who)
        channel = self.kit.publish_channels[0].name
        await self.town.say(SendToApproval(asset=asset.id, channel=channel), who)
        await self.town.settle()
        async with self.town.house.store.read() as tx:
            return (await tx.reviews.of_asset(asset.id))[0]

    @property
    def kit(self) -> BrandKit:
        """The brand in force."""
        return self.town.kit


async def make_portal(
    kit: BrandKit = KIT,
    *,
    demo: bool = False,
    base_url: str = ORIGIN,
    clock: Clock | None = None,
    renderer: Renderer | None = None,
    studio: Studio | None = None,
    more_kits: Sequence[BrandKit] = (),
    tariff: Tariff | None = None,
    uploads: UploadLimits | None = None,
) -> Portal:
    """A town whose local chat is the real one. Pieces that are given replace the pretended."""
    town = await make_town(kit, demo=demo)
    house = replace(
        town.house,
        base_url=base_url,
        clock=clock or town.house.clock,
        renderer=renderer or town.house.renderer,
        studio=studio or town.house.studio,
        tariff=tariff,
        uploads=uploads or town.house.uploads,
    )
    local = LocalChat(
        timeline=house.timeline,
        signals=house.signals,
        store=house.store,
        blobs=house.blobs,
        clock=house.clock,
    )
    house = replace(house, chats={"local": local})
    town.house = replace(house, door=Dispatch(house))
    async with house.store.write() as tx:
        for other in more_kits:
            await tx.kits.put(other, source="", at=house.clock.now())
    desk = LocalIntake(town.house, Dispatch(town.house), answer_within_s=ENDS_WITHIN_S)
    return Portal(app=build_portal(town.house, desk), town=town, desk=desk)


async def add_person(portal: Portal, person: Person) -> None:
    """One more member."""
    async with portal.town.house.store.write() as tx:
        await tx.people.add(person)
    portal.town.people[person.name.lower()] = person
