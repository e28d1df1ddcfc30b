"""The ledger's event format: what the chain hashes, and what erasing leaves as it was."""

import json
from dataclasses import replace
from datetime import UTC, datetime

from bot.core.ledger import Event, Personal

EVENT = Event(
    action="job.queued",
    subject="job:0123456789ABCDEFGHIJab",
    at=datetime(2026, 3, 2, 9, 0, 0, 250, tzinfo=UTC),
    actor="0000000000000000000001",
    brand="acme",
    facts={"seed": 7, "kit": "k"},
    personal={"words": Personal(value="a red mug", salt="0" * 32)},
    id="0123456789ABCDEFGHIJcd",
)


def test_the_golden_body_never_changes() -> None:
    assert EVENT.body().decode() == (
        '{"action":"job.queued","actor":"0000000000000000000001","at":'
        '"2026-03-02T09:00:00.000250+00:00","brand":"acme","commitments":{"words":'
        '"c2f0aa35de48232ff1bcfe38502c5c8ad3c7017ed12c35b694b6613c907e979d"},"facts":{"kit":"k","seed":7},"id":"0123456789ABCDEFGHIJcd",'
        '"previous":"","seq":null,"subject":"job:0123456789ABCDEFGHIJab","v":1}'
    )


def test_personal_text_is_committed_to_and_not_contained() -> None:
    assert b"red mug" not in EVENT.body()
    other = replace(EVENT, personal={"words": Personal(value="a blue mug", salt="0" * 32)})
    assert json.loads(EVENT.body())["commitments"] != other.personal["words"].commitment


def test_erasing_a_person_leaves_the_body_as_it_was() -> None:
    assert replace(EVENT, personal={}).body() == EVENT.body()


def test_a_text_changed_later_does_not_fit_its_commitment() -> None:
    forged = replace(EVENT, personal={"words": Personal(value="a gold mug", salt="0" * 32)})
    assert forged.body() == EVENT.body()
    assert forged.personal["words"].commitment != forged.commitments["words"]


def test_the_same_text_twice_has_two_commitments() -> None:
    assert Personal(value="Mia").commitment != Personal(value="Mia").commitment
