"""SlackWebs: the settings' workspace and installed ones, kept apart."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from bot.chat.slack_chat.methods import Method
from bot.chat.slack_chat.options import Mode, SlackOptions
from bot.chat.slack_chat.outgoing.webs import FRESH, SlackWebs
from bot.chat.slack_chat.web import SlackRefused
from bot.core.errors import ChatRejected, ChatUnavailable, Unavailable
from bot.core.ports import Install, Store, Transaction
from storage.memory import MemoryStore
from tests.fakes.clock import START, DrivenClock
from tests.fakes.slack.app import FakeSlack
from tests.fakes.waiting import ENOUGH_S, until

OPEN_TOKEN = "xoxb-1-acme"


class OpenTokens:
    """Tokens that stand in the row as they are; `others` are what a refusal leads to."""

    def __init__(self) -> None:
        self.others: list[str] = []
        self.refused: list[str] = []

    async def fresh(self, install: Install) -> tuple[Install, str]:
        """The row's."""
        return install, install.sealed

    async def after_refusal(self, install: Install, token: str) -> tuple[Install, str]:
        """The next of the others."""
        self.refused.append(token)
        other = self.others.pop(0) if self.others else token
        return replace(install, sealed=other), other


class SlowStore:
    """A store that answers only while it is let."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.answers = asyncio.Event()
        self.answers.set()
        self.broken = False
        self.reads = 0

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        """As the port, in its time."""
        self.reads += 1
        await self.answers.wait()
        if self.broken:
            raise Unavailable("The database is away.")
        async with self._store.read() as tx:
            yield tx


def install(team: str, token: str, *, enterprise: str = "") -> Install:
    return Install(
        platform="slack",
        enterprise=enterprise,
        team=team,
        app="A1",
        name=team.lower(),
        url=f"https://{team.lower()}.slack.com/",
        bot_user=f"U0BOT{team}",
        bot_id=f"B0BOT{team}",
        scopes=("chat:write",),
        installed_by="U0ANA",
        installed_at=START,
        sealed=token,
    )


async def keep(store: MemoryStore, *installs: Install) -> None:
    async with store.write() as tx:
        for one in installs:
            await tx.installs.put(one)


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as slack:
        slack.add_team("T2", "globex", token="xoxb-2-globex")
        yield slack
        assert slack.violations == []


@asynccontextmanager
async def made(
    slack: FakeSlack,
    store: Store | None = None,
    *,
    tokens: OpenTokens | None = None,
    bot_token: str = "",
    clock: DrivenClock | None = None,
) -> AsyncIterator[SlackWebs]:
    options = SlackOptions(
        mode=Mode.HTTP,
        base_url="http://house",
        api_base_url=slack.api_url,
        bot_token=bot_token,
        client_id="" if bot_token else "1.2",
    )
    kept = store or MemoryStore()
    async with SlackWebs(options, store=kept, clock=clock or DrivenClock(), tokens=tokens) as webs:
        yield webs


async def said_by(webs: SlackWebs, team: str, text: str) -> None:
    web = await webs.web(team)
    await web.call(Method.CHAT_POST_MESSAGE, channel="C0DRAFTS", text=text)


async def test_slack_tells_once_which_workspace_the_settings_token_is_for(slack: FakeSlack) -> None:
    async with made(slack, bot_token=OPEN_TOKEN) as webs:
        first, second = await asyncio.gather(webs.web(""), webs.web("T1"))
        assert first is second
        assert (first.team, first.bot_user) == ("T1", "U0BOTT1")
        assert first.url == "https://acme.slack.com/"
        assert await webs.teams() == ["T1"]
    assert len(slack.called("auth.test")) == 1


async def test_who_comes_while_slack_is_asked_whose_the_token_is_shares_its_answer(
    slack: FakeSlack,
) -> None:
    async with made(slack, bot_token=OPEN_TOKEN) as webs:
        slack.troubles.add("auth.test", "500")
        asked = [webs.web("T1") for _ in range(5)]
        said = await asyncio.gather(*asked, return_exceptions=True)
        assert {type(one) for one in said} == {ChatUnavailable}
        assert len(slack.called("auth.test")) == 1
        giving_up = asyncio.create_task(webs.web("T1"))
        other = asyncio.create_task(webs.web("T1"))
        await until(lambda: len(slack.called("auth.test")) == 2)
        giving_up.cancel()
        assert (await other).team == "T1"
    assert len(slack.called("auth.test")) == 2


async def test_the_settings_token_of_a_grid_names_its_enterprise(slack: FakeSlack) -> None:
    slack.add_team("T9", "grid", enterprise="E1", token="xoxb-9")
    async with made(slack, bot_token="xoxb-9") as webs:
        assert (await webs.web("")).team == "E1/T9"


async def test_a_settings_token_that_is_void_says_what_to_do(slack: FakeSlack) -> None:
    async with made(slack, bot_token="xoxb-nobody") as webs:
        with pytest.raises(SlackRefused) as refused:
            await webs.web("")
    assert "doctor" in refused.value.fix


async def test_slack_being_away_at_first_is_no_verdict(slack: FakeSlack) -> None:
    slack.troubles.add("auth.test", "500")
    async with made(slack, bot_token=OPEN_TOKEN) as webs:
        with pytest.raises(ChatUnavailable):
            await webs.web("")
        assert (await webs.web("")).team == "T1"


async def test_the_settings_token_is_for_its_workspace_alone(slack: FakeSlack) -> None:
    async with made(slack, bot_token=OPEN_TOKEN) as webs:
        with pytest.raises(ChatRejected, match="T2"):
            await webs.web("T2")


async def test_each_workspace_is_called_with_its_own_token(slack: FakeSlack) -> None:
    store = MemoryStore()
    await keep(store, install("T1", OPEN_TOKEN), install("T2", "xoxb-2-globex"))
    async with made(slack, store, tokens=OpenTokens()) as webs:
        await said_by(webs, "T1", "for acme")
        await said_by(webs, "T2", "for globex")
        assert await webs.teams() == ["T1", "T2"]
    assert [m.text for m in slack.messages("C0DRAFTS", team="T1")] == ["for acme"]
    assert [m.text for m in slack.messages("C0DRAFTS", team="T2")] == ["for globex"]


async def test_the_same_team_of_another_enterprise_is_a_stranger(slack: FakeSlack) -> None:
    store = MemoryStore()
    await keep(store, install("T1", OPEN_TOKEN, enterprise="E1"))
    async with made(slack, store, tokens=OpenTokens()) as webs:
        assert (await webs.web("E1/T1")).team == "E1/T1"
        for crossed in ("T1", "E2/T1", "E1/T2", "T2"):
            with pytest.raises(ChatRejected):
                await webs.web(crossed)


async def test_an_enterprises_token_says_for_which_team_it_is_used(slack: FakeSlack) -> None:
    store = MemoryStore()
    await keep(store, install("", OPEN_TOKEN, enterprise="E1"))
    async with made(slack, store, tokens=OpenTokens()) as webs:
        web = await webs.web("E1/T1")
        assert web.team == "E1/T1"
        await web.call(Method.CHAT_POST_MESSAGE, channel="C0DRAFTS", text="hello")
    (call,) = slack.called("chat.postMessage")
    assert call.args["team_id"] == "T1"


async def test_without_a_team_the_only_workspace_is_meant(slack: FakeSlack) -> None:
    store = MemoryStore()
    async with made(slack, store, tokens=OpenTokens()) as webs:
        with pytest.raises(ChatRejected, match="no Slack workspace"):
            await webs.web("")
        await keep(store, install("T2", "xoxb-2-globex"))
        assert (await webs.web("")).team == "T2"
        await keep(store, install("T1", OPEN_TOKEN))
        with pytest.raises(ChatRejected, match="several workspaces"):
            await webs.web("")


async def test_a_refused_token_is_replaced_and_the_call_made_once_more(slack: FakeSlack) -> None:
    store, tokens = MemoryStore(), OpenTokens()
    await keep(store, install("T1", "xoxb-old"))
    tokens.others = [OPEN_TOKEN]
    async with made(slack, store, tokens=tokens) as webs:
        await said_by(webs, "T1", "hello")
        await said_by(webs, "T1", "again")
    assert tokens.refused == ["xoxb-old"]
    assert [m.text for m in slack.messages("C0DRAFTS")] == ["hello", "again"]


async def test_a_refused_token_without_another_is_a_refusal_after_one_call(
    slack: FakeSlack,
) -> None:
    store, tokens = MemoryStore(), OpenTokens()
    await keep(store, install("T1", "xoxb-old"))
    async with made(slack, store, tokens=tokens) as webs:
        with pytest.raises(SlackRefused) as refused:
            await said_by(webs, "T1", "hello")
    assert refused.value.error == "invalid_auth"
    assert len(slack.called("chat.postMessage")) == 1


async def test_a_known_workspace_can_be_called_while_the_database_is_slow(
    slack: FakeSlack,
) -> None:
    kept, clock = MemoryStore(), DrivenClock()
    await keep(kept, install("T1", OPEN_TOKEN))
    store = SlowStore(kept)
    async with made(slack, store, tokens=OpenTokens(), clock=clock) as webs:  # type: ignore[arg-type]
        await webs.web("T1")
        store.answers.clear()
        clock.jump(FRESH.total_seconds() + 1)
        async with asyncio.timeout(ENOUGH_S):
            await said_by(webs, "T1", "hello")
        store.broken = True
        store.answers.set()
        await until(lambda: store.reads == 2)
        await said_by(webs, "T1", "again")
    assert len(slack.messages("C0DRAFTS")) == 2


async def test_what_changed_of_an_installation_counts_a_while_later(slack: FakeSlack) -> None:
    store, clock = MemoryStore(), DrivenClock()
    await keep(store, install("T1", "xoxb-old"))
    async with made(slack, store, tokens=OpenTokens(), clock=clock) as webs:
        old = await webs.web("T1")
        await keep(store, install("T1", OPEN_TOKEN))
        assert await webs.web("T1") is old
        clock.jump(FRESH.total_seconds() + 1)

        async def is_new() -> bool:
            return await webs.web("T1") is not old

        await until(is_new)
        await said_by(webs, "T1", "hello")


async def test_a_workspace_that_took_the_app_out_is_left_a_while_later(slack: FakeSlack) -> None:
    store, clock = MemoryStore(), DrivenClock()
    await keep(store, install("T1", OPEN_TOKEN))
    async with made(slack, store, tokens=OpenTokens(), clock=clock) as webs:
        await webs.web("T1")
        await keep(store, replace(install("T1", ""), gone_at=START))
        clock.jump(FRESH.total_seconds() + 1)

        async def is_left() -> bool:
            try:
                await webs.web("T1")
            except ChatRejected:
                return True
            return False

        await until(is_left)


async def test_a_house_that_closes_makes_no_more_calls(slack: FakeSlack) -> None:
    async with made(slack, bot_token=OPEN_TOKEN) as webs:
        web = await webs.web("")
    with pytest.raises(ChatUnavailable):
        await web.call(Method.AUTH_TEST)
