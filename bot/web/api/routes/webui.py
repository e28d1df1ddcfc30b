"""AUTOMATIC1111's routes: the requests wait for their jobs; the lists tell what the kits allow."""

import base64
from typing import Annotated, Any, cast

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from bot.core.commands import Cancel
from bot.web.api.caller import Client, ReadingUi, SubmittingUi
from bot.web.api.documents import AS_WEBUI, failures
from bot.web.api.failures import TEXT
from bot.web.api.naming import model_names
from bot.web.api.results import finished
from bot.web.api.submitting import Waiting, job_of, kits_of, submit
from bot.web.api.views import has_ended
from bot.web.api.webui import answers, settings
from bot.web.api.webui.brief import understood
from bot.web.api.webui.samplers import spacings_of
from bot.web.api.webui.shapes import Common, PictureIn, TextIn
from bot.web.api.webui.underway import Underway
from bot.web.site import site_of

router = APIRouter(prefix="/sdapi/v1", tags=["AUTOMATIC1111-shaped"])
Row = dict[str, Any]
Settings = Annotated[Row, Field(min_length=1, max_length=200)]


class PicturesOut(BaseModel):
    """The pictures as base64; `info` is JSON in a text."""

    images: list[str]
    parameters: Row
    info: str


MADE = failures(404, 409, 413, 415, 429, 504, **AS_WEBUI)
LISTED = failures(**AS_WEBUI)
SET = failures(404, 413, 415, media=TEXT, schema={"type": "string"})


@router.post("/txt2img", response_model=PicturesOut, responses=MADE)
async def txt2img(client: SubmittingUi, request: Request, wanted: TextIn) -> Row:
    """Pictures of words."""
    return await _made(client, request, wanted)


@router.post("/img2img", response_model=PicturesOut, responses=MADE)
async def img2img(client: SubmittingUi, request: Request, wanted: PictureIn) -> Row:
    """Pictures of a picture; with a mask, of a part of it."""
    return await _made(client, request, wanted)


async def _made(client: Client, request: Request, wanted: Common) -> Row:
    asked = await understood(client, wanted)
    answer = await submit(client, asked.brief, asked.meant.kit.id, None)
    with underway_of(request).waiting(client.person.id, answer["id"]):
        waiting = Waiting(client=client, streams=site_of(request).streams, request=request)
        job = await waiting.done(answer["id"])
    return answers.result(wanted, asked, job, await finished(client, job))


def underway_of(request: Request) -> Underway:
    """The open requests of this process."""
    return cast("Underway", request.app.state.underway)


@router.get("/progress", response_model=Row, responses=LISTED)
async def progress(client: ReadingUi, request: Request, skip_current_image: bool = False) -> Row:
    """How far the oldest open request of the key's member is."""
    open_jobs = underway_of(request).of(client.person.id)
    if not open_jobs:
        return answers.progress(None, 0, None, steps=0)
    job = await job_of(client.house, open_jobs[0])
    live = client.house.live.get(job.id)
    preview = None
    if live is not None and live.preview and not skip_current_image:
        preview = base64.b64encode(live.preview).decode()
    return answers.progress(live, len(open_jobs), preview, steps=job.items[0].spec.steps)


@router.post("/interrupt", response_model=Row, responses=LISTED)
async def interrupt(client: SubmittingUi, request: Request) -> Row:
    """Cancel what the open requests of the key's member wait for; nothing else of theirs."""
    door = client.house.door
    for job_id in underway_of(request).of(client.person.id):
        if door is not None and not has_ended(await job_of(client.house, job_id)):
            await door.dispatch(Cancel(job=job_id), client.actor)
    return {}


@router.post("/skip", response_model=Row, responses=LISTED)
async def skip(client: SubmittingUi, request: Request) -> Row:
    """The same: a job's pictures are rendered side by side, so none comes after another."""
    return await interrupt(client, request)


@router.get("/options", response_model=Row, responses=SET)
async def options(client: ReadingUi) -> Row:
    """What holds where a request says nothing; requests change it by `override_settings`."""
    return settings.current(await kits_of(client))


@router.post("/options", response_model=Row, responses=SET)
async def set_options(client: SubmittingUi, wanted: Settings) -> Row:
    """Taken where it is so already; for all else there is `override_settings`."""
    await settings.check(client, wanted)
    return {}


@router.post("/refresh-checkpoints", response_model=Row, responses=LISTED)
async def refresh_checkpoints(client: ReadingUi) -> Row:
    """Nothing to do: every list is read anew from the kits in force."""
    return {}


@router.get("/sd-models", response_model=list[Row], responses=LISTED)
async def sd_models(client: ReadingUi) -> list[Row]:
    """What may stand as `sd_model_checkpoint`: brands, their templates, the weights."""
    kits = await kits_of(client)
    hashes = {kit.generation.model: kit.generation.model_sha256 for kit in kits}
    return [
        {
            "title": name.id,
            "model_name": name.id,
            "hash": hashes[name.weights][:10] or None,
            "sha256": hashes[name.weights] or None,
            "filename": name.weights,
            "config": None,
        }
        for name in model_names(kits)
    ]


@router.get("/samplers", response_model=list[Row], responses=LISTED)
async def samplers(client: ReadingUi) -> list[Row]:
    """The samplers of the kits."""
    return answers.samplers(await kits_of(client))


@router.get("/schedulers", response_model=list[Row], responses=LISTED)
async def schedulers(client: ReadingUi) -> list[Row]:
    """Spacings of noise that the kits' samplers have; which has which, its name says."""
    names = ("automatic", *spacings_of(await kits_of(client)))
    return [{"name": name, "label": name.title(), "aliases": None} for name in names]


@router.get("/loras", response_model=list[Row], responses=LISTED)
async def loras(client: ReadingUi) -> list[Row]:
    """The LoRAs on the kits' lists."""
    return answers.loras(await kits_of(client))


@router.get("/prompt-styles", response_model=list[Row], responses=LISTED)
async def prompt_styles(client: ReadingUi) -> list[Row]:
    """The kits' templates."""
    return answers.styles(await kits_of(client))


@router.get("/upscalers", response_model=list[Row], responses=LISTED)
async def upscalers(client: ReadingUi) -> list[Row]:
    """The one there is."""
    row = {"name": "Lanczos", "model_name": None, "model_path": None, "model_url": None}
    return [{**row, "scale": 4}]


@router.get("/realesrgan-models", response_model=list[Row], responses=LISTED)
async def realesrgan_models(client: ReadingUi) -> list[Row]:
    """None."""
    return []


@router.get("/latent-upscale-modes", response_model=list[Row], responses=LISTED)
async def latent_upscale_modes(client: ReadingUi) -> list[Row]:
    """None: a second pass starts from pixels."""
    return []


@router.get("/embeddings", response_model=Row, responses=LISTED)
async def embeddings(client: ReadingUi) -> Row:
    """Those of a kit are part of its templates."""
    return {"loaded": {}, "skipped": {}}


@router.get("/sd-vae", response_model=list[Row], responses=LISTED)
async def sd_vae(client: ReadingUi) -> list[Row]:
    """None to choose from."""
    return []


@router.get("/hypernetworks", response_model=list[Row], responses=LISTED)
async def hypernetworks(client: ReadingUi) -> list[Row]:
    """None."""
    return []


@router.get("/face-restorers", response_model=list[Row], responses=LISTED)
async def face_restorers(client: ReadingUi) -> list[Row]:
    """None."""
    return []


@router.get("/scripts", response_model=Row, responses=LISTED)
async def scripts(client: ReadingUi) -> Row:
    """None besides ControlNet, which `alwayson_scripts` takes."""
    return {"txt2img": [], "img2img": []}


@router.get("/cmd-flags", response_model=Row, responses=LISTED)
async def cmd_flags(client: ReadingUi) -> Row:
    """How a server of its own would have been started."""
    return {"api": True, "nowebui": True, "listen": False, "share": False}


@router.get("/memory", response_model=Row, responses=LISTED)
async def memory(client: ReadingUi) -> Row:
    """Of the rendering machine nothing is told here; its health is on the page *Health*."""
    return {"ram": {"error": "not told"}, "cuda": {"error": "not told"}}
