"""The models in memory: loaded as they are asked for, the least recently used giving way."""

import gc
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Condition

import torch

from brand.spec import ModelInfo, ModelMissing, RenderCancelled, ReproductionClass
from generation.engine.device import Device, compute_with
from generation.engine.flights import Denoiser
from generation.engine.library.held import Held, default_budget
from generation.engine.library.loaded import LoadedModel, read_model
from generation.engine.library.shelf import Beside
from generation.engine.library.sources import SIDE_STEPS, ModelSource
from generation.engine.library.weights import WeightsDamaged, WeightsIndex
from generation.engine.sampling.samplers import samplers_for
from generation.host_memory import return_freed_memory

__all__ = ["Fleet", "LoadedModel", "default_budget"]

PATIENCE_S = 10.0
"""So long a request for a model without room waits; then newcomers of other models do."""
_LOOK_S = 0.25
"""How often whoever waits looks whether it was cancelled."""
_MIB = 1 << 20
_log = logging.getLogger(__name__)

Load = Callable[[ModelSource, str, Device], LoadedModel]


class Fleet:
    """Several models at once, under a budget. Every method may be called from any thread."""

    def __init__(
        self,
        *,
        sources: Mapping[str, ModelSource],
        index: WeightsIndex,
        device: Device,
        max_models: int = 2,
        memory_bytes: int = 0,
        load: Load = read_model,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """`memory_bytes` 0: most of what the device has."""
        self.device = device
        self._sources = sources
        self._index = index
        self._max_models = max_models
        self._budget = memory_bytes or default_budget(device)
        self._load = load
        self._patience_s = patience_s
        self._held: OrderedDict[str, Held] = OrderedDict()
        self._coming = 0
        """Bytes for which room is kept: they are being loaded beside models."""
        self._waiting: OrderedDict[object, tuple[str, float]] = OrderedDict()
        self._changed = Condition()

    def source(self, name: str) -> ModelSource:
        """Where it lies. Raises ModelMissing."""
        source = self._sources.get(name)
        if source is None:
            have = ", ".join(sorted(self._sources)) or "none"
            raise ModelMissing(
                f"This generation service has no model {name!r}; it has: {have}. Put it into the "
                "models folder and restart the service."
            )
        return source

    @contextmanager
    def use(
        self, name: str, cancelled: Callable[[], bool] = lambda: False
    ) -> Iterator[LoadedModel]:
        """The model, kept in memory within this context; this thread may encode and decode with it.

        Reads it from disk in this thread where it must, and waits where all others are in use. A
        thread uses one model at a time. Raises ModelMissing, RenderCancelled.
        """
        model = self._take(name, cancelled)
        compute_with(model.threads_beside)
        try:
            yield model
        finally:
            with self._changed:
                self._held[name].users -= 1
                self._changed.notify_all()

    def put_beside(self, model: LoadedModel, beside: Beside) -> None:
        """Count this with a model that somebody uses meanwhile; it goes when the model goes."""
        with self._changed:
            held = self._held.get(model.source.name)
            if held is not None and held.model is model:
                held.beside = beside

    @contextmanager
    def room_beside(self, name: str, need: int) -> Iterator[None]:
        """Keep so many bytes free within the context, in which they are loaded beside a model.

        What nobody uses gives way. Where all that lies in memory is in use they are loaded all the
        same: to wait might be to wait for each other. Raises ModelMissing where they could never
        lie beside that model.
        """
        own = self.loaded(name).bytes
        if own + need > self._budget:
            raise ModelMissing(
                f"What the recipe wants beside the model {name!r} needs {need // _MIB} MiB; with "
                f"the model that is more than the {self._budget // _MIB} MiB that models may take. "
                "Raise memory_mib, or leave it out."
            )
        with self._changed:
            if not self._make_room(need, models=0, anyway=True):
                _log.warning("more memory is in use than the budget", extra={"action": "memory"})
            self._coming += need
        try:
            yield
        finally:
            with self._changed:
                self._coming -= need
                self._make_room(0, models=0, anyway=True)  # it may be larger than was expected
                self._changed.notify_all()

    def loaded(self, name: str) -> LoadedModel:
        """A model that someone uses meanwhile. Raises ModelMissing if it is not in memory."""
        model = self._in_memory(name)
        if model is None:
            raise ModelMissing(f"The model {name!r} is not in memory; ask for it with use().")
        return model

    def denoiser(self, name: str) -> Denoiser:
        """Of a model that someone uses meanwhile. Raises ModelMissing if it is not in memory."""
        return self.loaded(name).denoiser

    def models(self) -> tuple[ModelInfo, ...]:
        """All that was found, sorted by name; hashes that are not yet known are empty."""
        with self._changed:
            held = {name: one for name, one in self._held.items() if one.model is not None}
        return tuple(
            ModelInfo(
                name=source.name,
                sha256=self.known_sha256(source.name),
                layout=source.layout,
                width=source.width,
                height=source.height,
                loaded=source.name in held,
                inpaints=source.inpaints,
                dtype=self.device.numbers,
                device=self.device.label,
                bytes=held[source.name].bytes if source.name in held else 0,
                beside_bytes=held[source.name].beside_bytes if source.name in held else 0,
                side_step=SIDE_STEPS[source.layout],
                samplers=samplers_for(source.scheduler_config) if source.scheduler_config else (),
            )
            for source in sorted(self._sources.values(), key=lambda source: source.name)
        )

    def known_sha256(self, name: str) -> str:
        """Of the weights in memory, else of the files; empty where it is not known yet.

        Raises ModelMissing.
        """
        source, model = self.source(name), self._in_memory(name)
        return model.sha256 if model else source.known_sha256(self._index)

    def reproduction(self, name: str, engine: str) -> ReproductionClass:
        """What decides this model's bits here, row buckets left out. Raises ModelMissing.

        Of a model in memory it names the weights as they were read, without a look at the disk:
        somebody may have put other files there since. Of any other it may read gigabytes.
        """
        source, model, device = self.source(name), self._in_memory(name), self.device
        try:
            weights = model.sha256 if model else source.sha256(self._index)
            threads = model.threads if model else device.threads_for(source.weight_bytes)
        except OSError as exc:
            raise _unreadable(name, exc) from exc
        return ReproductionClass(
            weights=weights,
            engine=engine,
            dtype=device.numbers,
            device=device.torch_device.type,
            capability=device.capability,
            threads=threads,
            driver=device.driver,
            libraries=device.libraries,
            host=device.host,
        )

    def _in_memory(self, name: str) -> LoadedModel | None:
        with self._changed:
            held = self._held.get(name)
        return held.model if held else None

    def _take(self, name: str, cancelled: Callable[[], bool]) -> LoadedModel:
        need = self._expected_bytes(self.source(name))
        ticket = object()
        with self._changed:
            self._waiting[ticket] = (name, time.monotonic())
            try:
                while True:
                    held = self._held.get(name)
                    if held is None and self._make_room(need):
                        self._held[name] = Held(expected=need)
                        break
                    if held is not None and held.model and not self._is_turn_of_other(name):
                        held.users += 1
                        self._held.move_to_end(name)
                        return held.model
                    self._changed.wait(_LOOK_S)
                    if cancelled():
                        raise RenderCancelled("Cancelled on request.")
            finally:
                del self._waiting[ticket]
        return self._read(name)

    def _read(self, name: str) -> LoadedModel:
        """Read the model for which there is room, outside the lock: others go on meanwhile."""
        started = time.monotonic()
        source = self.source(name)
        try:
            sha256 = source.sha256(self._index)
            model = self._load(source, sha256, self.device)
            if source.sha256(self._index) != sha256:  # quick where the files are as they were
                raise ModelMissing(
                    f"The files of model {name!r} changed while they were read; ask again."
                )
        except BaseException as exc:
            with self._changed:
                del self._held[name]
                self._changed.notify_all()
            if isinstance(exc, OSError):
                raise _unreadable(name, exc) from exc
            raise
        with self._changed:
            self._held[name] = Held(expected=model.bytes, model=model, users=1)
            self._changed.notify_all()
        _log.info(
            "model %s loaded in %.1f s", name, time.monotonic() - started, extra={"action": "load"}
        )
        return model

    def _expected_bytes(self, source: ModelSource) -> int:
        try:
            need = source.parameters * self.device.dtype.itemsize
        except WeightsDamaged as exc:
            raise ModelMissing(f"The model {source.name!r} cannot be loaded: {exc}") from exc
        if need > self._budget:
            raise ModelMissing(
                f"The model {source.name!r} needs {need // _MIB} MiB, more than the "
                f"{self._budget // _MIB} MiB that models may take; raise memory_mib, or choose a "
                "shorter number format with dtype."
            )
        return need

    def _make_room(self, need: int, *, models: int = 1, anyway: bool = False) -> bool:
        """Let go of what nobody uses until there is room for so many bytes and more models.

        What lies beside models goes first. False where too much is in use: nothing was let go then,
        or with `anyway` all that could be.
        """
        taken = self._coming + sum(held.bytes for held in self._held.values())
        over = taken + need - self._budget
        idle = sum(held.idle_bytes for held in self._held.values())
        unused = [name for name, held in self._held.items() if held.model and not held.users]
        most = self._max_models - models
        leaving: list[str] = []
        while over > idle or len(self._held) - len(leaving) > most:
            if len(leaving) < len(unused):
                leaving.append(unused[len(leaving)])
                over -= self._held[leaving[-1]].bytes
                idle -= self._held[leaving[-1]].idle_bytes
            elif anyway:
                break
            else:
                return False
        self._put_away(leaving, over)
        return over <= idle

    def _put_away(self, models: Sequence[str], beside: int) -> None:
        """These models, and so many bytes of what nobody uses beside the others."""
        for name in models:
            del self._held[name]
            _log.info("model %s gives way", name, extra={"action": "unload"})
        for held in self._held.values():
            if beside > 0 and held.beside is not None:
                beside -= held.beside.let_go(beside)
        if models:
            gc.collect()
            return_freed_memory()
            if self.device.torch_device.type == "cuda":
                torch.cuda.empty_cache()

    def _is_turn_of_other(self, name: str) -> bool:
        """Whether another model's request has waited for too long: else it might do so for ever."""
        wanted, since = next(iter(self._waiting.values()))
        has_waited = time.monotonic() - since > self._patience_s
        return has_waited and wanted != name and wanted not in self._held


def _unreadable(name: str, exc: OSError) -> ModelMissing:
    return ModelMissing(
        f"The model {name!r} cannot be read: {exc}. Put its files back, or restart the service."
    )
