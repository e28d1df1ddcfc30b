"""The addresses of AUTOMATIC1111's ControlNet extension: what may lead a picture."""

from typing import NoReturn

from fastapi import APIRouter

from bot.web.api.caller import ReadingUi
from bot.web.api.documents import AS_WEBUI, failures
from bot.web.api.routes.webui_pictures import NEVER
from bot.web.api.submitting import kits_of
from bot.web.api.webui.refusing import refused
from brand.spec import CONTROL_KINDS

router = APIRouter(prefix="/controlnet", tags=["AUTOMATIC1111-shaped"])
LISTED = failures(**AS_WEBUI)
UNITS_IN_SCRIPTS = 2
"""The extension's interface in which units come within `alwayson_scripts`."""

_IN_SCRIPTS = (
    "Send the units in `alwayson_scripts` to /sdapi/v1/txt2img or /sdapi/v1/img2img; webuiapi does "
    "so without `use_deprecated_controlnet`."
)


@router.get("/version", response_model=dict[str, int], responses=LISTED)
async def version(client: ReadingUi) -> dict[str, int]:
    """Units come in `alwayson_scripts`."""
    return {"version": UNITS_IN_SCRIPTS}


@router.get("/model_list", response_model=dict[str, list[str]], responses=LISTED)
async def model_list(client: ReadingUi) -> dict[str, list[str]]:
    """What may stand as `model`: the kinds that the kits allow. Which ControlNet leads by a kind,
    the house chooses."""
    return {"model_list": await _kinds(client)}


@router.get("/module_list", response_model=dict[str, list[str]], responses=LISTED)
async def module_list(client: ReadingUi) -> dict[str, list[str]]:
    """What may stand as `module`: `none` for a finished map, or the kind of map to make."""
    return {"module_list": ["none", *await _kinds(client)]}


@router.post("/detect", **NEVER)
async def detect(client: ReadingUi) -> NoReturn:
    """Refused: maps are made on the way to a picture."""
    raise refused(
        "controlnet_module",
        "Maps are made on the way to a picture and not given out. Send the picture itself as a "
        "unit's `image`, with the unit's `module`, to txt2img or img2img.",
    )


@router.post("/txt2img", **NEVER)
async def txt2img(client: ReadingUi) -> NoReturn:
    """Refused: the extension's interface before units."""
    raise refused("controlnet_units", _IN_SCRIPTS)


@router.post("/img2img", **NEVER)
async def img2img(client: ReadingUi) -> NoReturn:
    """Refused: the extension's interface before units."""
    raise refused("controlnet_units", _IN_SCRIPTS)


async def _kinds(client: ReadingUi) -> list[str]:
    allowed = {kind for kit in await kits_of(client) for kind in kit.ways.controls}
    return [kind for kind in CONTROL_KINDS if kind in allowed]
