"""What a model takes of the device's memory, and what all may take together."""

import os
from dataclasses import dataclass

import torch

from generation.engine.device import Device
from generation.engine.library.loaded import LoadedModel
from generation.engine.library.shelf import Beside

_MEMORY_SHARE = {"cpu": 0.6, "cuda": 0.8}
"""Of the device's memory, where no budget is set; the rest is for computing."""


@dataclass(kw_only=True, eq=False)
class Held:
    """A model in memory, or one that is just being read."""

    expected: int
    """Bytes that it takes as long as it is being read."""
    model: LoadedModel | None = None
    beside: Beside | None = None
    users: int = 0

    @property
    def bytes(self) -> int:
        """That it takes now, with what lies beside it."""
        own = self.model.bytes if self.model else self.expected
        return own + self.beside_bytes

    @property
    def beside_bytes(self) -> int:
        """Of them: LoRAs, ControlNets and image-prompt weights."""
        return self.beside.bytes if self.beside else 0

    @property
    def idle_bytes(self) -> int:
        """Beside it that nobody uses."""
        return self.beside.idle_bytes if self.beside else 0


def default_budget(device: Device) -> int:
    """Bytes that models may take where nobody says otherwise."""
    share = _MEMORY_SHARE[device.torch_device.type]
    if device.torch_device.type == "cuda":
        return int(share * torch.cuda.get_device_properties(device.torch_device).total_memory)
    return int(share * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
