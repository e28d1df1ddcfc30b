"""Two passes: the finished picture is enlarged and painted over, as image to image.

Under a mask, or where a picture goes on over its edges, the second pass paints that part alone.
"""

from PIL import Image

from brand.spec import HighRes, RenderSpec


def second_size(spec: RenderSpec) -> tuple[int, int]:
    """Width and height of the second pass in pixels."""
    return spec.highres_size


def second_steps(spec: RenderSpec, highres: HighRes) -> int:
    """The sampler's steps of the second pass, before its strength leaves some out."""
    return highres.steps or spec.steps


def between(first: Image.Image, spec: RenderSpec) -> Image.Image:
    """What the second pass starts from: the first one's picture, enlarged (Lanczos)."""
    return first.resize(second_size(spec), Image.Resampling.LANCZOS)
