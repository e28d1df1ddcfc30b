"""Brands: each kit as people need to see it."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from bot.core.errors import NotFound
from bot.web.frame import Framed, go
from brand.kit import NEGATIVE_CATEGORIES, Template

router = APIRouter(prefix="/brands")


@router.get("")
async def brands_page(frame: Framed) -> Response:
    """All brands of the visitor; the one itself if there is only one."""
    if len(frame.kits) == 1:
        return go(f"/brands/{frame.kits[0].id}")
    return frame.page("brands.html", "brands")


@router.get("/{brand_id}")
async def brand_page(frame: Framed, brand_id: str) -> HTMLResponse:
    """One kit."""
    kit = next((kit for kit in frame.kits if kit.id == brand_id), None)
    if kit is None:
        raise NotFound("There is no brand of that name for you.")
    async with frame.house.store.read() as tx:
        loras = {lora.sha256: lora for lora in await tx.loras.of_brand(kit.id)}
    return frame.page(
        "brand.html",
        "brands",
        brand=kit,
        loras=loras,
        negatives=[(name, getattr(kit.negatives, name)) for name in NEGATIVE_CATEGORIES],
        examples={template.name: example(template) for template in kit.templates},
    )


def example(template: Template) -> str:
    """A line that uses the template, with a value for each variable that needs one."""
    given = []
    for variable in template.variables:
        value = variable.default or next(iter(variable.values), "…")
        quoted = f'"{value}"' if " " in value else value
        given.append(f"{variable.name}={quoted}")
    return " ".join([f"/imagine template:{template.name}", *given])
