"""The demo model's ControlNet for hard edges: a copy of half the UNet beside the frozen whole.

After Zhang, Rao and Agrawala (2023): it starts from the UNet's own weights, its outputs start at
zero, and it learns what the UNet learnt (here v) with the edges of the wanted picture in view.
The illustrator draws the pairs. The usual pictures hold their product in the middle, so that
edges would tell little; these stand anywhere and in any size.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  the name everybody knows
from diffusers import ControlNetModel, UNet2DConditionModel
from torch import Tensor, nn

from generation.engine.preprocess import canny
from generation.illustrator.captions import caption
from generation.illustrator.drawing import draw
from generation.illustrator.scene import Camera, Scene, random_scene
from generation.train.checkpoint import load_checkpoint, save_checkpoint
from generation.train.export import SETTINGS_FILE, ModelParts, load_parts
from generation.train.loop import Report, Stage, train_stage
from generation.train.options import TrainProgress
from generation.train.text_encoder import encode, tokens_of
from generation.train.unet import noise_schedule
from generation.train.vae import as_tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 128
CAPTIONS = 4
"""Prompts per picture; a tenth of all are empty."""
_EYE = (8, 16, 32, 64)
"""Channels of the layers that bring the map to the latents' size, half of the usual at most: edges
in 8×8 pixels need no more, and they run at the picture's full size."""
_DRAWN_AT_ONCE = 16
_SEED_STREAM = 7


@dataclass(frozen=True, kw_only=True)
class ControlOptions:
    """How the ControlNet is trained."""

    model: Path
    """The finished model it is for, in diffusers' layout."""
    out: Path
    """The folder to write, in diffusers' layout."""
    work: Path
    """Folder for drawn pairs and checkpoints; give the same one again to resume."""
    steps: int = 2500
    rate: float = 1e-3
    batch: int = 16
    pictures: int = 8000
    seed: int = 4
    threads: int = 1
    save_every_s: float = 60.0


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Drawn pictures as latents, with their edges and their captions."""

    latents: Tensor
    """(n, 4, side / 8, side / 8), scaled."""
    maps: Tensor
    """(n, side, side) uint8, 0 or 255."""
    tokens: Tensor
    """(n, CAPTIONS, context) token ids."""


def train_control(options: ControlOptions, report: Report) -> Path:
    """Train, or go on training, and write the ControlNet to `options.out`; returns it.

    Raises DivergedError and WrongCheckpointError (see options.py).
    """
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    parts = load_parts(options.model)
    parts.text_encoder.requires_grad_(False)
    parts.unet.requires_grad_(False)
    pairs = _pairs(options, parts, report)
    net = new_control(parts.unet)
    stage = Stage(
        name="control",
        steps=options.steps,
        rate=options.rate,
        average=0.998,
        save_every_s=options.save_every_s,
    )
    training = ControlTraining(net, parts)

    def after_save(step: int) -> None:
        save_control(net, options.work / "newest")
        report(TrainProgress(stage="export", step=step, steps=stage.steps))

    loss = _loss(training, pairs, options)
    train_stage(stage, net, loss, options.work, report, after_save)
    return save_control(net, options.out)


def new_control(unet: UNet2DConditionModel) -> ControlNetModel:
    """A ControlNet for that UNet which does not change it yet.

    Narrower than the usual one where edges need no more: a thin eye, and a middle block without
    attention.
    """
    usual = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=_EYE)
    net = ControlNetModel.from_config({**usual.config, "mid_block_type": "UNetMidBlock2D"})
    net.load_state_dict({name: usual.state_dict()[name] for name in net.state_dict()})
    return net


def save_control(net: ControlNetModel, out: Path) -> Path:
    """Write it in half precision, with what it is led by; returns `out`."""
    half = ControlNetModel.from_config(net.config)
    half.load_state_dict(net.state_dict())
    half.half().save_pretrained(out, safe_serialization=True)
    (out / SETTINGS_FILE).write_text(json.dumps({"kind": "canny"}) + "\n")
    for file in out.glob("*.safetensors"):
        file.chmod(0o644)
    return out


class ControlTraining(nn.Module):
    """The ControlNet in front of the frozen UNet and text encoder."""

    def __init__(self, net: ControlNetModel, parts: ModelParts) -> None:
        super().__init__()
        self.net, self.unet, self.encoder = net, parts.unet, parts.text_encoder
        self.schedule = noise_schedule()

    def loss(
        self, latents: Tensor, maps: Tensor, tokens: Tensor, generator: torch.Generator
    ) -> Tensor:
        """MSE of v for (batch, 4, h, w) latents, their (batch, 3, 8h, 8w) maps in 0..1 and
        (batch, context) token ids."""
        words = encode(self.encoder, tokens)
        noise = torch.randn(latents.shape, generator=generator)
        # One timestep from every equal part of the schedule, as for the UNet.
        parts = torch.arange(len(latents)) + torch.rand(len(latents), generator=generator)
        times = (parts / len(latents) * self.schedule.config.num_train_timesteps).long()
        noisy = self.schedule.add_noise(latents, noise, times)
        down, middle = self.net(
            noisy, times, encoder_hidden_states=words, controlnet_cond=maps, return_dict=False
        )
        found = self.unet(
            noisy,
            times,
            encoder_hidden_states=words,
            down_block_additional_residuals=down,
            mid_block_additional_residual=middle,
        ).sample
        return F.mse_loss(found, self.schedule.get_velocity(latents, noise, times))


def _loss(
    training: ControlTraining, pairs: Pairs, options: ControlOptions
) -> Callable[[int], Tensor]:
    """The loss of a step as a function of its number alone."""

    def loss_of(step: int) -> Tensor:
        rng = np.random.default_rng((options.seed, _SEED_STREAM, step))
        count = min(options.batch, len(pairs.latents))
        chosen = torch.from_numpy(rng.choice(len(pairs.latents), count, replace=False))
        versions = torch.from_numpy(rng.integers(CAPTIONS, size=count))
        generator = torch.Generator().manual_seed(int(rng.integers(1 << 60)))
        maps = (pairs.maps[chosen].float() / 255)[:, None].expand(-1, 3, -1, -1)
        return training.loss(
            pairs.latents[chosen], maps, pairs.tokens[chosen, versions].long(), generator
        )

    return loss_of


def roaming_scene(rng: np.random.Generator, *, training: bool = True) -> Scene:
    """A scene whose product stands anywhere and in any size; held-out combinations as ever."""
    camera = Camera(
        shift_x=round(float(rng.uniform(-0.2, 0.2)), 4),
        shift_y=round(float(rng.uniform(-0.12, 0.08)), 4),
        scale=round(float(rng.uniform(0.55, 1.15)), 4),
        light_side=-1 if rng.random() < 0.5 else 1,
    )
    return replace(random_scene(rng, training=training), camera=camera)


def _pairs(options: ControlOptions, parts: ModelParts, report: Report) -> Pairs:
    path = options.work / "pairs.pt"
    state = load_checkpoint(path)
    if state is None:
        made = []
        for start in range(0, options.pictures, _DRAWN_AT_ONCE):
            count = min(_DRAWN_AT_ONCE, options.pictures - start)
            made.append(_drawn(parts, start, count, options.seed))
            report(TrainProgress(stage="draw", step=start + count, steps=options.pictures))
        latents, maps, tokens = (torch.cat(column) for column in zip(*made, strict=True))
        state = {"latents": latents, "maps": maps, "tokens": tokens}
        save_checkpoint(path, state)
    return Pairs(**state)


@torch.no_grad()
def _drawn(parts: ModelParts, first: int, count: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Latents, maps and token ids of pairs `first` to `first + count`; each from its number."""
    pictures: list[NDArray[np.uint8]] = []
    maps, prompts = [], []
    for index in range(first, first + count):
        rng = np.random.default_rng((seed, _SEED_STREAM, 1, index))
        scene = roaming_scene(rng)
        picture = draw(scene, SIDE, SIDE)
        pictures.append(np.asarray(picture))
        maps.append(np.asarray(canny.map_of(picture, SIDE, SIDE))[..., 0])
        prompts += [caption(scene, rng) for _ in range(CAPTIONS)]
    latents = parts.vae.encode(as_tensor(np.stack(pictures))).latent_dist.mean
    tokens = tokens_of(parts.tokenizer, prompts).to(torch.int16)
    scaled = latents * parts.vae.config.scaling_factor
    return scaled, torch.from_numpy(np.stack(maps)), tokens.view(count, CAPTIONS, -1)
