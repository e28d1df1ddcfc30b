"""Whoever else is in the air: a request's bits are its own, and so are its failures."""

import threading
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brand.spec import (
    InitImage,
    LoraRefused,
    LoraUse,
    Picture,
    Progress,
    RenderCancelled,
    RenderError,
    RenderFailed,
    RenderRequest,
    SpecInvalid,
)
from generation.engine.loop.profile import Profile
from generation.engines import Engine
from tests.fakes.waiting import wait_until
from tests.unit.generation.lora_files import UNET, peft_lora, safetensors
from tests.unit.generation.mixes import Mix, Wish, alone, random_wishes
from tests.unit.generation.rendering import Folder, new_engine, rendered, tiny

pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def engine(tiny_models: Path) -> Engine:
    """An engine whose batches hold several requests."""
    return new_engine(tiny_models, max_rows=8)


@pytest.fixture
def inputs(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.mark.parametrize(
    "count", [12, pytest.param(200, marks=pytest.mark.deep)], ids=["few", "many"]
)
def test_bits_never_depend_on_who_else_is_in_the_air(
    engine: Engine, inputs: Folder, count: int
) -> None:
    found: Counter[str] = Counter()
    for first in range(0, count, 25):
        wishes = random_wishes(min(25, count - first), first, inputs)
        outcomes = Mix(engine, inputs, wishes).run()
        for wish, outcome in zip(wishes, outcomes, strict=True):
            assert outcome.failure is None
            if outcome.picture is None:
                assert outcome.cancelled
                assert wish.cancelled_after is not None
                found["cancelled"] += 1
                continue
            by_itself = alone(engine, inputs, wish.spec)
            found["equal" if outcome.picture.png == by_itself.png else "other"] += 1
            assert outcome.picture.reproduction == by_itself.reproduction
    assert found["other"] == 0
    assert found["equal"] >= count * 2 // 3


def plain_wish(**changes: Any) -> Wish:
    given: dict[str, Any] = {"priority": 0, "team": "red", "joins_after": None}
    given |= {"cancelled_after": None, "spec": tiny(steps=6)}
    return Wish(**given | changes)


def test_poisonous_requests_fail_alone(engine: Engine, inputs: Folder) -> None:
    huge = peft_lora(f"unet.{UNET}", seed=1)
    huge = {name: np.full_like(values, 1e30) for name, values in huge.items()}
    poison = LoraUse(sha256=inputs.put(safetensors(huge)))
    broken = LoraUse(sha256=inputs.put(b"weights"))
    gone = InitImage(sha256=inputs.put(b"no picture"))
    wishes = [
        plain_wish(),
        plain_wish(spec=tiny(steps=6, loras=(poison,))),
        plain_wish(spec=tiny(steps=6, loras=(broken,))),
        plain_wish(spec=tiny(steps=6, init=gone)),
        plain_wish(spec=tiny(steps=6, seed=9), joins_after=(0, 1)),
    ]
    before = [alone(engine, inputs, wishes[index].spec).png for index in (0, 4)]
    outcomes = Mix(engine, inputs, wishes).run()
    kinds = [type(outcomes[index].failure) for index in (1, 2, 3)]
    assert kinds == [RenderFailed, LoraRefused, SpecInvalid]
    made = [outcomes[index].picture for index in (0, 4)]
    assert [picture.png for picture in made if picture] == before


def test_a_cancelled_request_ends_at_its_next_evaluation_and_is_never_decoded(
    tiny_models: Path, inputs: Folder
) -> None:
    engine = new_engine(tiny_models, max_rows=8)
    decoded = count_decodes(engine)
    wishes = [plain_wish(), plain_wish(spec=tiny(steps=30, seed=2), cancelled_after=4)]
    outcomes = Mix(engine, inputs, wishes).run()
    assert outcomes[1].cancelled
    assert max(item.done for item in outcomes[1].told) == 4
    assert outcomes[0].picture
    assert len(decoded) == 1


def test_a_request_cancelled_after_its_last_evaluation_is_not_decoded_either(
    tiny_models: Path,
) -> None:
    engine = new_engine(tiny_models)
    decoded = count_decodes(engine)
    told: list[Progress] = []
    with pytest.raises(RenderCancelled):
        rendered(engine, tiny(), told=told, cancelled=lambda: bool(told) and told[-1].done == 3)
    assert not decoded


def count_decodes(engine: Engine) -> list[int]:
    """Grows by one for every picture decoded with the model sd1."""
    decoded: list[int] = []
    with engine._fleet.use("sd1") as model:  # type: ignore[attr-defined]
        model.codec.vae.decoder.register_forward_pre_hook(lambda *_: decoded.append(1))
    return decoded


def test_the_urgent_overtake_at_the_next_step(tiny_models: Path, inputs: Folder) -> None:
    engine = new_engine(tiny_models, max_rows=2)
    order: list[str] = []
    begun = threading.Event()

    def render(name: str, priority: int, steps: int) -> None:
        done = 0

        def tell(progress: Progress) -> None:
            nonlocal done
            if progress.done > done:
                done = progress.done
                order.append(name)
                begun.set()

        spec = tiny(steps=steps, seed=priority, sampler="ddim")
        request = RenderRequest(render_id=name, brand="b", spec=spec, priority=priority)
        engine.render(request, inputs, tell, lambda: False)

    overnight = threading.Thread(target=render, args=("overnight", 0, 60))
    overnight.start()
    assert begun.wait(60)
    render("urgent", 10, 8)
    overnight.join(60)
    first = order.index("urgent")
    # One step in a while goes to those left out, so that nobody starves.
    assert order[first : first + 8].count("urgent") >= 7
    assert order.count("overnight") == 60


def test_where_memory_ends_the_batch_shrinks_and_the_pictures_name_their_class(
    tiny_models: Path, inputs: Folder, tmp_path: Path
) -> None:
    import torch

    engine = new_engine(tiny_models, max_rows=8, state_dir=tmp_path / "state")
    wishes = [plain_wish(spec=tiny(steps=12, seed=number)) for number in range(4)]
    before = [alone(engine, inputs, wish.spec).png for wish in wishes]
    with engine._fleet.use("sd1") as model:  # type: ignore[attr-defined]
        denoiser, failed = model.denoiser, []
        usual = denoiser.run
        # The clock of a busy machine must not decide that eight rows do not pay.
        engine._shop.loop._profiles.keep(  # type: ignore[attr-defined]
            engine._loop_model("sd1").conditions,  # type: ignore[attr-defined]
            model.signature(64, 64),
            Profile(seconds={2: 2.0, 4: 2.1, 8: 2.2}, budget=8),
        )
        together: list[bool] = []

        def cramped(latents: torch.Tensor, *given: Any, **named: Any) -> Any:  # noqa: ANN401
            if not together:  # none of them lands before memory ends
                wait_until(lambda: engine.standing().flights == len(wishes))  # type: ignore[attr-defined]
                together.append(True)
            if len(latents) > 4:
                failed.append(len(latents))
                raise torch.OutOfMemoryError("no room")
            return usual(latents, *given, **named)

        denoiser.run = cramped
        outcomes = Mix(engine, inputs, wishes).run()
    assert failed
    assert [made.picture.png for made in outcomes if made.picture] == before
    assert all(max(made.picture.reproduction.buckets) <= 4 for made in outcomes if made.picture)


def test_what_memory_never_holds_is_refused_with_a_way_out(
    tiny_models: Path, tmp_path: Path
) -> None:
    import torch

    engine = new_engine(tiny_models, state_dir=tmp_path / "state")
    with engine._fleet.use("sd1") as model:  # type: ignore[attr-defined]

        def full(*_given: Any, **_named: Any) -> Any:  # noqa: ANN401
            raise torch.OutOfMemoryError("no room")

        model.denoiser.run = full
        with pytest.raises(RenderFailed, match="more memory than there is"):
            rendered(engine, tiny())


def test_seconds_are_the_devices_and_not_the_time_spent_waiting(
    engine: Engine, inputs: Folder
) -> None:
    lone = alone(engine, inputs, tiny(steps=20))
    wishes = [plain_wish(spec=tiny(steps=20, seed=number)) for number in range(6)]
    outcomes = Mix(engine, inputs, wishes).run()
    pictures = [made.picture for made in outcomes if isinstance(made.picture, Picture)]
    assert len(pictures) == 6
    assert all(0 < picture.seconds < 3 * lone.seconds for picture in pictures)


def test_errors_are_of_the_one_tree(engine: Engine, inputs: Folder) -> None:
    for spec in (tiny(sampler="none"), tiny(loras=(LoraUse(sha256=inputs.put(b"x")),))):
        with pytest.raises(RenderError):
            rendered(engine, spec, inputs=inputs)
