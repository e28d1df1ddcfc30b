"""Every transition table, walked on every store: what it allows is stored, all else is refused."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import pytest

from bot.core import lives
from bot.core.errors import StaleState
from bot.core.ports import Outgoing, Transaction
from bot.core.slots import Slot
from brand.loras import LORA_STEPS
from storage.database import OpenStore
from tests.contract.values import (
    digest,
    make_asset,
    make_job,
    make_lora,
    make_outgoing,
    make_publication,
    make_review,
    make_schedule,
    make_slot,
)


@dataclass(frozen=True)
class Life:
    """How to make a thing in a state, store it, change it and read it."""

    steps: Mapping[Any, frozenset[Any]]
    make: Callable[[StrEnum, str], Any]
    add: Callable[[Transaction, Any], Awaitable[object]]
    update: Callable[[Transaction, Any, Any], Awaitable[Any]]
    get: Callable[[Transaction, Any], Awaitable[Any]]
    word: str = "state"


async def _add_slot(tx: Transaction, slot: Slot) -> None:
    await tx.schedules.add(make_schedule(id=slot.schedule))
    await tx.schedules.add_slot(slot)


async def _read_message(tx: Transaction, message: Outgoing) -> Outgoing:
    """An outgoing message is read back through an update that changes nothing."""
    return await tx.outbox.update(message, was=message)


LIVES = {
    "job": Life(
        lives.JOB_STEPS,
        lambda state, _: make_job(state=state),
        lambda tx, new: tx.jobs.add(new),
        lambda tx, new, was: tx.jobs.update(new, was=was),
        lambda tx, old: tx.jobs.get(old.id),
    ),
    "asset": Life(
        lives.ASSET_STEPS,
        lambda state, _: make_asset(state=state),
        lambda tx, new: tx.assets.add(new),
        lambda tx, new, was: tx.assets.update(new, was=was),
        lambda tx, old: tx.assets.get(old.id),
    ),
    "review": Life(
        lives.REVIEW_STEPS,
        lambda state, _: make_review(state=state),
        lambda tx, new: tx.reviews.add(new),
        lambda tx, new, was: tx.reviews.update(new, was=was),
        lambda tx, old: tx.reviews.get(old.id),
    ),
    "publication": Life(
        lives.PUBLICATION_STEPS,
        lambda state, _: make_publication(state=state),
        lambda tx, new: tx.publications.add(new),
        lambda tx, new, was: tx.publications.update(new, was=was),
        lambda tx, old: tx.publications.get(old.id),
    ),
    "schedule": Life(
        lives.SCHEDULE_STEPS,
        lambda state, _: make_schedule(state=state),
        lambda tx, new: tx.schedules.add(new),
        lambda tx, new, was: tx.schedules.update(new, was=was),
        lambda tx, old: tx.schedules.get(old.id),
    ),
    "slot": Life(
        lives.SLOT_STEPS,
        lambda state, name: make_slot(name, state=state),
        _add_slot,
        lambda tx, new, was: tx.schedules.update_slot(new, was=was),
        lambda tx, old: tx.schedules.get_slot(old.id),
    ),
    "message": Life(
        lives.OUTBOX_STEPS,
        lambda state, _: make_outgoing(state=state),
        lambda tx, new: tx.outbox.add(new),
        lambda tx, new, was: tx.outbox.update(new, was=was),
        _read_message,
    ),
    "LoRA": Life(
        LORA_STEPS,
        lambda state, name: make_lora(name=name, sha256=digest(name), status=state),
        lambda tx, new: tx.loras.add(new),
        lambda tx, new, was: tx.loras.update(new, was=was),
        lambda tx, old: tx.loras.get(old.brand, old.sha256),
        word="status",
    ),
}


@pytest.mark.parametrize("name", LIVES)
async def test_only_the_steps_of_the_table_are_stored(store: OpenStore, name: str) -> None:
    life = LIVES[name]
    async with store.write() as tx:
        for was in life.steps:
            for to in life.steps:
                old = life.make(was, f"{was}-{to}")
                new = replace(old, **{life.word: to})
                await life.add(tx, old)
                if to == was or to in life.steps[was]:
                    stored = await life.update(tx, new, old)
                    assert getattr(stored, life.word) is to
                    again = await life.get(tx, stored)
                    assert getattr(again, life.word) is to
                else:
                    with pytest.raises(StaleState):
                        await life.update(tx, new, old)
                    again = await life.get(tx, old)
                    assert getattr(again, life.word) is was


@pytest.mark.parametrize("name", [name for name in LIVES if name != "LoRA"])
async def test_a_stored_change_grows_the_version_and_voids_the_old_one(
    store: OpenStore, name: str
) -> None:
    life = LIVES[name]
    first = next(iter(life.steps))
    old = life.make(first, "one")
    async with store.write() as tx:
        await life.add(tx, old)
        # What the caller puts into `version` does not count.
        stored = await life.update(tx, replace(old, version=77), old)
        assert stored == replace(old, version=1)
        with pytest.raises(StaleState):
            await life.update(tx, old, old)
        forged = replace(old, version=1, state=next(iter(life.steps[first])))
        with pytest.raises(StaleState):
            await life.update(tx, forged, forged)
