"""A workspace installs the app, again and for a whole enterprise, and takes it out."""

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from bot.chat.slack_chat.incoming.heard import Heard, Kind
from bot.chat.slack_chat.installing.installing import Installing
from bot.chat.slack_chat.installing.leaving import Leaving
from bot.chat.slack_chat.installing.pairs import opened, read_tokens, sealed
from bot.chat.slack_chat.manifest import scopes_wanted
from bot.chat.slack_chat.methods import Method
from bot.core.errors import Unavailable
from bot.core.ports import Install
from tests.contract.values import make_install
from tests.fakes.slack_installs import BASE_URL, LIFE, Installed, installed_house


@pytest.fixture
async def here() -> AsyncIterator[Installed]:
    async with installed_house() as made:
        yield made


class Browser:
    """Someone who opens the house's pages, and Slack's between them."""

    def __init__(self, here: Installed, *, allowed: tuple[str, ...] = ()) -> None:
        options = replace(here.options, allowed_teams=allowed)
        pages = Installing(
            options, store=here.store, vault=here.vault, clock=here.clock, calls=here.caller
        )
        routes = [
            Route("/slack/install", pages.begin),
            Route("/slack/oauth_redirect", pages.finish),
        ]
        transport = httpx.ASGITransport(Starlette(routes=routes))
        self.house = httpx.AsyncClient(transport=transport, base_url=BASE_URL)

    async def consent(self, path: str = "/slack/install") -> str:
        """The address that Slack sends the browser back to."""
        away = await self.house.get(path)
        assert away.status_code == 302, away.text
        async with httpx.AsyncClient(trust_env=False) as web:
            back = await web.get(away.headers["location"])
        return str(back.headers["location"])

    async def install(self) -> httpx.Response:
        """All the way."""
        return await self.house.get(await self.consent())


async def rows(here: Installed) -> list[Install]:
    async with here.store.read() as tx:
        return list(await tx.installs.all("slack"))


async def test_a_workspace_is_installed_and_its_token_works(here: Installed) -> None:
    done = await Browser(here).install()
    assert done.status_code == 200
    assert "Installed in acme" in done.text
    (row,) = await rows(here)
    space = here.fake.world.workspaces["T1"]
    assert (row.key, row.name, row.app) == ("T1", "acme", here.fake.world.app_id)
    assert (row.bot_user, row.bot_id) == (space.bot_user, space.bot_id)
    assert row.url == "https://acme.slack.com/"
    assert row.scopes == scopes_wanted()
    assert row.installed_by == "U0MIA"
    assert row.expires_at == here.clock.now() + LIFE
    _, token = await here.rotator().fresh(row)
    assert (await here.caller.call(Method.AUTH_TEST, token, {}))["team_id"] == "T1"
    async with here.store.read() as tx:
        (event,) = await tx.ledger.recent(subject="workspace:T1")
    assert event.action == "workspace.installed"


async def test_slack_is_asked_for_exactly_the_scopes_and_for_the_same_way_back(
    here: Installed,
) -> None:
    away = await Browser(here).house.get("/slack/install?team=T1")
    address = urlsplit(away.headers["location"])
    asked = {name: value[0] for name, value in parse_qs(address.query).items()}
    assert address.geturl().startswith(here.options.authorize_url)
    assert asked["scope"].split(",") == list(scopes_wanted())
    assert asked["redirect_uri"] == f"{BASE_URL}/slack/oauth_redirect"
    assert asked["team"] == "T1"
    assert "user_scope" not in asked
    cookie = away.headers["set-cookie"]
    for part in ("HttpOnly", "Secure", "SameSite=lax", "Path=/slack", "Max-Age=600"):
        assert part in cookie
    assert asked["state"] not in cookie
    odd = await Browser(here).house.get("/slack/install?team=T1%26scope%3Dadmin")
    assert "admin" not in odd.headers["location"]


async def test_installing_again_replaces_the_tokens(here: Installed) -> None:
    browser = Browser(here)
    await browser.install()
    (first,) = await rows(here)
    here.clock.jump(60)
    await browser.install()
    (second,) = await rows(here)
    assert second.version == first.version + 1
    assert second.installed_at > first.installed_at
    assert opened(here.vault, second) != opened(here.vault, first)


async def test_an_enterprise_installs_it_for_all_its_workspaces(here: Installed) -> None:
    here.fake.add_team("T7", "berlin", enterprise="E1")
    here.fake.consents.team, here.fake.consents.org_wide = "T7", True
    done = await Browser(here).install()
    assert "Installed in Org" in done.text
    (row,) = await rows(here)
    assert (row.enterprise, row.team, row.key) == ("E1", "", "E1/")
    async with here.store.read() as tx:
        assert await tx.installs.of_team("slack", "E1/T7") == row
        assert await tx.installs.of_team("slack", "T7") is None


async def test_two_workspaces_keep_their_own_tokens(here: Installed) -> None:
    here.fake.add_team("T2", "other")
    await Browser(here).install()
    here.fake.consents.team = "T2"
    await Browser(here).install()
    first, second = await rows(here)
    rotator = here.rotator()
    for row in (first, second):
        _, token = await rotator.fresh(row)
        said = await here.caller.call(Method.AUTH_TEST, token, {})
        assert said["team_id"] == row.team


@pytest.mark.parametrize("allowed", [("T1",), ("T9", "T1"), ()])
async def test_a_workspace_that_is_let_in_installs_it(
    here: Installed, allowed: tuple[str, ...]
) -> None:
    assert (await Browser(here, allowed=allowed).install()).status_code == 200


async def test_a_workspace_that_is_not_let_in_leaves_nothing_behind(here: Installed) -> None:
    done = await Browser(here, allowed=("T9", "E1")).install()
    assert done.status_code == 403
    assert "acme is not among the workspaces" in done.text
    assert await rows(here) == []
    given = [token for token in here.fake.world.tokens.values() if token.refresh]
    assert [token.revoked for token in given] == ["token_revoked"]


async def test_a_workspace_is_not_let_in_either_while_slack_voids_no_token(
    here: Installed, caplog: pytest.LogCaptureFixture
) -> None:
    here.fake.troubles.add("auth.revoke", "500")
    assert (await Browser(here, allowed=("T9",)).install()).status_code == 403
    assert await rows(here) == []
    assert "keeps the token of T1 alive" in caplog.text


async def test_who_cancels_can_begin_again(here: Installed) -> None:
    here.fake.consents.denies = True
    done = await Browser(here).install()
    assert done.status_code == 200
    assert "Nothing was installed" in done.text
    assert f"{BASE_URL}/slack/install" in done.text
    assert await rows(here) == []


async def test_a_way_back_counts_once_and_in_its_own_browser(here: Installed) -> None:
    browser, other = Browser(here), Browser(here)
    back = await browser.consent()
    assert (await other.house.get(back)).status_code == 400
    other.house.cookies.update(browser.house.cookies)
    assert (await browser.house.get(back)).status_code == 200
    again = await other.house.get(back)
    assert again.status_code == 400
    assert "was used before" in again.text
    assert len(await rows(here)) == 1


async def test_a_way_back_ends_after_ten_minutes(here: Installed) -> None:
    browser = Browser(here)
    back = await browser.consent()
    here.clock.jump(601)
    assert (await browser.house.get(back)).status_code == 400
    assert await rows(here) == []


@pytest.mark.parametrize(
    "query",
    ["", "?code=1", "?state=1", "?code=%00&state=%00", "?state=" + "x" * 9000,
     "?code=1&state=a.b.c", "?error=%3Cscript%3E", "?state=%C3%BC.1.2",
     "?code=a&code=b&state=1&state=2"],
)  # fmt: skip
async def test_an_invented_way_back_installs_nothing_and_breaks_nothing(
    here: Installed, query: str
) -> None:
    done = await Browser(here).house.get(f"/slack/oauth_redirect{query}")
    assert done.status_code in (200, 400)
    assert "<script" not in done.text
    assert await rows(here) == []
    assert [call for call in here.fake.calls if call.method == "oauth.v2.access"] == []


@pytest.mark.parametrize(
    ("kind", "status", "says"),
    [
        ("500", 503, "not reached just now"),
        ("cut", 503, "not reached just now"),
        ("429", 503, "not reached just now"),
        ("garbled", 503, "not reached just now"),
        ("refuse", 400, "work"),
    ],
)
async def test_what_goes_wrong_at_slack_is_a_page_with_a_way_on(
    here: Installed, caplog: pytest.LogCaptureFixture, kind: str, status: int, says: str
) -> None:
    here.fake.troubles.add("oauth.v2.access", kind, error="invalid_code")
    browser = Browser(here)
    back = await browser.consent()
    done = await browser.house.get(back)
    assert done.status_code == status
    assert says in done.text
    assert f"{BASE_URL}/slack/install" in done.text
    code = parse_qs(urlsplit(back).query)["code"][0]
    assert code not in done.text
    assert code not in "".join(r.getMessage() for r in caplog.records if r.name.startswith("bot"))
    assert await rows(here) == []


async def test_no_page_is_kept_framed_or_told_to_another_site(here: Installed) -> None:
    done = await Browser(here).install()
    assert done.headers["cache-control"] == "no-store"
    assert done.headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in done.headers["content-security-policy"]
    assert 'housestyle_slack_install=""' in done.headers["set-cookie"]


async def test_a_workspace_s_name_is_text_on_the_page(here: Installed) -> None:
    here.fake.world.workspaces["T1"].name = "<script>alert(1)</script>"
    done = await Browser(here).install()
    assert "<script" not in done.text
    assert "&lt;script&gt;" in done.text


async def test_scopes_that_were_not_given_are_named(here: Installed) -> None:
    here.fake.troubles.clear()
    browser = Browser(here)
    back = await browser.consent()
    (code,) = here.fake.consents.codes.values()
    code.scopes = ("chat:write", "commands")
    done = await browser.house.get(back)
    assert "not everything will work" in done.text
    assert "files:write" in done.text
    assert (await rows(here))[0].scopes == ("chat:write", "commands")


async def test_no_token_is_logged_while_it_is_installed(
    here: Installed, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await Browser(here).install()
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith(("httpx", "httpcore"))]
    for secret in (*here.fake.world.tokens, *here.fake.consents.refresh, *here.fake.consents.codes):
        assert secret not in "\n".join(ours)


def left(detail: str, team: str = "T1", at: float = 0.0) -> Heard:
    return Heard(kind=Kind.LEFT, key=f"{team}:event:1", team=team, detail=detail, at=at)


def leaving_of(here: Installed) -> Leaving:
    return Leaving(
        store=here.store,
        clock=here.clock,
        vault=here.vault,
        calls=here.caller,
        tokens=here.rotator(),
    )


def out(here: Installed, team: str = "T1") -> None:
    """An administrator of the workspace has taken the app out."""
    for token in here.fake.world.tokens.values():
        if token.team == team and token.expires_at is not None:
            token.revoked = "account_inactive"


@pytest.mark.parametrize("detail", ["app_uninstalled", "U0BOTT1", "U9,U0BOTT1"])
async def test_a_workspace_that_takes_the_app_out_loses_its_tokens_at_once(
    here: Installed, detail: str
) -> None:
    here.fake.add_team("T2", "other")
    await here.install("T1")
    await here.install("T2")
    out(here)
    leaving = leaving_of(here)
    for _ in range(2):
        await leaving.left(left(detail, at=here.clock.now().timestamp()))
    gone = await here.row("T1")
    assert (gone.sealed, gone.gone_at, gone.expires_at) == ("", here.clock.now(), None)
    assert [row.key for row in await rows(here)] == ["T2"]
    async with here.store.read() as tx:
        assert len(await tx.ledger.recent(subject="workspace:T1")) == 1


async def test_what_was_said_of_an_earlier_installation_counts_no_more_whatever_its_time(
    here: Installed,
) -> None:
    here.clock.jump(3600)
    await here.install()
    leaving = leaving_of(here)
    for seconds in (-30, 0, 30):  # Slack's clock is another than ours
        at = here.clock.now().timestamp() + seconds
        await leaving.left(left("app_uninstalled", at=at))
        await leaving.left(left("U0BOTT1", at=at))
    assert (await here.row()).gone_at is None


async def test_taken_out_a_second_after_it_was_installed_it_is_out_whoever_s_clock_is_ahead(
    here: Installed,
) -> None:
    await here.install()
    out(here)
    await leaving_of(here).left(left("app_uninstalled", at=here.clock.now().timestamp() - 4))
    assert (await here.row()).gone_at is not None


@pytest.mark.parametrize("detail", ["app_uninstalled", "U0BOTT7"])
async def test_an_enterprise_that_takes_the_app_out_is_out(here: Installed, detail: str) -> None:
    here.fake.add_team("T7", "seven", enterprise="E1")
    pair, ends = read_tokens(here.tokens("T7", org_wide=True), here.clock.now())
    row = replace(make_install(team="", enterprise="E1"), bot_user="U0BOTT7", expires_at=ends)
    row = replace(row, sealed=sealed(here.vault, row, pair))
    async with here.store.write() as tx:
        await tx.installs.put(row)
    leaving = leaving_of(here)
    await leaving.left(left(detail, team="E1/T7"))
    assert (await here.row("", "E1")).gone_at is None
    here.fake.world.tokens[pair.token].revoked = "account_inactive"
    await leaving.left(left(detail, team="E1/T7"))
    assert (await here.row("", "E1")).gone_at is not None


async def test_a_token_that_has_only_ended_is_renewed_before_anything_is_taken(
    here: Installed,
) -> None:
    await here.install()
    here.clock.jump(LIFE.total_seconds() + 1)
    await leaving_of(here).left(left("app_uninstalled"))
    assert (await here.row()).gone_at is None
    assert here.renewed() == 1


async def test_a_workspace_that_left_while_the_house_was_stopped_is_out(here: Installed) -> None:
    await here.install()
    here.clock.jump(LIFE.total_seconds() + 1)
    here.fake.consents.refresh.clear()
    await leaving_of(here).left(left("app_uninstalled"))
    assert (await here.row()).gone_at is not None


async def test_while_slack_can_not_be_asked_nothing_is_taken_and_it_comes_again(
    here: Installed,
) -> None:
    await here.install()
    out(here)
    leaving = leaving_of(here)
    here.fake.troubles.add("auth.test", "500", times=1)
    with pytest.raises(Unavailable):
        await leaving.left(left("app_uninstalled"))
    assert (await here.row()).gone_at is None
    await leaving.left(left("app_uninstalled"))
    assert (await here.row()).gone_at is not None


@pytest.mark.parametrize("detail", ["U0SOMEBODY", ""])
async def test_another_s_revoked_token_takes_nothing(here: Installed, detail: str) -> None:
    await here.install()
    await leaving_of(here).left(left(detail))
    assert (await here.row()).gone_at is None


async def test_one_workspace_that_leaves_takes_the_app_from_no_other(here: Installed) -> None:
    await here.install()
    leaving = leaving_of(here)
    for team in ("", "T2", "E1/T1", "E1/"):
        await leaving.left(left("app_uninstalled", team=team))
    assert (await here.row()).gone_at is None


async def test_after_leaving_it_can_be_installed_again(here: Installed) -> None:
    await Browser(here).install()
    out(here)
    leaving = leaving_of(here)
    await leaving.left(left("app_uninstalled", at=here.clock.now().timestamp()))
    assert await rows(here) == []
    here.clock.jump(60)
    await Browser(here).install()
    (row,) = await rows(here)
    assert row.gone_at is None
    assert (await here.rotator().fresh(row))[0] == row
