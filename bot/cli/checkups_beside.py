"""What `housestyle doctor` says of ControlNets, image prompts and preprocessors."""

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from bot.cli.findings import Line, missing, ok
from bot.settings import Settings

if TYPE_CHECKING:
    from generation.engine.library.extras import Looked

_WHERE = "docs/control.md says what belongs where in the models folder."


async def beside_models(settings: Settings) -> Iterable[Line]:
    """What leads pictures beside the words: found, or left out and why."""
    if settings.generation.url or settings.generation.engine == "drawn":
        return []  # the line about models says so
    from generation.engine.library.extras import (
        look_at_controls,
        look_at_image_prompts,
        look_at_preprocessors,
    )
    from generation.settings import SHIPPED_MODEL

    folder = settings.generation.models_dir
    looked = {
        "controlnets": await asyncio.to_thread(look_at_controls, folder, SHIPPED_MODEL),
        "image prompts": await asyncio.to_thread(look_at_image_prompts, folder),
        "preprocessors": await asyncio.to_thread(look_at_preprocessors, folder),
    }
    return [line for name, each in looked.items() for line in _lines(name, each)]


def _lines(name: str, looked: "Looked") -> list[Line]:
    if looked.found:
        first = ok(name, ", ".join(looked.found))
    else:
        first = missing(name, "none with weights of their own", _WHERE)
    return [first, *left_out_lines(name, looked)]


def left_out_lines(name: str, looked: "Looked") -> list[Line]:
    """One line for everything that lies there and is not usable."""
    return [
        missing(name, f"{each} is left out: {why}", f"Put {each} right, or take it away.")
        for each, why in looked.left_out
    ]
