"""What a kit allows: LoRAs, learned words, thresholds of the gates, channels, who may do what."""

from dataclasses import dataclass

MIB = 1024 * 1024
MAX_FILE = {"discord": 10 * MIB}
"""Bytes of the largest file that a platform takes in every place (docs.discord.com, uploading
files); a platform that takes more than any picture of ours weighs is not listed."""
ROLES = ("requester", "approver", "brand_manager", "admin", "auditor")


@dataclass(frozen=True, kw_only=True)
class ApprovedLora:
    """A LoRA version that may serve, with its weight limits and trigger words."""

    name: str
    version: str
    sha256: str
    weight: float = 1.0
    min_weight: float = 0.0
    max_weight: float = 1.5
    triggers: tuple[str, ...] = ()
    """Added to the prompt wherever this LoRA is used."""
    dataset_sha256: str = ""
    """Of the manifest of what it was trained on; empty where that is not known."""


@dataclass(frozen=True, kw_only=True)
class LoraPolicy:
    """Which LoRAs serve. `default` names the one a brief gets that asks for none."""

    default: str = ""
    required: bool = False
    """True: a brief may not do without a LoRA."""
    approved: tuple[ApprovedLora, ...] = ()
    max_together: int = 3
    """LoRAs in one picture."""
    max_weight_together: float = 2.0
    """Of several in one picture: their weights, without their signs, added up."""

    def find(self, name: str) -> ApprovedLora | None:
        """By name, or by `name@version`; of several versions the last one listed."""
        for lora in reversed(self.approved):
            if name in (lora.name, f"{lora.name}@{lora.version}"):
                return lora
        return None


@dataclass(frozen=True, kw_only=True)
class ApprovedEmbedding:
    """A learned word (textual inversion) that may serve: where it stands in a prompt, it acts."""

    name: str
    version: str
    sha256: str
    token: str
    """The word, e.g. `acme-style`."""


@dataclass(frozen=True, kw_only=True)
class Motif:
    """The brand's stripes: how much of the picture must have its edges run in their direction."""

    angle: float = 45.0
    """Direction of the stripes in degrees, counter-clockwise from the horizontal, 0 to 180."""
    tolerance: float = 12.0
    """Degrees to either side that still count."""
    min_share: float = 0.3
    """Least share of the picture (0 to 1) that shows them."""
    words: str = ""
    """What asks for the motif in a prompt."""


@dataclass(frozen=True, kw_only=True)
class GateLimits:
    """Thresholds of the gates; see `gates.py` for what each measures and in which unit."""

    min_sharpness: float = 40.0
    min_palette_share: float = 0.5
    max_delta_e: float = 12.0
    min_near_duplicate_bits: int = 6
    """Fewer differing bits of 64 than this is a near-duplicate; 0 turns the gate off."""
    min_side: int = 64
    """Least side of a picture in pixels."""
    max_nsfw: float = 0.5
    motif: Motif | None = None


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A place for pictures. `audience` is public (approved only) or working (drafts too)."""

    name: str
    audience: str
    platform: str = "local"
    id: str = ""
    """The platform's own channel id; empty: the name without its #."""
    team: str = ""
    """The workspace it is in, by the platform's own id (Slack: `T…`, in an Enterprise Grid
    `E…/T…`); empty: whichever knows the channel. Needed where several workspaces are connected."""
    max_mb: int = 0
    """Largest file that may be posted there, in MiB; 0: what its platform takes anywhere."""

    @property
    def max_file(self) -> int | None:
        """Largest file in bytes; None: no limit that counts."""
        return self.max_mb * MIB if self.max_mb else MAX_FILE.get(self.platform)

    @property
    def channel_id(self) -> str:
        """The id as the platform knows it."""
        return self.id or self.name.removeprefix("#")


@dataclass(frozen=True, kw_only=True)
class ReviewPolicy:
    """Who may ask, who may approve (`role:NAME` or `person:ID`), and how a review ends."""

    may_request: tuple[str, ...] = ("role:requester",)
    may_approve: tuple[str, ...] = ("role:approver",)
    quorum: int = 1
    four_eyes: bool = True
    """True: nobody approves their own request."""
    expires_days: int = 7

    def allows_request(self, person: str, roles: frozenset[str]) -> bool:
        """Whether this person, with these roles in the brand, may ask for pictures."""
        return _named(self.may_request, person, roles)

    def allows_approval(self, person: str, roles: frozenset[str]) -> bool:
        """Whether this person, with these roles in the brand, may vote. Four eyes apart."""
        return _named(self.may_approve, person, roles)


@dataclass(frozen=True, kw_only=True)
class LabelSettings:
    """What a published file says of itself, and in which formats it is published."""

    prompt_in_published_file: bool = False
    creator: str = ""
    renditions: tuple[str, ...] = ("png",)
    """png, jpeg, webp: one published file each."""
    quality: int = 92
    """JPEG and WebP quality, 1 to 100."""


def _named(allowed: tuple[str, ...], person: str, roles: frozenset[str]) -> bool:
    if person and f"person:{person}" in allowed:
        return True
    return any(f"role:{role}" in allowed for role in roles)
