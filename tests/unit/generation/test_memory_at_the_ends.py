"""Memory that ends while words, pictures or latents are turned: the finished steps are kept."""

import threading
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from brand.spec import (
    HighRes,
    InitImage,
    Mask,
    RenderCancelled,
    RenderFailed,
    RenderRequest,
    RenderSpec,
)
from generation.engines import Engine
from tests.unit.generation.rendering import Folder, as_png, evaluations, new_engine, rendered, tiny

pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("ignore")]

SIDE = 64
PATIENCE_S = 20


@contextmanager
def failing(
    engine: Engine,
    part: Callable[[Any], Any],
    at: Container[int],
    *,
    model: str = "sd1",
    then: Callable[[], object] = lambda: None,
) -> Iterator[list[int]]:
    """That part of the model finds memory too small when called these times, counted from 1.

    `then` is called where any other call begins.
    """
    import torch

    calls: list[int] = []

    def looked(*_: object) -> None:
        calls.append(len(calls) + 1)
        if calls[-1] in at:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        then()

    with engine._fleet.use(model) as loaded:  # type: ignore[attr-defined]
        hook = part(loaded.pipe).register_forward_pre_hook(looked)
    try:
        yield calls
    finally:
        hook.remove()


@pytest.fixture(scope="module")
def family(tiny_family: Path) -> Engine:
    return new_engine(tiny_family, max_rows=2)


@pytest.fixture
def inputs(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def inpainted(inputs: Folder) -> RenderSpec:
    """A recipe whose two passes encode two pictures each and draw noise on the way."""
    rng = np.random.default_rng(3)
    drawn = Image.fromarray(rng.integers(0, 255, (SIDE, SIDE, 3), dtype=np.uint8))
    mask = Image.new("L", (SIDE, SIDE))
    mask.paste(255, (16, 16, 48, 48))
    return tiny(
        model="sd1-inpaint",
        sampler="euler_a",
        init=InitImage(sha256=inputs.put(as_png(drawn)), strength=0.8),
        mask=Mask(sha256=inputs.put(as_png(mask))),
        highres=HighRes(scale=1, strength=0.7),
    )


@pytest.mark.parametrize(
    ("part", "at"),
    [
        (lambda pipe: pipe.vae.decoder, {1}),
        (lambda pipe: pipe.vae.decoder, {1, 3}),
        (lambda pipe: pipe.vae.encoder, {1}),
        (lambda pipe: pipe.vae.encoder, {2}),
        (lambda pipe: pipe.vae.encoder, {4}),
    ],
)
def test_it_is_tried_once_more_and_the_bits_and_the_class_are_the_same(
    family: Engine, inputs: Folder, part: Callable[[Any], Any], at: set[int]
) -> None:
    spec = inpainted(inputs)
    told: list[Any] = []
    before = rendered(family, spec, inputs=inputs)
    with failing(family, part, at, model=spec.model) as calls:
        after = rendered(family, spec, inputs=inputs, told=told)
    assert max(calls) > max(at)
    assert after.png == before.png
    assert after.reproduction == before.reproduction
    done = evaluations(told)
    assert done == [(n + 1, len(done)) for n in range(len(done))]


def test_words_are_encoded_once_more_where_nobody_remembers_them(
    engine: Engine, tiny_models: Path
) -> None:
    fresh = new_engine(tiny_models)
    with failing(fresh, lambda pipe: pipe.text_encoder, {1}) as calls:
        found = rendered(fresh, tiny(negative="a blue one"))
    assert len(calls) > 1
    before = rendered(engine, tiny(negative="a blue one"))
    assert (found.png, found.reproduction) == (before.png, before.reproduction)


def test_memory_that_stays_too_small_fails_that_request_alone(engine: Engine) -> None:
    before = rendered(engine, tiny())
    with failing(engine, lambda pipe: pipe.vae.decoder, range(9)) as calls:
        with pytest.raises(RenderFailed, match="choose a smaller one") as told:
            rendered(engine, tiny())
        assert calls == [1, 2]
    assert told.value.seconds > 0
    assert rendered(engine, tiny()).png == before.png


def test_the_step_loop_makes_no_call_while_it_is_tried_once_more(engine: Engine) -> None:
    rendered(engine, tiny())
    long, told = tiny(steps=150, sampler="euler", seed=8), threading.Event()
    cancelled = threading.Event()
    during: list[tuple[int, int]] = []
    ended: list[type[Exception]] = []
    steps: list[int] = []

    def other() -> None:
        request = RenderRequest(render_id="long", brand="b", spec=long, preview_every=0)
        try:
            engine.render(request, Folder(Path("none")), lambda _: told.set(), cancelled.is_set)
        except RenderCancelled as exc:
            ended.append(type(exc))

    def counted(*_: object) -> None:
        steps.append(1)

    def looks() -> None:
        before = len(steps)
        threading.Event().wait(0.2)
        during.append((before, len(steps)))

    thread = threading.Thread(target=other, daemon=True)
    thread.start()
    assert told.wait(PATIENCE_S)
    with engine._fleet.use("sd1") as model:  # type: ignore[attr-defined]
        hook = model.pipe.unet.register_forward_pre_hook(counted)
    with failing(engine, lambda pipe: pipe.vae.decoder, {1}, then=looks):
        rendered(engine, tiny())
    hook.remove()
    ((before, after),) = during
    assert before == after > 0
    cancelled.set()
    thread.join(PATIENCE_S)
    assert ended == [RenderCancelled]  # it was in the air all the while
