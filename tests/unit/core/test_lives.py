"""The transition tables are DESIGN's lives: complete, and ending where they should."""

from itertools import product
from typing import Any

import pytest

from bot.core import lives
from bot.core.errors import StaleState

TABLES = {
    "job": lives.JOB_STEPS,
    "asset": lives.ASSET_STEPS,
    "review": lives.REVIEW_STEPS,
    "publication": lives.PUBLICATION_STEPS,
    "slot": lives.SLOT_STEPS,
    "schedule": lives.SCHEDULE_STEPS,
    "outbox": lives.OUTBOX_STEPS,
    "link": lives.LINK_STEPS,
}
ENDS = {
    "job": {"done", "failed", "cancelled"},
    "asset": {"discarded", "rejected", "expired", "withdrawn"},
    "review": {"decided", "expired", "withdrawn"},
    "publication": {"deleted"},
    "slot": {"posted", "missed", "fallback_posted"},
    "schedule": {"ended"},
    "outbox": {"sent", "failed", "superseded"},
    "link": {"joined", "refused"},
}


@pytest.mark.parametrize("name", TABLES)
def test_every_state_has_a_row_and_only_ends_have_no_way_on(name: str) -> None:
    table = TABLES[name]
    states = type(next(iter(table)))
    assert set(table) == set(states)
    assert {state.value for state, steps in table.items() if not steps} == ENDS[name]


@pytest.mark.parametrize("name", TABLES)
def test_every_state_can_be_reached_from_the_first(name: str) -> None:
    table: Any = TABLES[name]
    reached = {next(iter(table))}
    while more := {to for state in reached for to in table[state]} - reached:
        reached |= more
    assert reached == set(table)


@pytest.mark.parametrize("name", TABLES)
def test_a_step_outside_the_table_is_refused(name: str) -> None:
    table: Any = TABLES[name]
    for was, to in product(table, table):
        if to == was or to in table[was]:
            lives.check_step(table, was, to)
        else:
            with pytest.raises(StaleState):
                lives.check_step(table, was, to)
