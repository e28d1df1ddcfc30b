"""Makes one picture: its passes through the step loop, and the model's ends around them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import torch
from PIL import Image

from brand.spec import Progress, RenderRequest
from generation.engine.aids import Aids
from generation.engine.ends import Ends, Meter
from generation.engine.finish import Pool, eight_bit
from generation.engine.flights import Flight, Terms
from generation.engine.library.loaded import LoadedModel
from generation.engine.loop.rides import Cancelled
from generation.engine.loop.rides import Told as ToldFlight
from generation.engine.loop.standing import Standing
from generation.engine.sampling.courses import Course, flux_sigmas
from generation.engine.sampling.plan import evaluations
from generation.engine.sampling.steppers import new_stepper
from generation.engine.told import Leg, Told
from generation.engine.ways.highres import between, second_steps
from generation.engine.ways.image import from_image, skipped_steps
from generation.engine.ways.inpaint import blend_of, from_canvas
from generation.engine.ways.masks import Canvas, masked
from generation.engine.ways.outpaint import extended
from generation.engine.ways.start import Begin, Bench
from generation.engine.ways.text import from_text
from generation.engine.words.prompts import Encoded
from generation.engines import Inputs, OnProgress, Wish, Wished
from generation.pixels import enlarged, fitted, read_picture


class Flies(Protocol):
    """The step loop, as far as a request knows it."""

    def fly(self, flight: Flight, told: ToldFlight, cancelled: Cancelled) -> torch.Tensor:
        """Block until the last evaluation. Raises the RenderError tree."""
        ...

    def standing(self) -> Standing:
        """What is in the air."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Shop:
    """What all requests of one engine share."""

    loop: Flies
    ends: Ends
    pool: Pool


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pass:
    """One pass as it is known before anything is computed."""

    width: int
    height: int
    course: Course
    evaluations: int
    strongest: bool
    """Whether nothing of a picture to start from is left."""


class Making:
    """One request on a model that stays in memory meanwhile. Used by one thread."""

    def __init__(
        self,
        shop: Shop,
        model: LoadedModel,
        aids: Aids,
        request: RenderRequest,
        inputs: Inputs,
        *,
        meter: Meter,
        cancelled: Cancelled,
        wished: Wished,
    ) -> None:
        self._shop, self._model, self._aids = shop, model, aids
        self._request, self._spec = request, request.spec
        self._inputs = inputs
        self._meter = meter
        self._cancelled = cancelled
        self._wished = wished
        self.buckets: list[tuple[int, ...]] = []
        """Of each pass so far: the row buckets of equal bits that it was rendered in."""

    def picture(self, on_progress: OnProgress) -> Image.Image:
        """The finished picture. Raises the RenderError tree."""
        spec, origin = self._spec, self._origin()
        passes = self._passes()
        image: Image.Image | None = None
        if spec.init and spec.init.strength == 0 and origin is not None:
            image, passes = _untouched(origin), passes[1:]
            if not passes:
                on_progress(Progress(done=0, total=0, eta_s=0.0))
                return enlarged(image, spec.upscale)
        told = self._told(passes, on_progress)
        try:
            first = 0
            if image is None:
                image, first = self._first(passes[0], origin, told), 1
            for number, later in enumerate(passes[first:], start=first):
                told.begin(number)
                image = self._again(later, image, origin, told)
        finally:
            told.end()
        return enlarged(image, spec.upscale)

    def _origin(self) -> Canvas | Image.Image | None:
        """What it starts from: a picture with a mask, a picture, or nothing."""
        spec = self._spec
        if spec.init is None:
            return None
        given, size = self._opened(spec.init.sha256), (spec.width, spec.height)
        if spec.outpaint:
            return extended(given, size, spec.outpaint)
        reference = fitted(given, *size)
        return (
            masked(reference, self._opened(spec.mask.sha256), spec.mask) if spec.mask else reference
        )

    def _opened(self, sha256: str) -> Image.Image:
        return read_picture(self._inputs.path(sha256))

    def _passes(self) -> tuple[_Pass, ...]:
        spec = self._spec
        strength = spec.init.strength if spec.init else 1.0
        first = self._pass(spec.width, spec.height, spec.steps, strength)
        if spec.highres is None:
            return (first,)
        steps = second_steps(spec, spec.highres)
        return first, self._pass(*spec.highres_size, steps, spec.highres.strength)

    def _pass(self, width: int, height: int, steps: int, strength: float) -> _Pass:
        model = self._model
        course = Course(
            sampler=self._spec.sampler,
            config=model.scheduler_config,
            steps=steps,
            first=skipped_steps(model.layout, steps, strength),
            mu=model.mu(width, height),
            sigmas=flux_sigmas(steps) if model.layout == "flux" else None,
        )
        return _Pass(
            width=width,
            height=height,
            course=course,
            evaluations=evaluations(course),
            strongest=strength == 1,
        )

    def _told(self, passes: Sequence[_Pass], on_progress: OnProgress) -> Told:
        return Told(
            key=self._request.render_id,
            legs=[Leg(evaluations=p.evaluations, area=p.width * p.height) for p in passes],
            on_progress=on_progress,
            pool=self._shop.pool,
            preview_map=self._model.preview_map,
            after_s=self._decoding_s(passes[-1]),
        )

    def _first(self, pass_: _Pass, origin: Canvas | Image.Image | None, told: Told) -> Image.Image:
        if not isinstance(origin, Canvas):
            return self._painted(pass_, from_text if origin is None else _over(origin), told)
        return origin.pasted(self._painted(pass_, _on(origin, pass_), told))

    def _again(
        self, pass_: _Pass, before: Image.Image, origin: Canvas | Image.Image | None, told: Told
    ) -> Image.Image:
        """A later pass over the picture of the one before; what a mask kept is kept in it too."""
        reference = between(before, self._spec)
        if not isinstance(origin, Canvas):
            return self._painted(pass_, _over(reference), told)
        canvas = origin.enlarged(reference.size)
        begin = _on(replace(canvas, picture=reference), pass_)
        return canvas.pasted(self._painted(pass_, begin, told))

    def _painted(self, pass_: _Pass, begin: Callable[[Bench], Begin], told: Told) -> Image.Image:
        """One pass: words and picture in, through the loop, pixels out."""
        encoded = self._encoded(pass_)
        generator = torch.Generator("cpu").manual_seed(self._spec.seed)
        begun = self._begun(pass_, begin, generator)
        stepper = new_stepper(pass_.course, begun.start(generator))
        controls = self._aids.controls(pass_.width, pass_.height)
        gate, wish = self._shop.ends.gate, self._wished()
        flight = Flight(
            key=self._request.render_id,
            signature=self._model.signature(
                pass_.width,
                pass_.height,
                windows=encoded.windows,
                controls=tuple(control.net for control in controls),
                image_prompt=self._aids.image_prompt,
                tile=self._spec.tile,
            ),
            stepper=stepper,
            terms=self._terms(encoded),
            guidance=self._spec.guidance,
            loras=self._aids.loras,
            controls=controls,
            extra=begun.extra,
            blend=blend_of(begun.held, begun.noise, stepper) if begun.held else None,
            priority=wish.priority,
            team=self._request.team or self._request.brand,
            preview_every=wish.preview_every,
            wished=self._wished_at_the_gate,
        )
        try:
            with gate.flying():
                latents = self._shop.loop.fly(flight, told, self._cancelled)
        finally:  # what was used counts, also where no picture comes of it
            self._meter.seconds += flight.seconds
        if flight.buckets:
            self.buckets.append(flight.buckets)
        return self._decoded(latents)

    def _wished_at_the_gate(self) -> Wish:
        """What is wished by now, as the loop asks between two calls."""
        self._shop.ends.gate.passing()
        return self._wished()

    def _encoded(self, pass_: _Pass) -> Encoded:
        spec = self._spec
        work = partial(
            self._model.prompts.encode,
            spec.prompt,
            spec.negative,
            guidance=spec.guidance,
            width=pass_.width,
            height=pass_.height,
            changes=self._aids.text,
        )
        return self._shop.ends.text(self._meter, self._cancelled, work)

    def _terms(self, encoded: Encoded) -> tuple[Terms, ...]:
        """With the image prompt, where there is one: nothing for the negative prompt's row."""
        if self._aids.image is None:
            return encoded.terms
        pictures = self._aids.image[-len(encoded.terms) :]
        return tuple(
            replace(terms, image=picture, image_weight=self._aids.image_weight)
            for terms, picture in zip(encoded.terms, pictures, strict=True)
        )

    def _begun(
        self, pass_: _Pass, begin: Callable[[Bench], Begin], generator: torch.Generator
    ) -> Begin:
        codec, device = self._model.codec, self._model.codec.vae.device
        shape = (codec.latent_channels, *self._model.latent_size(pass_.width, pass_.height))
        bench = Bench(
            width=pass_.width,
            height=pass_.height,
            generator=generator,
            encode=partial(codec.encode, tile=self._spec.tile),
            draw=lambda dice: torch.randn(shape, generator=dice).to(device),
            reads_mask=self._model.inpaints,
        )
        if begin is from_text and not bench.reads_mask:
            return begin(bench)  # nothing to encode: no turn to wait for
        before = generator.get_state()

        def begun() -> Begin:
            generator.set_state(before)  # tried once more, it draws the same
            return begin(bench)

        return self._shop.ends.picture(self._meter, self._cancelled, begun)

    def _decoding_s(self, pass_: _Pass) -> float:
        rows, columns = self._model.latent_size(pass_.width, pass_.height)
        return self._shop.ends.decoding_s(self._model.sha256, rows * columns)

    def _decoded(self, latents: torch.Tensor) -> Image.Image:
        codec = self._model.codec
        return self._shop.ends.decoded(
            self._meter,
            self._cancelled,
            lambda: eight_bit(codec.decode(latents, tile=self._spec.tile)),
            model=self._model.sha256,
            area=latents[0].numel(),
        )


def _untouched(origin: Canvas | Image.Image) -> Image.Image:
    return origin.picture if isinstance(origin, Canvas) else origin


def _over(reference: Image.Image) -> Callable[[Bench], Begin]:
    """Image to image over this picture."""
    return partial(from_image, reference=reference)


def _on(canvas: Canvas, pass_: _Pass) -> Callable[[Bench], Begin]:
    """A part of this canvas anew."""
    return partial(from_canvas, canvas=canvas, strongest=pass_.strongest)
