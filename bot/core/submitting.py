"""Have the generation service render one recipe, handing it the inputs that it lacks."""

from collections.abc import Callable

from bot.core.house import House
from brand.spec import InputMissing, Picture, Progress, RenderRequest, RenderSpec, RenderUnavailable

UPLOAD_TRIES = 2


async def picture_of(
    house: House, request: RenderRequest, note: Callable[[Progress], None]
) -> Picture:
    """Submit, follow, and call `note` with each progress. Raises the RenderError tree."""
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


async def _upload(house: House, spec: RenderSpec) -> None:
    wanted = [use.sha256 for use in spec.loras]
    wanted += [spec.init.sha256] if spec.init else []
    for sha256 in wanted:
        await house.renderer.put_blob(await house.blobs.get(sha256))
