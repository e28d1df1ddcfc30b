"""Which row buckets are used together, how many rows at most, and that this is remembered."""

import dataclasses
import json
import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.engine.loop.profile import KNEE, MAX_KEPT, Profile, Profiles, Tried, chosen_profile

pytest.importorskip("torch")  # a signature stands beside tensors

from generation.engine.flights import Signature

SIGNATURE = Signature(model="demo", channels=4, height=16, width=16)
CONDITIONS = ("weights", "cpu", "1 thread")
PROFILE = Profile(seconds={2: 0.02, 4: 0.036, 8: 0.07, 12: 0.12}, budget=8)


def tried(**sets: dict[int, float]) -> list[Tried]:
    """Buckets by the bits they gave."""
    return [
        Tried(bucket=bucket, bits=bits.encode(), seconds=seconds)
        for bits, found in sets.items()
        for bucket, seconds in found.items()
    ]


def test_only_buckets_of_equal_bits_are_used_together() -> None:
    profile = chosen_profile(tried(a={2: 0.022, 4: 0.037, 8: 0.07}, b={3: 0.029, 16: 0.13}))
    assert profile.buckets == (2, 4, 8)


def test_the_set_with_the_smallest_bucket_wins_unless_another_is_much_faster() -> None:
    assert chosen_profile(tried(a={2: 0.02}, b={16: 0.15})).buckets == (2,)
    assert chosen_profile(tried(a={2: 0.02}, b={16: 0.10})).buckets == (16,)


def test_the_budget_is_the_knee() -> None:
    found = chosen_profile(tried(a={2: 0.022, 4: 0.037, 8: 0.070, 12: 0.104, 16: 0.140}))
    assert found.budget == 8


def test_a_budget_holds_a_flight_with_guidance() -> None:
    assert chosen_profile(tried(a={1: 0.01, 2: 0.021})).budget == 2
    assert chosen_profile(tried(a={1: 0.01, 2: 0.021})).buckets == (1, 2)


@given(
    st.dictionaries(
        st.sampled_from([2, 3, 4, 6, 8, 12, 16]),
        st.tuples(st.sampled_from("abc"), st.floats(0.001, 1)),
        min_size=1,
    )
)
def test_a_profile_reaches_nearly_the_best_rate_of_its_set(
    found: dict[int, tuple[str, float]],
) -> None:
    buckets = [
        Tried(bucket=size, bits=bits.encode(), seconds=s) for size, (bits, s) in found.items()
    ]
    profile = chosen_profile(buckets)
    assert profile.budget in profile.buckets
    assert profile.rows_per_s >= KNEE * max(size / s for size, s in profile.seconds.items())
    assert len({found[size][0] for size in profile.buckets}) == 1


def test_without_a_bucket_the_smaller_ones_stay() -> None:
    smaller = PROFILE.below(8)
    assert smaller is not None
    assert (smaller.buckets, smaller.budget) == ((2, 4), 4)
    assert PROFILE.below(2) is None


def test_a_set_never_shrinks_to_buckets_that_hold_no_flight_with_guidance() -> None:
    profile = Profile(seconds={1: 0.012, 2: 0.02, 4: 0.036}, budget=4)
    assert profile.below(2) is None
    smaller = profile.below(4)
    assert smaller is not None
    assert smaller.buckets == (1, 2)
    profiles = Profiles()
    profiles.keep(CONDITIONS, SIGNATURE, profile)
    profiles.shrink(CONDITIONS, SIGNATURE, 2)
    assert profiles.known(CONDITIONS, SIGNATURE) == profile


def test_a_bucket_of_unsteady_bits_is_taken_only_where_there_is_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    unsteady = Tried(bucket=2, bits=b"unsteady 2", seconds=0.001, steady=False)
    with caplog.at_level(logging.WARNING):
        assert chosen_profile([unsteady, *tried(a={4: 0.2, 8: 0.4})]).buckets == (4, 8)
        assert caplog.text == ""
        assert chosen_profile([unsteady, *tried(a={1: 0.1})]).buckets == (2,)
    assert "float32" in caplog.text


def test_of_very_many_profiles_those_used_last_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "profiles.json"
    profiles = Profiles(file)
    asked, idle, new = (dataclasses.replace(SIGNATURE, width=16 + n) for n in range(3))
    profiles.keep(CONDITIONS, asked, PROFILE)
    profiles.keep(CONDITIONS, idle, PROFILE)
    data = json.loads(file.read_text())
    one = next(iter(data["profiles"].values()))
    data["profiles"] |= {str(n): one for n in range(MAX_KEPT - 2)}
    file.write_text(json.dumps(data))
    profiles = Profiles(file)
    assert profiles.known(CONDITIONS, asked) == PROFILE
    profiles.keep(CONDITIONS, new, PROFILE)
    after = Profiles(file)
    assert len(json.loads(file.read_text())["profiles"]) == MAX_KEPT
    assert after.known(CONDITIONS, asked) == after.known(CONDITIONS, new) == PROFILE
    assert profiles.known(CONDITIONS, idle) is after.known(CONDITIONS, idle) is None


def test_a_bound_on_rows_lowers_the_budget_but_changes_no_set() -> None:
    assert (PROFILE.within(5).budget, PROFILE.within(5).buckets) == (4, PROFILE.buckets)
    assert PROFILE.within(1).budget == PROFILE.budget
    assert Profiles(max_rows=4).keep(CONDITIONS, SIGNATURE, PROFILE).budget == 4


def test_a_profile_is_kept_for_the_next_start(tmp_path: Path) -> None:
    file = tmp_path / "state" / "profiles.json"
    Profiles(file).keep(CONDITIONS, SIGNATURE, PROFILE)
    assert Profiles(file).known(CONDITIONS, SIGNATURE) == PROFILE
    assert [path.name for path in file.parent.iterdir()] == ["profiles.json"]


def test_whatever_bits_depend_on_has_a_profile_of_its_own() -> None:
    profiles = Profiles()
    profiles.keep(CONDITIONS, SIGNATURE, PROFILE)
    assert profiles.known((*CONDITIONS, "driver 2"), SIGNATURE) is None
    for change in ({"height": 32}, {"windows": 2}, {"controls": ("canny",)}, {"tile": True}):
        assert profiles.known(CONDITIONS, dataclasses.replace(SIGNATURE, **change)) is None
    renamed = dataclasses.replace(SIGNATURE, model="the same under another name")
    assert profiles.known(CONDITIONS, renamed) == PROFILE


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "{",
        "[]",
        '{"version": 1}',
        '{"version": 0, "profiles": {}}',
        '{"version": 1, "profiles": []}',
        '{"version": 1, "profiles": {"KEY": {"seconds": {"2": "fast"}, "budget": 2}}}',
        '{"version": 1, "profiles": {"KEY": {"seconds": {"2": -1}, "budget": 2}}}',
        '{"version": 1, "profiles": {"KEY": {"seconds": {"2": 0.1}, "budget": 4}}}',
        '{"version": 1, "profiles": {"KEY": 7}}',
    ],
)
def test_a_damaged_file_is_measured_again(tmp_path: Path, damage: str) -> None:
    file = tmp_path / "profiles.json"
    Profiles(file).keep(CONDITIONS, SIGNATURE, PROFILE)
    (key,) = json.loads(file.read_text())["profiles"]
    file.write_text(damage.replace("KEY", key))
    profiles = Profiles(file)
    assert profiles.known(CONDITIONS, SIGNATURE) is None
    profiles.keep(CONDITIONS, SIGNATURE, PROFILE)
    assert Profiles(file).known(CONDITIONS, SIGNATURE) == PROFILE


def test_a_folder_that_cannot_be_written_to_costs_only_the_memory_of_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    profiles = Profiles(tmp_path / "file" / "profiles.json")
    with caplog.at_level(logging.WARNING):
        profiles.keep(CONDITIONS, SIGNATURE, PROFILE)
    assert profiles.known(CONDITIONS, SIGNATURE) == PROFILE
    assert "state folder" in caplog.text


def test_a_bucket_that_memory_does_not_hold_stays_away_until_the_process_ends(
    tmp_path: Path,
) -> None:
    file = tmp_path / "profiles.json"
    profiles = Profiles(file)
    profiles.keep(CONDITIONS, SIGNATURE, PROFILE)
    profiles.shrink(CONDITIONS, SIGNATURE, 8)
    known = profiles.known(CONDITIONS, SIGNATURE)
    assert known is not None
    assert known.buckets == (2, 4)
    assert Profiles(file).known(CONDITIONS, SIGNATURE) == PROFILE
