"""Forms in the fake Slack: opened in time, changed under people's hands, judged from memory."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from bot.chat.slack_chat.incoming.heard import Kind
from bot.chat.slack_chat.methods import Method
from bot.chat.slack_chat.modals.forms import Forms
from bot.chat.slack_chat.surfaces import (
    PICK_BRAND,
    PICK_TEMPLATE,
    PICTURE_SHORTCUT,
    REFERENCE_SHORTCUT,
    VIEW_ASK,
    VIEW_IMAGINE,
)
from bot.core.board import REFRESH_S
from bot.core.commands import Imagine
from bot.core.ids import new_id
from bot.core.messages import ChannelRef
from brand.kit import Template, Variable
from brand.templates import Brief
from tests.fakes.slack import payloads
from tests.fakes.slack.state import Message
from tests.fakes.slack_forms import (
    ACME,
    BOLT,
    FormDesk,
    block_of,
    form_desk,
    keys_of,
    value_of,
    words_in,
)
from tests.fakes.slack_webs import Answer, FakeWebs
from tests.fakes.town import START
from tests.fakes.uploads import png


@pytest.fixture
async def desk() -> AsyncIterator[FormDesk]:
    """A Slack with two brands."""
    async with form_desk(BOLT) as running:
        yield running


def card_message(desk: FormDesk, channel: str = "C0DRAFTS") -> Message:
    """A message of ours with buttons."""
    ts = desk.slack.world.new_ts()
    message = Message(team="T1", channel=channel, ts=ts, user="U0BOTT1", text="card")
    desk.slack.channel(channel).messages[ts] = message
    return message


async def asset_of(desk: FormDesk, brief: Brief, who: str = "mia") -> str:
    """A finished picture of this person."""
    where = ChannelRef(platform="local", channel=f"@{who}")
    card = await desk.town.say(Imagine(brief=brief, brand="acme"), who, where)
    await desk.town.settle()
    async with desk.town.house.store.read() as tx:
        (asset,) = await tx.assets.of_job(card.subject.removeprefix("job:"))
    return asset.id


# ------------------------------------------------------------------------------------ opening


async def test_the_command_without_words_opens_a_form_for_the_channels_brand(
    desk: FormDesk,
) -> None:
    view = await desk.open(channel="C0DRAFTS")
    assert view.callback == VIEW_IMAGINE
    assert value_of(view, "brand") == "acme"
    assert keys_of(view) == [
        "brand", "template", "words", "channel", "size", "n", "negative", "file", "seed",
    ]  # fmt: skip
    assert len(desk.slack.called("views.open")) == 1
    assert desk.slack.called("views.update") == []


async def test_one_brand_needs_no_picker() -> None:
    async with form_desk() as desk:
        view = await desk.open()
        assert "brand" not in keys_of(view)
        desk.fill(view, words="a mug")
        assert desk.forms.command_of(desk.sent(view)).brand == "acme"


async def test_the_global_shortcut_opens_it_in_no_channel(desk: FormDesk) -> None:
    told = payloads.global_shortcut(desk.slack.world, "T1", "U0MIA", PICTURE_SHORTCUT)
    await desk.live(desk.heard(told))
    assert desk.mia.modal is not None
    desk.fill(desk.mia.modal, words="a mug")
    assert desk.forms.origin_of(desk.sent(desk.mia.modal)).channel == ""


async def test_a_dead_trigger_is_answered_for_that_person_alone() -> None:
    passed = 0.0
    async with form_desk(now=lambda: 1_800_000_000.0 + passed) as desk:
        heard = desk.typed(desk.mia, "C0SOCIAL")
        passed = 3.5
        await desk.forms.live(heard)
        await desk.forms.live(heard)  # the same after a crash
        said = await desk.outgoing()
        assert said is not None
        assert said.only_for == "U0MIA"
        assert said.target.channel == "C0SOCIAL"
        assert "/imagine" in said.card.fix
        assert await desk.outgoing() is None
        assert desk.mia.modal is None


async def test_a_form_that_is_open_already_is_not_called_too_late(desk: FormDesk) -> None:
    heard = desk.typed(desk.mia)
    await desk.live(heard)
    await desk.live(heard)  # the same delivery, in another process
    desk.slack.troubles.add("views.open", "refuse", error="trigger_exchanged")
    await desk.live(desk.typed(desk.mia))
    assert desk.mia.modal is not None
    assert await desk.outgoing() is None


async def test_a_form_that_trips_over_a_bug_of_ours_is_an_error_with_a_reference(
    desk: FormDesk,
) -> None:
    def broken(method: Method, arguments: dict[str, Any]) -> Answer:
        return KeyError("a secret of ours")

    forms = Forms(desk.town.house, FakeWebs(broken))
    await forms.refresh()
    await forms.live(desk.typed(desk.mia))
    said = await desk.outgoing()
    assert said is not None
    assert (said.card.kind, said.only_for) == ("error", "U0MIA")
    assert said.card.reference
    assert "a secret" not in str(said.card)


async def test_in_a_direct_conversation_it_is_answered_there(desk: FormDesk) -> None:
    heard = replace(desk.typed(desk.mia, desk.mia.dm.id), trigger="1.gone")
    await desk.forms.live(heard)
    said = await desk.outgoing()
    assert said is not None
    assert (said.target.channel, said.only_for) == ("@U0MIA", "")


async def test_a_form_that_slack_refuses_is_an_error_with_a_reference(desk: FormDesk) -> None:
    desk.slack.troubles.add("views.open", "refuse", error="invalid_arguments")
    await desk.forms.live(desk.typed(desk.mia))
    said = await desk.outgoing()
    assert said is not None
    assert said.card.kind == "error"
    assert said.card.reference


async def test_a_stranger_reads_how_to_come_in(desk: FormDesk) -> None:
    eve = desk.slack.add_person("U0EVE", "eve")
    await desk.live(desk.typed(eve))
    assert eve.modal is not None
    assert "don't know you" in words_in(eve.modal)
    assert "`/imagine /link`" in words_in(eve.modal)
    assert keys_of(eve.modal) == []


async def test_someone_without_the_right_reads_whom_to_ask(desk: FormDesk) -> None:
    ben = desk.slack.person("U0BEN")
    await desk.live(desk.typed(ben))
    assert ben.modal is not None
    assert "requester" in words_in(ben.modal)


async def test_who_was_invited_a_moment_ago_gets_the_form(desk: FormDesk) -> None:
    ben = desk.town.people["ben"]
    async with desk.town.house.store.write() as tx:
        await tx.people.update(replace(ben, roles=desk.town.people["mia"].roles), was=ben)
    view = await desk.open(desk.slack.person("U0BEN"))
    assert view.callback == VIEW_IMAGINE


async def test_a_form_that_was_closed_while_it_was_loaded_is_no_mistake(desk: FormDesk) -> None:
    desk.slack.troubles.add("views.update", "refuse", error="not_found")
    await desk.live(desk.typed(desk.slack.add_person("U0EVE", "eve")))
    assert await desk.outgoing() is None


# ---------------------------------------------------------------------------------- switching


async def test_choosing_a_template_brings_its_inputs(desk: FormDesk) -> None:
    view = await desk.open()
    await desk.choose(view, "template", "product")
    assert keys_of(view)[2:6] == ["words", "var:COLOR", "var:THING", "var:PLACE"]
    options = block_of(view, "var:COLOR")["element"]["options"]
    assert [option["value"] for option in options] == ["red", "green", "blue"]
    assert block_of(view, "var:THING")["element"]["type"] == "plain_text_input"
    assert block_of(view, "var:PLACE")["optional"]
    assert not block_of(view, "var:COLOR")["optional"]


async def test_what_was_typed_survives_another_template_and_the_way_back(desk: FormDesk) -> None:
    view = await desk.open()
    desk.fill(view, words="in the snow", negative="people", n="3", seed="42", size="4:5")
    await desk.choose(view, "template", "product")
    desk.fill(view, var_COLOR="green", var_THING="mug")
    await desk.choose(view, "template", "poster")
    assert value_of(view, "var:THING") == "mug"  # both have it
    assert "var:COLOR" not in keys_of(view)
    await desk.choose(view, "template", "product")
    assert value_of(view, "var:COLOR") == "green"
    kept = {key: value_of(view, key) for key in ("words", "negative", "n", "seed", "size")}
    assert kept == {
        "words": "in the snow", "negative": "people", "n": "3", "seed": "42", "size": "4:5",
    }  # fmt: skip


async def test_another_brand_keeps_what_it_can_and_brings_the_rest_back(desk: FormDesk) -> None:
    view = await desk.open()
    desk.fill(view, words="in the snow", size="4:5", channel="#social")
    await desk.choose(view, "template", "product")
    desk.fill(view, var_COLOR="blue")
    await desk.choose(view, "brand", "bolt")
    assert value_of(view, "template") == "product"  # both brands have one
    assert value_of(view, "var:COLOR") == "blue"
    assert value_of(view, "words") == "in the snow"
    assert value_of(view, "size") == ""
    assert "channel" not in keys_of(view)
    await desk.choose(view, "brand", "acme")
    assert value_of(view, "size") == "4:5"
    assert value_of(view, "channel") == "#social"


async def test_what_was_cleared_stays_cleared(desk: FormDesk) -> None:
    view = await desk.open()
    await desk.choose(view, "template", "product")
    desk.fill(view, var_THING="mug")
    await desk.choose(view, "template", "poster")
    desk.fill(view, var_THING="")
    await desk.choose(view, "template", "product")
    assert value_of(view, "var:THING") == ""


async def test_no_template_can_be_chosen_again(desk: FormDesk) -> None:
    view = await desk.open()
    await desk.choose(view, "template", "product")
    await desk.choose(view, "template", "-")
    assert keys_of(view)[:3] == ["brand", "template", "words"]
    desk.fill(view, words="a mug")
    assert desk.forms.command_of(desk.sent(view)).brief == Brief(words="a mug")


async def test_of_two_quick_choices_the_last_one_wins_whichever_comes_first(
    desk: FormDesk,
) -> None:
    view = await desk.open()
    first, second = (desk.chosen(view, "template", name) for name in ("product", "poster"))
    await desk.live(first)
    await desk.live(second)  # its hash is that of the form before the first
    assert "var:MOOD" in keys_of(view)
    first, second = (desk.chosen(view, "template", name) for name in ("poster", "product"))
    await desk.live(second)
    await desk.live(first)
    assert "var:COLOR" in keys_of(view)


@pytest.mark.parametrize("newest_first", [True, False])
async def test_a_form_never_shows_the_inputs_of_what_is_not_chosen_with_two_processes(
    desk: FormDesk, newest_first: bool
) -> None:
    other = await desk.another()
    view = await desk.open()
    desk.fill(view, words="at dawn")
    older = desk.chosen(view, "template", "product")
    newer = desk.chosen(view, "template", "poster")
    if newest_first:
        await other.live(newer)
        await desk.live(older)
    else:
        await desk.live(older)
        await other.live(newer)
    assert value_of(view, "template") == ""
    assert not [key for key in keys_of(view) if key.startswith("var:")]
    assert "choose the template once more" in words_in(view)
    await desk.choose(view, "template", "poster")
    assert "var:MOOD" in keys_of(view)
    assert value_of(view, "template") == "poster"
    assert value_of(view, "words") == "at dawn"
    assert "once more" not in words_in(view)


async def test_an_older_choice_that_comes_late_changes_nothing(desk: FormDesk) -> None:
    view = await desk.open()
    older = desk.chosen(view, "template", "product")
    await desk.choose(view, "template", "poster")
    shown = view.hash
    await desk.live(replace(older, view_hash=shown))
    assert view.hash == shown


async def test_opening_and_switching_read_no_database(desk: FormDesk) -> None:
    desk.away()
    view = await desk.open()
    await desk.choose(view, "template", "product")
    desk.fill(view, var_COLOR="red", var_THING="mug")
    assert desk.suggested(view, PICK_TEMPLATE, "post") == ["poster"]
    assert desk.errors(view) == {}
    assert desk.forms.command_of(desk.sent(view)).brief.template == "product"


# ------------------------------------------------------------------------------------ options


def many(count: int) -> tuple[Template, ...]:
    """Templates named look-000 and so on."""
    return tuple(
        Template(name=f"look-{at:03}", text="a mug", description=f"Look number {at}")
        for at in range(count)
    )


async def test_more_than_a_hundred_templates_are_found_by_typing() -> None:
    async with form_desk(replace(ACME, version="2", templates=(*many(130), *ACME.templates))) as d:
        view = await d.open()
        offered = d.suggested(view, PICK_TEMPLATE)
        assert len(offered) == 100
        assert offered[0] == "-"
        assert d.suggested(view, PICK_TEMPLATE, "post")[0] == "poster"
        assert d.suggested(view, PICK_TEMPLATE, "LOOK-12")[0] == "look-120"
        assert d.suggested(view, PICK_TEMPLATE, "well lit") == ["product"]
        assert d.suggested(view, PICK_TEMPLATE, "prodct") == ["product"]
        assert d.suggested(view, PICK_TEMPLATE, "zzzzz") == []


async def test_brands_that_someone_may_not_use_are_not_offered(desk: FormDesk) -> None:
    mia = desk.town.people["mia"]
    view = await desk.open()
    assert desk.suggested(view, PICK_BRAND) == ["acme", "bolt"]
    async with desk.town.house.store.write() as tx:
        await tx.people.update(
            replace(mia, roles=tuple(("acme", role) for _, role in mia.roles)), was=mia
        )
    await desk.forms.refresh()
    assert desk.suggested(view, PICK_BRAND) == ["acme"]


async def test_a_variable_with_many_values_is_a_select_of_groups() -> None:
    names = tuple(f"shade {at:03}" for at in range(250))
    template = Template(
        name="paint", text="[SHADE] paint", variables=(Variable(name="SHADE", values=names),)
    )
    async with form_desk(replace(ACME, version="2", templates=(template,))) as desk:
        view = await desk.open()
        await desk.choose(view, "template", "paint")
        groups = block_of(view, "var:SHADE")["element"]["option_groups"]
        assert [len(group["options"]) for group in groups] == [100, 100, 50]
        desk.fill(view, var_SHADE="shade 249")
        brief = desk.forms.command_of(desk.sent(view)).brief
        assert brief.variables == (("SHADE", "shade 249"),)


async def test_with_thousands_of_values_one_types_and_reads_the_nearest() -> None:
    names = tuple(f"shade-{at:04}" for at in range(3000))
    template = Template(
        name="paint", text="[SHADE] paint", variables=(Variable(name="SHADE", values=names),)
    )
    async with form_desk(replace(ACME, version="2", templates=(template,))) as desk:
        view = await desk.open()
        await desk.choose(view, "template", "paint")
        desk.fill(view, var_SHADE="shade-300x")
        assert "Did you mean" in desk.errors(view)["var:SHADE"]


# ------------------------------------------------------------------------------------- asking


async def test_a_reason_is_asked_at_once_and_comes_with_where_its_card_stands(
    desk: FormDesk,
) -> None:
    card, review = card_message(desk), new_id()
    await desk.live(desk.pressed(card, f"reject:{review}", "reason"))
    view = desk.mia.modal
    assert view is not None
    assert view.callback == VIEW_ASK
    assert "update" not in [call.method for call in desk.slack.calls]
    desk.fill(view, said="too dark")
    action, said, origin = desk.forms.answer_of(desk.sent(view))
    assert (action, said) == (f"reject:{review}", "too dark")
    assert (origin.channel, origin.message) == ("C0DRAFTS", card.ts)


async def test_new_words_begin_with_the_words_of_now(desk: FormDesk) -> None:
    brief = Brief(
        words="in the snow", template="product", variables=(("COLOR", "red"), ("THING", "a mug"))
    )
    asset = await asset_of(desk, brief)
    await desk.live(desk.pressed(card_message(desk), f"edit:{asset}", "words"))
    view = desk.mia.modal
    assert view is not None
    assert value_of(view, "said") == 'template:product in the snow COLOR=red THING="a mug"'
    desk.fill(view, said="a cheap mug")
    assert "affordable" in desk.errors(view)["said"]
    desk.fill(view, said="a mug --ar 9:1")
    assert "isn't a shape" in desk.errors(view)["said"]
    desk.fill(view, said="a dear mug")
    assert desk.errors(view) == {}


async def test_words_of_somebody_elses_picture_are_not_shown(desk: FormDesk) -> None:
    asset = await asset_of(desk, Brief(words="a secret mug"), "ana")
    await desk.live(desk.pressed(card_message(desk), f"edit:{asset}", "words"))
    assert desk.mia.modal is not None
    assert "belongs to someone else" in words_in(desk.mia.modal)


async def test_without_the_database_new_words_begin_empty(desk: FormDesk) -> None:
    asset = await asset_of(desk, Brief(words="a mug"))

    desk.away()
    await desk.live(desk.pressed(card_message(desk), f"edit:{asset}", "words"))
    view = desk.mia.modal
    assert view is not None
    assert value_of(view, "said") == ""
    assert "Write something" in desk.errors(view)["said"]


# --------------------------------------------------------------------------------- references


async def test_the_shortcut_on_a_message_takes_its_picture(desk: FormDesk) -> None:
    ana = desk.slack.person("U0ANA")
    file = ana.upload(png(), "mug.png")
    await ana.say("look", channel="C0SOCIAL", files=(file,))
    message = desk.slack.messages("C0SOCIAL")[-1]
    told = payloads.message_shortcut(desk.slack.world, "U0MIA", REFERENCE_SHORTCUT, message)
    await desk.live(desk.heard(told))
    view = desk.mia.modal
    assert view is not None
    assert "Starts from the picture" in words_in(view)
    await desk.choose(view, "template", "product")
    assert "Starts from the picture" in words_in(view)
    sha256 = await desk.bringing.picture(desk.sent(view), desk.town.people["mia"], brand="acme")
    assert await desk.town.house.blobs.exists(sha256)


async def test_a_message_that_only_says_words_is_no_question(desk: FormDesk) -> None:
    await desk.slack.person("U0ANA").say("words", channel="C0SOCIAL")
    message = desk.slack.messages("C0SOCIAL")[-1]
    told = payloads.message_shortcut(desk.slack.world, "U0MIA", REFERENCE_SHORTCUT, message)
    await desk.live(desk.heard(told))
    assert desk.mia.modal is not None
    assert desk.mia.modal.callback == VIEW_IMAGINE
    assert "no picture" in words_in(desk.mia.modal)


async def test_in_a_thread_the_nearest_picture_above_is_taken(desk: FormDesk) -> None:
    ana = desk.slack.person("U0ANA")
    file = ana.upload(png(), "mug.png")
    await ana.say("look", channel="C0SOCIAL", files=(file,))
    parent = desk.slack.messages("C0SOCIAL")[-1]
    await ana.say("warmer?", channel="C0SOCIAL", thread=parent.ts)
    reply = next(m for m in desk.slack.messages("C0SOCIAL") if m.thread == parent.ts)
    told = payloads.message_shortcut(desk.slack.world, "U0MIA", REFERENCE_SHORTCUT, reply)
    await desk.live(desk.heard(told))
    assert desk.mia.modal is not None
    assert "Starts from the picture" in words_in(desk.mia.modal)


async def test_use_as_reference_opens_the_form_with_that_picture(desk: FormDesk) -> None:
    asset = await asset_of(desk, Brief(words="a mug"))
    await desk.live(desk.pressed(card_message(desk), f"reference:{asset}", "reference"))
    view = desk.mia.modal
    assert view is not None
    desk.fill(view, words="a bowl")
    heard = desk.sent(view)
    assert heard.kind is Kind.SUBMIT
    async with desk.town.house.store.read() as tx:
        master = (await tx.assets.get(asset)).file_hash
    assert await desk.bringing.picture(heard, desk.town.people["mia"], brand="acme") == master


async def test_a_file_in_the_form_goes_before_the_picture_it_was_opened_with(
    desk: FormDesk,
) -> None:
    asset = await asset_of(desk, Brief(words="a mug"))
    await desk.live(desk.pressed(card_message(desk), f"reference:{asset}", "reference"))
    view = desk.mia.modal
    assert view is not None
    desk.fill(view, words="a bowl", file=desk.mia.upload(png("blue"), "own.png"))
    sha256 = await desk.bringing.picture(desk.sent(view), desk.town.people["mia"], brand="acme")
    async with desk.town.house.store.read() as tx:
        assert sha256 != (await tx.assets.get(asset)).file_hash
        assert await tx.uploads.get(desk.town.people["mia"].id, sha256) is not None


# ----------------------------------------------------------------------------------- keeping


async def test_a_new_kit_is_in_the_form_after_half_a_minute() -> None:
    async with form_desk() as desk, desk.forms.refreshing():
        async with desk.town.house.store.write() as tx:
            await tx.kits.put(BOLT, source="", at=START)
        assert desk.forms.kit("bolt") is None
        desk.away()
        await desk.town.clock.advance(REFRESH_S)
        assert desk.forms.kit("acme") is not None  # what was known stays
        desk.away(False)
        await desk.town.clock.advance(REFRESH_S)
        assert desk.forms.kit("bolt") is not None
