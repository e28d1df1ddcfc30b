"""The finished pictures of a job, for clients that waited for them."""

import base64
from dataclasses import dataclass

from bot.core.assets import Asset, Rendition
from bot.core.jobs import Job
from bot.core.lives import AssetState
from bot.web.api.caller import Client
from bot.web.api.failures import ApiFailure

PNG = "image/png"


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A picture that passed the gates, with the file a client gets: a draft for the key's own
    member, whatever becomes of it."""

    asset: Asset
    rendition: Rendition
    data: bytes

    @property
    def b64(self) -> str:
        """The file as base64."""
        return base64.b64encode(self.data).decode()

    @property
    def path(self) -> str:
        """Where the file is fetched with a key."""
        return f"/v1/pictures/{self.asset.id}/files/{self.rendition.transform}"


async def finished(client: Client, job: Job) -> list[Finished]:
    """The pictures of a job that is done, in order. Raises ApiFailure where the gates let none
    through."""
    last = max(item.stage for item in job.items)
    async with client.house.store.read() as tx:
        assets = [await tx.assets.get(i.asset) for i in job.items if i.stage == last and i.asset]
    passed = [asset for asset in assets if asset.state is not AssetState.DISCARDED]
    if not passed:
        failed = assets[0].evidence.failed if assets else ()
        why = "; ".join(verdict.summary for verdict in failed) or "no picture passed"
        raise ApiFailure(
            status=422,
            code="brand_check_failed",
            title="Did not pass the brand check",
            detail=f"No picture passed the brand check: {why}. Change the words, or the seed.",
        )
    return [await _finished(client, asset) for asset in passed]


async def _finished(client: Client, asset: Asset) -> Finished:
    labelled = [r for r in asset.renditions if r.mime == PNG and r.transform != "master"]
    rendition = next(iter(labelled), None) or asset.rendition("master")
    if rendition is None:
        raise ApiFailure(
            status=409, code="erased", detail="This picture's files are gone from the archive."
        )
    data = await client.house.blobs.get(rendition.file_hash)
    return Finished(asset=asset, rendition=rendition, data=data)
