"""Answers to interactions at the fake: three seconds, once, then 15 minutes of the token."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import discord
import pytest

from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord.clients import SMALL_PNG, Bare, bare, logged_in
from tests.fakes.discord.state import ACK_S, COMPONENTS_V2, EPHEMERAL, LOADING, TOKEN_S, Interaction
from tests.fakes.discord_town import DRAFTS, GUILD, USERS, founded
from tests.fakes.waiting import ENOUGH_S

MIA = USERS["mia"]
DEFER = {"type": 5, "data": {"flags": EPHEMERAL}}
FIELD = {"type": 4, "custom_id": "reason", "style": 2, "max_length": 10}
FORM = {
    "type": 9,
    "data": {
        "custom_id": "form:reason:1",
        "title": "Why?",
        "components": [{"type": 18, "label": "Reason", "component": FIELD}],
    },
}


def choices(*names: str) -> dict[str, Any]:
    """An answer to someone who types."""
    return {"type": 8, "data": {"choices": [{"name": name, "value": "v"} for name in names]}}


@pytest.fixture
def clock() -> list[float]:
    """Its one number is the time, which a test may put forward."""
    return [1_800_000_000.0]


@pytest.fixture
async def fake(clock: list[float]) -> AsyncIterator[FakeDiscord]:
    """A Discord without limits."""
    async with founded(now=lambda: clock[0], rates=0) as made:
        yield made


@pytest.fixture
async def ask(fake: FakeDiscord) -> AsyncIterator[Bare]:
    """Bare requests."""
    async with bare(fake) as made:
        yield made


def asked(fake: FakeDiscord, kind: int = 2, message: str = "") -> Interaction:
    """Something that Mia did in the drafts."""
    world = fake.world
    made = Interaction(
        id=world.new_id(),
        token=world.new_token(),
        type=kind,
        user=MIA,
        channel=DRAFTS,
        guild=GUILD,
        made_at=world.now(),
        message=message,
    )
    world.interactions[made.token] = made
    return made


def callback(made: Interaction) -> str:
    """Where its first answer goes."""
    return f"/interactions/{made.id}/{made.token}/callback"


def hook(fake: FakeDiscord, made: Interaction, message: str = "/messages/@original") -> str:
    """Its webhook."""
    return f"/webhooks/{fake.world.app.id}/{made.token}{message}"


async def test_a_deferred_answer_is_for_one_person_and_is_edited_once_it_is_there(
    fake: FakeDiscord, ask: Bare
) -> None:
    made = asked(fake)
    assert (await ask("POST", callback(made), DEFER)).status == 204
    waiting = (await ask("GET", hook(fake, made))).body
    assert waiting["flags"] == EPHEMERAL | LOADING
    assert not made.changed.is_set()
    assert (await ask("PATCH", hook(fake, made), {"content": "Queued."})).status == 200
    assert made.changed.is_set()
    assert fake.messages(DRAFTS) == []
    assert [m.text for m in fake.person(MIA).ephemerals()] == ["Queued."]
    assert fake.person(MIA).ephemerals()[0].flags == EPHEMERAL
    assert (await ask("GET", f"/channels/{DRAFTS}/messages/{made.original}")).code == 10008
    assert (await ask("DELETE", hook(fake, made))).status == 204
    assert (await ask("PATCH", hook(fake, made), {"content": "x"})).code == 10008
    assert fake.violations == []


async def test_an_answer_may_turn_into_a_card_with_a_picture(fake: FakeDiscord, ask: Bare) -> None:
    made = asked(fake)
    await ask("POST", callback(made), DEFER)
    items = [{"media": {"url": "attachment://a.png"}}]
    card = {"flags": COMPONENTS_V2, "components": [{"type": 12, "items": items}]}
    answered = await ask("PATCH", hook(fake, made), card, files=[("a.png", SMALL_PNG)])
    assert answered.body["flags"] == EPHEMERAL | COMPONENTS_V2
    assert answered.body["components"][0]["items"][0]["media"]["width"] == 16


async def test_after_three_seconds_it_is_unknown(
    fake: FakeDiscord, ask: Bare, clock: list[float]
) -> None:
    made = asked(fake)
    clock[0] += ACK_S + 0.001
    late = await ask("POST", callback(made), DEFER)
    assert (late.status, late.code) == (404, 10062)
    assert (await ask("PATCH", hook(fake, made), {"content": "x"})).code == 10015
    assert not made.answered.is_set()


async def test_a_second_answer_is_refused(fake: FakeDiscord, ask: Bare) -> None:
    made = asked(fake)
    await ask("POST", callback(made), DEFER)
    assert (await ask("POST", callback(made), DEFER)).code == 40060


async def test_after_fifteen_minutes_its_token_is_void(
    fake: FakeDiscord, ask: Bare, clock: list[float]
) -> None:
    made = asked(fake)
    await ask("POST", callback(made), DEFER)
    clock[0] += TOKEN_S + 1
    late = await ask("PATCH", hook(fake, made), {"content": "x"})
    assert (late.status, late.code) == (401, 50027)


async def test_a_webhook_that_is_gone_may_be_tried_some_times_and_no_more(
    fake: FakeDiscord, ask: Bare
) -> None:
    made = asked(fake)
    for _ in range(6):
        assert (await ask("PATCH", hook(fake, made), {"content": "x"})).code == 10015
    assert fake.violations == []
    await ask("PATCH", hook(fake, made), {"content": "x"})
    assert "gone" in fake.violations[0]


async def test_in_a_deleted_channel_nothing_is_answered(fake: FakeDiscord, ask: Bare) -> None:
    answered, late = asked(fake), asked(fake)
    await ask("POST", callback(answered), DEFER)
    fake.world.remove_channel(DRAFTS)
    assert (await ask("PATCH", hook(fake, answered), {"content": "x"})).code == 10003
    assert (await ask("POST", callback(late), DEFER)).code == 10003


async def test_followups_have_no_nonce_and_leave_two(fake: FakeDiscord, ask: Bare) -> None:
    made = asked(fake)
    await ask("POST", callback(made), {"type": 4, "data": {"content": "first"}})
    for _ in range(2):
        assert (await ask("POST", hook(fake, made, "?wait=true"), {"content": "x"})).status == 200
    assert [m.text for m in fake.messages(DRAFTS)] == ["first", "x", "x"]


async def test_the_first_followup_takes_the_place_of_thinking(fake: FakeDiscord, ask: Bare) -> None:
    made = asked(fake)
    await ask("POST", callback(made), {"type": 5})
    assert (await ask("POST", hook(fake, made, ""), {"content": "x"})).status == 204
    assert [(m.text, m.flags) for m in fake.messages(DRAFTS)] == [("x", 0)]


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        (2, FORM, 0),
        (3, FORM, 0),
        (5, FORM, 50035),
        (4, DEFER, 50035),
        (4, choices(), 0),
        (4, choices(*[str(number) for number in range(25)]), 0),
        (4, choices(*[str(number) for number in range(26)]), 50035),
        (4, choices("x" * 101), 50035),
        (2, choices(), 50035),
        (2, {"type": 6}, 50035),
    ],
)
async def test_each_thing_people_do_has_its_own_answers(
    fake: FakeDiscord, ask: Bare, kind: int, body: dict[str, Any], code: int
) -> None:
    answered = await ask("POST", callback(asked(fake, kind)), body)
    assert answered.code == code, answered.body


@pytest.mark.parametrize(
    "changed",
    [
        {"title": "x" * 46},
        {"custom_id": "x" * 101},
        {"components": []},
        {"components": [{"type": 18, "label": "x" * 46, "component": FIELD}]},
        {"components": [{"type": 18, "label": "L", "component": {**FIELD, "label": "twice"}}]},
        {"components": [{"type": 18, "label": "L", "component": {**FIELD, "value": "x" * 11}}]},
        {"components": [{"type": 18, "label": "L", "component": FIELD}] * 2},
        {"components": [{"type": 1, "components": [FIELD]}]},
        {
            "components": [
                {"type": 18, "label": "L", "component": {**FIELD, "custom_id": str(n)}}
                for n in range(6)
            ]
        },
    ],
)
async def test_a_form_keeps_to_its_rules(
    fake: FakeDiscord, ask: Bare, changed: dict[str, Any]
) -> None:
    made = asked(fake, 3)
    body = {"type": 9, "data": {**FORM["data"], **changed}}  # type: ignore[dict-item]
    assert (await ask("POST", callback(made), body)).code == 50035
    assert made.response is None


async def test_a_button_may_change_the_message_it_stands_on(fake: FakeDiscord, ask: Bare) -> None:
    row = {"type": 1, "components": [{"type": 2, "style": 1, "label": "Go", "custom_id": "do:x"}]}
    sent = await ask("POST", f"/channels/{DRAFTS}/messages", {"components": [row]})
    made = asked(fake, 3, sent.body["id"])
    body = {"type": 7, "data": {"content": "done", "components": []}}
    answered = await ask("POST", callback(made) + "?with_response=true", body)
    assert answered.body["resource"]["message"]["content"] == "done"
    assert fake.messages(DRAFTS)[0].components == []
    later = asked(fake, 3, sent.body["id"])
    assert (await ask("POST", callback(later), {"type": 6})).status == 204
    assert (await ask("PATCH", hook(fake, later), {"content": "more"})).status == 200
    assert fake.messages(DRAFTS)[0].text == "more"


async def test_discord_py_answers_and_edits_what_it_answered(
    fake: FakeDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discord.http.Route, "BASE", fake.api_url)
    made = asked(fake)
    async with logged_in(fake) as client:
        adapter = discord.webhook.async_.async_context.get()
        session = client.http._HTTPClient__session  # type: ignore[attr-defined]
        params = discord.webhook.async_.interaction_response_params(5, {"flags": EPHEMERAL})
        told = await adapter.create_interaction_response(
            int(made.id), made.token, session=session, params=params
        )
        answer = discord.webhook.async_.interaction_message_response_params(
            type=4, content="Queued."
        )
        assert told is not None
        assert answer.payload is not None
        edited = await adapter.edit_original_interaction_response(
            int(fake.world.app.id), made.token, session=session, payload=answer.payload["data"]
        )
    assert edited["content"] == "Queued."
    assert fake.violations == []


async def test_what_waits_for_the_answer_is_woken(fake: FakeDiscord, ask: Bare) -> None:
    made = asked(fake)
    async with asyncio.timeout(ENOUGH_S), asyncio.TaskGroup() as tasks:
        woken = tasks.create_task(made.answered.wait())
        await ask("POST", callback(made), DEFER)
    assert woken.result()
    assert made.ephemeral
