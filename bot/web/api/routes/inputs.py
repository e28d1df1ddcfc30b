"""Inputs: pictures to start from, masks, pictures that lead the composition."""

from fastapi import APIRouter, Request

from bot.web.api.answered import InputOut
from bot.web.api.caller import Submitting
from bot.web.api.documents import problems
from bot.web.api.pictures import keep

router = APIRouter(prefix="/v1/inputs", tags=["inputs"])
_BINARY = {"schema": {"type": "string", "format": "binary"}}


@router.put(
    "",
    response_model=InputOut,
    responses=problems(413, 415, 429),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": dict.fromkeys(("image/png", "image/jpeg", "image/webp"), _BINARY),
        }
    },
)
async def put(client: Submitting, request: Request) -> InputOut:
    """Take in a picture: made anew from its pixels, so that nothing but those is kept. One that no
    job names within 24 hours is forgotten."""
    return await keep(client, await request.body())
