"""What a request's rows carry beside words and latents: LoRAs, controls, image prompts.

It hangs on the models in memory, is loaded when it is asked for and goes with its model, or before
that when nobody uses it and others need the room.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from threading import Lock
from typing import Protocol
from weakref import WeakKeyDictionary

import torch
from diffusers import UNet2DConditionModel

from brand.spec import ModelMissing, RenderSpec, SpecInvalid
from generation.engine.control.rack import ControlRack
from generation.engine.control.sources import FOLDER, ControlSource, find_controls
from generation.engine.control.uses import controls_for
from generation.engine.flights import Control
from generation.engine.image_prompts import ImagePrompts, choose_image_prompt
from generation.engine.library.image_prompt_files import find_image_prompts
from generation.engine.library.loaded import LoadedModel
from generation.engine.library.shelf import Beside, RoomFor
from generation.engine.library.weights import Files, Hashes, WeightsIndex, together
from generation.engine.lora.bank import LoraBank
from generation.engine.preprocess.kinds import WEIGHTS_OF, Preprocessors
from generation.engine.preprocess.places import files_of
from generation.engine.words.embeddings import EmbeddingShelf, Learned
from generation.engine.words.prompts import TextChanges
from generation.engines import Inputs
from generation.pixels import read_picture

Looked = tuple[torch.Tensor, torch.Tensor]
"""What a model reads of an image prompt: for rows of the negative prompt, then of the prompt."""
Turn = Callable[[Callable[[], Looked]], Looked]
"""Has an image prompt looked at when the device has time for it; perhaps twice."""
_WITH_UNET = frozenset({"sd1", "sdxl"})


def at_once(work: Callable[[], Looked]) -> Looked:
    """A turn without waiting."""
    return work()


@dataclass(frozen=True, kw_only=True, eq=False)
class Aids:
    """Of one request; held in memory for as long as it is in the air."""

    loras: tuple[tuple[str, float], ...]
    text: TextChanges
    """What they do to the text encoders."""
    controls: Callable[[int, int], tuple[Control, ...]]
    """By the pass's width and height in pixels."""
    image_prompt: str = ""
    """The name of the weights."""
    image: Looked | None = None
    """Of the image prompt."""
    image_weight: float = 0.0
    sha256: str = ""
    """Of the weights among them that the recipe does not name by hash; empty without any."""


class Memory(Protocol):
    """The device's memory, shared by all models; any thread may ask."""

    def put_beside(self, model: LoadedModel, beside: Beside) -> None:
        """Count this with a model that somebody uses meanwhile."""
        ...

    def room_beside(self, model: str, need: int) -> AbstractContextManager[None]:
        """Keep so many bytes free for what is loaded beside it meanwhile. Raises ModelMissing."""
        ...


class AidsShop:
    """The aids that are installed, for every model in memory. Any thread may ask."""

    def __init__(
        self,
        models_dir: Path | None,
        shipped: Path,
        index: WeightsIndex,
        memory: Callable[[], Memory],
    ) -> None:
        self._index = index
        self._memory = memory
        self._control_sources = find_controls(models_dir, shipped)
        self._image_prompts = find_image_prompts(models_dir)
        self._models_dir = models_dir
        self._preprocessors = Preprocessors(models_dir)
        self._maps = _Loaded(index)
        self._made: WeakKeyDictionary[LoadedModel, _Fittings] = WeakKeyDictionary()
        self._lock = Lock()

    def check(self, spec: RenderSpec, layout: str) -> None:
        """Refuse what no model of this layout could be given here.

        Raises ModelMissing, SpecInvalid.
        """
        if (spec.image_prompt or spec.controls) and layout not in _WITH_UNET:
            raise SpecInvalid(
                "controls and image prompts lead models of the SD 1.x and SDXL layouts only"
            )
        if spec.image_prompt:
            choose_image_prompt(self._image_prompts, spec.image_prompt.model)
        for use in spec.controls:
            if use.model not in self._control_sources and (
                use.model or use.kind not in {s.kind for s in self._control_sources.values()}
            ):
                raise ModelMissing(
                    f"There is no {use.model or use.kind} ControlNet here. Put one into {FOLDER}/ "
                    "in the models folder, with its kind in its name, and restart the service."
                )

    def fit(self, model: LoadedModel) -> "_Fittings":
        """Give a model's denoiser what its rows may ask for; once for each model loaded."""
        with self._lock:
            if model not in self._made:
                made = self._made[model] = _Fittings(
                    model,
                    self._control_sources,
                    self._image_prompts,
                    read_hashes=self._read_hashes,
                    room_for=partial(self._memory().room_beside, model.source.name),
                )
                self._memory().put_beside(model, made)
            return self._made[model]

    def _read_hashes(self, of: str, files: Files) -> Hashes:
        return _read_hashes(self._index, of, files)

    @contextmanager
    def held(
        self,
        model: LoadedModel,
        spec: RenderSpec,
        inputs: Inputs,
        turn: Turn = at_once,
    ) -> Iterator[Aids]:
        """A request's aids; an image prompt is looked at in a `turn` of the device.

        Raises LoraRefused, ModelMissing, SpecInvalid, InputMissing, and what the turn raises.
        """
        fittings = self.fit(model)
        files = {use.sha256: inputs.path(use.sha256) for use in spec.controls}

        @cache
        def controls(width: int, height: int) -> tuple[Control, ...]:
            size = (width, height)
            return controls_for(spec.controls, files, fittings.rack, self._preprocessors, size)

        with ExitStack() as held:
            hashes = self._controls_held(fittings, spec, held)
            loras = held.enter_context(fittings.loras.using(spec.loras, inputs))
            learned = fittings.embeddings.learned(spec.embeddings, inputs)
            text = RequestText(fittings.loras, loras, fittings.embeddings, learned)
            plain = Aids(loras=loras, text=text, controls=controls, sha256=_named(hashes))
            if spec.image_prompt is None:
                yield plain
                return
            name, prompts = fittings.prompts_for(spec.image_prompt.model)
            view = held.enter_context(prompts.using(name))
            picture = read_picture(inputs.path(spec.image_prompt.sha256))
            image = turn(partial(view.embeddings, picture))
            yield replace(
                plain,
                image_prompt=name,
                image=image,
                image_weight=spec.image_prompt.weight,
                sha256=_named(hashes + view.hashes),
            )

    def _controls_held(self, fittings: "_Fittings", spec: RenderSpec, held: ExitStack) -> Hashes:
        """Have a recipe's ControlNets and what makes their maps in memory; their hashes."""
        found: list[tuple[str, str]] = []
        for place, use in enumerate(spec.controls):
            source = fittings.rack.choose(use.kind, use.model)
            net = held.enter_context(fittings.rack.using(source.name))
            found += [(f"control {place}/{name}", sha256) for name, sha256 in net.hashes]
            if not use.ready and use.kind in WEIGHTS_OF:
                files = files_of(self._models_dir, WEIGHTS_OF[use.kind])
                load = partial(self._preprocessors.load, use.kind)
                found += self._maps.hashes(use.kind, files, load)
        return tuple(found)


def _named(hashes: Hashes) -> str:
    return together(hashes) if hashes else ""


def _read_hashes(index: WeightsIndex, of: str, files: Files) -> Hashes:
    try:
        return tuple((name, index.sha256(file)) for name, file in files)
    except OSError as exc:
        raise ModelMissing(f"The weights of {of} cannot be read: {exc}") from exc


class _Loaded:
    """The hashes of weights as they were when they were loaded, whatever lies on disk since."""

    def __init__(self, index: WeightsIndex) -> None:
        self._index = index
        self._known: dict[str, Hashes] = {}
        self._lock = Lock()

    def hashes(self, key: str, files: Files, load: Callable[[], object]) -> Hashes:
        """Of these files, which `load` brings into memory if it has not done so before.

        Raises ModelMissing, and whatever `load` raises.
        """
        if key in self._known:
            return self._known[key]  # nobody waits for weights that others load
        with self._lock:
            if key not in self._known:
                found = _read_hashes(self._index, key, files)
                load()
                self._known[key] = found
            return self._known[key]


class _Fittings:
    """What one loaded model's denoiser was given. It must not hold the model itself in memory."""

    def __init__(
        self,
        model: LoadedModel,
        controls: Mapping[str, ControlSource],
        image_prompts: Mapping[str, Path],
        *,
        read_hashes: Callable[[str, Files], Hashes],
        room_for: RoomFor,
    ) -> None:
        unet = model.module if isinstance(model.module, UNet2DConditionModel) else None
        self.loras = LoraBank(model.pipe, room_for=room_for)
        self.embeddings = EmbeddingShelf(model.pipe)
        self.rack = ControlRack(unet, controls, read_hashes=read_hashes, room_for=room_for)
        self._image_prompts = (
            ImagePrompts(unet, image_prompts, read_hashes=read_hashes, room_for=room_for)
            if unet is not None
            else None
        )
        model.denoiser.loras = self.loras
        if unet is not None:
            model.denoiser.controls = self.rack
            model.denoiser.image_prompts = self._image_prompts

    def prompts_for(self, name: str) -> tuple[str, ImagePrompts]:
        """The weights of that name, or those that fit. Raises ModelMissing, SpecInvalid."""
        if self._image_prompts is None:
            raise SpecInvalid("an image prompt needs a model of the SD 1.x or SDXL layout")
        return self._image_prompts.choose(name), self._image_prompts

    @property
    def _shelves(self) -> tuple[Beside, ...]:
        """What is soonest read again stands first."""
        prompts = self._image_prompts
        return (self.loras, *([prompts.shelf] if prompts else []), self.rack.shelf)

    @property
    def bytes(self) -> int:
        """As Beside says."""
        return sum(shelf.bytes for shelf in self._shelves)

    @property
    def idle_bytes(self) -> int:
        """As Beside says."""
        return sum(shelf.idle_bytes for shelf in self._shelves)

    def let_go(self, wanted: int) -> int:
        """As Beside says."""
        freed = 0
        for shelf in self._shelves:
            if freed < wanted:
                freed += shelf.let_go(wanted - freed)
        return freed


class RequestText:
    """What a request's LoRAs and learned words do to the text encoders; see TextChanges."""

    def __init__(
        self,
        bank: LoraBank,
        loras: tuple[tuple[str, float], ...],
        shelf: EmbeddingShelf,
        learned: Learned,
    ) -> None:
        self._bank, self._loras = bank, loras
        self._shelf, self._learned = shelf, learned

    @property
    def key(self) -> Hashable:
        """Equal keys, equal embeddings."""
        return self._loras, self._learned.key

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Act on the encoders within this context."""
        with self._bank.applied_to_text(self._loras), self._shelf.applied(self._learned):
            yield

    def words(self, encoder: int) -> Mapping[str, tuple[int, ...]]:
        """The learned words and the tokens they are read as."""
        return self._learned.ids[encoder]
