"""Pictures whose edges fit together: convolutions that wrap around."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


class Tiling:
    """Switches the convolutions of one model; whoever uses it must be its only user meanwhile."""

    def __init__(self, *parts: torch.nn.Module) -> None:
        self._convolutions = [
            module
            for part in parts
            for module in part.modules()
            if isinstance(module, torch.nn.Conv2d) and module.padding_mode == "zeros"
        ]
        self._on = False

    def switch(self, on: bool) -> None:
        """Wrap around from now on, or not; free of cost where nothing changes."""
        if on is self._on:
            return
        for module in self._convolutions:
            module.padding_mode = "circular" if on else "zeros"
        self._on = on


@contextmanager
def seamless(*parts: torch.nn.Module, on: bool = True) -> Iterator[None]:
    """Let the convolutions of these parts wrap around within this context."""
    tiling = Tiling(*parts)
    tiling.switch(on)
    try:
        yield
    finally:
        tiling.switch(False)
