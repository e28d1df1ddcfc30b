"""One request as the rooms of the REST API see it, and their answer to it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.fakes.discord.state import Json, World


@dataclass(kw_only=True)
class Upload:
    """A part `files[n]` of a multipart body."""

    number: str
    filename: str
    data: bytes = field(repr=False)


@dataclass(kw_only=True)
class Asked:
    """A request that came through: known, allowed by its token and well formed."""

    world: World
    params: dict[str, str]
    query: dict[str, str]
    body: Json
    """Empty where there is none."""
    items: list[Json]
    """Of a body that is a list."""
    files: list[Upload]


Reply = tuple[int, object]
"""HTTP status and JSON; None: no content."""
Handler = Callable[[Asked], Reply]
