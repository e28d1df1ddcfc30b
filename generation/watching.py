"""What the generation service measures of itself: metrics, spans, and whose work is under way.

The reference id and the trace come with the request's headers, so that a render's log lines and
spans stand beside those of the command that asked for it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from generation.tracing import Note, NoTracing, Tracing

REFERENCE_HEADER = "x-housestyle-reference"
TRACE_HEADER = "traceparent"
SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250)
_MAX_HEADER = 100

_REFERENCE: ContextVar[str] = ContextVar("generation_reference", default="")
_WORDS: ContextVar[tuple[str, ...]] = ContextVar("generation_words", default=())


@dataclass(frozen=True, kw_only=True)
class Trail:
    """Where a request comes from."""

    reference: str = ""
    parent: str = ""
    """Its span, as a `traceparent` header says it."""

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> "Trail":
        """What the headers of a request say; what is too long for an id is no id."""
        values = [headers.get(name, "") for name in (REFERENCE_HEADER, TRACE_HEADER)]
        reference, parent = (value if len(value) <= _MAX_HEADER else "" for value in values)
        return cls(reference=reference if reference.isalnum() else "", parent=parent)


def reference() -> str:
    """The reference id of the render under way in this thread, or empty."""
    return _REFERENCE.get()


def private_words() -> tuple[str, ...]:
    """What people wrote, of the render under way in this thread."""
    return _WORDS.get()


@contextmanager
def working_for(trail: Trail, *words: str) -> Iterator[None]:
    """Do the block under that reference id, and keep these words out of its log lines."""
    before, hidden = _REFERENCE.set(trail.reference), _WORDS.set(tuple(w for w in words if w))
    try:
        yield
    finally:
        _WORDS.reset(hidden)
        _REFERENCE.reset(before)


@dataclass(frozen=True, kw_only=True)
class Now:
    """How the service stands when its metrics are read."""

    ready: bool = False
    queued: int = 0
    running: int = 0


@dataclass
class GenerationWatch:
    """Metrics and spans of one service."""

    tracing: Tracing = field(default_factory=NoTracing)
    now: Callable[[], Now] = Now

    def __post_init__(self) -> None:
        """Set the metrics up."""
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        prefix = "housestyle_generation"
        self._busy = Counter(
            f"{prefix}_busy_seconds", "Time spent on renders.", registry=self._registry
        )
        self._renders = Counter(
            f"{prefix}_renders", "Renders that ended.", ["outcome"], registry=self._registry
        )
        self._seconds = Histogram(
            f"{prefix}_render_seconds",
            "How long a finished render took on the device.",
            buckets=SECONDS,
            registry=self._registry,
        )
        self._waited = Histogram(
            f"{prefix}_wait_seconds",
            "How long a render waited for its turn.",
            buckets=SECONDS,
            registry=self._registry,
        )
        self._gauges = {
            name: Gauge(f"{prefix}_{name}", about, registry=self._registry)
            for name, about in (
                ("ready", "1 once the model is loaded and renders can start."),
                ("queue_renders", "Renders that wait."),
                ("running_renders", "Renders that are being made."),
            )
        }

    @contextmanager
    def rendering(self, trail: Trail, waited: float, *, steps: int) -> Iterator[Note]:
        """A render from its turn to its end, with the seconds that it waited before."""
        self._waited.observe(waited)
        with self.tracing.span("service wait", parent=trail.parent, ago=waited):
            pass
        with self.tracing.span("render", parent=trail.parent, steps=steps) as note:
            yield note

    def ended(self, outcome: str, seconds: float) -> None:
        """A render ended: `done`, or the code of its error."""
        self._renders.labels(outcome).inc()
        self._busy.inc(seconds)
        if outcome == "done":
            self._seconds.observe(seconds)

    def exposition(self) -> bytes:
        """The metrics in Prometheus' text format."""
        now = self.now()
        self._gauges["ready"].set(now.ready)
        self._gauges["queue_renders"].set(now.queued)
        self._gauges["running_renders"].set(now.running)
        return generate_latest(self._registry)
