"""Traces by OpenTelemetry, sent over HTTP; without an address nothing is made, loaded or sent.

A trace goes from one process to the next as the W3C's `traceparent` header (Trace Context,
level 1). An error's text stays out of the spans, because it may hold what people wrote: only its
kind is told.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol, TypeAlias

Fact: TypeAlias = str | int | float | bool
Note: TypeAlias = Callable[[str], None]
"""Marks a moment of the span by name."""

_PATH = "/v1/traces"
_NANOSECONDS = 1_000_000_000
_EXPORT_S = 5
_FLUSH_MS = 3000


class Tracing(Protocol):
    """Who makes spans."""

    def span(
        self, name: str, *, parent: str = "", ago: float = 0.0, **facts: Fact
    ) -> AbstractContextManager[Note]:
        """Measure the block as part of the span in force, or of that `traceparent`. It began `ago`
        seconds ago."""
        ...

    def carried(self) -> str:
        """The `traceparent` of the span in force, or empty."""
        ...

    def close(self) -> None:
        """Send what is left. Blocks for seconds at most."""
        ...


class NoTracing:
    """Makes no spans."""

    @contextmanager
    def span(
        self, name: str, *, parent: str = "", ago: float = 0.0, **facts: Fact
    ) -> Iterator[Note]:
        """See the protocol."""
        yield lambda _: None

    def carried(self) -> str:
        """See the protocol."""
        return ""

    def close(self) -> None:
        """See the protocol."""


class OtelTracing:
    """Makes spans with OpenTelemetry's SDK."""

    def __init__(self, service: str, endpoint: str) -> None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        exporter = OTLPSpanExporter(endpoint=endpoint.rstrip("/") + _PATH, timeout=_EXPORT_S)
        self._provider = TracerProvider(resource=Resource.create({"service.name": service}))
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("housestyle")
        self._wire = TraceContextTextMapPropagator()

    @contextmanager
    def span(
        self, name: str, *, parent: str = "", ago: float = 0.0, **facts: Fact
    ) -> Iterator[Note]:
        """See the protocol."""
        context = self._wire.extract({"traceparent": parent}) if parent else None
        started = self._tracer.start_as_current_span(
            name,
            context=context,
            attributes={f"housestyle.{key}": value for key, value in facts.items()},
            start_time=time.time_ns() - int(ago * _NANOSECONDS),
            record_exception=False,
            set_status_on_exception=False,
        )
        with started as span:
            try:
                yield span.add_event
            except BaseException as exc:
                _failed(span, exc)
                raise

    def carried(self) -> str:
        """See the protocol."""
        headers: dict[str, str] = {}
        self._wire.inject(headers)
        return headers.get("traceparent", "")

    def close(self) -> None:
        """See the protocol."""
        self._provider.force_flush(_FLUSH_MS)
        self._provider.shutdown()


def _failed(span: Any, exc: BaseException) -> None:  # noqa: ANN401  (the SDK's span)
    from opentelemetry.trace import Status, StatusCode

    span.set_status(Status(StatusCode.ERROR, type(exc).__name__))


def tracing_to(endpoint: str, *, service: str) -> Tracing:
    """Spans of that service to that collector, or none where the address is empty."""
    return OtelTracing(service, endpoint) if endpoint else NoTracing()
