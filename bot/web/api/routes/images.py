"""Pictures in the shape of the OpenAI API: `client.images.generate` and `client.images.edit`.

The request waits for its job. What a picture depends on is taken over or refused, never dropped.
"""

from typing import Annotated, Any, Literal, NamedTuple

from fastapi import APIRouter, File, Form, Request, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from bot.web.api.caller import Client, Submitting
from bot.web.api.documents import failures
from bot.web.api.failures import ApiFailure
from bot.web.api.naming import Meant, aspect_of, meant_by
from bot.web.api.pictures import keep, keep_mask
from bot.web.api.results import Finished, finished
from bot.web.api.shapes import LORAS, MAX_WORDS, NAME, VARIABLES, Off, Strict
from bot.web.api.submitting import IdempotencyKey, Waiting, submit
from bot.web.site import site_of
from brand.brief import Brief
from brand.kit import BrandKit
from brand.spec import MAX_SEED

router = APIRouter(prefix="/v1/images", tags=["OpenAI-shaped"])
SIZE = "^(auto|[1-9][0-9]{1,4}x[1-9][0-9]{1,4})$"
Quality = Literal["auto", "standard", "low", "medium", "high", "hd"]
FASTER, FINER = 0.5, 1.5
"""Of the kit's steps, for the qualities low and high."""


FAILURES = failures(
    404,
    409,
    413,
    415,
    429,
    504,
    media="application/json",
    schema={"$ref": "#/components/schemas/ImagesFailure"},
)


class GenerateIn(Strict):
    """As in the OpenAI API; from `seed` on our own, by `extra_body`."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"prompt": "a red mug on a wooden table", "n": 1}]}
    )

    prompt: Annotated[str, Field(max_length=MAX_WORDS)]
    model: Annotated[str, Field(max_length=200)] | None = None
    n: Annotated[int, Field(ge=1, le=100)] | None = None
    size: Annotated[str, Field(pattern=SIZE)] | None = None
    quality: Quality | None = None
    response_format: Literal["b64_json", "url"] | None = None
    background: Literal["auto", "opaque"] | None = None
    output_format: Literal["png"] | None = None
    output_compression: Annotated[int, Field(ge=100, le=100)] | None = None
    moderation: Literal["auto", "low"] | None = None
    """Taken and without effect: the brand's gates always apply."""
    stream: Off | None = None
    partial_images: Annotated[int, Field(ge=0, le=0)] | None = None
    user: Annotated[str, Field(max_length=200)] | None = None
    safety_identifier: Annotated[str, Field(max_length=200)] | None = None
    """Both taken and not kept: the key says who asks."""
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] | None = None
    negative: Annotated[str, Field(max_length=MAX_WORDS)] = ""
    steps: Annotated[int, Field(ge=1, le=1000)] | None = None
    cfg: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] | None = None
    sampler: NAME = ""
    variables: VARIABLES
    lora: LORAS = ""
    private: bool = False


class ImageOut(BaseModel):
    """One picture: the file, or where it is fetched with the key."""

    b64_json: str | None
    url: str | None
    revised_prompt: str
    """The prompt that the brand's template and kit made of the words."""
    id: str
    seed: int
    state: str


class ImagesOut(BaseModel):
    """The pictures that passed the brand check."""

    created: int
    data: list[ImageOut]
    output_format: Literal["png"] = "png"
    background: Literal["opaque"] = "opaque"
    size: str
    job: str
    discarded: int
    """How many did not pass."""


@router.post("/generations", response_model=ImagesOut, responses=FAILURES)
async def generate(
    client: Submitting, request: Request, wanted: GenerateIn, key: IdempotencyKey = None
) -> ImagesOut:
    """Make pictures of a prompt, and wait for them."""
    meant = await meant_by(client, wanted.model or "")
    brief = Brief(
        words=wanted.prompt,
        template=meant.template,
        variables=tuple(wanted.variables.items()),
        negative=wanted.negative,
        aspect=_aspect(meant.kit, wanted.size),
        n=wanted.n or 1,
        seed=wanted.seed,
        steps=wanted.steps or steps_of(meant.kit, wanted.quality),
        cfg=wanted.cfg,
        sampler=wanted.sampler,
        lora=wanted.lora,
        private=wanted.private,
    )
    return await _made(client, request, meant, brief, key, wanted.response_format)


@router.post("/edits", response_model=ImagesOut, responses=FAILURES)
async def edit(
    client: Submitting,
    request: Request,
    prompt: Annotated[str, Form(max_length=MAX_WORDS)],
    image: Annotated[UploadFile | None, File(description="The picture to change")] = None,
    images: Annotated[
        list[UploadFile] | None, File(alias="image[]", description="The same, as a list of one")
    ] = None,
    mask: Annotated[
        UploadFile | None, File(description="Transparent where the picture is painted anew")
    ] = None,
    model: Annotated[str, Form(max_length=200)] = "",
    n: Annotated[int, Form(ge=1, le=100)] = 1,
    size: Annotated[str, Form(pattern=SIZE)] = "auto",
    quality: Annotated[Quality, Form()] = "auto",
    response_format: Annotated[Literal["b64_json", "url"], Form()] = "b64_json",
    background: Annotated[Literal["auto", "opaque"], Form()] = "auto",
    output_format: Annotated[Literal["png"], Form()] = "png",
    user: Annotated[str, Form(max_length=200)] = "",
    safety_identifier: Annotated[str, Form(max_length=200)] = "",
    seed: Annotated[int | None, Form(ge=0, le=MAX_SEED)] = None,
    negative: Annotated[str, Form(max_length=MAX_WORDS)] = "",
    steps: Annotated[int | None, Form(ge=1, le=1000)] = None,
    strength: Annotated[float | None, Form(ge=0, le=1)] = None,
    key: IdempotencyKey = None,
) -> ImagesOut:
    """Change a picture by words; with a mask, only where the mask is transparent."""
    await _nothing_else(request)
    meant = await meant_by(client, model)
    given = [picture for picture in (image, *(images or ())) if picture is not None]
    start = await _start(client, meant.kit.id, given, mask)
    brief = Brief(
        words=prompt,
        template=meant.template,
        negative=negative,
        aspect=_aspect(meant.kit, size),
        n=n,
        seed=seed,
        steps=steps or steps_of(meant.kit, quality),
        strength=strength,
        reference=start.reference,
        mask=start.mask,
    )
    return await _made(client, request, meant, brief, key, response_format)


async def _nothing_else(request: Request) -> None:
    """Raises ApiFailure for a field that would be dropped."""
    known = {field.alias for field in request.scope["route"].dependant.body_params}
    unknown = sorted(set(await request.form()) - known)
    if unknown:
        raise ApiFailure(
            status=422,
            code="unknown_field",
            detail=f"`{unknown[0][:60]}` isn't supported here, and it would change the picture.",
            param=unknown[0][:60],
        )


class _Start(NamedTuple):
    reference: str
    mask: str = ""


async def _start(
    client: Client, brand: str, given: list[UploadFile], mask: UploadFile | None
) -> _Start:
    """The picture to change and its mask, taken in."""
    if len(given) != 1:
        raise ApiFailure(
            status=422,
            code="one_image",
            detail="Send exactly one picture to change, as `image`.",
            param="image",
        )
    picture = await keep(client, await given[0].read(), brand)
    if mask is None:
        return _Start(picture.sha256)
    kept = await keep_mask(client, await mask.read(), brand)
    if (kept.width, kept.height) != (picture.width, picture.height):
        raise ApiFailure(
            status=422,
            code="mask_size",
            detail=f"The mask has {kept.width} × {kept.height} pixels, the picture "
            f"{picture.width} × {picture.height}: they must be equal.",
            param="mask",
        )
    return _Start(picture.sha256, kept.sha256)


def _aspect(kit: BrandKit, size: str | None) -> str:
    if size is None or size == "auto":
        return ""
    width, _, height = size.partition("x")
    return aspect_of(kit, int(width), int(height)).name


def steps_of(kit: BrandKit, quality: str | None) -> int | None:
    """How many steps a quality is; None for the kit's own number."""
    shares = {"low": FASTER, "high": FINER, "hd": FINER}
    if quality not in shares:
        return None
    return max(1, min(round(kit.generation.steps * shares[quality]), kit.generation.max_steps))


async def _made(
    client: Client,
    request: Request,
    meant: Meant,
    brief: Brief,
    key: str | None,
    form: str | None,
) -> ImagesOut:
    answer = await submit(client, brief, meant.kit.id, key)
    streams = site_of(request).streams
    job = await Waiting(client=client, streams=streams, request=request).done(answer["id"])
    pictures = await finished(client, job)
    first = pictures[0].asset
    base = client.house.base_url or str(request.base_url).rstrip("/")
    return ImagesOut(
        created=int(job.created_at.timestamp()),
        data=[_out(picture, base, form) for picture in pictures],
        size=f"{first.width}x{first.height}",
        job=job.id,
        discarded=len(job.items) - len(pictures),
    )


def _out(picture: Finished, base: str, form: str | None) -> ImageOut:
    facts: dict[str, Any] = {
        "revised_prompt": picture.asset.spec.prompt,
        "id": picture.asset.id,
        "seed": picture.asset.spec.seed,
        "state": picture.asset.state.value,
    }
    if form == "url":
        return ImageOut(b64_json=None, url=base + picture.path, **facts)
    return ImageOut(b64_json=picture.b64, url=None, **facts)
