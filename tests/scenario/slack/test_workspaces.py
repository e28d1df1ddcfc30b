"""Several workspaces in one house: each with its own token, people and channels.

Both workspaces have the same user and channel ids, as Slack allows for users: only the workspace
tells them apart.
"""

from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from bot.chat.slack_chat.installing.vault import new_key
from bot.chat.slack_chat.options import Mode
from bot.core.ids import new_id
from bot.core.people import ANY_BRAND, Identity, Person, Role
from tests.fakes.chat_town import settled
from tests.fakes.slack.app import FakeSlack
from tests.fakes.slack.looking import button_of, pictured
from tests.fakes.slack.state import Message
from tests.fakes.slack_town import (
    Running,
    SlackTown,
    make_slack_town,
    options_for,
    running,
    slack_kit,
)
from tests.fakes.town import START
from tests.fakes.waiting import until


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    """Two workspaces; the house has a token of neither."""
    async with FakeSlack() as fake:
        fake.add_team("T2", "other")
        yield fake
        assert fake.violations == []


@pytest.fixture
async def slack_town() -> SlackTown:
    """The town's people are in the workspace T1."""
    return await make_slack_town(slack_kit("T1"))


@pytest.fixture(params=list(Mode), ids=str)
async def many(
    request: pytest.FixtureRequest, slack: FakeSlack, slack_town: SlackTown
) -> AsyncIterator[Running]:
    """A house that both workspaces have installed, by its own pages."""
    options = options_for(
        slack,
        request.param,
        bot_token="",
        client_id=slack.world.client_id,
        client_secret=slack.world.client_secret,
        token_keys=(new_key(),),
    )
    async with running(slack, slack_town, options=options, mode=request.param) as house:
        for team in ("T1", "T2"):
            await install(house, team)
        yield house


async def install(house: Running, team: str) -> None:
    """What a person's browser does, with Slack's page of consent in between."""
    house.slack.consents.team = team
    async with httpx.AsyncClient(trust_env=False) as browser:
        away = await browser.get(f"{house.url}/slack/install")
        cookie = away.headers["set-cookie"].partition(";")[0]
        back = urlsplit((await browser.get(away.headers["location"])).headers["location"])
        address = f"{house.url}{back.path}?{back.query}"
        done = await browser.get(address, headers={"Cookie": cookie})
    assert "code" in parse_qs(back.query)
    assert done.status_code == 200, done.text


async def join(house: Running, name: str, user: str, team: str, *roles: Role) -> Person:
    """One more member, who is in this workspace."""
    person = Person(
        id=new_id(),
        name=name,
        created_at=START,
        roles=tuple((ANY_BRAND, role) for role in roles),
        identities=(Identity(platform="slack", user=user, team=team),),
    )
    async with house.town.store.write() as tx:
        await tx.people.add(person)
    return person


def said(slack: FakeSlack, team: str) -> list[Message]:
    """All that the app says in a workspace."""
    space = slack.world.workspaces[team]
    places = space.channels.values()
    every = [m for place in places for m in (*place.messages.values(), *place.ephemerals)]
    return [m for m in every if m.user == space.bot_user]


async def test_a_picture_is_asked_for_and_shown_in_its_own_workspace(many: Running) -> None:
    slack = many.slack
    mia = slack.person("U0MIA", team="T1")
    await mia.command("/imagine", "a red mug", channel="C0DRAFTS")
    await slack.message("C0DRAFTS", pictured, team="T1")
    await slack.delivery.idle()
    await settled(many.house)
    assert said(slack, "T2") == []


async def test_the_same_user_id_of_another_workspace_is_a_stranger(many: Running) -> None:
    slack = many.slack
    other = slack.person("U0MIA", team="T2")
    assert (await other.command("/imagine", "a red mug", channel="C0DRAFTS")).acked
    await until(lambda: said(slack, "T2"))
    assert any("/link" in str(m.text) + str(m.blocks) for m in said(slack, "T2"))
    assert await many.town.jobs() == []
    assert said(slack, "T1") == []


async def test_two_people_with_one_user_id_get_their_own_direct_messages(many: Running) -> None:
    slack = many.slack
    await join(many, "Mara", "U0MIA", "T2", Role.REQUESTER)
    mia, mara = (slack.person("U0MIA", team=team) for team in ("T1", "T2"))
    await mara.command("/imagine", "a blue pot")
    await slack.message(mara.dm.id, pictured, team="T2")
    assert said(slack, "T1") == []
    await mia.command("/imagine", "a red mug")
    await slack.message(mia.dm.id, pictured, team="T1")
    assert len([m for m in slack.messages(mara.dm.id, team="T2") if pictured(m)]) == 1
    assert len([m for m in slack.messages(mia.dm.id, team="T1") if pictured(m)]) == 1


async def test_a_channel_of_the_kit_is_no_other_workspace_s_channel_of_that_id(
    many: Running,
) -> None:
    slack = many.slack
    await join(many, "Mara", "U0MIA", "T2", Role.REQUESTER)
    mara = slack.person("U0MIA", team="T2")
    await mara.command("/imagine", "a blue pot", channel="C0DRAFTS")
    await slack.message(mara.dm.id, pictured, team="T2")
    await slack.delivery.idle()
    await settled(many.house)
    assert [m for m in slack.messages("C0DRAFTS", team="T2") if pictured(m)] == []
    assert said(slack, "T1") == []


async def test_nobody_decides_from_another_workspace(many: Running) -> None:
    slack = many.slack
    mia = slack.person("U0MIA", team="T1")
    await mia.command("/imagine", "a red mug", channel="C0DRAFTS")
    card = await slack.message("C0DRAFTS", pictured, team="T1")
    await mia.click(card, button_of(card, "do:send:"))
    asset = await many.town.newest_asset()
    review = await slack.message("C0DRAFTS", lambda m: button_of(m, "do:approve:"), team="T1")
    intruder = slack.person("U0ANA", team="T2")
    await intruder.mention(f"approve {asset.id}", channel="C0DRAFTS")
    await intruder.command("/imagine", f"approve {asset.id}")
    await until(lambda: said(slack, "T2"))
    await settled(many.house)
    assert (await many.town.review_of(asset.id)).votes == ()
    assert slack.messages("C0SOCIAL", team="T1") == []
    ana = slack.person("U0ANA", team="T1")
    await ana.click(review, button_of(review, "do:approve:"))
    await slack.message("C0SOCIAL", pictured, team="T1")
    assert slack.messages("C0SOCIAL", team="T2") == []


async def test_a_workspace_that_leaves_takes_nothing_from_the_other(many: Running) -> None:
    slack = many.slack
    await slack.uninstall("T2")

    async def gone() -> bool:
        async with many.town.store.read() as tx:
            return [row.key for row in await tx.installs.all("slack")] == ["T1"]

    await until(gone)
    mia = slack.person("U0MIA", team="T1")
    await mia.command("/imagine", "a red mug", channel="C0DRAFTS")
    await slack.message("C0DRAFTS", pictured, team="T1")
    await install(many, "T2")
    await join(many, "Mara", "U0MIA", "T2", Role.REQUESTER)
    mara = slack.person("U0MIA", team="T2")
    await mara.command("/imagine", "a blue pot")
    await slack.message(mara.dm.id, pictured, team="T2")
