"""What the brands allow, and the models by which the OpenAI client knows them."""

from typing import Annotated

from fastapi import APIRouter, Path

from bot.core.errors import NotFound
from bot.web.api.answered import BrandList, BrandOut
from bot.web.api.caller import Client, Reading
from bot.web.api.documents import problems
from bot.web.api.submitting import kits_of
from bot.web.api.views import brand_out
from brand.kit import BrandKit

router = APIRouter(prefix="/v1/brands", tags=["brands"])
BrandId = Annotated[str, Path(min_length=1, max_length=100, description="A brand's id")]


@router.get("", response_model=BrandList, responses=problems())
async def list_brands(client: Reading) -> BrandList:
    """The brands of the key's member, with templates, sizes, samplers and limits."""
    return BrandList(data=[brand_out(kit) for kit in await kits_of(client)])


@router.get("/{brand_id}", response_model=BrandOut, responses=problems(404))
async def look(client: Reading, brand_id: BrandId) -> BrandOut:
    """One of them."""
    return brand_out(await kit_of(client, brand_id))


async def kit_of(client: Client, brand_id: str) -> BrandKit:
    """The kit in force of a brand of the member's. Raises NotFound."""
    kits = await kits_of(client)
    for kit in kits:
        if kit.id == brand_id:
            return kit
    have = ", ".join(kit.id for kit in kits)
    raise NotFound(f"You aren't in a brand `{brand_id[:80]}`.", fix=f"Yours: {have or 'none'}.")
