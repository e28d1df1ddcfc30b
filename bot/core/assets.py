"""Asset: one rendered picture. Rendition: a file derived from it by a named transform."""

from dataclasses import dataclass
from datetime import datetime

from bot.core.lives import AssetState
from bot.core.tariff import Money
from brand.spec import RenderSpec, ReproductionClass
from brand.verdicts import Evidence


@dataclass(frozen=True, kw_only=True)
class Rendition:
    """A file derived from an asset. Same `pixel_hash` as the asset: only a label was added."""

    id: str
    asset: str
    transform: str
    """master, labelled-png, jpeg-1080, ..."""
    file_hash: str
    pixel_hash: str
    mime: str
    bytes: int
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One rendered picture: its pixels (pixel hash) and its lossless master file (file hash)."""

    id: str
    job: str
    brand: str
    requester: str
    index: int
    spec: RenderSpec
    words: str
    """What the person asked for."""
    template: str
    kit_hash: str
    pixel_hash: str
    file_hash: str
    width: int
    height: int
    reproduction: ReproductionClass
    evidence: Evidence
    fingerprint: str
    """64-bit perceptual hash, 16 hexadecimal characters; finds near-duplicates."""
    created_at: datetime
    renditions: tuple[Rendition, ...] = ()
    state: AssetState = AssetState.CANDIDATE
    parent: str = ""
    change: str = ""
    """What was changed against the parent, and why."""
    seconds: float = 0.0
    cost: Money | None = None
    """At the tariff of its day; None where none was set."""
    reused: str = ""
    """Id of an earlier asset of the same recipe whose pixels these are; it was not rendered."""
    version: int = 0

    @property
    def is_erased(self) -> bool:
        """Whether its words and files went with the person who asked for it."""
        return not self.file_hash

    def rendition(self, transform: str) -> Rendition | None:
        """The rendition made by this transform, or None."""
        return next((r for r in self.renditions if r.transform == transform), None)


@dataclass(frozen=True, kw_only=True)
class AssetQuery:
    """What to look for. Empty fields do not restrict; `text` matches words, prompt and template."""

    brand: str = ""
    text: str = ""
    states: tuple[AssetState, ...] = ()
    requester: str = ""
    template: str = ""
    job: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: str = ""
    """Cursor: the id after which the next page starts; newest first."""
    limit: int = 50
