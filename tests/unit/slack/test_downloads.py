"""Whatever address a file says it has: the token goes to Slack alone, and nothing else is asked."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from aiohttp import web as server
from aiohttp.test_utils import TestServer

from bot.chat.slack_chat.incoming.heard import Heard, Kind
from bot.chat.slack_chat.methods import Method
from bot.chat.slack_chat.outgoing.bringing import Bringing
from bot.chat.slack_chat.web import ForeignHost, NotAFile, TooLarge, Web, Webs
from bot.core.errors import Mistake
from brand.pictures import MAX_BYTES
from tests.fakes.slack_forms import FormDesk, form_desk
from tests.fakes.uploads import png


class Misleading:
    """A workspace in which every file says that it is at another address."""

    def __init__(self, webs: Webs, **says: Any) -> None:
        self._webs = webs
        self._says = says
        self.downloads: list[str] = []

    async def web(self, team: str) -> Web:
        """See Webs."""
        real = await self._webs.web(team)
        call, says = real.call, self._says

        async def told(method: Method, **arguments: Any) -> dict[str, Any]:
            answer = await call(method, **arguments)
            if method is Method.FILES_INFO:
                answer["file"] |= says
            return answer

        return _Told(real, told)

    async def teams(self) -> Sequence[str]:
        """See Webs."""
        return await self._webs.teams()


class _Told:
    """The workspace itself, but for what it tells."""

    def __init__(self, real: Web, call: Any) -> None:  # noqa: ANN401 - a bound method's twin
        self.team, self.bot_user, self.url = real.team, real.bot_user, real.url
        self.call, self.download = call, real.download
        self.upload, self.post_file = real.upload, real.post_file


@pytest.fixture
async def desk() -> AsyncIterator[FormDesk]:
    """A Slack with the app."""
    async with form_desk() as running:
        yield running


@pytest.fixture
async def stranger() -> AsyncIterator[tuple[str, list[str]]]:
    """Another server's address, and what it was asked for."""
    asked: list[str] = []

    async def answer(request: server.Request) -> server.Response:
        asked.append(f"{request.path} {request.headers.get('Authorization', '')}")
        return server.Response(body=png(), content_type="image/png")

    app = server.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as running:
        yield str(running.make_url("/")), asked


async def brought(desk: FormDesk, **says: Any) -> str:
    """The picture of a file that says this of itself."""
    ana = desk.slack.person("U0ANA")
    file = ana.upload(png(), "mug.png")
    await ana.say("look", channel="C0SOCIAL", files=(file,))
    heard = Heard(kind=Kind.MENTION, key="k", team="T1", user="U0MIA", files=(file.id,))
    bringing = Bringing(desk.town.house, Misleading(desk.webs, **says))
    return await bringing.picture(heard, desk.town.people["mia"], brand="acme")


async def test_a_file_of_slack_is_fetched(desk: FormDesk) -> None:
    assert await brought(desk)


async def test_another_server_is_not_asked_and_sees_no_token(
    desk: FormDesk, stranger: tuple[str, list[str]]
) -> None:
    address, asked = stranger
    with pytest.raises(ForeignHost):
        await brought(desk, url_private_download=f"{address}mug.png")
    assert asked == []


@pytest.mark.parametrize(
    "url",
    [
        "https://files.example.com/x.png",
        "http://files.slack.com/x.png",
        "https://files.slack.com@127.0.0.1/x.png",
        "https://slack.com.example.com/x.png",
        "https://notslack.com/x.png",
        "https://files.slack.com:8443/x.png",
        "//files.slack.com/x.png",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
        "ftp://files.slack.com/x.png",
        "https://fіles.slack.com/x.png",
        "https://files.slack.com\\@example.com/x.png",
        "mug.png",
        " ",
    ],
)
async def test_an_address_that_is_not_slacks_is_refused(desk: FormDesk, url: str) -> None:
    with pytest.raises(ForeignHost) as found:
        await brought(desk, url_private_download=url, url_private=url)
    assert found.value.fix


async def test_a_page_to_sign_in_is_no_picture(desk: FormDesk) -> None:
    with pytest.raises(NotAFile):
        await brought(desk, url_private_download=f"{desk.slack.world.base}/login")


async def test_a_file_that_says_it_is_too_large_is_not_fetched(desk: FormDesk) -> None:
    with pytest.raises(Mistake, match="at most 20,000,000 are read"):
        await brought(desk, size=MAX_BYTES + 1)


async def test_a_file_that_is_larger_than_it_says_is_cut_off(desk: FormDesk) -> None:
    ana = desk.slack.person("U0ANA")
    file = ana.upload(bytes(MAX_BYTES + 1), "mug.png")
    await ana.say("look", channel="C0SOCIAL", files=(file,))
    heard = Heard(kind=Kind.MENTION, key="k", team="T1", user="U0MIA", files=(file.id,))
    says = {"size": 10, "mimetype": "image/png"}
    bringing = Bringing(desk.town.house, Misleading(desk.webs, **says))
    with pytest.raises(TooLarge):
        await bringing.picture(heard, desk.town.people["mia"], brand="acme")


@pytest.mark.parametrize(
    "says",
    [
        {"is_external": True},
        {"mode": "external"},
        {"mode": "email"},
        {"mode": "tombstone"},
        {"mode": "hidden_by_limit"},
        {"mimetype": "image/gif"},
        {"mimetype": "image/svg+xml"},
        {"mimetype": None},
    ],
)
async def test_what_can_be_no_reference_is_not_fetched(
    desk: FormDesk, stranger: tuple[str, list[str]], says: dict[str, Any]
) -> None:
    address, asked = stranger
    with pytest.raises(Mistake) as found:
        await brought(desk, url_private_download=address, **says)
    assert not isinstance(found.value, ForeignHost)
    assert found.value.field == "reference"
    assert asked == []
