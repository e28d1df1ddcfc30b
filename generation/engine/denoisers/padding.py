"""Small matrix products of a fixed number of rows, so that their bits do not depend on the batch.

A linear layer that reads one vector per picture (the time embedding and its projections) multiplies
a matrix of as few rows as there are pictures in the batch, and for so few rows the library chooses
its way by their number: two rows and four gave other bits. Layers that read a vector per pixel or
token have hundreds of rows and did not differ.
"""

import torch
from torch.nn import functional

PADDED_ROWS = 16
"""Every small product has a multiple of so many rows."""


class PaddedLinear(torch.nn.Linear):
    """A linear layer that fills a matrix of few rows up with zeros, and cuts them off again."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """As in torch.nn.Linear."""
        if input.ndim != 2 or input.shape[0] % PADDED_ROWS == 0:
            return functional.linear(input, self.weight, self.bias)
        rows = input.shape[0]
        padded = functional.pad(input, (0, 0, 0, -rows % PADDED_ROWS))
        return functional.linear(padded, self.weight, self.bias)[:rows]


def pad_small_products(module: torch.nn.Module) -> None:
    """Make every plain linear layer of this module a padded one, in place and keeping its weights.

    Not by hooks: other hooks (the LoRAs') shall see what the layer was really given.
    """
    for layer in module.modules():
        if type(layer) is torch.nn.Linear:
            layer.__class__ = PaddedLinear
