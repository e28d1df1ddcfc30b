"""Short ways to models in memory for tests that load torch."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from generation.engine.library.fleet import Fleet, LoadedModel


def new_fleet(models: Path, **changes: Any) -> "Fleet":
    """A fleet on this models folder, computing with one thread; imports torch."""
    from generation.engine.device import choose_device
    from generation.engine.library.catalogue import find_models
    from generation.engine.library.fleet import Fleet
    from generation.engine.library.loader import quiet_libraries
    from generation.engine.library.weights import WeightsIndex

    quiet_libraries()
    settings: dict[str, Any] = {
        "sources": find_models(models, Path("none")),
        "index": WeightsIndex(models.parent / "state" / "weights.json"),
        "device": choose_device("cpu", "auto", 1),
    }
    return Fleet(**settings | changes)


def loader_of(models: Path) -> "Callable[[str], LoadedModel]":
    """Gives models by name, each loaded once and kept."""
    fleet = new_fleet(models, max_models=99)

    def load(name: str) -> "LoadedModel":
        with fleet.use(name) as model:
            return model

    return load
