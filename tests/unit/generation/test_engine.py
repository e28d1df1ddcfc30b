"""The engine gives diffusers' own pictures, always the same, and says what it cannot do."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from brand.spec import (
    InitImage,
    ModelMissing,
    Progress,
    RenderCancelled,
    RenderFailed,
    SpecInvalid,
    sha256_hex,
)
from generation.engines import Engine, EngineUnusable
from tests.unit.generation.rendering import (
    STEPS,
    Folder,
    as_png,
    evaluations,
    image_of,
    largest_difference,
    new_engine,
    rendered,
    stock_pipeline,
    tiny,
)

pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("ignore:__array")]

SAMPLERS = (
    "euler", "euler_karras", "euler_a", "dpmpp_2m", "dpmpp_2m_karras", "dpmpp_2m_sde",
    "dpmpp_2m_sde_karras", "dpmpp_3m", "ddim", "pndm", "heun", "heun_karras", "kdpm2", "lms",
    "lms_karras", "deis", "unipc", "lcm",
)  # fmt: skip
EVALUATIONS = {"pndm": STEPS + 1, "heun": 2 * STEPS - 1, "heun_karras": 2 * STEPS - 1}
EVALUATIONS |= {"kdpm2": 2 * STEPS - 1}


@pytest.mark.parametrize("layout", ["sd1", "sdxl"])
@pytest.mark.parametrize("negative", ["", "ugly"])
def test_the_picture_is_the_stock_pipelines_own(
    engine: Engine, tiny_models: Path, layout: str, negative: str
) -> None:
    import diffusers
    import torch

    pipe = stock_pipeline(tiny_models, layout)
    pipe.scheduler = diffusers.EulerDiscreteScheduler.from_config(pipe.scheduler.config)
    stock = pipe(
        "a red mug",
        negative_prompt=negative or None,
        guidance_scale=5.0,
        num_inference_steps=STEPS,
        width=64,
        height=64,
        generator=torch.Generator("cpu").manual_seed(5),
    ).images[0]
    spec = tiny(model=layout, negative=negative, guidance=5.0, sampler="euler")
    assert largest_difference(image_of(rendered(engine, spec)), stock) <= 1


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_draws_the_same_picture_twice_and_counts_its_evaluations(
    engine: Engine, sampler: str
) -> None:
    told: list[Progress] = []
    spec = tiny(sampler=sampler)
    first = rendered(engine, spec, told=told)
    assert rendered(engine, spec).png == first.png
    wanted = EVALUATIONS.get(sampler, STEPS)
    assert evaluations(told) == [(n + 1, wanted) for n in range(wanted)]
    assert np.asarray(image_of(first)).std() > 5


def test_one_sampler_leaves_no_trace_in_the_next(engine: Engine) -> None:
    before = rendered(engine, tiny(sampler="euler")).png
    for sampler in ("dpmpp_2m_sde_karras", "pndm", "ddim", "lcm"):
        rendered(engine, tiny(sampler=sampler))
    assert rendered(engine, tiny(sampler="euler")).png == before


def test_a_new_process_draws_the_same_pixels(engine: Engine, tiny_models: Path, root: Path) -> None:
    spec = tiny(prompt="a (red:1.3) mug BREAK on a table", negative="ugly", sampler="euler_a")
    code = (
        "import sys; from pathlib import Path\n"
        "from brand.spec import RenderSpec, sha256_hex\n"
        "from tests.unit.generation.rendering import new_engine, rendered\n"
        f"engine = new_engine(Path({str(tiny_models)!r}))\n"
        f"picture = rendered(engine, RenderSpec.decode({spec.encode().decode()!r}))\n"
        "print(sha256_hex(picture.png), picture.reproduction.id)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    here = rendered(engine, spec)
    assert done.stdout.split() == [sha256_hex(here.png), here.reproduction.id]


@pytest.mark.parametrize("layout", ["sd1", "sdxl"])
def test_image_to_image_starts_from_the_reference(
    engine: Engine, tmp_path: Path, layout: str
) -> None:
    inputs = Folder(tmp_path)
    sha256 = inputs.put(as_png(Image.linear_gradient("L").resize((96, 64)).convert("RGB")))
    made = {}
    for strength in (0.0, 0.01, 0.4, 1.0):
        told: list[Progress] = []
        spec = tiny(model=layout, steps=10, init=InitImage(sha256=sha256, strength=strength))
        made[strength] = rendered(engine, spec, inputs=inputs, told=told).png
        assert told[-1].total == max(0 if strength == 0 else 1, int(10 * strength))
    assert len(set(made.values())) == 4


def test_a_strength_that_would_mean_no_step_takes_one(engine: Engine, tmp_path: Path) -> None:
    inputs = Folder(tmp_path)
    sha256 = inputs.put(as_png(Image.new("RGB", (64, 64), "teal")))
    for steps in (1, 3, 7, 49):
        told: list[Progress] = []
        spec = tiny(steps=steps, init=InitImage(sha256=sha256, strength=0.001), sampler="ddim")
        rendered(engine, spec, inputs=inputs, told=told)
        assert evaluations(told) == [(1, 1)]


def test_a_reference_is_cropped_and_never_squeezed(engine: Engine, tmp_path: Path) -> None:
    wide = Image.new("RGB", (192, 64), "white")
    wide.paste("red", (0, 0, 64, 64))
    inputs = Folder(tmp_path)
    spec = tiny(init=InitImage(sha256=inputs.put(as_png(wide)), strength=0))
    assert image_of(rendered(engine, spec, inputs=inputs)).getcolors() == [(4096, (255, 255, 255))]


def test_previews_come_beside_the_progress_and_never_set_it_back(engine: Engine) -> None:
    told: list[Progress] = []
    rendered(engine, tiny(steps=40), told=told, preview_every=4)
    previews = [item.preview for item in told if item.preview]
    assert 1 <= len(previews) <= 9
    assert len(set(previews)) == len(previews)
    assert [item.done for item in told] == sorted(item.done for item in told)
    assert told[-1].done == 40


def test_cancelling_stops_at_the_next_evaluation(engine: Engine) -> None:
    told: list[Progress] = []
    with pytest.raises(RenderCancelled):
        rendered(engine, tiny(steps=50), told=told, cancelled=lambda: len(told) >= 2)
    assert len(told) == 2
    assert rendered(engine, tiny()).png


def test_seamless_tiles_have_no_edge_at_all() -> None:
    import torch

    from generation.engine.denoisers.tiling import seamless
    from tests.fakes.tiny_models import tiny_vae

    vae = tiny_vae().eval()
    latents = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad(), seamless(vae):
        picture = vae.decode(latents).sample
        moved = vae.decode(latents.roll(3, dims=3)).sample
    assert torch.allclose(moved, picture.roll(6, dims=3), atol=1e-5)


def test_a_tile_leaves_the_model_as_it_was(engine: Engine) -> None:
    plain, tile = rendered(engine, tiny()), rendered(engine, tiny(tile=True))
    assert tile.png != plain.png
    assert rendered(engine, tiny()).png == plain.png


def test_an_unknown_sampler_is_refused_with_the_known_ones(engine: Engine) -> None:
    with pytest.raises(SpecInvalid, match="euler_a"):
        engine.check(tiny(sampler="eular"))
    with pytest.raises(SpecInvalid, match="euler_a"):
        rendered(engine, tiny(sampler="eular"))


def test_an_unknown_model_is_refused_with_the_known_ones(engine: Engine) -> None:
    with pytest.raises(ModelMissing, match="sd1, sdxl"):
        engine.check(tiny(model="sd3"))


def test_pinned_weights_are_checked_before_rendering(engine: Engine) -> None:
    known = {model.name: model.sha256 for model in engine.models()}
    assert rendered(engine, tiny(model_sha256=known["sd1"])).reproduction.weights == known["sd1"]
    with pytest.raises(ModelMissing, match="pins"):
        rendered(engine, tiny(model_sha256="0" * 64))


def test_the_class_names_all_that_decides_the_bits(engine: Engine) -> None:
    found = rendered(engine, tiny()).reproduction
    assert (found.engine, found.dtype, found.device) == ("in-flight/1", "float32", "cpu")
    assert found.threads == 1
    assert {line.split()[0] for line in found.libraries} >= {
        "torch", "diffusers", "transformers", "tokenizers", "numpy", "pillow", "scipy",
        "opencv-python-headless",
    }  # fmt: skip
    assert not found.host
    assert found.weights != rendered(engine, tiny(model="sdxl")).reproduction.weights
    assert found.capability


def test_a_small_model_computes_with_one_thread_and_a_large_one_with_all() -> None:
    from generation.engine.device import SMALL_MODEL_BYTES, choose_device

    device = choose_device("cpu", "auto", 0)
    assert device.threads_for(SMALL_MODEL_BYTES - 1) == 1
    assert device.threads_for(SMALL_MODEL_BYTES) == len(os.sched_getaffinity(0))
    assert choose_device("cpu", "auto", 3).threads_for(1) == 3


def test_what_goes_on_beside_the_loop_of_a_small_model_takes_one_thread() -> None:
    from generation.engine.device import SMALL_MODEL_BYTES, choose_device

    device = choose_device("cpu", "auto", 3)
    assert device.threads_beside(SMALL_MODEL_BYTES - 1) == 1
    assert device.threads_beside(SMALL_MODEL_BYTES) == 3


def test_a_thread_computes_with_its_own_number_whatever_others_set_later() -> None:
    import torch

    from generation.engine.device import compute_with

    found: dict[str, list[int]] = {"one": [], "two": []}
    turns = threading.Barrier(2)

    def compute(name: str, number: int, order: int) -> None:
        for turn in range(2):
            if turn == order:
                compute_with(number)
            turns.wait(60)
        torch.ones(1 << 20).sin()  # the first work that is shared out
        found[name].append(torch.get_num_threads())

    before = torch.get_num_threads()
    threads = [
        threading.Thread(target=compute, args=("one", 1, 0)),
        threading.Thread(target=compute, args=("two", 2, 1)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    torch.set_num_threads(before)
    assert found == {"one": [1], "two": [2]}


def test_numbers_that_overflow_are_a_failure_and_not_a_black_picture(
    tiny_models: Path, tmp_path: Path
) -> None:
    import shutil

    import torch

    broken = tmp_path / "models"
    shutil.copytree(tiny_models / "sd1", broken / "sd1")
    engine = new_engine(broken)
    with engine._fleet.use("sd1") as model, torch.no_grad():  # type: ignore[attr-defined]
        model.module.conv_out.bias.fill_(float("nan"))
    with pytest.raises(RenderFailed, match="overflowed"):
        rendered(engine, tiny())


def test_only_so_many_models_stay_in_memory(tiny_models: Path) -> None:
    engine = new_engine(tiny_models, max_models=1)
    first = rendered(engine, tiny()).png
    rendered(engine, tiny(model="sdxl"))
    assert [model.name for model in engine.models() if model.loaded] == ["sdxl"]
    assert rendered(engine, tiny()).png == first


def test_a_warm_model_that_is_not_there_leaves_the_others_usable(tiny_models: Path) -> None:
    engine = new_engine(tiny_models, warm="none")
    assert not any(model.loaded for model in engine.models())
    assert rendered(engine, tiny()).png


def test_a_broken_warm_model_is_named(tiny_models: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(tiny_models / "sd1", tmp_path / "models" / "sd1")
    weights = tmp_path / "models" / "sd1" / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(EngineUnusable, match="'sd1' cannot be loaded"):
        new_engine(tmp_path / "models")


@pytest.mark.parametrize(
    "change", [{"device": "cuda"}, {"device": "quantum"}, {"dtype": "float8"}], ids=str
)
def test_a_device_that_is_not_here_is_said(tiny_models: Path, change: dict[str, str]) -> None:
    import torch

    if change.get("device") == "cuda" and torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    with pytest.raises(EngineUnusable, match=r"device|number format"):
        new_engine(tiny_models, **change)


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
def test_a_model_that_lacks_tensors_is_not_filled_up_with_noise(
    tiny_models: Path, tmp_path: Path, part: str
) -> None:
    import shutil

    import safetensors.torch

    shutil.copytree(tiny_models / "sd1", tmp_path / "models" / "sd1")
    file = next((tmp_path / "models" / "sd1" / part).glob("*.safetensors"))
    tensors = safetensors.torch.load_file(file)
    tensors.pop(sorted(tensors)[3])
    safetensors.torch.save_file(tensors, file)
    with pytest.raises(EngineUnusable, match=f"lacks {part}"):
        new_engine(tmp_path / "models")


def test_pickled_weights_are_never_loaded(tiny_models: Path, tmp_path: Path) -> None:
    import shutil

    import torch

    folder = tmp_path / "models" / "sd1"
    shutil.copytree(tiny_models / "sd1", folder)
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.unlink()
    torch.save({}, folder / "unet" / "diffusion_pytorch_model.bin")
    with pytest.raises(EngineUnusable, match="cannot be loaded"):
        new_engine(tmp_path / "models")


def test_the_first_profile_is_taken_before_anybody_asks(tiny_models: Path, tmp_path: Path) -> None:
    engine = new_engine(tiny_models, max_rows=2, state_dir=tmp_path, take_profile=True)
    for thread in threading.enumerate():
        if thread.name == "first-profile":
            thread.join(60)
    assert (tmp_path / "profiles.json").is_file()
    surveyed = engine.standing().counters.survey_s  # type: ignore[attr-defined]
    assert surveyed > 0
    rendered(engine, tiny())
    assert engine.standing().counters.survey_s == surveyed  # type: ignore[attr-defined]
