"""Which pictures a request may begin from: one's own uploads, and those of the brand's archive
that one may see. Whoever only knows a file's hash has no right by it: at strength 0 they would
get the picture itself.

The one place that looks at it, whichever way the request came. What is made of a job or an asset
(another seed, a variation, a stage) is not asked here: who may go on with that, `may_handle` says.
"""

from collections.abc import Sequence

from bot.core.assets import Asset
from bot.core.caller import Caller, kit_for
from bot.core.errors import NotFound
from bot.core.house import House
from bot.core.ids import is_id
from bot.core.people import Person
from bot.core.ports import Transaction
from bot.core.restricting import may_ask
from bot.core.seeing import Sight
from brand.kit import BrandKit
from brand.templates import Brief


async def referenced(house: House, caller: Caller, brief: Brief, brand: str) -> Brief:
    """The brief with its pictures named by their files; people may name one by its id.

    Raises NotFound for a picture that is not the caller's to begin from, in the same words
    whether it exists or not; NotAllowed."""
    found: dict[str, str] = {}
    if brief.pictures:
        async with house.store.read() as tx:
            kit = await kit_for(tx, brand, caller.actor)
            may_ask(kit, caller)
            sight = Sight(tx, caller.person)
            for name in brief.pictures:
                found[name] = await _file_of(tx, caller, sight, kit, name)
    for file in found.values():
        if not await house.blobs.exists(file):
            raise NotFound("The reference picture isn't here any more.", fix="Attach it again.")
    return brief.with_pictures(lambda name: found[name])


async def _file_of(tx: Transaction, caller: Caller, sight: Sight, kit: BrandKit, name: str) -> str:
    """The SHA-256 of a picture's file. Raises NotFound."""
    if not is_id(name) and await tx.uploads.get(caller.person.id, name) is not None:
        return name
    for asset in await _named(tx, name):
        if asset.brand == kit.id and await sight.asset(asset):
            return asset.file_hash if is_id(name) else name
    raise NotFound(
        f"There is no picture `{name[:22]}` in {kit.name}'s archive, nor among those you attached.",
        fix="Attach it, also once more: one that no job has used is forgotten after a day. "
        "`/find WORDS` searches the archive.",
    )


async def _named(tx: Transaction, name: str) -> Sequence[Asset]:
    if not is_id(name):
        return await tx.assets.with_file(name)
    try:
        return [await tx.assets.get(name)]
    except NotFound:
        return []


async def master_shown(tx: Transaction, sha256: str, person: Person, brand: str = "") -> str:
    """The lossless master of the picture of which this file is shown in a chat; empty where it
    is of none that the person may see, or of none of this brand (empty: of any)."""
    sight = Sight(tx, person)
    for asset in await tx.assets.with_file(sha256):
        if brand in ("", asset.brand) and await sight.asset(asset):
            return asset.file_hash
    return ""
