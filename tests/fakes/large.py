"""Pictures whose files are large, and a studio that makes such files as the product does."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from brand.kit import BrandKit
from brand.pictures import pixel_hash_of_file
from brand.provenance import LabelledFile, make_master, make_renditions
from brand.spec import RenderSpec
from tests.fakes.studio import FakeStudio


def noise(side: int) -> bytes:
    """A PNG that nothing makes small: about three bytes a pixel."""
    pixels = np.random.default_rng(7).integers(0, 256, (side, side, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


class LargeStudio(FakeStudio):
    """Makes the files of a large picture, as the product does for this kit."""

    def __init__(self, kit: BrandKit, *, side: int = 640) -> None:
        super().__init__()
        self._kit = kit
        self._png = noise(side)

    async def make_files(
        self, png: bytes, spec: RenderSpec, kit: BrandKit, *, asset_id: str, **_: object
    ) -> Sequence[LabelledFile]:
        """Of the large picture, whatever was rendered."""
        master = make_master(self._png, spec, kit, asset_id=asset_id)
        return (master, *make_renditions(self._png, spec, self._kit, asset_id=asset_id))

    async def pixel_hash(self, data: bytes) -> str:
        """As the product takes it."""
        return pixel_hash_of_file(data)
