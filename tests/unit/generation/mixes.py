"""Many random requests in the air at once, joining and leaving at random evaluations."""

import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from PIL import Image

from brand.spec import (
    InitImage,
    LoraUse,
    Mask,
    Picture,
    Progress,
    RenderCancelled,
    RenderRequest,
    RenderSpec,
)
from generation.engines import Engine
from tests.unit.generation.lora_files import ON_BOTH, ON_UNET, safetensors
from tests.unit.generation.rendering import Folder, as_png, tiny

SAMPLERS = (
    "euler", "euler_a", "dpmpp_2m_karras", "dpmpp_2m_sde", "dpmpp_3m", "heun", "lms", "ddim",
    "pndm", "deis", "unipc", "lcm",
)  # fmt: skip
SIZES = ((64, 64), (96, 64), (64, 80))
PATIENCE_S = 120.0


@dataclass(frozen=True, kw_only=True)
class Wish:
    """One request of a mix."""

    spec: RenderSpec
    priority: int
    team: str
    joins_after: tuple[int, int] | None
    """It joins when that earlier request has so many evaluations behind it; None: at once."""
    cancelled_after: int | None
    """Evaluations after which it is cancelled, or None."""


@dataclass(kw_only=True, eq=False)
class Outcome:
    """What became of a wish."""

    picture: Picture | None = None
    cancelled: bool = False
    failure: BaseException | None = None
    told: list[Progress] = field(default_factory=list)


def random_wishes(count: int, seed: int, inputs: Folder) -> list[Wish]:
    """Requests that differ in everything that may differ."""
    rng = random.Random(seed)
    loras = [inputs.put(safetensors(tensors)) for tensors in (ON_BOTH, ON_UNET)]
    picture = inputs.put(as_png(Image.linear_gradient("L").resize((64, 64)).convert("RGB")))
    mask = Image.new("L", (64, 64))
    mask.paste(255, (16, 16, 48, 48))
    hole = inputs.put(as_png(mask))
    return [_wish(rng, number, loras, picture, hole) for number in range(count)]


def _wish(rng: random.Random, number: int, loras: list[str], picture: str, hole: str) -> Wish:
    width, height = rng.choice(SIZES)
    way = rng.choice(("text", "text", "text", "image", "inpaint"))
    init = InitImage(sha256=picture, strength=rng.choice((0.4, 0.7, 1.0)))
    chosen = rng.sample(loras, rng.choice((0, 0, 1, 2)))
    spec = tiny(
        prompt=rng.choice(("a red mug", "a (red:1.4) mug on mud", "blue")),
        negative=rng.choice(("", "ugly")),
        seed=rng.randrange(2**31),
        steps=rng.randint(2, 7),
        sampler=rng.choice(SAMPLERS),
        guidance=rng.choice((1.0, 3.0, 7.5)),
        width=width,
        height=height,
        loras=tuple(LoraUse(sha256=one, weight=rng.choice((0.5, 1.0, -0.3))) for one in chosen),
        init=init if way != "text" else None,
        mask=Mask(sha256=hole) if way == "inpaint" else None,
    )
    joins = (rng.randrange(number), rng.randint(1, 3)) if number and rng.random() < 0.7 else None
    return Wish(
        spec=spec,
        priority=rng.choice((0, 0, 10)),
        team=rng.choice(("red", "blue")),
        joins_after=joins,
        cancelled_after=rng.randint(1, 3) if rng.random() < 0.15 else None,
    )


class Mix:
    """Renders wishes side by side, each in a thread of its own."""

    def __init__(self, engine: Engine, inputs: Folder, wishes: Sequence[Wish]) -> None:
        self._engine = engine
        self._inputs = inputs
        self._wishes = wishes
        self._reached = [threading.Event() for _ in wishes]
        self.outcomes = [Outcome() for _ in wishes]

    def run(self) -> list[Outcome]:
        """All outcomes, in the order of the wishes."""
        self._waited: dict[int, int] = {}
        for wish in self._wishes:
            if wish.joins_after:
                index, evaluations = wish.joins_after
                self._waited[index] = min(evaluations, self._waited.get(index, evaluations))
        threads = [
            threading.Thread(target=self._render, args=(index,))
            for index in range(len(self._wishes))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_S)
        return self.outcomes

    def _render(self, index: int) -> None:
        wish, outcome = self._wishes[index], self.outcomes[index]
        if wish.joins_after and not self._reached[wish.joins_after[0]].wait(PATIENCE_S):
            outcome.failure = TimeoutError(f"{index} waited in vain")
            self._reached[index].set()
            return
        request = RenderRequest(
            render_id=f"r{index}",
            brand="b",
            spec=wish.spec,
            priority=wish.priority,
            team=wish.team,
            preview_every=2,
        )
        done = 0

        def tell(progress: Progress) -> None:
            nonlocal done
            outcome.told.append(progress)
            done = progress.done
            if done >= self._waited.get(index, 1):
                self._reached[index].set()

        def cancelled() -> bool:
            return wish.cancelled_after is not None and done >= wish.cancelled_after

        try:
            outcome.picture = self._engine.render(request, self._inputs, tell, cancelled)
        except RenderCancelled:
            outcome.cancelled = True
        except Exception as exc:  # noqa: BLE001  # looked at by whoever asked for the mix
            outcome.failure = exc
        finally:
            self._reached[index].set()


def alone(engine: Engine, inputs: Folder, spec: RenderSpec) -> Picture:
    """The same picture with nobody else in the air."""
    request = RenderRequest(render_id="alone", brand="b", spec=spec, preview_every=0)
    return engine.render(request, inputs, lambda _: None, lambda: False)
