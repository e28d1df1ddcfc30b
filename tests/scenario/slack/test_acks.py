"""Slack is answered in time, whatever the database, the renderer and Slack itself do.

How quick that is under load, `tests.benchmarks.slack` measures. Here what an acknowledgement must
not wait for takes longer than Slack would."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.chat.slack_chat.options import Mode
from storage.inbox import JournalInbox
from storage.memory import MemoryStore
from tests.fakes.silent_store import SilentStore
from tests.fakes.slack.app import FakeSlack
from tests.fakes.slack.delivery import ACK_S, Receipt
from tests.fakes.slack.looking import button_of, pictured
from tests.fakes.slack.people import Person
from tests.fakes.slack.state import Message, View
from tests.fakes.slack_town import Running, make_slack_town, running
from tests.fakes.waiting import until


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A house at work, with a card in front of Mia, and an open form in front of two people."""

    house: Running
    store: SilentStore
    inbox: JournalInbox
    mia: Person
    card: Message
    form: View
    ana: Person
    other: View
    """Ana's form."""

    @property
    def slack(self) -> FakeSlack:
        """The platform."""
        return self.house.slack

    async def waits(self) -> int:
        """Deliveries that are written down and not done."""
        return len(await self.inbox.pending())


@pytest.fixture(params=list(Mode), ids=str)
async def scene(
    request: pytest.FixtureRequest, slack: FakeSlack, tmp_path: Path
) -> AsyncIterator[Scene]:
    """All is well so far."""
    store = SilentStore(MemoryStore())
    town = await make_slack_town(store=store)
    inbox = await JournalInbox.open(tmp_path)
    async with running(slack, town, mode=request.param, inbox=inbox) as house:
        mia, ana = slack.person("U0MIA"), slack.person("U0ANA")
        await mia.command("/imagine", "a red mug", channel="C0DRAFTS")
        card = await slack.message("C0DRAFTS", pictured)
        await mia.command("/imagine", channel="C0DRAFTS")
        form = await slack.form(mia, "imagine")
        await ana.shortcut("new_picture")
        made = Scene(
            house=house,
            store=store,
            inbox=inbox,
            mia=mia,
            card=card,
            form=form,
            ana=ana,
            other=await slack.form(ana, "imagine"),
        )
        await until(lambda: _none_waits(made))
        yield made
        store.speak()
        slack.troubles.clear()
    await inbox.close()


async def _none_waits(scene: Scene) -> bool:
    return await scene.waits() == 0


def taken(receipt: Receipt | None) -> bool:
    """Whether Slack was answered, and took it."""
    return receipt is not None and receipt.acked


async def test_every_surface_is_acknowledged_while_all_else_is_silent(scene: Scene) -> None:
    mia, slack, form, card = scene.mia, scene.slack, scene.form, scene.card
    words = next(b["block_id"] for b in form.blocks() if "words" in str(b.get("block_id")))
    scene.store.hush()
    slack.troubles.add("*", "slow", times=None, seconds=ACK_S + 0.5)
    assert taken(await mia.suggest(form, "pick_template", "pro"))
    assert taken(await scene.ana.choose(scene.other, "pick_template", "product"))
    assert taken(await mia.submit(form, {words: "a cheap mug"}))
    assert form.errors, "a mistake is said although the database is silent"
    assert taken(await mia.submit(form, {words: "a blue mug"}))
    assert mia.modal is None
    assert taken(await mia.command("/imagine", "a green mug", channel="C0DRAFTS"))
    assert taken(await mia.mention("a white mug", channel="C0DRAFTS"))
    assert taken(await mia.say("a black mug"))
    assert taken(await mia.click(card, button_of(card, "do:send:")))
    assert taken(await mia.react(card, "white_check_mark"))
    assert taken(await mia.open_home())
    assert taken(await mia.shortcut("new_picture"))
    assert taken(await mia.shortcut("use_as_reference", card))
    assert taken(await mia.command("/imagine", channel="C0DRAFTS"))
    assert await scene.waits() >= 7
    assert len(scene.house.town.renderer.requests) == 1, "nothing was done yet"
    slack.troubles.clear()
    scene.store.speak()
    await until(lambda: _none_waits(scene))
    jobs = await scene.house.town.jobs()
    assert len(jobs) == 5, "the first and the four that had to wait, each once"


async def test_a_form_opens_while_the_database_is_silent(scene: Scene) -> None:
    await scene.mia.close(scene.form)
    scene.store.hush()
    for number in range(30):
        words = f"a mug with the number {number}"
        assert taken(await scene.mia.command("/imagine", words, channel="C0DRAFTS"))
    assert taken(await scene.mia.command("/imagine", channel="C0DRAFTS"))
    assert (await scene.slack.form(scene.mia, "imagine")).blocks()


async def test_acknowledgements_come_while_the_render_queue_is_full(scene: Scene) -> None:
    scene.house.town.renderer.away = True
    for number in range(40):
        words = f"a mug with the number {number}"
        assert taken(await scene.mia.command("/imagine", words, channel="C0DRAFTS"))
    await until(lambda: _none_waits(scene))
    assert len(await scene.house.town.jobs()) == 41
