"""LoRA versions of a brand: what each is made of, where it stands, whether it may serve."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from brand.errors import LoraMoveRefused
from brand.spec import is_sha256


class LoraStatus(StrEnum):
    """The life of a LoRA version; only an approved one may serve."""

    DRAFT = "draft"
    EVALUATED = "evaluated"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    RETIRED = "retired"


LORA_STEPS: Mapping[LoraStatus, frozenset[LoraStatus]] = {
    LoraStatus.DRAFT: frozenset({LoraStatus.EVALUATED, LoraStatus.RETIRED}),
    LoraStatus.EVALUATED: frozenset({LoraStatus.IN_REVIEW, LoraStatus.RETIRED}),
    # Back to evaluated: the review was rejected, withdrawn or has expired.
    LoraStatus.IN_REVIEW: frozenset({LoraStatus.APPROVED, LoraStatus.EVALUATED}),
    LoraStatus.APPROVED: frozenset({LoraStatus.RETIRED}),
    LoraStatus.RETIRED: frozenset(),
}


@dataclass(frozen=True, kw_only=True)
class LoraVersion:
    """A brand's trained adapter weights in one version. Equal hashes are equal weights."""

    brand: str
    name: str
    version: str
    sha256: str
    """Of the safetensors file."""
    owner: str
    """Person id of who answers for it."""
    dataset_sha256: str
    """Of the training set's manifest; says what it learned from."""
    status: LoraStatus = LoraStatus.DRAFT
    weight: float = 1.0
    min_weight: float = 0.0
    max_weight: float = 1.5
    triggers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for label, value in (("sha256", self.sha256), ("dataset_sha256", self.dataset_sha256)):
            if not is_sha256(value):
                raise ValueError(f"{label} must be a lower-case hexadecimal SHA-256")
        if not self.min_weight <= self.weight <= self.max_weight:
            raise ValueError("min_weight <= weight <= max_weight must hold")

    @property
    def id(self) -> str:
        """How people name it: `name@version`."""
        return f"{self.name}@{self.version}"


def may_serve(lora: LoraVersion) -> bool:
    """Whether this version may be used for pictures."""
    return lora.status is LoraStatus.APPROVED


def moved(lora: LoraVersion, to: LoraStatus) -> LoraVersion:
    """The version in its new status. Raises LoraMoveRefused unless LORA_STEPS has the step."""
    steps = LORA_STEPS[lora.status]
    if to not in steps:
        can = ", ".join(sorted(steps)) or "nothing more"
        raise LoraMoveRefused(
            f"{lora.id} is {lora.status}; from there it can become {can}, not {to}."
        )
    return replace(lora, status=to)
