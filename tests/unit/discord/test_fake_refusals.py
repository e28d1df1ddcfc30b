"""What the fake refuses, as Discord does: bare requests, each with the number it is answered."""

from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest

from tests.fakes.discord.access import (
    ADD_REACTIONS,
    ATTACH_FILES,
    READ_MESSAGE_HISTORY,
    SEND_MESSAGES,
    SEND_MESSAGES_IN_THREADS,
    VIEW_CHANNEL,
    deny,
)
from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord.clients import SMALL_PNG, Bare, bare
from tests.fakes.discord.state import NONCE_S, Channel
from tests.fakes.discord_town import DRAFTS, GUILD, SOCIAL, USERS, founded

MIA = USERS["mia"]
POST = f"/channels/{DRAFTS}/messages"
TICK = quote("✅")
ROW = [{"type": 1, "components": [{"type": 2, "style": 1, "label": "Go", "custom_id": "do:x"}]}]


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


def drafts(fake: FakeDiscord) -> Channel:
    """The working channel."""
    return fake.world.channels[DRAFTS]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"content": "x" * 2001}, "content"),
        ({"content": 5}, ""),
        ({"content": "x", "nonce": "n" * 26}, ""),
        ({"content": "x", "flags": 1 << 15}, "flags"),
        ({"content": "x", "flags": 1 << 13}, "flags"),
        ({"content": "x", "allowed_mentions": {"parse": ["users"], "users": [MIA]}}, ""),
        ({"content": "x", "message_reference": {"message_id": "77"}}, "message_reference"),
        ({"content": "x", "attachments": [{"id": "0", "filename": "a.png"}]}, "attachments"),
        ({"embeds": [{"description": "x" * 4000}] * 2}, "embeds"),
    ],
)
async def test_a_body_that_breaks_a_rule_is_an_invalid_form(
    fake: FakeDiscord, ask: Bare, body: dict[str, object], field: str
) -> None:
    answered = await ask("POST", POST, body)
    assert (answered.status, answered.code) == (400, 50035)
    assert field in str(answered.body.get("errors", ""))
    assert len(fake.violations) == 1
    assert fake.messages(DRAFTS) == []


async def test_what_says_nothing_is_not_sent(ask: Bare) -> None:
    assert (await ask("POST", POST, {})).code == 50006


async def test_words_of_automod_are_refused_in_components_too(fake: FakeDiscord, ask: Bare) -> None:
    fake.world.guilds[GUILD].blocked_words.append("teapot")
    plain = await ask("POST", POST, {"content": "A Teapot"})
    card = {"flags": 1 << 15, "components": [{"type": 10, "content": "teapot"}]}
    assert (plain.status, plain.code) == (400, 200000)
    assert (await ask("POST", POST, card)).code == 200000


async def test_a_file_over_the_guilds_limit_is_refused(fake: FakeDiscord, ask: Bare) -> None:
    fake.world.guilds[GUILD].file_limit = 100
    large = await ask("POST", POST, {}, files=[("a.png", SMALL_PNG * 10)])
    assert (large.status, large.code) == (413, 40005)
    assert (await ask("POST", POST, {}, files=[("a.png", SMALL_PNG)])).status == 200


@pytest.mark.parametrize(
    ("lacking", "body", "files", "code"),
    [
        (VIEW_CHANNEL, {"content": "x"}, (), 50001),
        (SEND_MESSAGES, {"content": "x"}, (), 50013),
        (ATTACH_FILES, {"content": "x"}, (("a.png", SMALL_PNG),), 50013),
        (SEND_MESSAGES_IN_THREADS, {"content": "x"}, (), 200),
    ],
)
async def test_a_missing_permission_is_told_by_its_number(
    fake: FakeDiscord,
    ask: Bare,
    lacking: int,
    body: dict[str, object],
    files: tuple[tuple[str, bytes], ...],
    code: int,
) -> None:
    deny(drafts(fake), fake.world.app.id, lacking)
    answered = await ask("POST", POST, body, files=files)
    assert (answered.code or answered.status) == code


async def test_a_role_may_be_let_in_where_everybody_is_not(fake: FakeDiscord, ask: Bare) -> None:
    deny(drafts(fake), GUILD, VIEW_CHANNEL, kind=0)
    assert (await ask("POST", POST, {"content": "x"})).code == 50001
    role = fake.world.add_role(GUILD, "bots", permissions=1 << 3)
    fake.world.join(GUILD, fake.world.app.id, role.id)
    assert (await ask("POST", POST, {"content": "x"})).status == 200


async def test_threads_go_by_their_own_permission_and_their_channels_rules(
    fake: FakeDiscord, ask: Bare
) -> None:
    thread = fake.world.add_thread(DRAFTS, "words")
    deny(drafts(fake), fake.world.app.id, SEND_MESSAGES)
    inside = f"/channels/{thread.id}/messages"
    assert (await ask("POST", inside, {"content": "x"})).status == 200
    deny(drafts(fake), fake.world.app.id, SEND_MESSAGES_IN_THREADS)
    assert (await ask("POST", inside, {"content": "x"})).code == 50013
    thread.archived = thread.locked = True
    assert (await ask("POST", inside, {"content": "x"})).code == 50083


async def test_a_deleted_channel_and_a_guild_without_the_app_are_told_and_shut(
    fake: FakeDiscord, ask: Bare
) -> None:
    thread = fake.world.add_thread(DRAFTS, "words")
    fake.world.remove_channel(DRAFTS)
    assert (await ask("POST", f"/channels/{thread.id}/messages", {"content": "x"})).code == 10003
    assert (await ask("POST", POST, {"content": "x"})).code == 10003
    fake.world.leave(GUILD, fake.world.app.id)
    assert (await ask("GET", f"/guilds/{GUILD}")).code == 50001
    assert (await ask("POST", f"/channels/{SOCIAL}/messages", {"content": "x"})).code == 50001
    told = [name for name, _ in fake.gateway.told]
    assert told == ["THREAD_DELETE", "CHANNEL_DELETE", "GUILD_DELETE"]


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/channels/12", 10003),
        ("POST", "/channels/12/messages", 10003),
        ("GET", f"{POST}/12", 10008),
        ("PATCH", f"{POST}/12", 10008),
        ("DELETE", f"{POST}/12", 10008),
        ("PUT", f"{POST}/12/reactions/{TICK}/@me", 10008),
        ("PUT", f"{POST}/12/reactions/tick/@me", 10014),
        ("GET", "/guilds/12", 10004),
        ("GET", f"/guilds/{GUILD}/members/12", 10013),
        ("GET", "/users/12", 10013),
    ],
)
async def test_what_is_not_there_is_named(ask: Bare, method: str, path: str, code: int) -> None:
    body = {"content": "x"} if method in ("POST", "PATCH") else None
    assert (await ask(method, path, body)).code == code


async def test_others_messages_are_not_the_apps_to_change(fake: FakeDiscord, ask: Bare) -> None:
    theirs = fake.person(MIA).say("mine", channel=DRAFTS)
    assert (await ask("PATCH", f"{POST}/{theirs.id}", {"content": "x"})).code == 50005
    assert (await ask("DELETE", f"{POST}/{theirs.id}")).code == 50013
    assert (await ask("DELETE", f"{POST}/{theirs.id}/reactions/{TICK}/{MIA}")).code == 50013


async def test_the_history_and_emoji_need_their_permissions(fake: FakeDiscord, ask: Bare) -> None:
    sent = (await ask("POST", POST, {"content": "x"})).body["id"]
    deny(drafts(fake), fake.world.app.id, ADD_REACTIONS)
    put = f"{POST}/{sent}/reactions/{TICK}/@me"
    assert (await ask("PUT", put)).code == 50013
    fake.person(MIA).react(fake.messages(DRAFTS)[0], "✅")
    assert (await ask("PUT", put)).status == 204
    deny(drafts(fake), fake.world.app.id, READ_MESSAGE_HISTORY)
    assert (await ask("GET", POST)).body == []
    assert (await ask("GET", f"{POST}/{sent}")).code == 50001


async def test_what_others_write_is_blank_unless_they_speak_to_the_app(
    fake: FakeDiscord, ask: Bare
) -> None:
    mia, me = fake.person(MIA), fake.world.app.id
    picture = mia.attach(SMALL_PNG, channel=DRAFTS)
    mia.say("a secret", channel=DRAFTS, files=(picture,))
    named = mia.say(f"<@{me}> hello", channel=DRAFTS)
    named.mentions.append(me)
    seen = (await ask("GET", POST)).body
    assert (seen[1]["content"], seen[1]["attachments"]) == ("", [])
    assert seen[0]["content"] == f"<@{me}> hello"
    fake.world.app.flags = 1 << 19
    seen = (await ask("GET", POST)).body
    assert seen[1]["content"] == "a secret"
    assert seen[1]["attachments"][0]["filename"] == "photo.png"


async def test_a_nonce_makes_one_message_within_minutes(
    fake: FakeDiscord, ask: Bare, clock: list[float]
) -> None:
    body = {"content": "once", "nonce": "0" * 22, "enforce_nonce": True}
    first, second = await ask("POST", POST, body), await ask("POST", POST, body)
    assert first.body["id"] == second.body["id"]
    assert first.body["nonce"] == "0" * 22
    assert "nonce" not in (await ask("GET", POST)).body[0]
    clock[0] += NONCE_S + 1
    assert (await ask("POST", POST, body)).body["id"] != first.body["id"]
    await ask("POST", POST, {**body, "enforce_nonce": False})
    assert len(fake.messages(DRAFTS)) == 3


async def test_edits_of_old_messages_may_run_out(
    fake: FakeDiscord, ask: Bare, clock: list[float]
) -> None:
    sent = (await ask("POST", POST, {"content": "x"})).body["id"]
    fake.world.old_edits_left[DRAFTS] = 1
    assert (await ask("PATCH", f"{POST}/{sent}", {"content": "y"})).status == 200
    clock[0] += 3601
    assert (await ask("PATCH", f"{POST}/{sent}", {"content": "z"})).status == 200
    refused = await ask("PATCH", f"{POST}/{sent}", {"content": "w"})
    assert (refused.status, refused.code) == (429, 30046)
    assert fake.messages(DRAFTS)[0].text == "z"


async def test_a_wrong_token_is_refused_and_may_not_go_on(fake: FakeDiscord, ask: Bare) -> None:
    for _ in range(5):
        assert (await ask("GET", "/users/@me", token="wrong")).status == 401
    assert fake.violations == []
    fake.world.app.token_revoked = True
    assert (await ask("GET", "/users/@me")).status == 401
    assert "refused token" in fake.violations[0]


async def test_an_address_that_discord_has_not_is_a_violation(fake: FakeDiscord, ask: Bare) -> None:
    assert (await ask("GET", "/channels/1/nothing")).status == 404
    assert (await ask("GET", f"{POST}?colour=red")).code == 50035
    assert len(fake.violations) == 2


async def test_a_files_address_expires_and_bears_no_change(
    fake: FakeDiscord, ask: Bare, clock: list[float]
) -> None:
    sent = (await ask("POST", POST, {"content": "x"}, files=[("a b.png", SMALL_PNG)])).body
    file = sent["attachments"][0]
    assert (file["filename"], file["width"]) == ("a_b.png", 16)
    async with ask.session.get(file["url"]) as given:
        assert await given.read() == SMALL_PNG
    async with ask.session.get(file["url"].replace("ex=", "ex=f")) as given:
        assert given.status == 404
    clock[0] += fake.world.cdn_s
    async with ask.session.get(file["url"]) as given:
        assert given.status == 404
    again = (await ask("GET", f"{POST}/{sent['id']}")).body["attachments"][0]
    async with ask.session.get(again["url"]) as given:
        assert given.status == 200


async def test_files_of_an_edit_are_those_listed_and_those_brought(
    fake: FakeDiscord, ask: Bare
) -> None:
    two = [("a.png", SMALL_PNG), ("b.png", SMALL_PNG)]
    sent = (await ask("POST", POST, {"components": ROW}, files=two)).body
    kept = sent["attachments"][1]["id"]
    body = {"attachments": [{"id": kept}, {"id": "0", "description": "new"}]}
    edited = await ask("PATCH", f"{POST}/{sent['id']}", body, files=[("c.png", SMALL_PNG)])
    assert [f["filename"] for f in edited.body["attachments"]] == ["b.png", "c.png"]
    assert edited.body["attachments"][1]["description"] == "new"
    assert (await ask("PATCH", f"{POST}/{sent['id']}", {"attachments": []})).body[
        "attachments"
    ] == []
