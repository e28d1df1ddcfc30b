"""Answers that come once: their ids are made of what they answer, which may be delivered twice, or
worked off again after a crash."""

import hashlib
import logging

from bot.core.errors import Conflict
from bot.core.house import House
from bot.core.ids import encode_id
from bot.core.messages import Card, ChannelRef
from bot.core.ports import Outgoing, Signal

log = logging.getLogger(__name__)


def answer_id(platform: str, key: str, part: str = "") -> str:
    """The id of the answer to a delivery; of its further messages with their `part`."""
    name = f"{platform}:{key}:{part}" if part else f"{platform}:{key}"
    return encode_id(int.from_bytes(hashlib.sha256(name.encode()).digest()[:16], "big"))


async def answer_once(
    house: House,
    message_id: str,
    target: ChannelRef,
    card: Card,
    *,
    only_for: str = "",
    reply_to: str = "",
) -> None:
    """Queue it, unless it was queued before. Raises Unavailable."""
    message = Outgoing(
        id=message_id,
        target=target,
        card=card,
        created_at=house.clock.now(),
        only_for=only_for,
        reply_to=reply_to,
    )
    try:
        async with house.store.write() as tx:
            await tx.outbox.add(message)
    except Conflict:
        log.info("%s was answered before", message_id)
        return
    house.signals.publish(Signal(topic="outbox", kind="added", data={}))
