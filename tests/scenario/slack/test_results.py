"""What is done with results in Slack: every button, and who sees which picture where."""

from asyncio import Event
from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.core.lives import AssetState
from tests.fakes.chat_town import settled
from tests.fakes.slack.answers import actions_of
from tests.fakes.slack.looking import button_of, pictured
from tests.fakes.slack.state import Message
from tests.fakes.slack_town import Running
from tests.fakes.town import START
from tests.fakes.waiting import until


async def asked(house: Running, channel: str) -> Message:
    """The card of a picture that Mia asked for there."""
    mia = house.slack.person("U0MIA")
    assert (await mia.command("/imagine", "a red mug", channel=channel)).acked
    where = "C0DRAFTS" if channel == "C0DRAFTS" else mia.dm.id
    return await house.slack.message(where, pictured)


async def press(house: Running, card: Message, verb: str) -> None:
    """Press the picture's button, in the menu where it stands there."""
    mia = house.slack.person("U0MIA")
    if action := button_of(card, f"do:{verb}:"):
        await mia.click(card, action)
        return
    menu = button_of(card, "more:")
    options = [
        option["value"]
        for block in card.blocks
        for element in block.get("elements", ())
        for option in element.get("options", ())
    ]
    await mia.choose(card, menu, next(value for value in options if value.startswith(f"{verb}:")))


@pytest.mark.parametrize("verb", ["vary", "upscale", "reroll"])
async def test_a_button_makes_more_of_the_picture_in_a_card_of_its_own(
    slack_house: Running, verb: str
) -> None:
    card = await asked(slack_house, "C0DRAFTS")
    await press(slack_house, card, verb)
    more = await slack_house.slack.message("C0DRAFTS", lambda m: pictured(m) and m.ts != card.ts)
    assert button_of(card, "do:") or button_of(card, "more:"), "its buttons stay"
    assert more.ts != card.ts
    assert len(await slack_house.town.jobs()) == 2


async def test_the_file_comes_to_the_one_who_uses_it(slack_house: Running) -> None:
    card = await asked(slack_house, "C0DRAFTS")
    mia = slack_house.slack.person("U0MIA")
    await press(slack_house, card, "use")
    file = await slack_house.slack.message(mia.dm.id, pictured)
    assert "draft" in file.text.casefold()
    await until(mia.ephemerals)
    assert not pictured(mia.ephemerals()[-1])


PLACES: list[tuple[str, Callable[[str], bool]]] = [
    ("C0SOCIAL", lambda text: "#social" in text),
    ("C0RANDOM", lambda text: "public" in text),
]


@pytest.mark.parametrize(("channel", "says"), PLACES, ids=["public", "unknown"])
async def test_drafts_asked_for_in_public_come_to_the_direct_messages(
    slack_house: Running, channel: str, says: Callable[[str], bool]
) -> None:
    slack, mia = slack_house.slack, slack_house.slack.person("U0MIA")
    if channel == "C0RANDOM":
        slack.add_channel("C0RANDOM", "random")
    card = await asked(slack_house, channel)
    assert card.channel == mia.dm.id
    await settled(slack_house.house)
    assert slack.messages(channel) == []
    shown = [action.removeprefix("do:").partition(":")[0] for action in actions_of(card)]
    assert {"share", "reroll"} <= {*shown, *_hidden(card)}
    assert "withdraw" in {*shown, *_hidden(card)}


async def test_sharing_a_draft_asks_and_what_is_approved_goes_out(slack_house: Running) -> None:
    slack = slack_house.slack
    card = await asked(slack_house, "")
    await press(slack_house, card, "share")
    review = await slack.message("C0DRAFTS", lambda m: button_of(m, "do:approve:"))
    await settled(slack_house.house)
    assert slack.messages("C0SOCIAL") == []
    await slack.person("U0ANA").click(review, button_of(review, "do:approve:"))
    await slack.message("C0SOCIAL", pictured)


async def test_a_draft_that_is_cancelled_is_put_aside(slack_house: Running) -> None:
    card = await asked(slack_house, "")
    await press(slack_house, card, "withdraw")

    async def gone() -> bool:
        return (await slack_house.town.newest_asset()).state is AssetState.WITHDRAWN

    await until(gone)


def _hidden(card: Message) -> list[str]:
    """The verbs in a card's menus."""
    return [
        option["value"].partition(":")[0]
        for block in card.blocks
        for element in block.get("elements", ())
        for option in element.get("options", ())
    ]


async def test_a_draft_is_finished_in_the_direct_line_once_its_channel_is_public(
    slack_house: Running,
) -> None:
    slack, town, free = slack_house.slack, slack_house.town, Event()
    mia = slack.person("U0MIA")
    slack_house.renderer.before_picture = lambda _: free.wait()
    await mia.command("/imagine", "a secret red mug", channel="C0DRAFTS")
    card = await slack.message("C0DRAFTS", lambda m: "Rendering" in m.text)
    public = tuple(replace(channel, audience="public") for channel in town.kit.channels)
    async with town.store.write() as tx:
        await tx.kits.put(replace(town.kit, version="2", channels=public), source="", at=START)
    free.set()
    assert "Done" in (await slack.message(mia.dm.id, pictured)).text
    await until(lambda: "Moved to direct messages" in card.text)
    assert not pictured(card)
    assert not actions_of(card)
    assert "secret" not in str(card.blocks) + card.text
