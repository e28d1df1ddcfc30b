"""The form for a picture, from the slash command to the card, by HTTP and by sockets."""

from dataclasses import replace

import pytest

from bot.chat.slack_chat.options import Mode
from bot.chat.slack_chat.surfaces import (
    PICK_TEMPLATE,
    PICTURE_SHORTCUT,
    REFERENCE_SHORTCUT,
    VIEW_IMAGINE,
)
from bot.core.lives import JobState
from brand.kit import Template
from tests.fakes.chat_town import settled
from tests.fakes.slack.answers import actions_of
from tests.fakes.slack.app import FakeSlack
from tests.fakes.slack.people import Person
from tests.fakes.slack.state import Message, View
from tests.fakes.slack_forms import block_of, keys_of, value_of, words_in
from tests.fakes.slack_town import Running, SlackTown, make_slack_town, running, slack_kit
from tests.fakes.uploads import png
from tests.fakes.waiting import until


def ids(view: View, **values: object) -> dict[str, object]:
    """Values by block id, from values by key; `var_NAME` is a variable's input."""
    return {
        str(block_of(view, key.replace("var_", "var:"))["block_id"]): value
        for key, value in values.items()
    }


async def chosen(mia: Person, view: View, action: str, value: str, key: str) -> None:
    """Choose in a picker, and wait until the form has changed."""
    before = view.hash
    await mia.choose(view, action, value)
    await until(lambda: view.hash != before)
    assert value_of(view, key) == value


def done(message: Message) -> bool:
    """A card of a finished job."""
    return "Done" in message.text


async def form_of(slack: FakeSlack, mia: Person, channel: str = "C0DRAFTS") -> View:
    """The form that `/imagine` alone opens."""
    receipt = await mia.command("/imagine", channel=channel)
    assert receipt.acked
    return await slack.form(mia, VIEW_IMAGINE)


async def test_a_filled_form_becomes_a_picture_where_it_was_asked_for(
    slack: FakeSlack, slack_house: Running
) -> None:
    mia = slack.person("U0MIA")
    view = await form_of(slack, mia)
    await mia.suggest(view, PICK_TEMPLATE, "prod")
    await chosen(mia, view, PICK_TEMPLATE, "product", "template")
    values = ids(view, var_PRODUCT="mug", var_PLACE="on the beach", words="at dawn", n="2")
    await mia.submit(view, values)
    assert mia.modal is None
    card = await slack.message("C0DRAFTS", done)
    (job,) = await slack_house.town.jobs()
    assert job.brief.template == "product"
    assert job.brief.words == "at dawn"
    assert len(job.items) == 2
    assert "at dawn" in card.text


async def test_a_mistake_shows_at_its_field_and_nothing_is_queued(
    slack: FakeSlack, slack_house: Running
) -> None:
    mia = slack.person("U0MIA")
    view = await form_of(slack, mia)
    await mia.submit(view, ids(view, words="a cheap mug"))
    assert mia.modal is view
    (said,) = view.errors.values()
    assert "affordable" in said
    assert await slack_house.town.jobs() == []
    await mia.submit(view, ids(view, words="an affordable mug"))
    await slack.message("C0DRAFTS", done)
    assert len(await slack_house.town.jobs()) == 1


async def test_a_form_sent_off_twice_is_one_job(slack: FakeSlack, slack_house: Running) -> None:
    mia = slack.person("U0MIA")
    view = await form_of(slack, mia)
    await mia.submit(view, ids(view, words="a mug"), copies=2)
    await slack.message("C0DRAFTS", done)
    await settled(slack_house.house)
    assert len(await slack_house.town.jobs()) == 1


async def test_a_form_sent_off_again_with_other_words_is_not_swallowed(
    slack: FakeSlack, slack_house: Running
) -> None:
    mia = slack.person("U0MIA")
    view = await form_of(slack, mia)
    await mia.submit(view, ids(view, words="first words"))
    await slack.message("C0DRAFTS", done)
    await mia.submit(view, ids(view, words="first words"))  # its answer was lost
    await mia.submit(view, ids(view, words="second words"))
    await until(mia.ephemerals)
    await settled(slack_house.house)
    (told,) = mia.ephemerals()
    (job,) = await slack_house.town.jobs()
    assert job.brief.words == "first words"
    assert "The first version is on its way" in told.text
    assert job.id in told.text
    assert "`/imagine second words" in told.text
    [button] = [name for name in actions_of(told) if name.startswith("do:again:")]
    await mia.click(told, button)
    again = await slack.form(mia, VIEW_IMAGINE)
    await mia.submit(again)
    await slack.message("C0DRAFTS", lambda m: done(m) and "second words" in m.text)


async def test_what_was_typed_survives_another_template_and_the_way_back(
    slack: FakeSlack, slack_house: Running
) -> None:
    mia = slack.person("U0MIA")
    view = await form_of(slack, mia)
    await chosen(mia, view, PICK_TEMPLATE, "product", "template")
    mia.fill(view, ids(view, var_PRODUCT="gift box", words="at dawn", seed="7"))
    await chosen(mia, view, PICK_TEMPLATE, "poster", "template")
    assert "var:HEADLINE" in keys_of(view)
    await chosen(mia, view, PICK_TEMPLATE, "product", "template")
    kept = [value_of(view, key) for key in ("var:PRODUCT", "words", "seed")]
    assert kept == ["gift box", "at dawn", "7"]


async def test_a_file_in_the_form_is_what_the_picture_begins_from(
    slack: FakeSlack, slack_house: Running
) -> None:
    mia = slack.person("U0MIA")
    view = await form_of(slack, mia)
    await mia.submit(view, ids(view, words="a mug", file=mia.upload(png(), "mug.png")))
    await slack.message("C0DRAFTS", done)
    (job,) = await slack_house.town.jobs()
    assert job.items[0].spec.init is not None


async def test_a_file_that_is_no_picture_is_answered_and_nothing_is_queued(
    slack: FakeSlack, slack_house: Running
) -> None:
    mia = slack.person("U0MIA")
    view = await form_of(slack, mia)
    await mia.submit(view, ids(view, words="a mug", file=mia.upload(b"a,b", "list.csv")))
    await until(mia.ephemerals)
    assert "list.csv" in mia.ephemerals()[-1].text
    await settled(slack_house.house)
    assert await slack_house.town.jobs() == []


async def test_a_form_that_is_refused_after_it_closed_comes_back_with_what_was_typed(
    slack: FakeSlack, slack_house: Running
) -> None:
    mia = slack.person("U0MIA")
    view = await form_of(slack, mia)
    await chosen(mia, view, PICK_TEMPLATE, "product", "template")
    typed = ids(
        view, var_PRODUCT="mug", var_PLACE="on the beach", words="in `soft` light", seed="7"
    )
    file = ids(view, file=mia.upload(b"a,b", "list.csv"))
    await mia.submit(view, typed | file)
    await until(mia.ephemerals)
    refusal = mia.ephemerals()[-1]
    line = "`/imagine template:product in ˋsoftˋ light PRODUCT=mug"
    assert line in refusal.text
    [button] = [name for name in actions_of(refusal) if name.startswith("do:again:")]
    await mia.click(refusal, button)
    again = await slack.form(mia, VIEW_IMAGINE)
    kept = [value_of(again, key) for key in ("template", "var:PRODUCT", "words", "seed")]
    assert kept == ["product", "mug", "in `soft` light", "7"]
    assert "Add your file once more" in words_in(again)
    await mia.submit(again)
    await slack.message("C0DRAFTS", done)
    assert len(await slack_house.town.jobs()) == 1


async def test_the_shortcut_takes_a_picture_of_ours_from_the_archive(
    slack: FakeSlack, slack_house: Running
) -> None:
    ana = slack.person("U0ANA")
    await slack.person("U0MIA").command("/imagine", "a red mug", channel="C0DRAFTS")
    card = await slack.message(
        "C0DRAFTS", lambda m: done(m) and any(b["type"] == "image" for b in m.blocks)
    )
    asset = await slack_house.town.newest_asset()
    await ana.shortcut(REFERENCE_SHORTCUT, card)
    view = await slack.form(ana, VIEW_IMAGINE)
    await ana.submit(view, ids(view, words="a blue mug"))
    await slack.message("C0DRAFTS", lambda m: done(m) and "a blue mug" in m.text)
    (job,) = [job for job in await slack_house.town.jobs() if job.brief.words == "a blue mug"]
    init = job.items[0].spec.init
    assert init is not None
    assert init.sha256 == asset.file_hash


async def test_the_shortcut_takes_a_messages_picture(
    slack: FakeSlack, slack_house: Running
) -> None:
    mia, ana = slack.person("U0MIA"), slack.person("U0ANA")
    await ana.say("look", channel="C0DRAFTS", files=(ana.upload(png(), "mug.png"),))
    (message,) = slack.messages("C0DRAFTS")
    await mia.shortcut(REFERENCE_SHORTCUT, message)
    view = await slack.form(mia, VIEW_IMAGINE)
    assert "Starts from the picture" in words_in(view)
    await mia.submit(view, ids(view, words="a mug"))
    await slack.message("C0DRAFTS", done)
    (job,) = await slack_house.town.jobs()
    assert job.items[0].spec.init is not None


async def test_a_mention_in_a_thread_takes_its_picture_and_answers_there(
    slack: FakeSlack, slack_house: Running
) -> None:
    mia, ana = slack.person("U0MIA"), slack.person("U0ANA")
    await ana.say("look", channel="C0DRAFTS", files=(ana.upload(png(), "mug.png"),))
    (parent,) = slack.messages("C0DRAFTS")
    await mia.mention("like this, but warmer", channel="C0DRAFTS", thread=parent.ts)
    card = await slack.message("C0DRAFTS", done)
    assert card.thread == parent.ts
    assert "starts from a picture" in card.text
    (job,) = await slack_house.town.jobs()
    assert job.items[0].spec.init is not None


async def test_the_global_shortcut_answers_in_the_direct_conversation(
    slack: FakeSlack, slack_house: Running
) -> None:
    mia = slack.person("U0MIA")
    await mia.shortcut(PICTURE_SHORTCUT)
    view = await slack.form(mia, VIEW_IMAGINE)
    await mia.submit(view, ids(view, words="a mug"))
    await slack.message(mia.dm.id, done)


async def test_new_words_begin_with_those_of_now_and_make_another_picture(
    slack: FakeSlack, slack_house: Running
) -> None:
    mia = slack.person("U0MIA")
    await mia.command("/imagine", "a red mug --seed 42", channel="C0DRAFTS")
    card = await slack.message("C0DRAFTS", done)
    asset = await slack_house.town.newest_asset()
    await press(mia, card, f"edit:{asset.id}", "words")
    view = await slack.form(mia, "ask")
    await until(lambda: "said" in keys_of(view))
    assert value_of(view, "said") == "a red mug"
    await mia.submit(view, {"said": "a blue mug"})
    await slack.message("C0DRAFTS", lambda m: done(m) and "a blue mug" in m.text)
    jobs = await slack_house.town.jobs()
    assert {job.brief.seed for job in jobs} == {42}
    assert all(job.state is JobState.DONE for job in jobs)


async def test_use_as_reference_begins_from_that_picture_and_leaves_its_card_as_it_is(
    slack: FakeSlack, slack_house: Running
) -> None:
    mia = slack.person("U0MIA")
    await mia.command("/imagine", "a red mug", channel="C0DRAFTS")
    card = await slack.message("C0DRAFTS", done)
    await settled(slack_house.house)
    before = len(card.versions)
    asset = await slack_house.town.newest_asset()
    await press(mia, card, f"reference:{asset.id}", "reference")
    view = await slack.form(mia, VIEW_IMAGINE)
    await mia.submit(view, ids(view, words="a blue mug"))
    await slack.message("C0DRAFTS", lambda m: done(m) and "a blue mug" in m.text)
    (job,) = [job for job in await slack_house.town.jobs() if job.brief.words == "a blue mug"]
    init = job.items[0].spec.init
    assert init is not None
    assert init.sha256 == asset.file_hash
    await settled(slack_house.house)
    assert len(card.versions) == before


async def press(mia: Person, card: Message, action: str, asks: str) -> None:
    """Press what a card offers, as a button or in its menu."""
    buttons = [e for b in card.blocks for e in b.get("elements", []) if isinstance(e, dict)]
    buttons += [b["accessory"] for b in card.blocks if "accessory" in b]
    for element in buttons:
        if element.get("action_id") == f"do:{action}":
            await mia.click(card, f"do:{action}")
            return
        for option in element.get("options", []):
            if option["value"] == f"{action}|{asks}":
                await mia.choose(card, element["action_id"], option["value"])
                return
    raise AssertionError(f"no {action} among {[b.get('action_id') for b in buttons]}")


async def test_a_trigger_that_is_dead_is_answered(slack: FakeSlack, slack_house: Running) -> None:
    mia = slack.person("U0MIA")
    slack.troubles.add("views.open", "refuse", error="expired_trigger_id")
    await mia.command("/imagine", channel="C0SOCIAL")
    await until(mia.ephemerals)
    assert "Type `/imagine` again" in mia.ephemerals()[-1].text


@pytest.mark.parametrize("mode", list(Mode), ids=str)
async def test_more_than_a_hundred_templates_are_found_by_typing(
    slack: FakeSlack, mode: Mode
) -> None:
    kit = slack_kit()
    looks = tuple(Template(name=f"look-{at:03}", text="a mug") for at in range(120))
    town: SlackTown = await make_slack_town(replace(kit, templates=(*looks, *kit.templates)))
    async with running(slack, town, mode=mode):
        mia = slack.person("U0MIA")
        view = await form_of(slack, mia)
        told = await mia.suggest(view, PICK_TEMPLATE)
        assert isinstance(told.body, dict)
        assert len(told.body["options"]) == 100
        told = await mia.suggest(view, PICK_TEMPLATE, "look-119")
        assert isinstance(told.body, dict)
        assert [option["value"] for option in told.body["options"]] == ["look-119"]
