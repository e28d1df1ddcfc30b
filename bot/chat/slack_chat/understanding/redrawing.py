"""The blocks of a card that stands in Slack, drawn anew: a form that was sent off brings none of
the message whose button had opened it."""

from typing import Any

from bot.chat.slack_chat.incoming.heard import Heard
from bot.chat.slack_chat.places import PLATFORM
from bot.chat.slack_chat.rendering.blocks import blobs_of, message_of
from bot.chat.slack_chat.understanding.standing import place_of
from bot.core.errors import ChatRejected, NotFound
from bot.core.house import House
from bot.core.messages import Audience
from bot.core.policy import audience_of
from bot.core.ports import Transaction
from bot.core.telling import current_review_card


async def review_blocks_now(house: House, heard: Heard, review: str) -> list[dict[str, Any]]:
    """A review's card as it stands, with the pictures that are in Slack already; empty where it
    can't be drawn, or may not stand there. Raises Unavailable."""
    async with house.store.read() as tx:
        try:
            found = await tx.reviews.get(review)
            kit = await tx.kits.current(found.brand)
            card = await current_review_card(tx, found, await tx.assets.get(found.asset), kit)
        except NotFound:
            return []
        if audience_of(kit, place_of(heard)) is Audience.PUBLIC:
            return []
        files = {blob: await _file(tx, heard.team, blob) for blob, _ in blobs_of(card)}
    try:
        message = message_of(
            card,
            files={blob: file for blob, file in files.items() if file},
            portal=house.base_url,
        )
    except ChatRejected:
        return []
    return [block.to_dict() for block in message.blocks]


async def _file(tx: Transaction, team: str, blob: str) -> str:
    """Empty for a picture that Slack hasn't processed."""
    sent = await tx.sent_files.get(PLATFORM, team, blob)
    return sent.file if sent is not None and sent.ready else ""
