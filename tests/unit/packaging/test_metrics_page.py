"""The metrics are what docs/running.md says, named by Prometheus' rules, and about nobody."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from bot.core.commands import Imagine
from bot.core.dispatch import Dispatch
from bot.telemetry import Telemetry
from bot.web.metrics import Metrics
from bot.web.site import hang, site_of_app
from brand.templates import Brief
from generation.watching import GenerationWatch
from tests.fakes.portal import make_portal
from tests.fakes.town import Town, make_town

PAGE = (Path(__file__).parents[3] / "docs" / "running.md").read_text()
ROW = re.compile(r"^\| `(housestyle_\w+)`(?: `\{([^}]*)\}`)? \|", re.MULTILINE)
UNITS = ("_seconds", "_seconds_total", "_total", "_ratio")
MOST_SERIES = 300


def documented() -> dict[str, set[str]]:
    """The metrics of the page with their labels."""
    return {
        name: {label.strip() for label in labels.split(",") if label.strip()}
        for name, labels in ROW.findall(PAGE)
    }


def families(text: bytes) -> dict[str, Metric]:
    """Our metrics of an exposition, by the name that is asked for."""
    found = {}
    for family in text_string_to_metric_families(text.decode()):
        name = family.name + ("_total" if family.type == "counter" else "")
        if name.startswith("housestyle_"):
            found[name] = family
    return found


async def exposed() -> tuple[Town, dict[str, Metric]]:
    """A town with telemetry in which something was done, and what it exposes."""
    town = await make_town()
    watch = Telemetry()
    house = replace(town.house, watch=watch)
    town.house = replace(house, door=Dispatch(house))
    for words in ("a red mug", "a cheap mug"):
        await town.say(Imagine(brief=Brief(words=words), brand="acme"))
    await town.settle()
    watch.time("ack", 0.01, platform="local")
    watch.count("ticks", tick="calendar-post", outcome="done")
    watch.time("tick", 0.01, tick="calendar-post")
    service = GenerationWatch()
    service.ended("done", 1.0)
    both = families(await watch.exposition(town.house)) | families(service.exposition())
    return town, both


async def test_the_page_lists_every_metric_with_its_labels() -> None:
    _, found = await exposed()
    ignored = {"le"}
    shown = {
        name: {label for sample in family.samples for label in sample.labels} - ignored
        for name, family in found.items()
    }
    assert shown == documented()


async def test_every_metric_is_explained_and_has_a_unit_where_it_needs_one() -> None:
    _, found = await exposed()
    for name, family in found.items():
        assert family.documentation.endswith("."), name
        assert re.fullmatch(r"[a-z_]+", name), name
        if family.type == "histogram":
            assert name.endswith(UNITS), name


async def test_no_person_and_no_word_stands_in_a_metric() -> None:
    town, found = await exposed()
    values = {
        value
        for family in found.values()
        for sample in family.samples
        for value in sample.labels.values()
    }
    private = {each for person in town.people.values() for each in (person.id, person.name)}
    assert not values & private
    assert not any("mug" in value for value in values)
    assert sum(len(family.samples) for family in found.values()) < MOST_SERIES


async def test_a_refused_command_counts_as_what_it_was() -> None:
    _, found = await exposed()
    commands = {
        (sample.labels["command"], sample.labels["outcome"]): sample.value
        for sample in found["housestyle_commands_total"].samples
        if sample.name.endswith("_total")
    }
    assert commands[("imagine", "done")] == 1
    assert sum(commands.values()) == 2


@pytest.mark.parametrize(
    ("token", "sent", "status"),
    [("", (), 404), ("", ("Bearer x",), 404), ("secret", (), 401), ("secret", ("Bearer no",), 401)],
)
async def test_metrics_are_for_those_with_the_token(
    token: str, sent: Sequence[str], status: int
) -> None:
    portal = await make_portal()

    async def told() -> bytes:
        return b"told 1\n"

    shown = Metrics(own=told, generation=told, token=token)
    hang(portal.app, replace(site_of_app(portal.app), metrics=shown))
    async with portal.browser() as client:
        headers = {"Authorization": sent[0]} if sent else {}
        assert (await client.get("/metrics", headers=headers)).status_code == status
        good = await client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
        assert good.text == "told 1\n" if token else good.status_code == 404
