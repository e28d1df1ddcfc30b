"""The Kits and Loras ports."""

import asyncio
from dataclasses import replace

import pytest

from bot.core.errors import Conflict, NotFound, StaleState
from brand.kit import BannedTerm, Channel, GateLimits, Motif, PaletteColor, Template, Variable
from brand.loras import LoraStatus
from storage.database import OpenStore
from tests.contract.values import digest, later, make_kit, make_lora


async def test_a_kit_comes_back_with_the_same_hash(store: OpenStore) -> None:
    kit = make_kit(
        palette=(PaletteColor(name="teal", hex="#0f7c7c", key=True, min_share=0.2),),
        banned=(
            BannedTerm(
                words=("cheap",), reason="worth", rule=4, owner="@brand", alternative="affordable"
            ),
        ),
        templates=(
            Template(
                name="hero",
                text="[PRODUCT] on [GROUND]",
                variables=(Variable(name="PRODUCT", values=("mug", "vase")),),
                style="",
            ),
        ),
        gates=GateLimits(motif=Motif(angle=30.0)),
        channels=(Channel(name="#social", audience="public"),),
    )
    async with store.write() as tx:
        assert await tx.kits.put(kit, source='id = "acme" # ü', at=later(0))
    async with store.read() as tx:
        stored = await tx.kits.get(kit.hash)
        assert stored == kit
        assert stored.hash == kit.hash
        with pytest.raises(NotFound):
            await tx.kits.get(digest("other"))
        with pytest.raises(NotFound):
            await tx.kits.current("other")


async def test_the_kit_put_last_is_the_current_one_an_old_one_again_too(store: OpenStore) -> None:
    first, second = make_kit(version="1"), make_kit(version="2")
    other = make_kit(id="other", name="A brand")
    async with store.write() as tx:
        assert await tx.kits.put(first, source="1", at=later(0))
        assert await tx.kits.put(second, source="2", at=later(1))
        assert await tx.kits.put(other, source="o", at=later(1))
        assert not await tx.kits.put(second, source="2", at=later(2))
        assert await tx.kits.current("acme") == second
        assert await tx.kits.all() == [other, second]
        assert not await tx.kits.put(first, source="1", at=later(3))
        assert await tx.kits.current("acme") == first
        assert await tx.kits.get(second.hash) == second


async def test_processes_that_load_the_same_kit_at_once_agree(store: OpenStore) -> None:
    kit = make_kit()

    async def load() -> bool:
        async with store.write() as tx:
            return await tx.kits.put(kit, source="1", at=later(0))

    assert sum(await asyncio.gather(*(load() for _ in range(6)))) == 1


async def test_lora_versions_are_listed_by_name_and_version(store: OpenStore) -> None:
    second = make_lora(version="2", sha256=digest("2"), triggers=("acme look",), weight=0.75)
    first, early = make_lora(), make_lora(name="Early", sha256=digest("e"))
    async with store.write() as tx:
        for lora in (second, first, early, make_lora(brand="other")):
            await tx.loras.add(lora)
    async with store.read() as tx:
        assert await tx.loras.of_brand("acme") == [early, first, second]
        assert await tx.loras.get("acme", second.sha256) == second
        with pytest.raises(NotFound):
            await tx.loras.get("acme", digest("unknown"))


async def test_a_lora_version_and_a_lora_file_are_entered_once_in_a_brand(
    store: OpenStore,
) -> None:
    lora = make_lora()
    async with store.write() as tx:
        await tx.loras.add(lora)
        with pytest.raises(Conflict):
            await tx.loras.add(replace(lora, sha256=digest("other file")))
        with pytest.raises(Conflict):
            await tx.loras.add(replace(lora, name="alias"))
        await tx.loras.add(replace(lora, brand="other"))


async def test_the_status_of_a_lora_moves_only_from_where_it_is(store: OpenStore) -> None:
    draft = make_lora()
    retired = replace(draft, status=LoraStatus.RETIRED)
    async with store.write() as tx:
        await tx.loras.add(draft)
        with pytest.raises(StaleState):
            await tx.loras.update(replace(draft, status=LoraStatus.APPROVED), was=draft)
        assert await tx.loras.update(retired, was=draft) == retired
        with pytest.raises(StaleState, match="retired now"):
            await tx.loras.update(replace(draft, status=LoraStatus.EVALUATED), was=draft)
        with pytest.raises(ValueError, match="another LoRA"):
            await tx.loras.update(replace(retired, sha256=digest("x")), was=retired)
    async with store.read() as tx:
        assert await tx.loras.get("acme", draft.sha256) == retired
