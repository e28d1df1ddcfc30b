"""LoRAs, ControlNets and image prompts count in the models' memory, and give way when unused."""

import logging
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from brand.spec import ControlUse, ImagePrompt, LoraUse, ModelInfo, ModelMissing, RenderSpec
from generation.engine.library.shelf import Shelf
from generation.engines import Engine
from tests.unit.generation.fleets import new_fleet
from tests.unit.generation.lora_files import UNET_2, peft_lora, safetensors
from tests.unit.generation.rendering import Folder, as_png, new_engine, rendered, tiny

if TYPE_CHECKING:
    from generation.engine.device import Device
    from generation.engine.library.fleet import Fleet
    from generation.engine.library.sources import ModelSource

pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("ignore")]
SIZE = 1_000_000
PATIENCE_S = 20


@dataclass(frozen=True)
class Aid:
    """Something beside a model."""

    size: int


def read_nothing(source: "ModelSource", sha256: str, device: "Device") -> object:
    return SimpleNamespace(
        source=source, sha256=sha256, threads=1, threads_beside=1, bytes=SIZE, denoiser=None
    )


@pytest.fixture
def fleet(tmp_path: Path) -> "Fleet":
    """Room for two models of one size and half of one."""
    from generation.engine.library.sources import ModelSource

    def source(name: str) -> ModelSource:
        made = ModelSource(name=name, path=tmp_path, layout="sd1", width=64, height=64)
        made.__dict__["parameters"] = SIZE // 4  # as cached_property keeps it
        return made

    return new_fleet(
        tmp_path,
        sources={name: source(name) for name in ("a", "b", "c")},
        load=read_nothing,
        memory_bytes=5 * SIZE // 2,
        max_models=9,
    )


@contextmanager
def using(fleet: "Fleet", name: str) -> Iterator[Shelf[Aid]]:
    """A model in use, and what lies beside it."""
    with fleet.use(name) as model:
        shelf: Shelf[Aid] = Shelf(room_for=lambda need: fleet.room_beside(name, need))
        fleet.put_beside(model, shelf)
        yield shelf


def put(shelf: Shelf[Aid], name: str, size: int = SIZE // 2) -> None:
    """Load it, and leave it for later."""
    with shelf.using(name, lambda: Aid(size), size):
        pass


def facts(fleet: "Fleet") -> dict[str, tuple[int, int]]:
    return {m.name: (m.bytes, m.beside_bytes) for m in fleet.models() if m.loaded}


def test_what_lies_beside_a_model_counts_and_is_shown(fleet: "Fleet") -> None:
    with using(fleet, "a") as shelf:
        put(shelf, "lora")
        assert facts(fleet) == {"a": (3 * SIZE // 2, SIZE // 2)}


def test_what_nobody_uses_beside_a_model_gives_way_before_a_model_does(fleet: "Fleet") -> None:
    with using(fleet, "a") as shelf:
        put(shelf, "old")
        put(shelf, "new")
    with fleet.use("b"):
        assert facts(fleet) == {"a": (3 * SIZE // 2, SIZE // 2), "b": (SIZE, 0)}
        assert shelf.names == ("new",)


def test_beside_a_model_that_is_in_use_the_unused_gives_way_to_another_model(
    fleet: "Fleet",
) -> None:
    with using(fleet, "a") as shelf:
        put(shelf, "idle")
        with shelf.using("busy", lambda: Aid(SIZE // 2), SIZE // 2), fleet.use("b"):
            assert shelf.names == ("busy",)
            assert sorted(facts(fleet)) == ["a", "b"]


def test_an_unused_model_gives_way_to_what_another_one_needs(fleet: "Fleet") -> None:
    with fleet.use("b"):
        pass
    with using(fleet, "a") as shelf, shelf.using("net", lambda: Aid(SIZE), SIZE):
        assert facts(fleet) == {"a": (2 * SIZE, SIZE)}


def test_where_all_is_in_use_nobody_waits_for_ever_and_the_log_says_so(
    fleet: "Fleet", caplog: pytest.LogCaptureFixture
) -> None:
    with (
        caplog.at_level(logging.WARNING),
        fleet.use("b"),
        using(fleet, "a") as shelf,
        shelf.using("net", lambda: Aid(SIZE), SIZE),
    ):
        assert sorted(facts(fleet)) == ["a", "b"]
    assert "more memory is in use than the budget" in caplog.text
    with fleet.use("c"):  # as soon as it is used no more the budget holds again
        assert sum(taken for taken, _ in facts(fleet).values()) <= 5 * SIZE // 2


def test_what_could_never_lie_beside_its_model_is_refused(fleet: "Fleet") -> None:
    with using(fleet, "a") as shelf:
        with pytest.raises(ModelMissing, match="Raise memory_mib"):
            put(shelf, "huge", 2 * SIZE)
        assert shelf.names == ()


def test_what_turns_out_larger_than_its_file_makes_room_afterwards(fleet: "Fleet") -> None:
    with using(fleet, "a") as shelf:
        put(shelf, "idle")
        with shelf.using("half precision", lambda: Aid(3 * SIZE // 2), SIZE // 2):
            assert shelf.names == ("half precision",)


def test_room_is_kept_for_what_two_load_at_the_same_time(fleet: "Fleet") -> None:
    """The second model waits until the first one's net is in memory and unused again."""
    loading, go = threading.Event(), threading.Event()

    def slowly() -> Aid:
        loading.set()
        assert go.wait(PATIENCE_S)
        return Aid(SIZE)

    def load() -> None:
        with using(fleet, "a") as shelf, shelf.using("net", slowly, SIZE):
            pass

    first = threading.Thread(target=load)
    first.start()
    assert loading.wait(PATIENCE_S)
    looked = threading.Event()

    def cancelled() -> bool:
        looked.set()
        return False

    taken: list[object] = []

    def take() -> None:
        with fleet.use("b", cancelled) as model:
            taken.append(model)

    second = threading.Thread(target=take)
    second.start()
    assert looked.wait(PATIENCE_S)
    assert not taken
    go.set()
    for thread in (first, second):
        thread.join(PATIENCE_S)
    assert taken


# With tiny models of real layouts.


@pytest.fixture
def models(tiny_models: Path, tmp_path: Path) -> Path:
    from tests.fakes.tiny_controls import build_control
    from tests.fakes.tiny_image_prompts import build_image_prompt
    from tests.unit.generation.rendering import stock_pipeline

    folder = tmp_path / "models"
    shutil.copytree(tiny_models / "sd1", folder / "sd1")
    unet = stock_pipeline(tiny_models, "sd1").unet
    build_image_prompt(folder / "image-prompts" / "plus", unet)
    build_control(unet, folder / "controlnets" / "one-canny")
    build_control(unet, folder / "controlnets" / "two-tile", seed=5)
    return folder


@pytest.fixture
def inputs(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def ways(inputs: Folder) -> list[RenderSpec]:
    """Recipes that take much beside the model, each something else."""
    picture = inputs.put(as_png(Image.radial_gradient("L").resize((64, 64)).convert("RGB")))
    lora = inputs.put(safetensors(peft_lora(f"unet.{UNET_2}", seed=7)))
    return [
        tiny(controls=(ControlUse(kind="canny", sha256=picture),)),
        tiny(controls=(ControlUse(kind="tile", sha256=picture),)),
        tiny(image_prompt=ImagePrompt(sha256=picture)),
        tiny(loras=(LoraUse(sha256=lora, weight=0.7),)),
    ]


def sd1(engine: Engine) -> ModelInfo:
    (model,) = (model for model in engine.models() if model.loaded)
    return model


def test_all_that_a_recipe_brings_along_is_shown_as_bytes_of_its_model(
    models: Path, inputs: Folder
) -> None:
    engine = new_engine(models)
    rendered(engine, tiny())
    alone = sd1(engine)
    assert alone.beside_bytes == 0
    before = 0
    for spec in ways(inputs):
        rendered(engine, spec, inputs=inputs)
        now = sd1(engine)
        assert now.beside_bytes > before
        assert now.bytes == alone.bytes + now.beside_bytes
        before = now.beside_bytes


def test_under_a_small_budget_what_is_unused_gives_way_and_no_bit_changes(
    models: Path, inputs: Folder
) -> None:
    roomy: Any = new_engine(models)
    pictures = [rendered(roomy, spec, inputs=inputs) for spec in ways(inputs)]
    nets = roomy._aids.fit(roomy._fleet.loaded("sd1")).rack.shelf
    largest = max(nets[name].size for name in nets.names)
    budget = sd1(roomy).bytes - sd1(roomy).beside_bytes + 3 * largest // 2
    engine = new_engine(models, memory_bytes=budget)
    for _ in range(2):
        for spec, expected in zip(ways(inputs), pictures, strict=True):
            made = rendered(engine, spec, inputs=inputs)
            assert made.png == expected.png
            assert made.reproduction.same_bits(expected.reproduction)
            assert sd1(engine).bytes <= budget


def test_a_controlnet_that_was_read_again_is_named_by_what_was_read(
    models: Path, inputs: Folder
) -> None:
    from tests.unit.generation.test_reproduction import change

    engine: Any = new_engine(models)
    spec = ways(inputs)[0]
    first = rendered(engine, spec, inputs=inputs)
    change(models / "controlnets" / "one-canny" / "diffusion_pytorch_model.safetensors")
    assert rendered(engine, spec, inputs=inputs).reproduction == first.reproduction
    engine._aids.fit(engine._fleet.loaded("sd1")).let_go(1 << 40)
    again = rendered(engine, spec, inputs=inputs)
    assert again.png != first.png
    assert again.reproduction.aids != first.reproduction.aids
