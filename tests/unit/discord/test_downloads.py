"""Whatever address an attachment says it has: only Discord's files are fetched, without a token."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from bot.chat.discord_chat.outgoing.downloading import is_discords
from bot.chat.discord_chat.outgoing.rest import DiscordRest
from bot.chat.discord_chat.rest import ForeignHost, Gone, TooLarge
from bot.core.errors import ChatUnavailable, Mistake
from bot.core.watching import Unwatched
from tests.fakes.discord_desk import PNG, Desk, discord_desk

API = URL("https://discord.com/api/v10")
FILES = "https://cdn.discordapp.com/attachments/1/2/mug.png?ex=1&is=2&hm=3"


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with discord_desk() as running:
        yield running


@pytest.fixture
async def stranger() -> AsyncIterator[tuple[str, list[str]]]:
    """Another server's address, and what it was asked for."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(body=PNG, content_type="image/png")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as running:
        yield str(running.make_url("/")), asked


async def attached(desk: Desk) -> str:
    """The address of a file in Discord."""
    await desk.chat.post(desk.publication(), PNG, "image/png", "a mug")
    (message,) = await desk.rest.history(desk.social.id)
    return str(message["attachments"][0]["url"])


async def test_an_attachment_is_fetched_as_it_is(desk: Desk) -> None:
    assert await desk.rest.download(await attached(desk), limit=len(PNG)) == PNG


async def test_a_file_that_is_too_large_is_not_taken_in(desk: Desk) -> None:
    with pytest.raises(TooLarge):
        await desk.rest.download(await attached(desk), limit=len(PNG) - 1)


async def test_an_address_that_has_ended_says_to_attach_it_again(desk: Desk) -> None:
    url = await attached(desk)
    desk.clock.jump(desk.discord.world.cdn_s + 60)
    with pytest.raises(Gone) as gone:
        await desk.rest.download(url, limit=1000)
    assert "again" in gone.value.fix


async def test_files_that_can_t_be_had_now_may_be_had_later(desk: Desk) -> None:
    desk.discord.troubles.add("GET /attachments/*", "status", status=503)
    with pytest.raises(ChatUnavailable):
        await desk.rest.download(await attached(desk), limit=1000)


async def test_another_server_is_not_even_asked(
    desk: Desk, stranger: tuple[str, list[str]]
) -> None:
    address, asked = stranger
    with pytest.raises(ForeignHost):
        await desk.rest.download(f"{address}mug.png", limit=1000)
    assert asked == []


async def test_a_redirect_leads_nowhere_and_no_token_goes_along(
    desk: Desk, stranger: tuple[str, list[str]]
) -> None:
    address, asked = stranger
    seen: list[str] = []

    async def lead_away(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization", ""))
        raise web.HTTPFound(address)

    app = web.Application()
    app.router.add_route("GET", "/{path:.*}", lead_away)
    async with TestServer(app) as files:
        here = str(files.make_url("/")).rstrip("/")
        options = replace(desk.options, api_base_url=here)
        async with DiscordRest(options, watch=Unwatched()) as rest:
            with pytest.raises(Mistake):
                await rest.download(f"{here}/mug.png", limit=1000)
    assert seen == [""]
    assert asked == []


async def test_a_file_that_does_not_say_its_size_is_read_up_to_the_limit(desk: Desk) -> None:
    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(PNG)
        return response

    app = web.Application()
    app.router.add_route("GET", "/{path:.*}", stream)
    async with TestServer(app) as files:
        here = str(files.make_url("/")).rstrip("/")
        options = replace(desk.options, api_base_url=here)
        async with DiscordRest(options, watch=Unwatched()) as rest:
            assert await rest.download(f"{here}/mug.png", limit=len(PNG)) == PNG
            with pytest.raises(TooLarge):
                await rest.download(f"{here}/mug.png", limit=len(PNG) - 1)


async def test_a_call_that_is_led_elsewhere_does_not_go_there_with_the_token(
    desk: Desk, stranger: tuple[str, list[str]]
) -> None:
    address, asked = stranger

    async def lead_away(_request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect(address)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", lead_away)
    async with TestServer(app) as api:
        options = replace(desk.options, api_base_url=str(api.make_url("/api/v10")))
        async with DiscordRest(options, watch=Unwatched()) as rest:
            with pytest.raises(ChatUnavailable, match="api_base_url"):
                await rest.myself()
    assert asked == []


@pytest.mark.parametrize(
    "url", [FILES, FILES.replace("cdn.discordapp.com", "media.discordapp.net")]
)
def test_discord_keeps_files_on_two_hosts(url: str) -> None:
    assert is_discords(URL(url), API)


@pytest.mark.parametrize(
    "url",
    [
        FILES.replace("https", "http"),
        FILES.replace("https://cdn.discordapp.com", "http://cdn.discordapp.com:443"),
        FILES.replace("cdn.discordapp.com", "cdn.discordapp.com:8443"),
        FILES.replace("cdn.discordapp.com", "cdn.discordapp.com.evil.example"),
        FILES.replace("cdn.discordapp.com", "evil.example"),
        FILES.replace("cdn.discordapp.com", "discord.com"),
        FILES.replace("cdn.discordapp.com", "mia@cdn.discordapp.com"),
        FILES.replace("cdn.discordapp.com", "cdn.discordapp.com."),
        FILES.replace("cdn.discordapp.com", "169.254.169.254"),
        FILES.replace("cdn.discordapp.com", "[::1]"),
        "ftp://cdn.discordapp.com/mug.png",
        "//cdn.discordapp.com/mug.png",
        "/attachments/1/2/mug.png",
        "",
    ],
)
def test_whatever_looks_nearly_like_them_is_foreign(url: str) -> None:
    assert not is_discords(URL(url), API)


@pytest.mark.parametrize(
    "url",
    [
        "https://cdn.discordapp.com\\@evil.example/mug.png",
        "https://cdn.discordapp.com /mug.png",
        "https://cdn.discordapp.com\n.evil.example/mug.png",
        "https://cdn.discordapp.cöm/mug.png",
        "https://cdn.discordapp.com:99999/mug.png",
        "https://[cdn.discordapp.com/mug.png",
        "file:///etc/passwd",
        "no address",
        "",
    ],
)
async def test_an_address_that_is_none_is_foreign_and_breaks_nothing(desk: Desk, url: str) -> None:
    with pytest.raises(ForeignHost):
        await desk.rest.download(url, limit=1000)
