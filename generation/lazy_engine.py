"""An engine whose code is imported only when it loads: torch alone takes seconds."""

from collections.abc import Callable, Sequence

from brand.spec import ModelInfo, Picture, RenderRequest, RenderSpec
from generation.engines import Cancelled, Engine, EngineUnusable, Inputs, OnProgress, Wished


class LazyEngine:
    """Stands for the engine that `make` gives. `name` and `slots` must be known beforehand."""

    def __init__(self, make: Callable[[], Engine], *, name: str, slots: int = 1) -> None:
        self._make = make
        self._engine: Engine | None = None
        self.name = name
        self.slots = slots

    def load(self) -> None:
        """Import, make and load the engine. Raises EngineUnusable."""
        try:
            engine = self._make()
        except ImportError as exc:
            raise EngineUnusable(
                f"The {self.name} engine cannot be imported: {exc}. `housestyle doctor` says what "
                "is missing."
            ) from exc
        engine.load()
        self._engine = engine

    @property
    def device(self) -> str:
        """Empty until loaded."""
        return self._engine.device if self._engine else ""

    def models(self) -> Sequence[ModelInfo]:
        """None are known until it is loaded."""
        return self._engine.models() if self._engine else ()

    def check(self, spec: RenderSpec) -> None:
        """Lets everything pass until it is loaded; the queue asks again before it renders."""
        if self._engine:
            self._engine.check(spec)

    def render(
        self,
        request: RenderRequest,
        inputs: Inputs,
        on_progress: OnProgress,
        cancelled: Cancelled,
        wished: Wished | None = None,
    ) -> Picture:
        """Raises EngineUnusable until it is loaded."""
        return self._loaded().render(request, inputs, on_progress, cancelled, wished)

    def _loaded(self) -> Engine:
        if self._engine is None:
            raise EngineUnusable("The engine is still loading.")
        return self._engine
