"""What the step loop tells of itself, for health pages and metrics."""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class LaneStanding:
    """One lane with flights in it."""

    model: str
    height: int
    width: int
    """Of the latents."""
    flights: int
    buckets: tuple[int, ...]
    """Of equal bits; empty while they are being found out."""
    budget: int
    """Rows in one call at most."""
    correction: float
    """What a call takes now, over what it took when the profile was made."""


@dataclass(kw_only=True)
class Counters:
    """Counts from the loop's start; written by its thread alone."""

    calls: int = 0
    rows: int = 0
    """Asked about; padding left out."""
    padding: int = 0
    """Rows computed for nothing."""
    landed: int = 0
    cancelled: int = 0
    failed: int = 0
    restarted: int = 0
    out_of_memory: int = 0
    model_s: float = 0.0
    """Device seconds inside the models' calls, surveys left out."""
    survey_s: float = 0.0
    """Seconds spent on taking profiles."""
    working_s: float = 0.0
    """Seconds in which there was something to do, surveys left out."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The loop at one moment."""

    lanes: tuple[LaneStanding, ...] = ()
    flights: int = 0
    """In the air, paused ones included."""
    counters: Counters = field(default_factory=Counters)

    @property
    def rows_per_s(self) -> float:
        """While there was something to do."""
        return self.counters.rows / self.counters.working_s if self.counters.working_s else 0.0

    @property
    def busy_share(self) -> float:
        """Of the time in which there was something to do, spent inside the models."""
        return self.counters.model_s / self.counters.working_s if self.counters.working_s else 0.0

    @property
    def overhead_share(self) -> float:
        """Of the time in which there was something to do, spent outside the models."""
        return max(0.0, 1.0 - self.busy_share) if self.counters.working_s else 0.0
