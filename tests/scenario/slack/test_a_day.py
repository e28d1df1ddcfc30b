"""A day in Slack, by HTTP and by sockets: asked for, approved, posted; by words and by a form."""

from tests.fakes.chat_town import settled
from tests.fakes.slack.looking import anywhere, button_of, doubled, files_in, pictured
from tests.fakes.slack.people import Person
from tests.fakes.slack.state import Message
from tests.fakes.slack_town import Running
from tests.fakes.waiting import until


async def asked(house: Running, mia: Person, words: str = "a red mug") -> Message:
    """The card of a picture that Mia asked for in #drafts."""
    receipt = await mia.command("/imagine", words, channel="C0DRAFTS")
    assert receipt.acked
    return await house.slack.message("C0DRAFTS", pictured)


async def test_a_picture_is_asked_for_approved_and_posted(slack_house: Running) -> None:
    slack, mia, ana = slack_house.slack, *map(slack_house.slack.person, ("U0MIA", "U0ANA"))
    card = await asked(slack_house, mia)
    await settled(slack_house.house)
    assert slack.messages("C0SOCIAL") == []
    await mia.click(card, button_of(card, "do:send:"))
    review = await anywhere(slack, lambda m: button_of(m, "do:approve:"))
    assert pictured(review)
    await ana.click(review, button_of(review, "do:approve:"))
    assert files_in(slack, "C0DRAFTS")
    posted = await slack.message("C0SOCIAL", pictured)
    await until(lambda: not button_of(review, "do:"))
    await settled(slack_house.house)
    assert files_in(slack, "C0SOCIAL").isdisjoint(files_in(slack, "C0DRAFTS"))
    assert doubled(slack) == []
    assert posted.user == "U0BOTT1"
    assert len(slack.messages("C0SOCIAL")) == 1


async def test_a_form_makes_a_picture_and_says_a_mistake_at_its_field(
    slack_house: Running,
) -> None:
    slack, mia = slack_house.slack, slack_house.slack.person("U0MIA")
    await mia.command("/imagine", channel="C0DRAFTS")
    form = await slack.form(mia, "imagine")
    words = next(b["block_id"] for b in form.blocks() if "words" in str(b.get("block_id")))
    await mia.submit(form, {words: "a cheap mug"})
    assert list(form.errors) == [words]
    await mia.submit(form, {words: "a red mug"})
    assert mia.modal is None
    await slack.message("C0DRAFTS", pictured)
    assert len(await slack_house.town.jobs()) == 1


async def test_the_home_tab_is_there_when_it_is_opened(slack_house: Running) -> None:
    mia = slack_house.slack.person("U0MIA")
    await mia.open_home()
    await until(lambda: mia.home is not None)
    assert mia.home is not None
    assert len(mia.home.blocks()) <= 100


async def test_the_apps_own_messages_make_it_do_nothing(slack_house: Running) -> None:
    slack, mia = slack_house.slack, slack_house.slack.person("U0MIA")
    await mia.command("/imagine", "a red mug")
    await slack.message(mia.dm.id, pictured)
    await settled(slack_house.house)
    await slack.delivery.idle()
    assert any(r.payload.get("event", {}).get("bot_id") for r in slack.delivery.log)
    await asked(slack_house, mia)
    await settled(slack_house.house)
    assert len(await slack_house.town.jobs()) == 2
    assert len(slack.messages(mia.dm.id)) == 1
    assert [call for call in slack.calls if call.error] == []
