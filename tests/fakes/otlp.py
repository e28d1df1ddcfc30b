"""A collector for traces: a real server of OpenTelemetry's protocol over HTTP."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True, kw_only=True)
class Span:
    """A span as it came in."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    seconds: float
    facts: dict[str, str]
    events: tuple[str, ...]
    error: str


@dataclass
class Collector:
    """What came in, and where to send it."""

    address: str
    spans: list[Span] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def named(self, name: str) -> list[Span]:
        """The spans of this name."""
        return [span for span in self.spans if span.name == name]

    def take(self, body: bytes) -> None:
        """Read an export."""
        self.bodies.append(body)
        for group in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = next(
                item.value.string_value
                for item in group.resource.attributes
                if item.key == "service.name"
            )
            for scope in group.scope_spans:
                self.spans += [_span(service, span) for span in scope.spans]


def _span(service: str, span: object) -> Span:
    raw = span
    return Span(
        service=service,
        name=raw.name,  # type: ignore[attr-defined]
        trace=raw.trace_id.hex(),  # type: ignore[attr-defined]
        id=raw.span_id.hex(),  # type: ignore[attr-defined]
        parent=raw.parent_span_id.hex(),  # type: ignore[attr-defined]
        seconds=(raw.end_time_unix_nano - raw.start_time_unix_nano) / 1e9,  # type: ignore[attr-defined]
        facts={item.key: item.value.string_value for item in raw.attributes},  # type: ignore[attr-defined]
        events=tuple(event.name for event in raw.events),  # type: ignore[attr-defined]
        error=raw.status.message,  # type: ignore[attr-defined]
    )


@contextmanager
def collector() -> Iterator[Collector]:
    """A collector on loopback while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            if self.path == "/v1/traces":
                found.take(body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Collector(address=f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
