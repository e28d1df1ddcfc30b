"""Pictures to begin from: attached ones, and those of the same brand that one may see."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.core.assets import Asset
from bot.core.commands import EditWords, Imagine
from bot.core.messages import Card
from brand.templates import Brief
from tests.fakes.town import KIT, START, Town
from tests.fakes.uploads import brought

NAMES: dict[str, Callable[[Asset], str]] = {
    "its id": lambda asset: asset.id,
    "its master's hash": lambda asset: asset.file_hash,
    "a rendition's hash": lambda asset: asset.renditions[-1].file_hash,
}
USES: dict[str, Callable[[str], Brief]] = {
    "reference": lambda name: Brief(words="a hat", reference=name),
    "mask": lambda name: Brief(words="a hat", reference=name, mask=name),
}


async def secret(town: Town) -> Asset:
    """A private draft of Mia's."""
    await town.say(Imagine(brief=Brief(words="a red mug", private=True)))
    await town.settle()
    async with town.house.store.read() as tx:
        [job] = await tx.jobs.recent(limit=1)
        return (await tx.assets.of_job(job.id))[-1]


async def asked(town: Town, brief: Brief, who: str, brand: str = "acme") -> Card:
    return await town.say(Imagine(brief=brief, brand=brand), who)


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("name", NAMES)
async def test_whoever_may_not_see_a_picture_cannot_begin_from_it(
    town: Town, name: str, use: str
) -> None:
    brief = USES[use](NAMES[name](await secret(town)))
    refused = await asked(town, brief, "ana")
    assert refused.kind == "error"
    assert "There is no picture" in " ".join(refused.lines)
    assert (await asked(town, brief, "mia")).kind == "job"


@pytest.mark.parametrize("name", NAMES)
async def test_a_brands_picture_begins_none_of_another_brand(town: Town, name: str) -> None:
    async with town.house.store.write() as tx:
        await tx.kits.put(replace(KIT, id="beta", name="Beta"), source="", at=START)
    brief = Brief(words="a hat", reference=NAMES[name](await made_in(town, "acme")))
    assert (await asked(town, brief, "mia", "beta")).kind == "error"
    assert (await asked(town, brief, "mia", "acme")).kind == "job"
    other = await made_in(town, "beta")
    edit = EditWords(asset=other.id, text=f"a hat --ref {brief.reference}")
    assert (await town.say(edit)).kind == "error"


async def made_in(town: Town, brand: str) -> Asset:
    await asked(town, Brief(words="a mug"), "mia", brand)
    await town.settle()
    async with town.house.store.read() as tx:
        [job, *_] = await tx.jobs.recent(brand=brand, limit=1)
        return (await tx.assets.of_job(job.id))[-1]


async def test_an_attached_picture_begins_a_job_of_any_brand(town: Town) -> None:
    file = await brought(town, "mia")
    assert (await asked(town, Brief(words="a hat", reference=file), "mia")).kind == "job"
