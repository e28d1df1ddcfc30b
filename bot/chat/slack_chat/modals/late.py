"""What a person is told where Slack does not open a form for them."""

import hashlib

from bot.chat.slack_chat.incoming.heard import Heard
from bot.chat.slack_chat.places import PLATFORM, is_direct
from bot.chat.slack_chat.surfaces import SHORTCUTS
from bot.core.cards import error_card, reply_card
from bot.core.errors import ChatError, Conflict
from bot.core.house import House
from bot.core.ids import encode_id
from bot.core.messages import Card, ChannelRef
from bot.core.policy import direct_line
from bot.core.ports import Outgoing, Signal
from bot.core.watching import reference


async def tell_late(house: House, heard: Heard) -> None:
    """Ask the person to try again, once for each thing that they did. Raises Unavailable."""
    card = reply_card("That took too long, so Slack didn't open the form.", fix=_fix(heard))
    await _tell(house, heard, card)


async def tell_failed(house: House, heard: Heard, error: ChatError) -> None:
    """Say that it failed, with the reference id that the log has too. Raises Unavailable."""
    await _tell(house, heard, error_card(error, reference=reference()))


async def _tell(house: House, heard: Heard, card: Card) -> None:
    digest = hashlib.sha256(f"{PLATFORM}:form:{heard.key}".encode()).digest()
    place = _place(heard)
    message = Outgoing(
        id=encode_id(int.from_bytes(digest[:16], "big")),
        target=place,
        card=card,
        created_at=house.clock.now(),
        only_for="" if place.channel.startswith("@") else heard.user,
    )
    try:
        async with house.store.write() as tx:
            await tx.outbox.add(message)
    except Conflict:
        return  # said before a crash
    house.signals.publish(Signal(topic="outbox", kind="added", data={}))


def _place(heard: Heard) -> ChannelRef:
    if not heard.channel or is_direct(heard.channel):
        return direct_line(PLATFORM, heard.user, heard.team)
    return ChannelRef(
        platform=PLATFORM, channel=heard.channel, thread=heard.thread, team=heard.team
    )


def _fix(heard: Heard) -> str:
    if heard.action:
        return "Press the button once more."
    if heard.command in SHORTCUTS:
        return "Choose the shortcut once more."
    return "Type `/imagine` again."
