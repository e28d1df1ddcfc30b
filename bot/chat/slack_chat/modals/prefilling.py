"""What is read for a form before it is shown: who asks, and the words of a picture."""

from dataclasses import dataclass

from bot.chat.slack_chat.incoming.heard import Heard
from bot.chat.slack_chat.places import PLATFORM
from bot.core.caller import Caller, known
from bot.core.errors import NotFound
from bot.core.house import House
from bot.core.messages import Actor, ChannelRef
from bot.core.policy import may_handle, may_request, may_request_somewhere
from bot.core.ports import Transaction
from bot.core.wording import words_of


@dataclass(frozen=True, kw_only=True)
class Words:
    """What a picture was made of, as one would type it."""

    words: str
    brand: str


async def allowed(house: House, heard: Heard) -> None:
    """Raises NotAllowed unless this account may ask for pictures of some brand."""
    async with house.store.read() as tx:
        caller = await _caller(tx, heard)
        may_request_somewhere(await tx.kits.all(), caller.person)


async def words_now(house: House, heard: Heard) -> Words:
    """The words of the picture whose button `edit:ID` was pressed. Raises NotFound, NotAllowed."""
    async with house.store.read() as tx:
        caller = await _caller(tx, heard)
        asset = await tx.assets.get(heard.action.partition(":")[2])
        kit = await tx.kits.current(asset.brand)
        may_request(kit, caller.person)
        may_handle(kit, caller.person, asset.requester)
        if asset.is_erased:
            raise NotFound("This picture was erased with the person who asked for it.")
        job = await tx.jobs.get(asset.job)
    return Words(words=words_of(asset, job, kit), brand=kit.id)


async def _caller(tx: Transaction, heard: Heard) -> Caller:
    place = ChannelRef(platform=PLATFORM, channel=heard.channel, team=heard.team)
    return await known(
        tx, Actor(platform=PLATFORM, user=heard.user, name=heard.name, channel=place)
    )
