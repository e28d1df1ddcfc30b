"""In which ways a kit lets pictures be made: shapes, limits of a recipe, stages."""

from dataclasses import dataclass

UPLOAD, OUTSIDE, INSIDE = "upload", "outside", "inside"
STAGE_MASKS = (UPLOAD, OUTSIDE, INSIDE)


@dataclass(frozen=True, kw_only=True)
class Aspect:
    """An allowed shape: its name (`1:1`) and its size in pixels, multiples of 8."""

    name: str
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class GenerationDefaults:
    """What a recipe has where the brief says nothing, and the limits of what it may say."""

    model: str
    model_sha256: str = ""
    aspects: tuple[Aspect, ...]
    """The first one is the default."""
    steps: int = 30
    max_steps: int = 60
    cfg: float = 7.0
    max_cfg: float = 15.0
    sampler: str = "dpmpp_2m_karras"
    samplers: tuple[str, ...] = ("dpmpp_2m_karras",)
    strength: float = 0.6
    count: int = 1
    max_count: int = 4

    def aspect(self, name: str) -> Aspect | None:
        """The aspect of that name, or None."""
        return next((item for item in self.aspects if item.name == name), None)


@dataclass(frozen=True, kw_only=True)
class WayPolicy:
    """In which ways pictures may be made besides by words alone."""

    image: bool = True
    """From a reference picture."""
    inpaint: bool = False
    """A part of a reference anew, under a mask."""
    outpaint: bool = False
    """A reference going on over its edges."""
    controls: tuple[str, ...] = ()
    """Kinds of control that may lead the composition, e.g. canny."""
    image_prompt: bool = False
    """A picture as a prompt."""
    highres: float = 0.0
    """Largest scale of a second pass; 0: none."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One step of a recipe in several stages, made of each picture of the stage before."""

    name: str
    words: tuple[str, ...] = ()
    """One picture for each; [WORDS] stands for the brief's own. Empty: the brief's words."""
    strength: float | None = None
    """How far the picture before is left; None: the kit's, or all new under a mask."""
    mask: str = ""
    """Which part is painted anew: `upload` (the brief's mask), `outside` or `inside` the `box`;
    empty: all of it."""
    box: tuple[float, ...] = ()
    """left, top, right, bottom in shares of the sides, 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Pictures made in several stages; the requester picks from the last. The first stage starts
    from words (or the brief's reference), each other one from the pictures before."""

    name: str
    stages: tuple[Stage, ...]
    description: str = ""

    @property
    def needs_mask(self) -> bool:
        """Whether the brief must come with a mask."""
        return any(stage.mask == UPLOAD for stage in self.stages)
