"""Verdict and Evidence: what the gates measured, kept as plain JSON beside the asset."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

EVIDENCE_VERSION = 1


class Fact(NamedTuple):
    """One measured number with its unit, as people read it: ("palette", 92.0, "%")."""

    label: str
    value: float
    unit: str = ""


class Swatch(NamedTuple):
    """A palette colour, its measured share of the picture, and the share wanted (0 to 1)."""

    name: str
    hex: str
    share: float
    wanted: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One gate's result. `passed` is None where nothing was judged; the summary says why."""

    name: str
    passed: bool | None
    summary: str
    """Plain words, no full stop: "sharp", "moderation: not installed"."""
    facts: tuple[Fact, ...] = ()
    swatches: tuple[Swatch, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "name": self.name,
            "passed": self.passed,
            "summary": self.summary,
            "facts": [list(fact) for fact in self.facts],
            "swatches": [list(swatch) for swatch in self.swatches],
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Self:
        """Rebuild from `to_dict`. Raises KeyError or TypeError when it is not that."""
        return cls(
            name=raw["name"],
            passed=raw["passed"],
            summary=raw["summary"],
            facts=tuple(Fact(*fact) for fact in raw["facts"]),
            swatches=tuple(Swatch(*swatch) for swatch in raw["swatches"]),
        )


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All verdicts on one picture, shown to approvers and kept with the asset."""

    verdicts: tuple[Verdict, ...] = ()
    fingerprint: str = ""
    """64-bit perceptual hash, 16 hexadecimal characters."""

    @property
    def passed(self) -> bool:
        """No gate failed. A gate that judged nothing does not fail, and is not called passed."""
        return not self.failed

    @property
    def failed(self) -> tuple[Verdict, ...]:
        """The gates that failed."""
        return tuple(verdict for verdict in self.verdicts if verdict.passed is False)

    def verdict(self, name: str) -> Verdict | None:
        """The verdict of that gate, or None."""
        return next((verdict for verdict in self.verdicts if verdict.name == name), None)

    @property
    def line(self) -> str:
        """All verdicts in one line: "palette 92 %: teal 41, orange 33 · sharp · ..."."""
        return " · ".join(verdict.summary for verdict in self.verdicts)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "v": EVIDENCE_VERSION,
            "fingerprint": self.fingerprint,
            "verdicts": [verdict.to_dict() for verdict in self.verdicts],
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Self:
        """Rebuild from `to_dict`. Raises ValueError when it is not that."""
        if raw.get("v") != EVIDENCE_VERSION:
            raise ValueError(f"not evidence of version {EVIDENCE_VERSION}")
        try:
            verdicts = tuple(Verdict.from_dict(item) for item in raw["verdicts"])
            return cls(verdicts=verdicts, fingerprint=raw["fingerprint"])
        except (KeyError, TypeError) as exc:
            raise ValueError(f"not evidence: {exc!r}") from exc
