"""The recipe of a ControlNet for edges: from drawn pairs to a folder that diffusers reads."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import ControlNetModel

from generation.engine.control.rack import ControlRack
from generation.engine.control.sources import find_controls
from generation.illustrator.scene import is_held_out
from generation.train.checkpoint import load_checkpoint
from generation.train.control import ControlOptions, new_control, roaming_scene, train_control
from generation.train.export import load_parts
from generation.train.lora import sha256_of
from generation.train.options import TrainingError
from tests.benchmarks.control import compared, edge_f1, references, tolerance
from tests.unit.train.tiny import TINY, silent

pytestmark = pytest.mark.model
WEIGHTS = "diffusion_pytorch_model.safetensors"


def _options(model: Path, folder: Path, *, steps: int = 4) -> ControlOptions:
    return ControlOptions(
        model=model,
        out=folder / "controlnet-canny",
        work=folder / "work",
        steps=steps,
        batch=3,
        pictures=6,
        save_every_s=0.0,
    )


def test_a_new_controlnet_does_not_change_its_model(model: Path) -> None:
    parts = load_parts(model)
    net = new_control(parts.unet)
    latents, words = torch.randn(2, 4, 16, 16), torch.randn(2, 32, TINY.text.width)
    down, middle = net(
        latents,
        torch.tensor([10, 700]),
        encoder_hidden_states=words,
        controlnet_cond=torch.rand(2, 3, 128, 128),
        return_dict=False,
    )
    assert not any(part.any() for part in (*down, middle))
    assert torch.equal(net.conv_in.weight, parts.unet.conv_in.weight)


def test_training_changes_the_controlnet_alone_and_leaves_a_folder_the_rack_reads(
    model: Path, tmp_path: Path
) -> None:
    out = train_control(_options(model, tmp_path), silent)
    found = find_controls(None, tmp_path)
    assert [(source.name, source.kind) for source in found.values()] == [("demo-canny", "canny")]
    parts = load_parts(model)
    rack = ControlRack(parts.unet, found)
    rack.take(rack.choose("canny").name)
    trained = ControlNetModel.from_pretrained(out, dtype=torch.float32)
    assert trained.controlnet_mid_block.weight.any()
    assert (out / WEIGHTS).stat().st_size < 2 * rack.bytes  # half precision


def test_equal_options_give_the_same_file(model: Path, tmp_path: Path) -> None:
    one = train_control(_options(model, tmp_path / "one"), silent)
    two = train_control(_options(model, tmp_path / "two"), silent)
    assert sha256_of(one / WEIGHTS) == sha256_of(two / WEIGHTS)


def test_a_stopped_run_ends_with_the_same_weights_as_one_that_was_not(
    model: Path, tmp_path: Path
) -> None:
    class Stopped(TrainingError):
        """Someone pressed Ctrl-C."""

    def stop(progress: object) -> None:
        if getattr(progress, "stage", "") == "export" and getattr(progress, "step", 0) == 2:
            raise Stopped

    whole = train_control(_options(model, tmp_path / "whole"), silent)
    with pytest.raises(Stopped):
        train_control(_options(model, tmp_path / "parts"), stop)
    newest = ControlNetModel.from_pretrained(tmp_path / "parts" / "work" / "newest")
    assert newest.config.mid_block_type == "UNetMidBlock2D"
    parts = train_control(_options(model, tmp_path / "parts"), silent)
    assert sha256_of(whole / WEIGHTS) == sha256_of(parts / WEIGHTS)


def test_pairs_are_the_same_for_the_same_seed_and_hold_real_edges(
    model: Path, tmp_path: Path
) -> None:
    train_control(_options(model, tmp_path, steps=1), silent)
    pairs = load_checkpoint(tmp_path / "work" / "pairs.pt")
    assert pairs is not None
    assert pairs["maps"].unique().tolist() == [0, 255]
    assert all(0.002 < part.float().mean() / 255 < 0.4 for part in pairs["maps"])
    train_control(replace(_options(model, tmp_path / "more", steps=1), seed=5), silent)
    other = load_checkpoint(tmp_path / "more" / "work" / "pairs.pt")
    assert other is not None
    assert not torch.equal(pairs["maps"], other["maps"])


def test_roaming_scenes_leave_out_the_combinations_of_the_examination() -> None:
    rng = np.random.default_rng(1)
    for _ in range(300):
        scene = roaming_scene(rng)
        assert not is_held_out(scene.product, scene.color, scene.setting)
    for one in references(8):
        assert is_held_out(one.scene.product, one.scene.color, one.scene.setting)


def _lines(*columns: int) -> np.ndarray:
    edges = np.zeros((128, 128), np.uint8)
    edges[:, list(columns)] = 1
    return edges


def test_edge_overlap_is_1_within_the_tolerance_and_0_beyond() -> None:
    near = tolerance(128, 128)
    assert near == 2
    assert edge_f1(_lines(50), _lines(50 + near)) == 1.0
    assert edge_f1(_lines(50), _lines(51 + near)) == 0.0
    assert edge_f1(_lines(50), _lines()) == 0.0
    assert edge_f1(_lines(), _lines()) == 0.0


def test_edge_overlap_weighs_lines_too_many_and_lines_too_few() -> None:
    assert edge_f1(_lines(20, 90), _lines(20)) == pytest.approx(2 / 3)  # all right, half found
    assert edge_f1(_lines(20), _lines(20, 90)) == pytest.approx(2 / 3)  # all found, half right


def test_the_interval_of_the_difference_is_of_the_pairs() -> None:
    told = compared([0.5, 0.6, 0.7], [0.4, 0.5, 0.6])
    assert told["difference"] == 0.1
    assert told["difference_95"] == [0.1, 0.1]
    assert told["better_share"] == 1.0
    assert told["n"] == 3


def test_the_shipped_controlnet_is_small_and_leads_the_demo_model() -> None:
    from generation.settings import SHIPPED_MODEL

    found = find_controls(None, SHIPPED_MODEL)
    assert found["demo-canny"].weight_bytes < 8_000_000
    rack = ControlRack(load_parts(SHIPPED_MODEL).unet, found)
    rack.take(rack.choose("canny").name)
    assert rack.bytes > 0
