"""Discord's own description of its API, as the fake holds requests and replies against it."""

from typing import Any

import pytest

from tests.fakes.discord import schema
from tests.fakes.discord.clients import bare
from tests.fakes.discord.rest import ROUTES
from tests.fakes.discord_town import DRAFTS, USERS, founded

MESSAGES = "/channels/{channel_id}/messages"


@pytest.mark.parametrize(("method", "route"), [(method, route) for method, route, _ in ROUTES])
def test_every_address_of_the_fake_is_one_of_discord_s(method: str, route: str) -> None:
    assert schema.known(method, route)


def test_numbers_for_ids_are_let_pass_where_discord_takes_them() -> None:
    body: dict[str, Any] = {
        "content": "x",
        "attachments": [{"id": 0}],
        "allowed_mentions": {"users": [int(USERS["mia"])]},
        "message_reference": {"message_id": 5},
    }
    assert schema.complaints_of_request("POST", MESSAGES, body, {}) == []
    body["components"] = [{"type": 1, "id": "5", "components": []}]
    assert schema.complaints_of_request("POST", MESSAGES, body, {}) != []


def test_a_body_where_none_is_taken_and_a_query_that_is_unknown_are_told() -> None:
    assert schema.complaints_of_request("GET", "/users/@me", {}, {}) == ["no body is taken here"]
    assert schema.complaints_of_request("GET", MESSAGES, None, {"limit": "100"}) == []
    for query in ({"limit": "101"}, {"limit": "many"}, {"before": "yesterday"}, {"size": "1"}):
        assert len(schema.complaints_of_request("GET", MESSAGES, None, query)) == 1


def test_a_reply_with_a_field_missing_or_a_status_discord_has_not_is_told() -> None:
    assert schema.complaints_of_reply("GET", "/users/@me", 200, {"id": "1"}) != []
    assert schema.complaints_of_reply("GET", "/users/@me", 302, {}) != []
    assert schema.complaints_of_reply("GET", "/users/@me", 404, {"message": "x", "code": 0}) == []


async def test_a_wrong_reply_of_the_fake_itself_stands_among_the_violations() -> None:
    async with founded(rates=0) as fake, bare(fake) as ask:
        fake.world.guilds["7"] = fake.world.add_guild(
            "Odd", permissions=0, owner=USERS["mia"], guild_id="no snowflake"
        )
        await ask("GET", "/users/@me/guilds")
        assert "our reply 200 to GET /users/@me/guilds" in fake.violations[0]


async def test_what_is_told_of_the_app_is_as_discord_tells_it() -> None:
    async with founded(rates=0) as fake, bare(fake) as ask:
        guild = next(iter(fake.world.guilds))
        paths = [
            "/users/@me",
            "/users/@me/guilds",
            "/applications/@me",
            "/oauth2/applications/@me",
            "/gateway",
            "/gateway/bot",
            f"/guilds/{guild}",
            f"/guilds/{guild}/channels",
            f"/guilds/{guild}/roles",
            f"/channels/{DRAFTS}",
        ]
        assert [(await ask("GET", path)).status for path in paths] == [200] * len(paths)
        assert (await ask("POST", f"/channels/{DRAFTS}/typing")).status == 204
        assert fake.violations == []
