"""What a request's rows carry beside words and latents: LoRAs, controls, image prompts.

It hangs on the models in memory, is loaded when first asked for and goes with its model.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from threading import Lock
from weakref import WeakKeyDictionary

import torch
from diffusers import UNet2DConditionModel

from brand.spec import ModelMissing, RenderSpec, SpecInvalid
from generation.engine.control.rack import ControlRack
from generation.engine.control.sources import FOLDER, ControlSource, find_controls
from generation.engine.control.uses import controls_for
from generation.engine.flights import Control
from generation.engine.image_prompts import (
    ImagePrompts,
    ImagePromptView,
    choose_image_prompt,
    find_image_prompts,
    image_prompt_files,
)
from generation.engine.library.loaded import LoadedModel
from generation.engine.library.weights import WeightsIndex, together
from generation.engine.lora.bank import LoraBank
from generation.engine.preprocess.kinds import WEIGHTS_OF, Preprocessors
from generation.engine.preprocess.learned import files_of
from generation.engine.words.embeddings import EmbeddingShelf, Learned
from generation.engine.words.prompts import TextChanges
from generation.engines import Inputs
from generation.pixels import read_picture

Files = Sequence[tuple[str, Path]]
"""(name, file) of what decides an aid's part of the pixels."""
Hashes = tuple[tuple[str, str], ...]
"""(name, sha256) of them."""
_WITH_UNET = frozenset({"sd1", "sdxl"})


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
    image: tuple[torch.Tensor, torch.Tensor] | None = None
    """Of the image prompt: for rows of the negative prompt, then of the prompt."""
    image_weight: float = 0.0
    sha256: str = ""
    """Of the weights among them that the recipe does not name by hash; empty without any."""


class AidsShop:
    """The aids that are installed, for every model in memory. Any thread may ask."""

    def __init__(self, models_dir: Path | None, shipped: Path, index: WeightsIndex) -> None:
        self._index = index
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
                self._made[model] = _Fittings(
                    model, self._control_sources, self._image_prompts, self._index
                )
            return self._made[model]

    @contextmanager
    def held(
        self,
        model: LoadedModel,
        spec: RenderSpec,
        inputs: Inputs,
        turn: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> Iterator[Aids]:
        """A request's aids; an image prompt is looked at in a `turn` of the device.

        Raises LoraRefused, ModelMissing, SpecInvalid, InputMissing, and what the turn raises.
        """
        fittings = self.fit(model)
        files = {use.sha256: inputs.path(use.sha256) for use in spec.controls}
        hashes = self._control_hashes(fittings, spec)

        @cache
        def controls(width: int, height: int) -> tuple[Control, ...]:
            size = (width, height)
            return controls_for(spec.controls, files, fittings.rack, self._preprocessors, size)

        with fittings.loras.using(spec.loras, inputs) as loras:
            learned = fittings.embeddings.learned(spec.embeddings, inputs)
            text = RequestText(fittings.loras, loras, fittings.embeddings, learned)
            if spec.image_prompt is None:
                yield Aids(loras=loras, text=text, controls=controls, sha256=_named(hashes))
                return
            name, view, prompt_hashes = fittings.prompts_with(spec.image_prompt.model)
            picture = read_picture(inputs.path(spec.image_prompt.sha256))
            with turn():
                image = view.embeddings(picture)
            yield Aids(
                loras=loras,
                text=text,
                controls=controls,
                image_prompt=name,
                image=image,
                image_weight=spec.image_prompt.weight,
                sha256=_named(hashes + prompt_hashes),
            )

    def _control_hashes(self, fittings: "_Fittings", spec: RenderSpec) -> Hashes:
        """Of a recipe's ControlNets and of what makes their maps, all in memory by then."""
        found: list[tuple[str, str]] = []
        for place, use in enumerate(spec.controls):
            hashes = fittings.control(use.kind, use.model)
            found += [(f"control {place}/{name}", sha256) for name, sha256 in hashes]
            if not use.ready and use.kind in WEIGHTS_OF:
                files = files_of(self._models_dir, WEIGHTS_OF[use.kind])
                load = partial(self._preprocessors.load, use.kind)
                found += self._maps.hashes(use.kind, files, load)
        return tuple(found)


def _named(hashes: Hashes) -> str:
    return together(hashes) if hashes else ""


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
                try:
                    found = tuple((name, self._index.sha256(file)) for name, file in files)
                except OSError as exc:
                    raise ModelMissing(f"The weights of {key} cannot be read: {exc}") from exc
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
        index: WeightsIndex,
    ) -> None:
        unet = model.module if isinstance(model.module, UNet2DConditionModel) else None
        self.loras = LoraBank(model.pipe)
        self.embeddings = EmbeddingShelf(model.pipe)
        self.rack = ControlRack(unet, controls)
        self._found_prompts = image_prompts
        self._loaded = _Loaded(index)
        self._image_prompts = ImagePrompts(unet, image_prompts) if unet is not None else None
        model.denoiser.loras = self.loras
        if unet is not None:
            model.denoiser.controls = self.rack
            model.denoiser.image_prompts = self._image_prompts

    def control(self, kind: str, name: str) -> Hashes:
        """Have the ControlNet that leads by this kind. Raises ModelMissing, SpecInvalid."""
        source = self.rack.choose(kind, name)
        return self._loaded.hashes(
            f"ControlNet {source.name}", source.files, partial(self.rack.take, source.name)
        )

    def prompts_with(self, name: str) -> tuple[str, ImagePromptView, Hashes]:
        """The weights of that name, or those that fit. Raises ModelMissing, SpecInvalid."""
        if self._image_prompts is None:
            raise SpecInvalid("an image prompt needs a model of the SD 1.x or SDXL layout")
        chosen = self._image_prompts.choose(name)
        load = partial(self._image_prompts.view, chosen)
        files = image_prompt_files(self._found_prompts[chosen])
        hashes = self._loaded.hashes(f"image prompt {chosen}", files, load)
        return chosen, load(), hashes


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
