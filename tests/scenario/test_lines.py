"""Who is in several workspaces is told of a thing in the workspace where it belongs."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.core.commands import Imagine, Reject, SendToApproval
from bot.core.messages import Actor, ChannelRef
from bot.core.people import Identity
from bot.core.telling import line_to
from brand.kit import Channel
from brand.templates import Brief
from tests.fakes.chat import FakeChat
from tests.fakes.town import KIT, Town, make_town

SOCIAL = Channel(name="#social", audience="public", platform="slack", id="C2", team="T2")


def account(name: str, team: str) -> Identity:
    return Identity(platform="slack", user=f"U{name}{team}", team=team)


@pytest.fixture
async def town() -> Town:
    """Mia and Ana are in the portal and in T1, and, linked last, in T2, where the brand posts."""
    town = await make_town(replace(KIT, channels=(SOCIAL,)))
    town.chat = town.house.chats["slack"] = FakeChat("slack")
    async with town.house.store.write() as tx:
        for name in ("mia", "ana"):
            person = town.people[name]
            more = (account(name, "T1"), account(name, "T2"))
            await tx.people.update(
                replace(person, identities=(*person.identities, *more)), was=person
            )
    return town


async def say(town: Town, command: object, who: str, team: str = "T2") -> None:
    user = account(who, team).user
    line = ChannelRef(platform="slack", channel=f"@{user}", team=team)
    assert town.house.door is not None
    card = await town.house.door.dispatch(
        command, Actor(platform="slack", user=user, name=who, channel=line)
    )
    assert card.kind != "error", card
    await town.settle()


@pytest.mark.parametrize(
    ("near", "expected"),
    [
        (("slack", "T2"), "@UmiaT2"),
        (("slack", "T1"), "@UmiaT1"),
        (("slack", "T9"), "@UmiaT1"),
        (("slack", ""), "@UmiaT1"),
        (("local", ""), "@mia"),
        (("", ""), "@mia"),
    ],
)
async def test_a_persons_line_is_in_that_workspace_if_they_are_there(
    town: Town, near: Sequence[str], expected: str
) -> None:
    async with town.house.store.read() as tx:
        line = await line_to(tx, town.people["mia"].id, *near)
    assert line is not None
    assert line.channel == expected


async def test_a_review_and_its_rejection_are_told_in_the_workspace_of_the_picture(
    town: Town,
) -> None:
    await say(town, Imagine(brief=Brief(words="a red mug")), "mia")
    [card] = town.chat.shown("@UmiaT2")
    await say(town, SendToApproval(asset=card.pictures[0].asset), "mia")
    [review] = town.chat.shown("@UanaT2")
    review_id = review.subject.removeprefix("review:")
    await say(town, Reject(review=review_id, reason="too dark"), "ana")
    assert [c.title for c in town.chat.shown("@UmiaT2")][1:] == ["Ana rejected your picture"]
    assert not town.chat.shown("@UmiaT1") + town.chat.shown("@UanaT1")
