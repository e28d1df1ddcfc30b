"""Several models at once under a budget: the least recently used gives way, none that is in use."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from brand.spec import ModelMissing, RenderCancelled
from tests.fakes.waiting import ENOUGH_S
from tests.unit.generation.fleets import new_fleet

if TYPE_CHECKING:
    from generation.engine.device import Device
    from generation.engine.library.fleet import Fleet
    from generation.engine.library.sources import ModelSource

pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("ignore")]

Task = Callable[[], None]
SIZE = 1_000_000
NAMES = ("a", "b", "c")


class Shelf:
    """Stands for the disk: models of one size each, noted as they are read."""

    def __init__(self) -> None:
        self.read: list[str] = []
        self.while_reading: Callable[[], object] = lambda: None
        self.broken: set[str] = set()

    def load(self, source: "ModelSource", sha256: str, device: "Device") -> object:
        self.read.append(source.name)
        self.while_reading()
        if source.name in self.broken:
            raise ModelMissing(f"The model {source.name!r} cannot be loaded: it is broken.")
        return SimpleNamespace(
            source=source, sha256=sha256, threads=1, threads_beside=1, bytes=SIZE, denoiser=None
        )


class Waiter:
    """One who asks a fleet for a model; the fleet asks now and then whether it still waits."""

    def __init__(self) -> None:
        self.waits = threading.Event()

    def cancelled(self) -> bool:
        """Never, but from now on it is known to wait."""
        self.waits.set()
        return False


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def sources(folder: Path) -> dict[str, Any]:
    from generation.engine.library.sources import ModelSource

    def source(name: str, numbers: int) -> ModelSource:
        made = ModelSource(name=name, path=folder, layout="sd1", width=64, height=64)
        made.__dict__["parameters"] = numbers  # as cached_property keeps it
        return made

    found = {name: source(name, SIZE // 4) for name in NAMES}
    return found | {"huge": source("huge", SIZE)}


@pytest.fixture
def fleet(tmp_path: Path, shelf: Shelf) -> "Fleet":
    return new_fleet(
        tmp_path,
        sources=sources(tmp_path),
        load=shelf.load,
        memory_bytes=2 * SIZE,
        max_models=9,
        patience_s=0.2,
    )


def loaded(fleet: "Fleet") -> list[str]:
    return [model.name for model in fleet.models() if model.loaded]


def test_the_least_recently_used_model_gives_way(fleet: "Fleet", shelf: Shelf) -> None:
    for name in ("a", "b", "a", "c"):
        with fleet.use(name):
            pass
    assert shelf.read == ["a", "b", "c"]
    assert loaded(fleet) == ["a", "c"]


def test_a_model_in_use_never_gives_way(fleet: "Fleet") -> None:
    with fleet.use("a") as first:
        for name in ("b", "c", "b"):
            with fleet.use(name):
                assert "a" in loaded(fleet)
        with fleet.use("a") as again:
            assert again is first


def test_no_more_models_are_kept_than_allowed(tmp_path: Path, shelf: Shelf) -> None:
    fleet = new_fleet(tmp_path, sources=sources(tmp_path), load=shelf.load, max_models=1)
    for name in ("a", "b"):
        with fleet.use(name):
            pass
    assert loaded(fleet) == ["b"]


def test_a_model_larger_than_the_budget_is_refused_naming_the_setting(fleet: "Fleet") -> None:
    with pytest.raises(ModelMissing, match="raise memory_mib"), fleet.use("huge"):
        pass
    with fleet.use("a"):
        pass


def test_an_unknown_model_is_refused_with_what_there_is(fleet: "Fleet") -> None:
    with pytest.raises(ModelMissing, match="no model 'x'; it has: a, b, c, huge"), fleet.use("x"):
        pass


def test_many_threads_read_a_model_once(fleet: "Fleet", shelf: Shelf) -> None:
    waiters = [Waiter() for _ in range(7)]
    reading = threading.Event()
    got: list[object] = []

    def until_all_wait() -> None:
        reading.set()
        assert all(waiter.waits.wait(ENOUGH_S) for waiter in waiters)

    def ask_first() -> None:
        with fleet.use("a") as model:
            got.append(model)

    def ask_while_it_is_read(waiter: Waiter) -> None:
        assert reading.wait(ENOUGH_S)
        with fleet.use("a", cancelled=waiter.cancelled) as model:
            got.append(model)

    shelf.while_reading = until_all_wait
    run_together([ask_first, *(partial(ask_while_it_is_read, waiter) for waiter in waiters)])
    assert shelf.read == ["a"]
    assert len(got) == 8
    assert len(set(map(id, got))) == 1


def test_two_models_are_read_at_once(fleet: "Fleet", shelf: Shelf) -> None:
    both_are_read = threading.Barrier(2, timeout=ENOUGH_S)
    shelf.while_reading = both_are_read.wait

    def ask(name: str) -> None:
        with fleet.use(name):
            pass

    run_together([partial(ask, name) for name in ("a", "b")])
    assert sorted(shelf.read) == ["a", "b"]


def test_under_a_storm_of_threads_the_budget_holds_and_everyone_is_served(
    fleet: "Fleet", shelf: Shelf
) -> None:
    served: list[str] = []
    over: list[int] = []
    all_are_there = threading.Barrier(12, timeout=ENOUGH_S)

    def ask(name: str) -> None:
        all_are_there.wait()
        for _ in range(5):
            with fleet.use(name):
                taken = sum(model.bytes for model in fleet.models())
                over.extend([taken] if taken > 2 * SIZE else [])
                assert name in loaded(fleet)
                served.append(name)

    run_together([partial(ask, name) for name in NAMES * 4])
    assert not over
    assert {name: served.count(name) for name in NAMES} == dict.fromkeys(NAMES, 20)
    assert len(shelf.read) >= 3


def test_whoever_waits_for_room_is_served_although_others_keep_coming(
    tmp_path: Path, shelf: Shelf
) -> None:
    fleet = new_fleet(
        tmp_path, sources=sources(tmp_path), load=shelf.load, max_models=1, patience_s=0.0
    )
    first, *newcomers = (Waiter() for _ in range(3))
    in_use = threading.Event()
    served: list[str] = []

    def use(name: str, waiter: Waiter, *, after: threading.Event) -> None:
        assert after.wait(ENOUGH_S)
        with fleet.use(name, cancelled=waiter.cancelled):
            served.append(name)
            waiter.waits.set()  # whether it waited or was let past

    def use_until_all_came() -> None:
        with fleet.use("a"):
            in_use.set()
            assert all(waiter.waits.wait(ENOUGH_S) for waiter in (first, *newcomers))

    run_together(
        [
            use_until_all_came,
            partial(use, "b", first, after=in_use),
            *(partial(use, "a", newcomer, after=first.waits) for newcomer in newcomers),
        ]
    )
    assert served == ["b", "a", "a"]
    assert shelf.read == ["a", "b", "a"]


def test_waiting_ends_when_the_request_is_cancelled(tmp_path: Path, shelf: Shelf) -> None:
    fleet = new_fleet(tmp_path, sources=sources(tmp_path), load=shelf.load, max_models=1)
    with (
        fleet.use("a"),
        pytest.raises(RenderCancelled),
        fleet.use("b", cancelled=lambda: True),
    ):
        pass


def test_a_broken_model_takes_no_room_and_may_be_tried_again(fleet: "Fleet", shelf: Shelf) -> None:
    shelf.broken = {"a"}
    for _ in range(2):
        with pytest.raises(ModelMissing, match="it is broken"), fleet.use("a"):
            pass
    assert loaded(fleet) == []
    shelf.broken = set()
    with fleet.use("a"):
        assert loaded(fleet) == ["a"]


def test_only_a_loaded_model_has_a_denoiser(fleet: "Fleet") -> None:
    with pytest.raises(ModelMissing, match="not in memory"):
        fleet.denoiser("a")


def test_a_real_model_says_what_it_takes_and_where_it_computes(tiny_family: Path) -> None:
    fleet = new_fleet(tiny_family)
    with fleet.use("sd1-inpaint") as model:
        assert model.inpaints
        assert model.in_channels == 9
        (info,) = [one for one in fleet.models() if one.loaded]
        assert (info.dtype, info.device, info.inpaints) == ("float32", "cpu", True)
        assert info.bytes == pytest.approx(4 * model.source.parameters, rel=0.01)
        found = fleet.reproduction("sd1-inpaint", "engine/1")
        assert (found.weights, found.dtype, found.threads) == (model.sha256, "float32", 1)


def test_the_shift_of_flow_samplers_grows_with_the_picture(tiny_family: Path) -> None:
    from diffusers.pipelines.flux.pipeline_flux import calculate_shift

    fleet = new_fleet(tiny_family)
    with fleet.use("flux") as model:
        assert model.mu(64, 96) == pytest.approx(calculate_shift(16 * 24))
        assert model.pixel_step == 4
    with fleet.use("sd3") as model:
        assert model.mu(64, 64) is None


def run_together(tasks: list[Task]) -> None:
    failures: list[BaseException] = []

    def guarded(task: Task) -> None:
        try:
            task()
        except BaseException as exc:  # noqa: BLE001  # shown below, in the test's own thread
            failures.append(exc)

    threads = [threading.Thread(target=guarded, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(ENOUGH_S)
    assert not failures
    assert not any(thread.is_alive() for thread in threads)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
