"""ControlNets beside their UNet, against diffusers' own ControlNet pipelines."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    ControlNetModel,
    DDIMScheduler,
    DiffusionPipeline,
    MultiControlNetModel,
    StableDiffusionControlNetPipeline,
    StableDiffusionXLControlNetPipeline,
    UNet2DConditionModel,
)
from diffusers.image_processor import VaeImageProcessor
from PIL import Image
from safetensors.torch import load_file, save_file

from brand.spec import ControlUse, ModelMissing, SpecInvalid, sha256_hex
from generation.engine.control.rack import ControlRack
from generation.engine.control.sources import find_controls
from generation.engine.control.uses import controls_for, pixels_of_map
from generation.engine.denoisers.unet import UNetDenoiser
from generation.engine.flights import Control, Flight, Lead, Row, Signature, Terms
from generation.engine.loop.rides import Ride
from generation.engine.preprocess.kinds import Preprocessors
from generation.pixels import to_png
from tests.fakes.tiny_controls import build_control
from tests.fakes.tiny_models import TEMPERATURE, build_sd1, build_sdxl

pytestmark = pytest.mark.model
SIDE, STEPS, GUIDANCE = 64, 6, 4.0
PROMPT, NEGATIVE = "a red mug on a table", "blurry"


@dataclass(frozen=True, kw_only=True)
class World:
    """One tiny model with two ControlNets of two kinds."""

    model: Path
    models_dir: Path
    pipe: Any = field(repr=False)

    def rack(self) -> ControlRack:
        return ControlRack(self.pipe.unet, find_controls(self.models_dir, self.model))


@pytest.fixture(scope="module", params=["sd1", "sdxl"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp(request.param)
    model = (build_sd1 if request.param == "sd1" else build_sdxl)(folder / "model")
    pipe = DiffusionPipeline.from_pretrained(model, safety_checker=None, local_files_only=True)
    _calm(pipe.unet, model / "unet")
    controls = folder / "controlnets"
    build_control(pipe.unet, controls / "edges", kind="canny", seed=1)
    build_control(pipe.unet, controls / "tile", seed=2, order="bgr")
    return World(model=model, models_dir=folder, pipe=pipe)


def _calm(unet: UNet2DConditionModel, folder: Path) -> None:
    """Undo the widened attention: so sharp a one turns a last bit into whole shades of grey."""
    with torch.no_grad():
        for name, weight in unet.named_parameters():
            if "to_" in name or "_proj" in name:
                weight.div_(TEMPERATURE)
    unet.save_pretrained(folder)


@pytest.fixture(scope="module")
def maps() -> tuple[Image.Image, Image.Image]:
    rng = np.random.default_rng(3)
    return tuple(
        Image.fromarray(rng.integers(0, 255, (8, 8, 3), np.uint8)).resize((SIDE, SIDE))
        for _ in range(2)
    )  # type: ignore[return-value]


def _stock(world: World, maps: list[Image.Image], **settings: Any) -> np.ndarray:
    nets = [
        ControlNetModel.from_pretrained(world.models_dir / "controlnets" / name)
        for name in ("edges", "tile")[: len(maps)]
    ]
    kind = (
        StableDiffusionXLControlNetPipeline
        if hasattr(world.pipe, "text_encoder_2")
        else StableDiffusionControlNetPipeline
    )
    stored = DiffusionPipeline.from_pretrained(
        world.model, safety_checker=None, local_files_only=True
    )
    parts = {**stored.components, "scheduler": _scheduler(world)}
    parts["controlnet"] = nets[0] if len(nets) == 1 else MultiControlNetModel(nets)
    pipe = kind(**parts)
    pipe.set_progress_bar_config(disable=True)
    picture = pipe(
        PROMPT,
        negative_prompt=NEGATIVE,
        image=maps[0] if len(maps) == 1 else maps,
        num_inference_steps=STEPS,
        guidance_scale=GUIDANCE,
        generator=torch.Generator().manual_seed(7),
        width=SIDE,
        height=SIDE,
        **settings,
    ).images[0]
    return np.asarray(picture, np.int16)


def _scheduler(world: World) -> DDIMScheduler:
    return DDIMScheduler.from_config(world.pipe.scheduler.config, clip_sample=False)


class StockStepper:
    """DDIM as diffusers has it."""

    def __init__(self, scheduler: DDIMScheduler) -> None:
        scheduler.set_timesteps(STEPS)
        self._scheduler = scheduler
        self.total, self.done = len(scheduler.timesteps), 0
        generator = torch.Generator().manual_seed(7)
        self.latents = torch.randn((1, 4, SIDE // 2, SIDE // 2), generator=generator)[0]

    def question(self) -> tuple[torch.Tensor, float]:
        return self.latents, float(self._scheduler.timesteps[self.done])

    def answer(self, prediction: torch.Tensor) -> None:
        time = self._scheduler.timesteps[self.done]
        self.latents = self._scheduler.step(prediction, time, self.latents).prev_sample
        self.done += 1

    def guess(self) -> torch.Tensor:
        return self.latents

    def restart(self) -> None:
        self.done = 0


def _terms(pipe: DiffusionPipeline) -> tuple[Terms, Terms]:
    given = {"num_images_per_prompt": 1, "do_classifier_free_guidance": True}
    if not hasattr(pipe, "text_encoder_2"):
        text, empty = pipe.encode_prompt(PROMPT, "cpu", negative_prompt=NEGATIVE, **given)
        return Terms(text=empty[0]), Terms(text=text[0])
    text, empty, pooled, nothing = pipe.encode_prompt(
        PROMPT, device="cpu", negative_prompt=NEGATIVE, **given
    )
    sizes = torch.tensor([SIDE, SIDE, 0, 0, SIDE, SIDE], dtype=torch.float32)
    return (
        Terms(text=empty[0], pooled=nothing[0], sizes=sizes),
        Terms(text=text[0], pooled=pooled[0], sizes=sizes),
    )


@torch.no_grad()
def _own(world: World, controls: tuple[Control, ...], *, bucket: int = 2) -> np.ndarray:
    rack = world.rack()
    for control in controls:
        rack.take(control.net)
    pipe = world.pipe
    flight = Flight(
        key="one",
        signature=_signature(controls),
        stepper=StockStepper(_scheduler(world)),
        terms=_terms(pipe),
        guidance=GUIDANCE,
        controls=controls,
    )
    denoiser = _denoiser(pipe.unet, rack)
    ride = Ride(flight, lambda _: None, lambda: False, 0)
    while flight.remaining:
        ride.answered(denoiser.predict(flight.signature, ride.questions(), bucket))
    decoded = pipe.vae.decode(flight.stepper.latents[None] / pipe.vae.config.scaling_factor).sample
    return np.asarray(pipe.image_processor.postprocess(decoded)[0], np.int16)


def _denoiser(unet: UNet2DConditionModel, rack: ControlRack) -> UNetDenoiser:
    denoiser = UNetDenoiser(unet, pixels_per_latent=2)
    denoiser.controls = rack
    return denoiser


def _signature(controls: tuple[Control, ...]) -> Signature:
    return Signature(
        model="tiny",
        channels=4,
        height=SIDE // 2,
        width=SIDE // 2,
        controls=tuple(control.net for control in controls),
    )


def _control(net: str, picture: Image.Image, weight: float = 1.0, **span: float) -> Control:
    given = {"start": 0.0, "end": 1.0, **span}
    return Control(net=net, image=pixels_of_map(picture), weight=weight, **given)


def _same_picture(one: np.ndarray, other: np.ndarray) -> bool:
    """At most one shade apart anywhere, and hardly anywhere even that."""
    return _apart(one, other) <= 1 and float(np.abs(one - other).mean()) < 0.01


def _apart(one: np.ndarray, other: np.ndarray) -> int:
    return int(np.abs(one - other).max())


@pytest.mark.parametrize(
    ("weight", "start", "end"), [(1.0, 0.0, 1.0), (0.6, 0.0, 0.5), (1.4, 0.34, 1.0)]
)
def test_one_controlnet_paints_what_the_stock_pipeline_paints(
    world: World, maps: list[Image.Image], weight: float, start: float, end: float
) -> None:
    wanted = _stock(
        world,
        [maps[0]],
        controlnet_conditioning_scale=weight,
        control_guidance_start=start,
        control_guidance_end=end,
    )
    found = _own(world, (_control("edges", maps[0], weight, start=start, end=end),))
    assert _same_picture(found, wanted)
    assert _apart(found, _own(world, ())) > 8


def test_two_controlnets_are_summed_as_the_stock_pipeline_sums_them(
    world: World, maps: list[Image.Image]
) -> None:
    wanted = _stock(
        world,
        list(maps),
        controlnet_conditioning_scale=[0.8, 1.6],
        control_guidance_start=[0.0, 0.2],
        control_guidance_end=[0.7, 1.0],
    )
    controls = (
        _control("edges", maps[0], 0.8, end=0.7),
        _control("tile", maps[1], 1.6, start=0.2),
    )
    found = _own(world, controls)
    assert _same_picture(found, wanted)
    assert _apart(found, _own(world, controls[:1])) > 4
    assert _apart(found, _own(world, controls[1:])) > 4


def test_a_net_that_reads_blue_first_is_shown_blue_first(
    world: World, maps: list[Image.Image]
) -> None:
    swapped = Image.merge("RGB", maps[0].split()[::-1])
    seen = _own(world, (_control("tile", maps[0]),))
    assert _apart(seen, _own(world, (_control("tile", swapped),))) > 4


def test_a_control_of_weight_0_changes_nothing(world: World, maps: list[Image.Image]) -> None:
    assert _apart(_own(world, (_control("edges", maps[0], 0.0),)), _own(world, ())) == 0


def test_rows_of_one_batch_have_scales_and_maps_of_their_own(
    world: World, maps: list[Image.Image]
) -> None:
    rack = world.rack()
    rack.take("edges")
    denoiser = _denoiser(world.pipe.unet, rack)
    signature = _signature((_control("edges", maps[0]),))
    rows = denoiser.sample_rows(signature, 6, 5)
    rows = [
        Row(
            latents=row.latents,
            timestep=row.timestep,
            terms=row.terms,
            leads=(Lead(image=row.leads[0].image, scale=0.3 * place),),
        )
        for place, row in enumerate(rows)
    ]
    together = denoiser.predict(signature, rows, 8)
    for place, row in enumerate(rows):
        alone = denoiser.predict(signature, [row], 8)[0]
        assert torch.equal(alone, together[place])
        assert torch.equal(denoiser.predict(signature, [row], 4)[0], alone)
        assert torch.equal(denoiser.predict(signature, [row], 2)[0], alone)


def test_seamless_rows_see_a_seamless_map(world: World, maps: list[Image.Image]) -> None:
    rack = world.rack()
    rack.take("edges")
    denoiser = _denoiser(world.pipe.unet, rack)
    plain = _signature((_control("edges", maps[0]),))
    seamless = Signature(**{**plain.__dict__, "tile": True})
    row = denoiser.sample_rows(plain, 1, 5)
    shift = Row(
        latents=row[0].latents.roll(8, dims=2),
        timestep=row[0].timestep,
        terms=row[0].terms,
        leads=(Lead(image=row[0].leads[0].image.roll(16, dims=2), scale=1.0),),
    )
    before = denoiser.predict(plain, row, 2)
    wrapped = denoiser.predict(seamless, row, 2)[0]
    rolled = denoiser.predict(seamless, [shift], 2)[0]
    assert torch.allclose(wrapped.roll(8, dims=2), rolled, atol=1e-4)
    assert torch.equal(denoiser.predict(plain, row, 2), before)


def test_the_first_fitting_one_of_a_kind_serves_it(world: World) -> None:
    assert world.rack().choose("canny").name == "edges"
    assert world.rack().choose("tile").name == "tile"
    assert world.rack().choose("tile", "tile").name == "tile"


def test_what_is_not_there_is_refused_with_what_to_do(world: World) -> None:
    with pytest.raises(ModelMissing, match=r"no pose ControlNet.*controlnets/"):
        world.rack().choose("pose")
    with pytest.raises(ModelMissing, match="installed are: edges, tile"):
        world.rack().choose("canny", "other")
    with pytest.raises(SpecInvalid, match="led by tile, not by canny"):
        world.rack().choose("canny", "tile")
    with pytest.raises(ModelMissing, match=r"SD 1\.x and SDXL"):
        ControlRack(None, {}).choose("canny")


def test_another_familys_controlnet_is_neither_chosen_nor_taken(
    world: World, tmp_path: Path
) -> None:
    other = (build_sdxl if hasattr(world.pipe, "text_encoder_2") is False else build_sd1)(
        tmp_path / "other"
    )
    pipe = DiffusionPipeline.from_pretrained(other, safety_checker=None, local_files_only=True)
    rack = ControlRack(pipe.unet, find_controls(world.models_dir, world.model))
    with pytest.raises(ModelMissing, match="no canny ControlNet for this model"):
        rack.choose("canny")
    with pytest.raises(ModelMissing, match="another family"):
        rack.choose("canny", "edges")
    with pytest.raises(ModelMissing, match="belongs to another family of models: its"):
        rack.take("edges")


def test_bytes_count_what_is_loaded(world: World) -> None:
    rack = world.rack()
    assert rack.bytes == 0
    rack.take("edges")
    once = rack.bytes
    file = world.models_dir / "controlnets" / "edges" / "diffusion_pytorch_model.safetensors"
    assert once == sum(tensor.nbytes for tensor in load_file(file).values())
    rack.take("edges")
    assert rack.bytes == once


def test_a_single_file_paints_as_its_folder(
    world: World, maps: list[Image.Image], tmp_path: Path
) -> None:
    weights = load_file(
        world.models_dir / "controlnets" / "edges" / "diffusion_pytorch_model.safetensors"
    )
    (tmp_path / "controlnets").mkdir()
    save_file(weights, tmp_path / "controlnets" / "my-canny.safetensors")
    alone = World(model=world.model, models_dir=tmp_path, pipe=world.pipe)
    found = _own(alone, (_control("my-canny", maps[0]),))
    assert _apart(found, _own(world, (_control("edges", maps[0]),))) == 0


@pytest.mark.parametrize("harm", ["hole", "shape", "garbage"])
def test_damaged_weights_are_refused_by_name(harm: str, world: World, tmp_path: Path) -> None:
    folder = build_control(world.pipe.unet, tmp_path / "controlnets" / "edges", kind="canny")
    file = folder / "diffusion_pytorch_model.safetensors"
    weights = load_file(file)
    if harm == "hole":
        del weights["conv_in.weight"]
    if harm == "shape":
        weights["conv_in.weight"] = torch.zeros(3, 3)
    save_file(weights, file)
    rack = ControlRack(world.pipe.unet, find_controls(tmp_path, world.model))
    if harm == "garbage":
        file.write_bytes(b"\x00" * 99)
    with pytest.raises(ModelMissing, match="ControlNet 'edges' cannot be loaded"):
        rack.take("edges")


@pytest.fixture
def picture(tmp_path: Path) -> tuple[str, dict[str, Path]]:
    image = Image.new("RGB", (90, 70), (200, 60, 30))
    image.paste((20, 60, 160), (30, 20, 60, 50))
    data = to_png(image)
    (tmp_path / "in.png").write_bytes(data)
    return sha256_hex(data), {sha256_hex(data): tmp_path / "in.png"}


def test_a_recipes_controls_become_maps_of_the_pictures_size(
    world: World, picture: tuple[str, dict[str, Path]]
) -> None:
    sha256, inputs = picture
    rack = world.rack()
    uses = (
        ControlUse(kind="canny", sha256=sha256, weight=0.7, start=0.1, end=0.9),
        ControlUse(kind="tile", sha256=sha256, ready=True),
    )
    edges, tile = controls_for(uses, inputs, rack, Preprocessors(None), (SIDE, SIDE))
    assert (edges.net, edges.weight, edges.start, edges.end) == ("edges", 0.7, 0.1, 0.9)
    assert edges.image.shape == (3, SIDE, SIDE)
    assert set(edges.image.unique().tolist()) == {0.0, 1.0}
    assert tile.net == "tile"
    assert len(tile.image.unique()) > 2
    assert rack.bytes > 0


def test_no_controls_need_nothing(world: World) -> None:
    assert controls_for((), {}, world.rack(), Preprocessors(None), (SIDE, SIDE)) == ()


def test_a_map_becomes_numbers_as_the_stock_pipeline_makes_them() -> None:
    picture = Image.fromarray(np.random.default_rng(1).integers(0, 255, (SIDE, SIDE, 3), np.uint8))
    processor = VaeImageProcessor(vae_scale_factor=2, do_convert_rgb=True, do_normalize=False)
    wanted = processor.preprocess(picture, height=SIDE, width=SIDE)[0]
    assert torch.equal(pixels_of_map(picture), wanted)


def test_a_missing_map_maker_is_told_before_anything_is_loaded(
    world: World, picture: tuple[str, dict[str, Path]], tmp_path: Path
) -> None:
    sha256, inputs = picture
    build_control(world.pipe.unet, tmp_path / "controlnets" / "depth")
    rack = ControlRack(world.pipe.unet, find_controls(tmp_path, world.model))
    use = ControlUse(kind="depth", sha256=sha256)
    with pytest.raises(ModelMissing, match="preprocessors/depth/"):
        controls_for((use,), inputs, rack, Preprocessors(tmp_path), (SIDE, SIDE))
    assert rack.bytes == 0
