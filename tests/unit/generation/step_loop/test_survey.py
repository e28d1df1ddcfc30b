"""A profile is taken call by call, finds what bits depend on, and knows when to stop."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
import torch

from generation.engine.flights import Lead, Row, Signature
from generation.engine.loop.profile import Profile
from generation.engine.loop.survey import CALLS, LONG_CALL_S, MOST_CALLS, TIMED_S, Survey
from tests.fakes.flying import OTHER_KIND, SIGNATURE, ToyDenoiser

pytestmark = pytest.mark.model
RISING = {1: 0.021, 2: 0.022, 3: 0.029, 4: 0.037, 6: 0.054, 8: 0.07, 12: 0.094, 16: 0.118}
RISING |= {24: 0.19, 32: 0.26}


class Bench:
    """A model whose calls take the time they are said to take, by a clock of its own."""

    def __init__(self, seconds: Mapping[int, float], denoiser: ToyDenoiser | None = None) -> None:
        self.now = 0.0
        self.seconds = seconds
        self.denoiser = denoiser or ToyDenoiser()
        self.denoiser.before = self._spend

    def _spend(self, rows: Sequence[Row], bucket: int) -> None:
        self.now += self.seconds[bucket]

    def survey(self, max_rows: int | None = None, signature: Signature = SIGNATURE) -> Profile:
        """Take a profile."""
        survey = Survey(signature, lambda: self.now, max_rows=max_rows)
        while not survey.over:
            before = len(self.denoiser.calls)
            survey.step(self.denoiser)
            assert len(self.denoiser.calls) == before + 1
        return survey.profile()


def test_it_finds_the_buckets_of_equal_bits_and_the_knee() -> None:
    profile = Bench(RISING).survey()
    assert profile.buckets == (2, 4, 6, 8, 12)
    assert max(profile.buckets) < OTHER_KIND
    assert profile.budget == 12
    assert profile.seconds[8] == pytest.approx(0.07)


def test_a_lone_row_has_a_bucket_of_its_own_where_bits_are_equal_and_it_is_faster() -> None:
    assert 1 in Bench(RISING | {1: 0.011}).survey().buckets
    assert 1 not in Bench(RISING | {1: 0.021}).survey().buckets


def test_every_probe_is_seen_in_several_slots_and_in_a_padded_call() -> None:
    bench = Bench(RISING)
    bench.survey()
    probes = {id(row.terms): n for n, row in enumerate(bench.denoiser.asked[0])}
    slots: dict[int, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    for (_, bucket), rows in zip(bench.denoiser.calls, bench.denoiser.asked, strict=True):
        for slot, row in enumerate(rows):
            if id(row.terms) in probes:
                slots[bucket][probes[id(row.terms)]].add(slot)
    assert all(len(seen) >= 2 for bucket in (8, 12) for seen in slots[bucket].values())
    assert all(any(rows < b for rows, b in bench.denoiser.calls if b == size) for size in (2, 8))


def test_a_bucket_whose_bits_depend_on_the_slot_is_used_with_no_other() -> None:
    class Uneven(ToyDenoiser):
        def predict(self, signature, rows, bucket):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            answers = super().predict(signature, rows, bucket)
            if bucket == 4:
                answers += torch.arange(len(rows)).reshape(-1, 1, 1, 1) * 1e-6
            return answers

    assert 4 not in Bench(RISING, Uneven()).survey().buckets


def test_an_unsteady_smallest_bucket_is_not_used_where_there_are_steady_ones() -> None:
    class Uneven(ToyDenoiser):
        def predict(self, signature, rows, bucket):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            answers = super().predict(signature, rows, bucket)
            if bucket == 2:
                answers += torch.arange(len(rows)).reshape(-1, 1, 1, 1) * 1e-6
            return answers

    assert Bench(RISING, Uneven()).survey().buckets == (4, 6, 8, 12)


def test_it_stops_where_larger_buckets_bring_nothing() -> None:
    flat = {size: 0.03 * size for size in RISING}
    bench = Bench(flat)
    profile = bench.survey()
    assert profile.budget == 2
    assert max(bucket for _, bucket in bench.denoiser.calls) == 16


def test_a_long_call_ends_it_after_two() -> None:
    bench = Bench(dict.fromkeys(RISING, 5 * LONG_CALL_S))
    profile = bench.survey()
    assert profile.buckets == (2,)
    assert bench.denoiser.calls == [(2, 2), (2, 2)]


def test_it_takes_seconds_and_not_minutes_where_calls_take_long_but_not_too_long() -> None:
    bench = Bench({size: 0.45 * size**0.8 for size in RISING})
    bench.survey()
    assert bench.now < 11


def test_no_bucket_above_the_settings_bound_is_tried() -> None:
    bench = Bench(RISING)
    assert bench.survey(max_rows=6).budget <= 6
    assert max(bucket for _, bucket in bench.denoiser.calls) == 6


def test_where_memory_ends_it_keeps_what_it_has() -> None:
    bench = Bench({size: s for size, s in RISING.items() if size < 8})

    def spend(rows: Sequence[Row], bucket: int) -> None:
        if bucket >= 6:
            raise torch.OutOfMemoryError("CUDA out of memory")
        bench.now += RISING[bucket]

    bench.denoiser.before = spend
    assert bench.survey().buckets == (2, 4)


class Drawer(ToyDenoiser):
    """Counts the rows and the control maps that it draws; `room` is for so many rows."""

    def __init__(self, room: int = 1000) -> None:
        super().__init__()
        self.room = room
        self.drawn = 0
        self.maps = 0

    def sample_rows(self, signature: Signature, count: int, seed: int) -> list[Row]:
        """Random rows, with a map for each control."""
        self.drawn += count
        self.maps += count * len(signature.controls)
        if self.drawn > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return [
            replace(row, leads=tuple(Lead(image=torch.ones(3, 8, 8), scale=1.0) for _ in names))
            for row in super().sample_rows(signature, count, seed)
            for names in [signature.controls]
        ]


def test_no_more_rows_are_drawn_than_the_buckets_need() -> None:
    drawer = Drawer()
    Bench(dict.fromkeys(RISING, 5 * LONG_CALL_S), drawer).survey()
    assert drawer.drawn == 3
    drawer = Drawer()
    Bench(RISING, drawer).survey(max_rows=6)
    assert drawer.drawn <= 4 + 6


def test_all_sample_rows_see_the_same_control_maps() -> None:
    drawer, led = Drawer(), replace(SIGNATURE, controls=("canny", "depth"))
    Bench(RISING, drawer).survey(signature=led)
    assert drawer.maps == 2
    leads = {tuple(map(id, row.leads)) for rows in drawer.asked for row in rows}
    assert [len(of_row) for of_row in leads] == [2]


def test_where_memory_ends_while_rows_are_drawn_it_keeps_what_it_has() -> None:
    drawer = Drawer(room=4)
    bench = Bench(RISING, drawer)
    survey = Survey(SIGNATURE, lambda: bench.now)
    while not survey.over:
        survey.step(drawer)
    assert survey.profile().buckets == (2, 4)


def test_drawing_rows_counts_not_as_a_calls_time() -> None:
    class Slow(Drawer):
        def sample_rows(self, signature: Signature, count: int, seed: int) -> list[Row]:
            bench.now += 50.0
            return super().sample_rows(signature, count, seed)

    bench = Bench(RISING, Slow())
    assert bench.survey().seconds[8] == pytest.approx(0.07)


def test_without_memory_for_the_smallest_bucket_it_says_so() -> None:
    def refuse(rows: Sequence[Row], bucket: int) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    survey = Survey(SIGNATURE, lambda: 0.0)
    with pytest.raises(torch.OutOfMemoryError):
        survey.step(ToyDenoiser(before=refuse))
    assert survey.over


def test_short_calls_are_timed_more_often_than_long_ones() -> None:
    def calls_of(seconds: float) -> int:
        bench = Bench(dict.fromkeys(RISING, seconds))
        bench.survey()
        return Counter(bucket for _, bucket in bench.denoiser.calls)[2]

    assert calls_of(TIMED_S) == CALLS
    assert calls_of(TIMED_S / 7.5) == 1 + 8
    assert calls_of(TIMED_S / 1000) == MOST_CALLS


def test_compiling_for_a_bucket_counts_neither_as_its_speed_nor_as_what_comes_next() -> None:
    bench = Bench(RISING)
    compiled: set[int] = set()

    def spend(rows: Sequence[Row], bucket: int) -> None:
        bench.now += RISING[bucket] if bucket in compiled else 60.0
        compiled.add(bucket)

    bench.denoiser.before = spend
    survey = Survey(SIGNATURE, lambda: bench.now)
    while not survey.over:
        survey.step(bench.denoiser)
        assert survey.seconds < 1.0
    assert survey.profile().buckets == (2, 4, 6, 8, 12)
