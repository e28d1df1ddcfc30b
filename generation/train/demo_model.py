"""The recipe of the shipped demo model, from drawing its pictures to the finished folder.

Stages: draw pictures -> VAE -> their latents -> words -> UNet with text encoder -> decoder ->
export. Each leaves its result in the work folder; a run that was stopped goes on from there.
"""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from generation.train.checkpoint import load_checkpoint, save_checkpoint
from generation.train.decoder import DecoderTraining, decoder_loss
from generation.train.export import ModelParts, export_model, load_parts
from generation.train.loop import Report, Stage, train_stage
from generation.train.options import DemoModelOptions, TrainProgress
from generation.train.pool import OTHER_SHAPES, SQUARE, Shape, draw_pool, pool_scene
from generation.train.sizes import FULL, Sizes
from generation.train.text_encoder import (
    WordLesson,
    caption_tokens,
    lesson_loss,
    new_text_encoder,
)
from generation.train.threads import ADAPTIVE, ThreadChoice
from generation.train.tokenizer import new_tokenizer
from generation.train.unet import DiffusionTraining, LatentPool, diffusion_loss, new_unet
from generation.train.vae import VaeTraining, encode_pool, new_vae, standardize, vae_loss

_CAPTION_VERSIONS = 8


def train_demo_model(options: DemoModelOptions, report: Report, *, sizes: Sizes = FULL) -> Path:
    """Train, or go on training, and write the finished model to `options.out`.

    Returns that folder. Raises DivergedError and WrongCheckpointError (see options.py).
    """
    if options.threads != ADAPTIVE:
        torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    plan = _plan(options, sizes)
    pool = _drawn(options, SQUARE, report)
    parts = _first_parts(options, sizes)
    if options.resume_from is None:
        _train_vae(options, plan, parts, pool, report)
    latents = _square_latents(options, parts, pool, report)
    if options.resume_from is None:
        _teach_words(options, plan, parts, report)
    _train_unet(options, plan, parts, latents, report)
    _polish_decoder(options, plan, parts, pool, latents, report)
    return export_model(parts, options.out)


def _threads(options: DemoModelOptions) -> ThreadChoice | None:
    return ThreadChoice(os.cpu_count() or 1) if options.threads == ADAPTIVE else None


def _timed(options: DemoModelOptions, stage: Stage) -> Stage:
    return replace(stage, report_every_s=options.report_every_s, save_every_s=options.save_every_s)


def _plan(options: DemoModelOptions, sizes: Sizes) -> dict[str, int]:
    """Steps per stage: written once, so that a resumed run keeps its falling rates."""
    path = options.work / "plan.json"
    if not path.exists():
        options.work.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(sizes.steps(options.hours), indent=2) + "\n")
    plan: dict[str, int] = json.loads(path.read_text())
    return plan


def _drawn(options: DemoModelOptions, shape: Shape, report: Report) -> NDArray[np.uint8]:
    count = round(options.pictures * shape.part)
    return draw_pool(
        options.work,
        shape,
        count=count,
        seed=options.seed,
        workers=options.threads or os.cpu_count() or 1,
        report=lambda done: report(TrainProgress(stage="draw", step=done, steps=count)),
    )


def _first_parts(options: DemoModelOptions, sizes: Sizes) -> ModelParts:
    if options.resume_from is not None:
        return load_parts(options.resume_from)
    tokenizer = new_tokenizer(options.seed)
    return ModelParts(
        vae=new_vae(sizes.vae),
        text_encoder=new_text_encoder(sizes.text, tokenizer),
        tokenizer=tokenizer,
        unet=new_unet(sizes.unet, text_width=sizes.text.width),
    )


def _train_vae(
    options: DemoModelOptions,
    plan: dict[str, int],
    parts: ModelParts,
    pool: NDArray[np.uint8],
    report: Report,
) -> None:
    training = VaeTraining(parts.vae)
    stage = _timed(options, Stage(name="vae", steps=plan["vae"], rate=2e-3, average=0.998))
    loss = vae_loss(training, pool, seed=options.seed, steps=stage.steps)
    train_stage(stage, training, loss, options.work, report, threads=_threads(options))


def _square_latents(
    options: DemoModelOptions, parts: ModelParts, pool: NDArray[np.uint8], report: Report
) -> Tensor:
    """Latents of the square pool under the VAE, whose own latents become 0 +- 1 by the way."""
    path = options.work / "latents.pt"
    state = load_checkpoint(path)
    if state is None:
        latents = _encoded(options, parts, pool, report)
        if options.resume_from is None:
            latents = standardize(parts.vae, latents)
        state = {"latents": latents, "vae": parts.vae.state_dict()}
        save_checkpoint(path, state)
    parts.vae.load_state_dict(state["vae"])
    found: Tensor = state["latents"]
    return found


def _other_pool(
    options: DemoModelOptions, parts: ModelParts, shape: Shape, report: Report
) -> LatentPool:
    path = options.work / f"latents-{shape.name}.pt"
    state = load_checkpoint(path)
    if state is None:
        drawn = _drawn(options, shape, report)
        state = {"latents": _encoded(options, parts, drawn, report)}
        save_checkpoint(path, state)
    return _latent_pool(options, parts, shape, state["latents"])


def _encoded(
    options: DemoModelOptions, parts: ModelParts, pool: NDArray[np.uint8], report: Report
) -> Tensor:
    def coded(done: int) -> None:
        report(TrainProgress(stage="latents", step=done, steps=len(pool)))

    return encode_pool(parts.vae, pool, coded, _threads(options))


def _latent_pool(
    options: DemoModelOptions, parts: ModelParts, shape: Shape, latents: Tensor
) -> LatentPool:
    path = options.work / f"tokens-{shape.name}.npy"
    if not path.exists():
        scenes = [pool_scene(options.seed, index, shape) for index in range(len(latents))]
        tokens = caption_tokens(
            parts.tokenizer, scenes, seed=options.seed, versions=_CAPTION_VERSIONS
        )
        with path.with_suffix(".part").open("wb") as file:
            np.save(file, tokens)
        path.with_suffix(".part").rename(path)
    return LatentPool(latents=latents, tokens=np.load(path), batch=shape.batch)


def _teach_words(
    options: DemoModelOptions, plan: dict[str, int], parts: ModelParts, report: Report
) -> None:
    lesson = WordLesson(parts.text_encoder)
    stage = _timed(
        options, Stage(name="words", steps=plan["words"], rate=1.5e-3, weight_decay=0.02)
    )
    loss = lesson_loss(lesson, parts.tokenizer, seed=options.seed)
    train_stage(stage, lesson, loss, options.work, report, threads=_threads(options))


def _train_unet(
    options: DemoModelOptions,
    plan: dict[str, int],
    parts: ModelParts,
    latents: Tensor,
    report: Report,
) -> None:
    square = _latent_pool(options, parts, SQUARE, latents)
    others = [_other_pool(options, parts, shape, report) for shape in OTHER_SHAPES]
    training = DiffusionTraining(parts.unet, parts.text_encoder)
    stage = _timed(
        options, Stage(name="unet", steps=plan["unet"], rate=1.2e-3, warmup=200, average=0.999)
    )

    def after_save(step: int) -> None:
        export_model(parts, options.work / "newest")
        report(TrainProgress(stage="export", step=step, steps=stage.steps))

    loss = diffusion_loss(training, square, others, seed=options.seed)
    train_stage(stage, training, loss, options.work, report, after_save, _threads(options))


def _polish_decoder(
    options: DemoModelOptions,
    plan: dict[str, int],
    parts: ModelParts,
    pool: NDArray[np.uint8],
    latents: Tensor,
    report: Report,
) -> None:
    training = DecoderTraining(parts.vae)
    stage = _timed(options, Stage(name="decoder", steps=plan["decoder"], rate=1e-3, average=0.998))
    loss = decoder_loss(training, latents, pool, seed=options.seed)
    train_stage(stage, training, loss, options.work, report, threads=_threads(options))
