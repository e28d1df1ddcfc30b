"""Telemetry: the Watch port on Prometheus' metrics and OpenTelemetry's traces.

Every metric is declared here with its labels; a label takes a few known words only, never the id or
the words of a person. docs/running.md explains each and says when to worry.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from bot.core.budget import Scope, levels, spend_of
from bot.core.counting import spends_at
from bot.core.errors import HousestyleError
from bot.core.house import House
from bot.core.lives import OutboxState, PublicationState
from bot.core.ports.census import Counts
from bot.core.watching import Fact, Unwatched, following, reference, reference_of
from generation.tracing import NoTracing, Tracing
from generation.watching import REFERENCE_HEADER, TRACE_HEADER

log = logging.getLogger(__name__)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PREFIX = "housestyle_"
QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 10)
SLOW = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600)

COUNTERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "commands": ("Commands that came in at the door.", ("command", "outcome")),
    "pictures": ("Pictures that were rendered and checked.", ("outcome",)),
    "gates": ("Verdicts of the brand's gates.", ("gate", "outcome")),
    "ticks": ("Runs of the scheduler's ticks.", ("tick", "outcome")),
}
HISTOGRAMS: Mapping[str, tuple[str, tuple[str, ...], tuple[float, ...]]] = {
    "ack": ("From a delivery's arrival to its acknowledgement.", ("platform",), QUICK),
    "job": ("How long jobs wait, are rendered and are checked.", ("step",), SLOW),
    "send": ("How long a platform takes to accept a message or a post.", ("platform",), SLOW),
    "tick": ("How long the scheduler's ticks take.", ("tick",), SLOW),
}
GAUGES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "queue_jobs": ("Unfinished jobs.", ("state",)),
    "queue_oldest_seconds": ("Age of the oldest job that waits and is not held.", ()),
    "publications": ("Posts.", ("state",)),
    "outbox_messages": ("Outgoing messages.", ("state",)),
    "ambiguous_open": ("Posts and messages that nobody knows to have arrived.", ("kind",)),
    "ledger_unchained_events": ("Events that wait to be chained.", ()),
    "budget_used_ratio": ("The most used budget of each scope; 1 is all of it.", ("scope",)),
    "records_rows": ("Rows of the large tables.", ("table",)),
    "records_up": ("1 while the records answer.", ()),
    "info": ("Always 1; the label says the version.", ("version",)),
}


class Telemetry(Unwatched):
    """Metrics and spans of one process."""

    def __init__(self, tracing: Tracing | None = None) -> None:
        self._tracing = tracing or NoTracing()
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._counters = {
            name: Counter(PREFIX + name, about, labels, registry=registry)
            for name, (about, labels) in COUNTERS.items()
        }
        self._times = {
            name: Histogram(
                f"{PREFIX}{name}_seconds", about, labels, buckets=buckets, registry=registry
            )
            for name, (about, labels, buckets) in HISTOGRAMS.items()
        }
        self._gauges = {
            name: Gauge(PREFIX + name, about, labels, registry=registry)
            for name, (about, labels) in GAUGES.items()
        }
        self._gauges["info"].labels(_version()).set(1)

    @contextmanager
    def span(
        self, name: str, *, trail: str = "", ago: float = 0.0, **facts: Fact
    ) -> Iterator[object]:
        """See the port."""
        parent = trail.partition(" ")[2]
        with following(reference_of(trail)) as known:
            told: dict[str, Any] = {**facts, "reference": known}
            with self._tracing.span(name, parent=parent, ago=ago, **told):
                yield known

    def trail(self) -> str:
        """See the port."""
        return f"{reference()} {self._tracing.carried()}".strip()

    def headers(self) -> dict[str, str]:
        """What a request to the generation service says of where it comes from."""
        found = {REFERENCE_HEADER: reference(), TRACE_HEADER: self._tracing.carried()}
        return {name: value for name, value in found.items() if value}

    def count(self, what: str, **labels: str) -> None:
        """See the port."""
        self._counters[what].labels(**labels).inc()

    def time(self, what: str, seconds: float, **labels: str) -> None:
        """See the port."""
        self._times[what].labels(**labels).observe(seconds)

    def close(self) -> None:
        """Send the spans that are left. Blocks for seconds at most."""
        self._tracing.close()

    async def exposition(self, house: House) -> bytes:
        """All metrics in Prometheus' text format; the records are asked now."""
        try:
            await self._ask(house)
            self._gauges["records_up"].set(1)
        except HousestyleError:
            log.warning("The records don't answer", extra={"action": "metrics.records"})
            self._gauges["records_up"].set(0)
        return generate_latest(self._registry)

    async def _ask(self, house: House) -> None:
        async with house.store.read() as tx:
            counts = await tx.census.counts()
            unchained = await tx.ledger.waiting()
            now = house.clock.now()
            budgets = await tx.budgets.all()
            spends = await spends_at(tx, [each.account for each in budgets], now)
        self._show(counts, house)
        self._gauges["ledger_unchained_events"].set(unchained)
        used = {scope.value: 0.0 for scope in Scope}
        for budget in budgets:
            account = budget.account
            spend = spend_of(account, account.period(now), spends)
            shares = [level.share for level in levels(budget, spend, house.tariff)]
            used[account.kind] = max(used[account.kind], *shares, 0.0)
        for scope, share in used.items():
            self._gauges["budget_used_ratio"].labels(scope).set(share)

    def _show(self, counts: Counts, house: House) -> None:
        oldest = counts.oldest_queued
        age = (house.clock.now() - oldest).total_seconds() if oldest else 0.0
        self._gauges["queue_oldest_seconds"].set(max(0.0, age))
        posts = {state.value: counts.publications.get(state.value, 0) for state in PublicationState}
        messages = {state.value: counts.messages.get(state.value, 0) for state in OutboxState}
        for name, values in (
            ("queue_jobs", counts.jobs),
            ("publications", posts),
            ("outbox_messages", messages),
            ("records_rows", counts.rows),
            ("ambiguous_open", {"post": posts["ambiguous"], "message": messages["ambiguous"]}),
        ):
            for label, value in values.items():
                self._gauges[name].labels(label).set(value)


def _version() -> str:
    try:
        return version("housestyle")
    except PackageNotFoundError:
        return "source"
