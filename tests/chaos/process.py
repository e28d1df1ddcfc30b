"""One process of the product, wired as `bot.app` wires it, with failpoints around its ports."""

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.app import Roles, open_house, serve
from bot.core.actions import parse_action
from bot.core.cards import error_card
from bot.core.commands import Command
from bot.core.dispatch import Dispatch
from bot.core.errors import ChatError, Conflict, HousestyleError, Unavailable
from bot.core.grammar import NotACommand, parse
from bot.core.house import House
from bot.core.ids import encode_id
from bot.core.messages import Actor, Card, ChannelRef
from bot.core.policy import direct_line
from bot.core.ports import Delivery, Outgoing, Signal
from bot.core.receiving import Receiving
from bot.core.vocabulary import Vocabulary
from brand.spec import sha256_hex
from tests.chaos.failpoints import (
    FailingBlobs,
    FailingChat,
    FailingInbox,
    FailingRenderer,
    FailingStore,
    FailingStudio,
    Failpoints,
)
from tests.chaos.plan import Plan
from tests.fakes.http_chat import PLATFORM, HttpChat

log = logging.getLogger("chaos")

POLL_S = 0.2
"""How often it is asked for deliveries, and how often the loops are woken: roles that run apart
have no signals between them."""


class ChatLoop:
    """The bot's side of the platform, as thin as an adapter is."""

    def __init__(self, house: House, chat: HttpChat) -> None:
        self._house = house
        self._chat = chat
        self._receiving = Receiving(house, PLATFORM, self._work)

    async def run(self) -> None:
        """Take deliveries until cancelled."""
        async with self._receiving.sweeping():
            while True:
                try:
                    for event in await self._chat.events():
                        await self._take(event)
                except (ChatError, Unavailable) as exc:
                    log.warning("nothing can be taken in: %s", exc)
                await asyncio.sleep(POLL_S)

    async def _take(self, event: dict[str, Any]) -> None:
        delivery = await self._receiving.put(event["id"], event)
        await self._chat.acknowledge(event["id"])
        self._receiving.later(delivery)

    async def _work(self, delivery: Delivery) -> None:
        said = delivery.payload
        channel = ChannelRef(platform=PLATFORM, channel=said["channel"])
        actor = Actor(
            platform=PLATFORM,
            user=said["user"],
            name=said["user"].title(),
            channel=channel,
            delivery=delivery.id,
        )
        try:
            command = await self._command(said)
            card = await Dispatch(self._house).dispatch(command, actor)
        except Unavailable:
            raise
        except HousestyleError as exc:
            card = error_card(exc)
        if not card.subject or card.private:
            await self._reply(delivery, actor, card)

    async def _command(self, said: dict[str, Any]) -> Command:
        if said.get("action"):
            return parse_action(said["action"], said.get("said", ""))
        async with self._house.store.read() as tx:
            (kit,) = await tx.kits.all()
        command = parse(said["text"], vocabulary=Vocabulary.of(kit))
        if isinstance(command, NotACommand):
            raise HousestyleError("That isn't a command.")
        return command

    async def _reply(self, delivery: Delivery, actor: Actor, card: Card) -> None:
        """The answer for this person alone; its id is the delivery's, so that it comes once."""
        key = encode_id(int(sha256_hex(f"{PLATFORM}:{delivery.id}".encode())[:32], 16))
        line = direct_line(PLATFORM, actor.user)
        answer = Outgoing(id=key, target=line, card=card, created_at=self._house.clock.now())
        try:
            async with self._house.store.write() as tx:
                await tx.outbox.add(answer)
        except Unavailable:
            raise
        except Conflict:
            log.info("%s was answered before", delivery.id)


async def _wake(house: House) -> None:
    while True:
        await asyncio.sleep(POLL_S)
        for topic in ("queue", "outbox", "publications"):
            house.signals.publish(Signal(topic=topic, kind="chaos", data={}))


async def main(role: str, plan: Plan) -> None:
    """Run one role until SIGTERM, or until a failpoint is reached."""
    settings = plan.settings(role)
    points = Failpoints(plan.folder)
    async with open_house(settings, generation=False) as house, HttpChat(plan.chat_url) as chat:
        house = replace(
            house,
            store=FailingStore(house.store, points, role),
            inbox=FailingInbox(house.inbox, points),
            blobs=FailingBlobs(house.blobs, points) if role == "worker" else house.blobs,
            renderer=FailingRenderer(house.renderer, points, plan.folder / "generation.pid"),
            studio=FailingStudio(house.studio, points),
            chats={PLATFORM: FailingChat(chat, points)},
            lease=timedelta(seconds=plan.lease_s),
        )
        house = replace(house, door=Dispatch(house))
        tasks = [asyncio.create_task(_wake(house))]
        if role == "bot":
            tasks.append(asyncio.create_task(ChatLoop(house, chat).run()))
        try:
            await serve(settings, house, Roles(**{role: True}), asyncio.Event())
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
