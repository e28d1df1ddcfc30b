"""What is known of a lane's row buckets: which give equal bits, and how long a call takes.

A profile is taken once (see survey.py) and kept in one JSON file. Whatever the bits depend on is
part of its key, so that new weights, another processor or other libraries get one of their own.
"""

import hashlib
import json
import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from generation.engine.flights import Signature

LEAST_ROWS = 2
"""A flight with guidance brings two rows, so a budget below that serves nobody."""
KNEE = 0.97
"""The budget is the smallest bucket that reaches this share of the best rows a second."""
WORTH_OTHER_BITS = 1.5
"""A set without the smallest bucket must be this much faster: it makes lone requests slower."""
MAX_KEPT = 500
"""Profiles remembered; those that were used least recently give way."""
_VERSION = 1
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Buckets of equal bits, with what a call takes in each."""

    seconds: Mapping[int, float]
    """Per call, for each bucket of the set."""
    budget: int
    """The largest bucket in use: a larger one serves hardly more rows a second."""

    @property
    def buckets(self) -> tuple[int, ...]:
        """The whole set, ascending: what a reproduction class names."""
        return tuple(sorted(self.seconds))

    @property
    def usable(self) -> dict[int, float]:
        """Seconds of those buckets that are in use."""
        return {bucket: self.seconds[bucket] for bucket in self.buckets if bucket <= self.budget}

    @property
    def rows_per_s(self) -> float:
        """With full calls at the budget."""
        return self.budget / self.seconds[self.budget]

    def below(self, bucket: int) -> "Profile | None":
        """The same without this bucket and all larger ones, or None where too little is left.

        That is no bucket for a flight with guidance: such flights would be refused from then on.
        """
        left = {size: s for size, s in self.seconds.items() if size < bucket}
        largest = max(left, default=0)
        return Profile(seconds=left, budget=largest) if largest >= LEAST_ROWS else None

    def within(self, rows: int) -> "Profile":
        """The same with a budget of at most so many rows, if the set has such a bucket."""
        allowed = [bucket for bucket in self.buckets if LEAST_ROWS <= bucket <= rows]
        return Profile(seconds=self.seconds, budget=min(self.budget, max(allowed, default=10**9)))


@dataclass(frozen=True, kw_only=True)
class Tried:
    """One bucket as it was found."""

    bucket: int
    bits: bytes
    """A digest of what probe rows came out as: equal digests are equal bits."""
    seconds: float
    steady: bool = True
    """Whether a row's bits are the same in every slot and beside any others."""


def chosen_profile(tried: Sequence[Tried]) -> Profile:
    """The set with the smallest bucket, unless another set is much faster; `tried` is not empty.

    A bucket whose bits are not steady is only taken where there is no other.
    """
    serving = _serving(found for found in tried if found.steady)
    if not serving:
        serving = _serving(tried)
        if not serving:
            raise ValueError("no bucket was tried that holds a flight with guidance")
        _log.warning(
            "on this device a row's bits depend on what is beside it: pictures of this model and "
            "size can come out otherwise when they are rendered again; dtype float32 may help",
            extra={"action": "profile_unsteady"},
        )
    chosen = min(serving, key=lambda each: min(size for size in each if size >= LEAST_ROWS))
    fastest = max(serving, key=_best_rate)
    if _best_rate(fastest) > WORTH_OTHER_BITS * _best_rate(chosen):
        chosen = fastest
    best = _best_rate(chosen)
    knee = min(size for size, s in chosen.items() if size >= LEAST_ROWS and size / s >= KNEE * best)
    return Profile(seconds=chosen, budget=knee)


def _serving(tried: Iterable[Tried]) -> list[dict[int, float]]:
    """The sets of equal bits that hold a flight with guidance: seconds by bucket, ascending."""
    sets: dict[bytes, dict[int, float]] = {}
    for found in sorted(tried, key=lambda found: found.bucket):
        sets.setdefault(found.bits, {})[found.bucket] = found.seconds
    return [each for each in sets.values() if max(each) >= LEAST_ROWS]


def _best_rate(seconds: Mapping[int, float]) -> float:
    return max(size / s for size, s in seconds.items() if size >= LEAST_ROWS)


class Profiles:
    """The profiles of this device, kept in a file where one is given. Any thread may ask."""

    def __init__(self, file: Path | None = None, *, max_rows: int | None = None) -> None:
        self._file = file
        self._max_rows = max_rows
        self._lock = Lock()
        self._entries: dict[str, dict[str, Any]] = _read(file) if file else {}
        self._too_large: dict[str, int] = {}

    @property
    def max_rows(self) -> int | None:
        """The largest budget that the settings allow, or None."""
        return self._max_rows

    def known(self, conditions: Sequence[str], signature: Signature) -> Profile | None:
        """The profile taken under these conditions, or None."""
        key = _key(conditions, signature)
        with self._lock:
            entry = self._entries.pop(key, None)
            if entry is not None:
                self._entries[key] = entry  # the last used stands last, in the file too
            too_large = self._too_large.get(key)
        profile = _profile(entry) if entry else None
        if profile is None:
            return None
        if too_large is not None:
            profile = profile.below(too_large) or profile
        return self._bounded(profile)

    def shrink(self, conditions: Sequence[str], signature: Signature, bucket: int) -> None:
        """Use this bucket and all larger ones no more, until the process ends.

        It is not kept: the memory may have been somebody else's. The smallest bucket stays.
        """
        with self._lock:
            self._too_large[_key(conditions, signature)] = bucket

    def keep(self, conditions: Sequence[str], signature: Signature, profile: Profile) -> Profile:
        """Remember a profile; returns it within the settings' bound."""
        key = _key(conditions, signature)
        with self._lock:
            self._entries.pop(key, None)
            self._entries[key] = {
                "signature": asdict(signature),
                "conditions": list(conditions),
                "seconds": {str(size): profile.seconds[size] for size in profile.buckets},
                "budget": profile.budget,
            }
            while len(self._entries) > MAX_KEPT:
                oldest = next(iter(self._entries))
                del self._entries[oldest]
                self._too_large.pop(oldest, None)
            self._write()
        return self._bounded(profile)

    def _write(self) -> None:
        if self._file is None:
            return
        fresh = self._file.with_suffix(".new")
        text = json.dumps({"version": _VERSION, "profiles": self._entries}, indent=1)
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_text(text)
            fresh.replace(self._file)
        except OSError as exc:  # it is in memory: only the next start measures again
            _log.warning(
                "the row buckets of this device cannot be kept in %s: %s; give the service a "
                "state folder that it may write to",
                self._file,
                exc.strerror,
                extra={"action": "profile_not_kept"},
            )

    def _bounded(self, profile: Profile) -> Profile:
        return profile.within(self._max_rows) if self._max_rows else profile


def _key(conditions: Sequence[str], signature: Signature) -> str:
    shape = asdict(signature)
    del shape["model"]  # the conditions name the weights; their name may change
    text = json.dumps([_VERSION, list(conditions), shape], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _read(file: Path) -> dict[str, dict[str, Any]]:
    try:
        data = json.loads(file.read_bytes())
        entries = data["profiles"] if data["version"] == _VERSION else {}
        return {str(key): entry for key, entry in entries.items() if _profile(entry)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}  # measuring again is always right


def _profile(entry: Mapping[str, Any]) -> Profile | None:
    """The profile of one entry, or None where the file has been damaged."""
    try:
        seconds = {int(size): float(value) for size, value in entry["seconds"].items()}
        budget = int(entry["budget"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    sound = all(size > 0 and 0 < value < math.inf for size, value in seconds.items())
    return Profile(seconds=seconds, budget=budget) if sound and budget in seconds else None
