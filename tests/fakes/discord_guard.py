"""What the house must never do in a Discord, whatever a test is about: show the public what nobody
has approved by then (DESIGN, rule 3), and ping."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.core.assets import AssetQuery
from bot.core.messages import Audience, ChannelRef
from bot.core.policy import audience_of
from bot.core.reviews import Answer
from brand.spec import sha256_hex
from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord.state import DM, Attachment, Call, Channel, Json, seconds_of

if TYPE_CHECKING:
    from tests.fakes.discord_town import DiscordTown

ALL = 10_000


async def leaks(discord: FakeDiscord, town: "DiscordTown") -> list[str]:
    """Each file that the app has ever shown to the public, also in a message that was changed or
    deleted since, though no decision let exactly that file out before."""
    approved = await _approved(town)
    found = []
    for room, file in _shown(discord):
        at = datetime.fromtimestamp(seconds_of(file.id), UTC)
        place = ChannelRef(platform="discord", channel=room.parent or room.id)
        if audience_of(town.kit_at(at), place) is not Audience.PUBLIC:
            continue
        let_out = approved.get(sha256_hex(file.data))
        if let_out is None or at < let_out.replace(microsecond=0):
            found.append(f"{file.filename} stood in {room.name or room.id} without an approval")
    return found


def _shown(discord: FakeDiscord) -> Iterator[tuple[Channel, Attachment]]:
    """Files of the app's messages that others than one person see."""
    world = discord.world
    for room in list(world.channels.values()):
        for message in room.messages.values() if room.type != DM else ():
            if message.author != world.app.id or message.only_for:
                continue
            ids = [*message.attachments, *(f for v in message.versions for f in v.attachments)]
            yield from ((room, world.attachments[file]) for file in dict.fromkeys(ids))


async def _approved(town: "DiscordTown") -> dict[str, datetime]:
    """When each file was let out first, by its hash."""
    found: dict[str, datetime] = {}
    async with town.store.read() as tx:
        for asset in await tx.assets.find(AssetQuery(brand=town.kit.id, limit=ALL)):
            for review in await tx.reviews.of_asset(asset.id):
                if review.outcome is not Answer.APPROVE or review.decided_at is None:
                    continue
                for file in review.rendition_hashes:
                    found[file] = min(found.get(file, review.decided_at), review.decided_at)
    return found


def pings(discord: FakeDiscord) -> list[str]:
    """Each message that the app has sent or changed without saying that nobody is to be pinged."""
    found = []
    for call in discord.world.calls:
        said = _said(call)
        if said and said.get("allowed_mentions") != {"parse": []}:
            found.append(f"{call.method} {call.path}: {said.get('allowed_mentions')}")
    return found


def _said(call: Call) -> Json:
    """The message in a request; empty where there is none."""
    if not isinstance(call.body, dict) or call.method not in ("POST", "PATCH"):
        return {}
    if call.route.startswith("/interactions"):
        data: Json = call.body.get("data") or {}
        return data if {"content", "components", "embeds"} & data.keys() and not _form(data) else {}
    is_message = "/messages" in call.route or call.route.startswith("/webhooks")
    return call.body if is_message else {}


def _form(data: Json) -> bool:
    return "title" in data
