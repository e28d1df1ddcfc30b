"""A picture's class names the weights it was made with, whatever lies on disk by then."""

import shutil
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from brand.spec import ControlUse, HighRes, ImagePrompt, ModelMissing, RenderSpec
from generation.engines import Engine
from tests.unit.generation.rendering import Folder, as_png, new_engine, rendered, tiny

if TYPE_CHECKING:
    from collections.abc import Callable

    from generation.engine.aids import Looked

pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def models(tiny_models: Path, tmp_path: Path) -> Path:
    """`sd1` with two sets of image-prompt weights and a ControlNet of its own.

    By name the first set of all fits another family.
    """
    from tests.fakes.tiny_controls import build_control
    from tests.fakes.tiny_image_prompts import build_image_prompt
    from tests.unit.generation.rendering import stock_pipeline

    folder = tmp_path / "models"
    shutil.copytree(tiny_models / "sd1", folder / "sd1")
    small, large = (stock_pipeline(tiny_models, layout).unet for layout in ("sd1", "sdxl"))
    build_image_prompt(folder / "image-prompts" / "a-xl", large)
    build_image_prompt(folder / "image-prompts" / "b", small)
    build_image_prompt(folder / "image-prompts" / "c", small, seed=4)
    build_control(large, folder / "controlnets" / "a-canny")
    build_control(small, folder / "controlnets" / "b-canny")
    return folder


@pytest.fixture
def engine(models: Path) -> Engine:
    return new_engine(models)


@pytest.fixture
def inputs(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def change(weights: Path, factor: float = 1.5) -> None:
    """Other numbers under the same name."""
    from safetensors.torch import load_file, save_file

    save_file({name: value * factor for name, value in load_file(weights).items()}, weights)


def prompted(inputs: Folder, model: str = "") -> RenderSpec:
    picture = Image.radial_gradient("L").resize((90, 60)).convert("RGB")
    return tiny(image_prompt=ImagePrompt(sha256=inputs.put(as_png(picture)), model=model))


def controlled(inputs: Folder) -> RenderSpec:
    picture = Image.radial_gradient("L").resize((64, 64)).convert("RGB")
    return tiny(controls=(ControlUse(kind="canny", sha256=inputs.put(as_png(picture))),))


def test_weights_replaced_on_disk_are_named_only_once_they_are_loaded(
    engine: Engine, models: Path
) -> None:
    first = rendered(engine, tiny())
    change(models / "sd1" / "unet" / "diffusion_pytorch_model.safetensors")
    again = rendered(engine, tiny())
    assert again.png == first.png
    assert again.reproduction == first.reproduction
    (shown,) = engine.models()
    assert shown.sha256 == first.reproduction.weights
    other = rendered(new_engine(models), tiny())
    assert other.png != first.png
    assert other.reproduction.weights != first.reproduction.weights


@pytest.mark.parametrize(
    ("aids", "weights"),
    [
        (prompted, "image-prompts/b/ip-adapter.safetensors"),
        (controlled, "controlnets/b-canny/diffusion_pytorch_model.safetensors"),
    ],
)
def test_aids_replaced_on_disk_are_named_only_once_they_are_loaded(
    engine: Engine, models: Path, inputs: Folder, aids: object, weights: str
) -> None:
    spec = aids(inputs)  # type: ignore[operator]
    first = rendered(engine, spec, inputs=inputs)
    assert first.reproduction.aids
    change(models / weights)
    again = rendered(engine, spec, inputs=inputs)
    assert again.png == first.png
    assert again.reproduction == first.reproduction
    other = rendered(new_engine(models), spec, inputs=inputs)
    assert other.png != first.png
    assert other.reproduction.aids != first.reproduction.aids


def test_aids_by_their_name_are_of_one_class_with_those_that_fit(
    engine: Engine, inputs: Folder
) -> None:
    made = [rendered(engine, prompted(inputs, name), inputs=inputs) for name in ("", "b", "c")]
    assert made[0].png == made[1].png != made[2].png
    assert made[0].reproduction.same_bits(made[1].reproduction)
    assert not made[0].reproduction.same_bits(made[2].reproduction)


def test_the_loop_never_waits_for_image_prompts_that_others_load(
    engine: Engine, models: Path, inputs: Folder
) -> None:
    from generation.engine.image_prompts import ImagePrompts
    from generation.engine.library.image_prompt_files import find_image_prompts

    with engine._fleet.use("sd1") as model:  # type: ignore[attr-defined]
        prompts = ImagePrompts(model.module, find_image_prompts(models))
        view = prompts.view("b")
        asked = threading.Thread(target=prompts.view, args=("b",), daemon=True)
        with prompts.shelf.loading:  # as while other weights are loaded
            asked.start()
            asked.join(5)
            assert not asked.is_alive()
        assert prompts.view("b") is view


def test_looking_at_an_image_prompt_waits_for_a_turn(engine: Engine, inputs: Folder) -> None:
    entered = []

    def turn(work: "Callable[[], Looked]") -> "Looked":
        entered.append("in")
        found = work()
        entered.append("out")
        return found

    spec = prompted(inputs, "b")
    with (
        engine._fleet.use("sd1") as model,  # type: ignore[attr-defined]
        engine._aids.held(model, spec, inputs, turn) as aids,  # type: ignore[attr-defined]
    ):
        assert aids.image is not None
        assert entered == ["in", "out"]


def test_controlnets_count_as_bytes_of_the_model_they_lead(engine: Engine, inputs: Folder) -> None:
    rendered(engine, tiny())
    (before,) = (model.bytes for model in engine.models() if model.loaded)
    rendered(engine, controlled(inputs), inputs=inputs)
    (after,) = (model.bytes for model in engine.models() if model.loaded)
    assert after > before
    assert engine._fleet._held["sd1"].bytes == after  # type: ignore[attr-defined]


def test_a_model_deleted_while_running_is_missed_by_nobody_else(models: Path) -> None:
    shutil.copytree(models / "sd1", models / "gone")
    shutil.copytree(models / "sd1", models / "unread")
    engine = new_engine(models)
    before = rendered(engine, tiny(model="gone"))
    shutil.rmtree(models / "gone")
    shutil.rmtree(models / "unread")
    hashes = {model.name: model.sha256 for model in engine.models()}
    assert hashes["gone"] == before.reproduction.weights
    assert hashes["unread"] == ""
    engine.check(tiny())
    assert rendered(engine, tiny(model="gone")).png == before.png  # still in memory
    with pytest.raises(ModelMissing, match="unread"):
        rendered(engine, tiny(model="unread"))
    engine = new_engine(models)
    rendered(engine, tiny())
    shutil.rmtree(models / "sd1")
    rendered(engine, tiny(seed=6))


def test_files_that_change_while_they_are_read_are_not_taken(models: Path) -> None:
    from generation.engine.library.loaded import read_model
    from tests.unit.generation.fleets import new_fleet

    weights = models / "sd1" / "unet" / "diffusion_pytorch_model.safetensors"

    def read(source: object, sha256: str, device: object) -> object:
        change(weights)
        return read_model(source, sha256, device)  # type: ignore[arg-type]

    fleet = new_fleet(models, load=read)
    with pytest.raises(ModelMissing, match="changed while they were read"), fleet.use("sd1"):
        pass
    with new_fleet(models).use("sd1") as model:
        assert model.sha256


def test_a_later_pass_in_other_buckets_is_another_class(engine: Engine) -> None:
    from generation.engine.engine import with_buckets

    plain = engine._fleet.reproduction("sd1", "in-flight/1")  # type: ignore[attr-defined]
    both = with_buckets(plain, [(2, 4, 8), (2, 4)])
    assert both == replace(plain, row_bucket=2, buckets=(2, 4, 8))
    assert both.same_bits(with_buckets(plain, [(2, 4)]))
    split = with_buckets(plain, [(2, 4, 8), (16, 24)])
    assert split.buckets == (2, 4, 8, 16, 24)
    assert not split.same_bits(both)
    assert not split.same_bits(with_buckets(plain, [(16, 24), (2, 4, 8)]))
    assert "later_buckets: () there, (16,) here" in both.differences(split)
    assert type(split).from_dict(split.to_dict()) == split
    assert "later_buckets" not in both.to_dict()


def test_an_accelerators_class_names_the_cpu_beside_it(models: Path) -> None:
    from generation.engine.device import choose_device
    from tests.unit.generation.fleets import new_fleet

    device = replace(choose_device("cpu", "auto", 1), host="AVX512, some processor")
    made = new_fleet(models, device=device).reproduction("sd1", "in-flight/1")
    assert made.host == "AVX512, some processor"


@pytest.mark.parametrize("lone_s", [0.85, 0.91])
def test_how_fast_a_lone_row_is_does_not_change_the_name_of_a_set(
    engine: Engine, lone_s: float
) -> None:
    from generation.engine.engine import with_buckets
    from generation.engine.loop.profile import Tried, chosen_profile

    plain = engine._fleet.reproduction("sd1", "in-flight/1")  # type: ignore[attr-defined]
    tried = [Tried(bucket=size, bits=b"same", seconds=size / 2) for size in (2, 4)]
    if lone_s < 0.9:  # the survey keeps it then
        tried.append(Tried(bucket=1, bits=b"same", seconds=lone_s))
    buckets = chosen_profile(tried).buckets
    made = with_buckets(plain, [buckets])
    assert (1 in made.buckets) == (lone_s < 0.9)
    assert made.row_bucket == 2
    assert made.same_bits(with_buckets(plain, [(2, 4, 8)]))


def test_every_pass_of_a_picture_names_its_buckets(engine: Engine) -> None:
    made = rendered(engine, tiny(highres=HighRes(scale=1.5, strength=0.5))).reproduction
    assert made.row_bucket == min(bucket for bucket in made.buckets if bucket > 1)
