"""The fake's limits, its troubles, the commands it keeps, and what it looks like as a process."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord.clients import SMALL_PNG, Bare, bare
from tests.fakes.discord_town import DRAFTS, SOCIAL, founded

POST = f"/channels/{DRAFTS}/messages"
SAID = {"content": "x"}


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    """A Discord with its limits."""
    async with founded() as made:
        yield made


@pytest.fixture
async def ask(fake: FakeDiscord) -> AsyncIterator[Bare]:
    """Bare requests."""
    async with bare(fake) as made:
        yield made


async def test_a_sixth_message_within_five_seconds_waits_in_its_channel_alone(
    fake: FakeDiscord, ask: Bare
) -> None:
    answered = [await ask("POST", POST, SAID) for _ in range(6)]
    left = [found.headers["X-RateLimit-Remaining"] for found in answered]
    assert left == ["4", "3", "2", "1", "0", "0"]
    refused = answered[-1]
    assert (refused.status, refused.headers["Via"]) == (429, "1.1 google")
    assert 0 < refused.body["retry_after"] <= 5
    assert refused.body["global"] is False
    assert len({found.headers["X-RateLimit-Bucket"] for found in answered}) == 1
    assert (await ask("POST", f"/channels/{SOCIAL}/messages", SAID)).status == 200
    assert fake.violations == []


async def test_fifty_requests_a_second_are_the_most(fake: FakeDiscord, ask: Bare) -> None:
    fake.world.rates = 0.1
    answered = [await ask("GET", f"/channels/{DRAFTS}") for _ in range(6)]
    assert [found.status for found in answered] == [200] * 5 + [429]
    assert answered[-1].body["global"] is True
    assert answered[-1].headers["X-RateLimit-Global"] == "true"
    assert (await ask("POST", "/interactions/1/abc/callback", {"type": 5})).code == 10062


async def test_too_many_invalid_requests_shut_everything(fake: FakeDiscord, ask: Bare) -> None:
    fake.rest.limits.most_invalid = 2
    for _ in range(2):
        await ask("GET", "/users/@me", token="wrong")
    shut = await ask("GET", "/users/@me")
    assert (shut.status, "Via" in shut.headers, type(shut.body)) == (429, False, str)


@pytest.mark.parametrize(
    ("kind", "more", "status", "stands"),
    [
        ("429", {}, 429, 0),
        ("global", {}, 429, 0),
        ("cloudflare", {}, 429, 0),
        ("status", {"status": 503}, 503, 0),
        ("html502", {"kept": True}, 502, 1),
        ("refuse", {"status": 403, "code": 50013}, 403, 0),
        ("slow", {"seconds": 0.01}, 200, 1),
        ("lost", {}, 0, 1),
        ("cut", {}, 0, 0),
    ],
)
async def test_a_trouble_happens_once_and_leaves_what_it_says(
    fake: FakeDiscord, ask: Bare, kind: str, more: dict[str, Any], status: int, stands: int
) -> None:
    fake.troubles.add("POST /channels/*/messages", kind, **more)
    try:
        answered = (await ask("POST", POST, SAID)).status
    except aiohttp.ClientError:
        answered = 0
    assert (answered, len(fake.messages(DRAFTS))) == (status, stands)
    assert (await ask("POST", POST, SAID)).status == 200


async def test_the_cdn_fails_where_it_is_told_to(fake: FakeDiscord, ask: Bare) -> None:
    sent = (await ask("POST", POST, SAID, files=[("a.png", SMALL_PNG)])).body
    fake.troubles.add("GET /attachments/*", "status", status=503)
    for status in (503, 200):
        async with ask.session.get(sent["attachments"][0]["url"]) as given:
            assert given.status == status


QUEUE = {"name": "queue", "type": 1, "description": "What waits"}
TEXT = {"type": 3, "name": "words", "description": "What it shows"}
BAD: dict[str, list[dict[str, Any]]] = {
    "large letters": [{**QUEUE, "name": "Queue"}],
    "no description": [{"name": "queue", "type": 1}],
    "a description of 101": [{**QUEUE, "description": "x" * 101}],
    "a name twice": [QUEUE, QUEUE],
    "26 options": [{**QUEUE, "options": [{**TEXT, "name": f"o{n}"} for n in range(26)]}],
    "an option twice": [{**QUEUE, "options": [TEXT, TEXT]}],
    "needed after not": [{**QUEUE, "options": [TEXT, {**TEXT, "name": "must", "required": True}]}],
    "choices and suggestions": [
        {
            **QUEUE,
            "options": [{**TEXT, "autocomplete": True, "choices": [{"name": "a", "value": "a"}]}],
        }
    ],
    "a menu with words": [{"name": "Details", "type": 3, "description": "x"}],
}


@pytest.mark.parametrize("name", BAD)
async def test_commands_keep_to_their_rules(fake: FakeDiscord, ask: Bare, name: str) -> None:
    where = f"/applications/{fake.world.app.id}/commands"
    assert (await ask("PUT", where, BAD[name])).code == 50035
    assert fake.world.app.commands == []


async def test_commands_that_stay_keep_their_ids_and_cost_no_creation(
    fake: FakeDiscord, ask: Bare
) -> None:
    where = f"/applications/{fake.world.app.id}/commands"
    menu = {"name": "Details", "type": 3, "contexts": [0, 1], "default_member_permissions": None}
    first = (await ask("PUT", where, [QUEUE, menu])).body
    second = (await ask("PUT", where, [{**QUEUE, "description": "Who waits"}, menu])).body
    assert [one["id"] for one in first] == [one["id"] for one in second]
    assert first[0]["version"] != second[0]["version"]
    assert first[1]["version"] == second[1]["version"]
    assert fake.world.creates_left == 198
    assert (await ask("GET", where)).body == second
    fake.world.creates_left = 0
    refused = await ask("PUT", where, [{**QUEUE, "name": "show"}])
    assert (refused.status, refused.code) == (429, 30034)
    assert fake.violations == []


@asynccontextmanager
async def as_a_process() -> AsyncIterator[tuple[dict[str, str], aiohttp.ClientSession]]:
    """The fake as a process: what it says of itself, and a session to reach it by."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fakes.discord", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        line: dict[str, str] = json.loads(await process.stdout.readline())
        async with aiohttp.ClientSession() as session:
            yield line, session
    finally:
        process.terminate()
        assert await process.wait() == 0


async def test_it_runs_as_a_process_and_is_driven_from_outside() -> None:
    async with as_a_process() as (line, session):

        async def do(**deed: object) -> Any:  # noqa: ANN401 - whatever JSON it answers
            async with session.post(line["control"], json=deed) as answered:
                return await answered.json()

        guild = await do(do="guild", name="Acme")
        channel = await do(do="channel", guild=guild, name="drafts")
        mia = await do(do="person", name="mia", guild=guild)
        headers = {"Authorization": f"Bot {line['token']}"}
        posts = f"{line['api_url']}/channels/{channel}/messages"
        async with session.post(posts, json=SAID, headers=headers) as answered:
            sent = (await answered.json())["id"]
        await do(do="react", user=mia, channel=channel, message=sent, emoji="✅")
        shown = await do(do="messages", channel=channel)
        assert [message["reactions"] for message in shown] == [{"✅": [mia]}]
        facts = await do(do="facts")
        assert facts["violations"] == []
        assert facts["count"] == {"POST /channels/{channel_id}/messages": 1}
        assert "no /imagine" in (await do(do="command", user=mia, name="imagine"))["error"]
        assert "do one of" in (await do(do="fly"))["error"]
