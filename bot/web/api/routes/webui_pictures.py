"""AUTOMATIC1111's routes that look at pictures: the recipe of one; all others say what does it."""

from typing import Any, NoReturn

from fastapi import APIRouter
from pydantic import BaseModel

from bot.web.api.caller import ReadingUi
from bot.web.api.documents import AS_WEBUI, failures
from bot.web.api.pictures import picture_bytes
from bot.web.api.shapes import Strict, WebuiFailure
from bot.web.api.webui.recipes import recipe_of
from bot.web.api.webui.refusing import refused

router = APIRouter(prefix="/sdapi/v1", tags=["AUTOMATIC1111-shaped"])
READ = failures(413, 415, **AS_WEBUI)
NEVER: dict[str, Any] = {
    "status_code": 422,
    "response_model": WebuiFailure,
    "responses": failures(413, 415, **AS_WEBUI),
}
"""A route that is there to say what else to do. Its body is not read."""
_LARGER = (
    "A picture is enlarged where it is made, so that the brand check sees what comes of it: send "
    "`enable_hr` with `hr_scale` to txt2img. One of the archive is enlarged by `/upscale ID` in a "
    "chat, or by the button *Upscale* on its page."
)


class PictureInfoIn(Strict):
    """POST /sdapi/v1/png-info."""

    image: str


class PictureInfo(BaseModel):
    """The recipe as one text; empty where there is none that the key's member may read."""

    info: str
    items: dict[str, str]
    parameters: dict[str, str]


@router.post("/png-info", response_model=PictureInfo, responses=READ)
async def png_info(client: ReadingUi, wanted: PictureInfoIn) -> PictureInfo:
    """The recipe of one of our pictures that the member may see, or the one in the file."""
    text = await recipe_of(client, picture_bytes(wanted.image, "image"))
    items = {"parameters": text} if text else {}
    return PictureInfo(info=text, items=items, parameters={})


@router.post("/extra-single-image", **NEVER)
async def extra_single_image(client: ReadingUi) -> NoReturn:
    """Refused: enlarged is where it is made."""
    raise refused("image", _LARGER)


@router.post("/extra-batch-images", **NEVER)
async def extra_batch_images(client: ReadingUi) -> NoReturn:
    """Refused: enlarged is where it is made."""
    raise refused("imageList", _LARGER)


@router.post("/interrogate", **NEVER)
async def interrogate(client: ReadingUi) -> NoReturn:
    """Refused: nothing here describes pictures."""
    raise refused(
        "image",
        "Nothing here describes a picture in words. The recipe of one of ours is told by "
        "/sdapi/v1/png-info; pictures like another one are made from it by img2img.",
    )
