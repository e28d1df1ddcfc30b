"""What all models of what goes over the wire have in common, and the shapes of failures."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

ID = "^[0-9A-Za-z]{22}$"
SHA256 = "^[0-9a-f]{64}$"
NAME = Annotated[str, Field(max_length=100)]
MAX_WORDS = 2000
LORAS = Annotated[str, Field(max_length=400)]
"""One of the kit's list, or several with weights: `look:0.8+stripes:0.4`."""
VARIABLES = Annotated[
    dict[Annotated[str, Field(max_length=40)], Annotated[str, Field(max_length=200)]],
    Field(max_length=40, default_factory=dict),
]


def _off(value: bool) -> bool:
    if value:
        raise ValueError("this can't be switched on here")
    return value


Off = Annotated[bool, AfterValidator(_off), Field(json_schema_extra={"const": False})]
"""A switch that may only be off. (A Literal[False] would take 0 too.)"""


class Strict(BaseModel):
    """A body that people write: nothing is guessed, nothing unknown is taken."""

    model_config = ConfigDict(strict=True, extra="forbid")


class Shown(BaseModel):
    """What we answer."""


class Problem(Shown):
    """A failure, as RFC 9457 has it; `code` is a word for machines."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str


class ImagesError(Shown):
    """Why, as the OpenAI API writes it."""

    message: str
    type: str
    param: str | None
    code: str | None


class ImagesFailure(Shown):
    """A failure as the OpenAI API writes it."""

    error: ImagesError


class WebuiFailure(Shown):
    """A failure as AUTOMATIC1111 writes it."""

    model_config = ConfigDict(extra="allow")

    error: str
    detail: str
