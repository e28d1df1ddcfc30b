"""What a request hears of itself: progress over all its passes, the time left, previews."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from threading import Lock

from brand.spec import Progress
from generation.engine.finish import Pool
from generation.engine.flights import FlightProgress
from generation.engine.previews import PreviewMap
from generation.engines import OnProgress


@dataclass(frozen=True, kw_only=True)
class Leg:
    """One pass as far as progress goes."""

    evaluations: int
    area: int
    """Of its latents; an evaluation is taken to cost in proportion."""


class Told:
    """Takes in what the step loop tells of a request's flights and tells the requester.

    Evaluations of all legs count as one row; a preview follows as soon as the pool has drawn it,
    with the progress that is the newest by then.
    """

    def __init__(
        self,
        *,
        key: str,
        legs: Sequence[Leg],
        on_progress: OnProgress,
        pool: Pool,
        preview_map: PreviewMap,
        after_s: float = 0.0,
    ) -> None:
        self._key = key
        self._legs = tuple(legs)
        self._on_progress = on_progress
        self._pool = pool
        self._preview_map = preview_map
        self._after_s = after_s
        self._leg = 0
        self._each_s: float | None = None
        self._lock = Lock()
        self._over = False
        self._last = Progress(done=0, total=self.total)

    @property
    def total(self) -> int:
        """Evaluations of all legs."""
        return sum(leg.evaluations for leg in self._legs)

    def begin(self, leg: int) -> None:
        """From now on the loop tells of this leg."""
        self._leg = leg

    def __call__(self, progress: FlightProgress) -> None:
        """From the loop's thread: returns at once."""
        before = sum(leg.evaluations for leg in self._legs[: self._leg])
        self._tell(
            Progress(
                done=before + progress.done,
                total=self.total,
                place=progress.ahead,
                eta_s=self._eta_s(progress),
            )
        )
        if progress.guess is not None and before + progress.done < self.total:
            self._pool.preview(self._key, self._preview_map, progress.guess, self._show)

    def end(self) -> None:
        """Tell nothing more: what follows is the picture or the reason why there is none."""
        with self._lock:
            self._over = True
        self._pool.forget(self._key)

    def _tell(self, progress: Progress) -> None:
        with self._lock:
            if not self._over:
                self._last = progress
                self._on_progress(progress)

    def _show(self, preview: bytes) -> None:
        with self._lock:
            if not self._over:
                self._on_progress(replace(self._last, preview=preview))

    def _eta_s(self, progress: FlightProgress) -> float | None:
        if progress.eta_s is None:
            return None
        leg, left = self._legs[self._leg], progress.total - progress.done
        if left:
            self._each_s = progress.eta_s / left / leg.area
        more = sum(leg.evaluations * leg.area for leg in self._legs[self._leg + 1 :])
        return round(progress.eta_s + more * (self._each_s or 0.0) + self._after_s, 3)
