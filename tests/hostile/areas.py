"""Which areas there are, by the name that the benchmark prints."""

from collections.abc import Awaitable, Callable

from tests.hostile import (
    addresses,
    discord,
    kits,
    paths,
    pictures,
    prompts,
    secrets,
    sessions,
    slack,
    templates,
    weights,
)
from tests.hostile.score import Score

AREAS: dict[str, Callable[[], Awaitable[Score]]] = {
    "pictures": pictures.run,
    "weights": weights.run,
    "paths": paths.run,
    "templates": templates.run,
    "prompts": prompts.run,
    "kits": kits.run,
    "addresses": addresses.run,
    "sessions": sessions.run,
    "slack": slack.run,
    "discord": discord.run,
    "secrets": secrets.run,
}
