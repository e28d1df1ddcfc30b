"""The list of models: the shape that the OpenAI client reads, with what we know beyond it."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel

from bot.web.api.caller import Reading
from bot.web.api.documents import problems
from bot.web.api.failures import ApiFailure
from bot.web.api.naming import ModelName, model_names
from bot.web.api.submitting import kits_of

router = APIRouter(prefix="/v1/models", tags=["models"])


class ModelOut(BaseModel):
    """A name that may stand as `model`: a brand, one of its templates, or the weights."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    """Always 0: kits have versions, not dates."""
    owned_by: str
    brand: str
    template: str
    weights: str
    description: str


class ModelList(BaseModel):
    """All of them."""

    object: Literal["list"] = "list"
    data: list[ModelOut]


@router.get("", response_model=ModelList, responses=problems())
async def list_models(client: Reading) -> ModelList:
    """What may stand as `model`: the brands of the key's member and their templates."""
    return ModelList(data=[_out(name) for name in model_names(await kits_of(client))])


@router.get("/{model_id:path}", response_model=ModelOut, responses=problems(404))
async def look(
    client: Reading,
    model_id: Annotated[str, Path(min_length=1, max_length=200, description="As in the list")],
) -> ModelOut:
    """One of them."""
    for name in model_names(await kits_of(client)):
        if name.id == model_id:
            return _out(name)
    raise ApiFailure(
        status=404,
        code="model_not_found",
        detail=f"There is no model `{model_id[:80]}`. /v1/models lists them.",
        param="model",
    )


def _out(name: ModelName) -> ModelOut:
    return ModelOut(
        id=name.id,
        owned_by=name.owner,
        brand=name.brand,
        template=name.template,
        weights=name.weights,
        description=name.about,
    )
