"""A Studio port in this thread: verdicts as told, files as small as they can be."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bot.core.ports import Checked
from brand.kit import BrandKit
from brand.provenance import LabelledFile
from brand.spec import RenderSpec, sha256_hex
from brand.verdicts import Evidence, Verdict

PASSED = Evidence(verdicts=(Verdict(name="palette", passed=True, summary="palette 92 %"),))
OFF_PALETTE = Evidence(
    verdicts=(Verdict(name="palette", passed=False, summary="palette 12 %, wants 50"),)
)


def pixels_of(data: bytes) -> bytes:
    """Raw RGB bytes."""
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGB").tobytes()


class FakeStudio:
    """`verdicts` are given out one a check; the last one stays."""

    def __init__(self, *verdicts: Evidence) -> None:
        self.verdicts = list(verdicts or (PASSED,))

    async def check(
        self, png: bytes, spec: RenderSpec, kit: BrandKit, known: Sequence[tuple[str, str]]
    ) -> Checked:
        """The next verdict."""
        evidence = self.verdicts.pop(0) if len(self.verdicts) > 1 else self.verdicts[0]
        width, height = spec.output_size
        pixel_hash = sha256_hex(pixels_of(png))
        return Checked(
            evidence=evidence,
            pixel_hash=pixel_hash,
            fingerprint=pixel_hash[:16],
            width=width,
            height=height,
        )

    async def make_files(
        self,
        png: bytes,
        spec: RenderSpec,
        kit: BrandKit,
        *,
        asset_id: str,
        weights: str,
        from_photo: bool,
    ) -> Sequence[LabelledFile]:
        """A master and one labelled PNG of the same pixels."""
        label = PngInfo()
        label.add_itxt("label", asset_id)
        out = io.BytesIO()
        with Image.open(io.BytesIO(png)) as image:
            image.save(out, "PNG", pnginfo=label)
            width, height = image.size
        pixel_hash = sha256_hex(pixels_of(png))
        return [
            LabelledFile(
                transform=transform,
                data=data,
                mime="image/png",
                pixel_hash=pixel_hash,
                width=width,
                height=height,
            )
            for transform, data in (("master", png + b""), ("png", out.getvalue()))
        ]

    async def pixel_hash(self, data: bytes) -> str:
        """Of the decoded pixels."""
        return sha256_hex(pixels_of(data))

    async def max_difference(self, one: bytes, other: bytes) -> int:
        """Over all channel values."""
        first, second = (np.frombuffer(pixels_of(d), dtype=np.uint8) for d in (one, other))
        if first.shape != second.shape:
            return 255
        return int(np.abs(first.astype(int) - second.astype(int)).max())
