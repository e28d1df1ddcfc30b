"""Takes a lane's profile: one call of the model at a time, so that others may go in between."""

import hashlib
import random
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

import torch

from generation.engine.flights import Denoiser, Row, Signature
from generation.engine.loop.pace import free_memory
from generation.engine.loop.profile import Profile, Tried, chosen_profile
from generation.engine.loop.rides import is_memory

CANDIDATES = (2, 4, 6, 8, 12, 16, 24, 32)
"""Even ones: a flight with guidance brings two rows. 1 is looked at last."""
CALLS = 4
"""Per bucket at least; the first warms up and counts for its bits only."""
TIMED_S = 0.4
"""So long a bucket is timed: among a few short calls the fastest is still a matter of luck."""
MOST_CALLS = 16
LONG_CALL_S = 1.5
"""A bucket whose call takes longer ends the survey: everybody waits for a whole call."""
LONG_SURVEY_S = 6.0
"""No further bucket is tried after so many seconds of calls, warming up left out."""
GAIN = 1.02
"""A bucket that serves less than this times the best rows a second so far brings nothing."""
PATIENCE = 5
"""Buckets in a row that may bring nothing: on a processor the rate does not rise evenly."""
_PROBES = 4
_SEED = 1


@dataclass(frozen=True, kw_only=True)
class _Call:
    rows: tuple[int, ...]
    """Which of the sample rows; the first _PROBES of them are probes."""
    bucket: int


class Survey:
    """One profile in the making. Used by one thread."""

    def __init__(
        self,
        signature: Signature,
        clock: Callable[[], float],
        *,
        max_rows: int | None = None,
        candidates: Sequence[int] = CANDIDATES,
    ) -> None:
        self._signature = signature
        self._clock = clock
        allowed = [size for size in candidates if max_rows is None or size <= max_rows]
        self._candidates = allowed or [min(candidates)]
        self._rows: list[Row] = []
        self._tried: list[Tried] = []
        self._course = self._calls()
        self._due: _Call | None = next(self._course)
        self._typical_s = 0.0
        self._spent = 0.0

    @property
    def over(self) -> bool:
        """Whether all calls have been made."""
        return self._due is None

    @property
    def seconds(self) -> float:
        """A guess of what the next call takes."""
        return max(self._typical_s, 1e-3)

    def profile(self) -> Profile:
        """What was found, once it is over."""
        return chosen_profile(self._tried)

    def step(self, denoiser: Denoiser) -> None:
        """Make the next call.

        Where memory ends, the survey ends with what it has. Raises torch.OutOfMemoryError if that
        is nothing, and whatever else the model raises.
        """
        if self._due is None:
            return
        call = self._due
        try:
            rows = self._drawn(denoiser, call)
            started = self._clock()
            # To the host, because only there the answer is sure to have been computed.
            answer = denoiser.predict(self._signature, rows, call.bucket).cpu()
        except Exception as exc:
            self._due = None
            if not is_memory(exc) or not self._tried:
                raise
        if self._due is None:
            free_memory()
            return
        taken = self._clock() - started
        try:
            self._due = self._course.send((answer, taken))
        except StopIteration:
            self._due = None

    def _drawn(self, denoiser: Denoiser, call: _Call) -> list[Row]:
        """The call's rows; those that no call had before are drawn.

        All of them see the control maps of the first: a map is as large as the picture, and the
        survey shall not need more of them than a flight does. They differ in all else.
        """
        if not self._rows:
            self._rows = denoiser.sample_rows(self._signature, 1, _SEED)
        missing = max(call.rows) + 1 - len(self._rows)
        if missing > 0:
            blind = replace(self._signature, controls=())
            more = denoiser.sample_rows(blind, missing, _SEED + len(self._rows))
            self._rows += [replace(row, leads=self._rows[0].leads) for row in more]
        return [self._rows[index] for index in call.rows]

    def _calls(self) -> Generator[_Call, tuple[torch.Tensor, float], None]:
        best = 0.0
        idle = 0
        for bucket in self._candidates:
            found = yield from self._try(bucket)
            self._tried.append(found)
            rate = bucket / found.seconds
            idle = 0 if rate > GAIN * best else idle + 1
            best = max(best, rate)
            if found.seconds > LONG_CALL_S or self._spent > LONG_SURVEY_S or idle == PATIENCE:
                break
        if self._tried[0].bucket > 1 and self._tried[0].seconds <= LONG_CALL_S:
            lone = yield from self._try(1)
            if lone.seconds < 0.9 * self._tried[0].seconds:
                self._tried.append(lone)

    def _try(self, bucket: int) -> Generator[_Call, tuple[torch.Tensor, float], Tried]:
        """Call a bucket several times, the probes in other slots and among others each time."""
        shuffled = random.Random(bucket)  # noqa: S311  # places, not secrets
        durations: list[float] = []
        bits: dict[int, set[bytes]] = {}
        for number in range(MOST_CALLS):
            if number >= CALLS and sum(durations[1:]) >= TIMED_S:
                break
            rows = _arrangement(bucket, number, shuffled)
            answer, seconds = yield _Call(rows=rows, bucket=bucket)
            durations.append(seconds)
            if number:  # the first may compile for a minute: no measure of what comes next
                self._typical_s = seconds
                self._spent += seconds
            for row, result in zip(rows, answer, strict=True):
                if row < _PROBES:
                    bits.setdefault(row, set()).add(_bits(result))
            if number and seconds > LONG_CALL_S:
                break
        return Tried(
            bucket=bucket,
            bits=_digest(bits, bucket),
            steady=_steady(bits),
            # The fastest: whatever else the machine does meanwhile only adds to it.
            seconds=max(min(durations[1:]), 1e-6),
        )


def _arrangement(bucket: int, number: int, shuffled: random.Random) -> tuple[int, ...]:
    """Sample rows for one call: all probes in turn, strangers beside them; the last is padded."""
    probes = [(number + place) % _PROBES for place in range(min(bucket, _PROBES))]
    if number == CALLS - 1 and bucket > 1:
        return tuple(probes[: bucket // 2])
    strangers = shuffled.sample(range(_PROBES, _PROBES + bucket), bucket - len(probes))
    rows = [*probes, *strangers]
    shuffled.shuffle(rows)
    return tuple(rows)


def _bits(result: torch.Tensor) -> bytes:
    return hashlib.blake2b(result.contiguous().numpy().tobytes(), digest_size=16).digest()


def _steady(bits: dict[int, set[bytes]]) -> bool:
    return all(len(seen) == 1 for seen in bits.values())


def _digest(bits: dict[int, set[bytes]], bucket: int) -> bytes:
    """One digest for the probes; a bucket whose bits change from slot to slot equals no other."""
    if not _steady(bits):
        return f"unsteady {bucket}".encode()
    return b"".join(next(iter(bits[row])) for row in sorted(bits))
