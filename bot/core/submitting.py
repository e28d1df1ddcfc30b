"""Have the generation service render one recipe, handing it the inputs that it lacks."""

from collections.abc import Callable

from bot.core.house import House
from bot.core.ports import Transaction
from brand.loras import may_serve
from brand.spec import InputMissing, Picture, Progress, RenderRequest, RenderSpec, RenderUnavailable

UPLOAD_TRIES = 2


async def picture_of(
    house: House, request: RenderRequest, note: Callable[[Progress], None]
) -> Picture:
    """Submit, follow, and call `note` with each progress. Raises the RenderError tree."""
    if request.spec.approved_files:
        await _allow_loras(house, request.brand)
    for _ in range(UPLOAD_TRIES):
        try:
            return await _follow(house, request, note)
        except InputMissing:
            await _upload(house, request.spec)
    raise InputMissing("The generation service does not keep the inputs it was given.")


async def _follow(
    house: House, request: RenderRequest, note: Callable[[Progress], None]
) -> Picture:
    async for event in house.renderer.render(request):
        if isinstance(event, Picture):
            return event
        note(event)
    raise RenderUnavailable("The generation service ended without a picture.")


async def _allow_loras(house: House, brand: str) -> None:
    """Tell the service which LoRAs and embeddings may serve now: it may have restarted, one may
    be retired."""
    async with house.store.read() as tx:
        serving = await approved_files(tx, brand)
    await house.renderer.allow_loras(brand, serving)


async def approved_files(tx: Transaction, brand: str) -> list[str]:
    """The SHA-256 of every LoRA and embedding that may serve this brand now."""
    versions = await tx.loras.of_brand(brand)
    kit = await tx.kits.current(brand)
    serving = [version.sha256 for version in versions if may_serve(version)]
    return serving + [embedding.sha256 for embedding in kit.embeddings]


async def _upload(house: House, spec: RenderSpec) -> None:
    for sha256 in spec.inputs:
        await house.renderer.put_blob(await house.blobs.get(sha256))
