"""What Slack delivers becomes one flat thing that was heard, with a name that stays the same."""

import json
from typing import Any

import pytest
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.request.async_internals import build_async_context

from bot.chat.slack_chat.home.page import PORTAL_LINK
from bot.chat.slack_chat.incoming.heard import Heard, Kind, from_payload, to_payload
from bot.chat.slack_chat.incoming.hearing import ENVELOPE, heard_of
from bot.chat.slack_chat.incoming.shape import is_sound
from bot.core.actions import parse_action
from bot.core.errors import Mistake
from tests.fakes.slack import payloads
from tests.fakes.slack.app import FakeSlack
from tests.fakes.slack.state import Message, View

MODAL = {"type": "modal", "callback_id": "imagine", "private_metadata": "m", "blocks": []}


@pytest.fixture
def slack() -> FakeSlack:
    """A Slack that makes payloads and is not running."""
    return FakeSlack()


def heard(body: dict[str, Any]) -> Heard | None:
    """As Bolt would hand it over."""
    assert is_sound(body), "Slack's own payloads have sound shapes"
    return heard_of(body, build_async_context(AsyncBoltContext(), body))


def sure(body: dict[str, Any]) -> Heard:
    """What was heard, as it comes out of the inbox."""
    found = heard(body)
    assert found is not None
    kept = json.loads(json.dumps(to_payload(found)))
    assert all(isinstance(value, str | float | list) for value in kept.values()), "it stays flat"
    assert from_payload(kept) == found
    return found


def message(slack: FakeSlack, **more: Any) -> Message:
    """A message of ours in a channel."""
    return Message(team="T1", channel="C0DRAFTS", ts="1.5", user="U0BOTT1", text="Done", **more)


def view(**more: Any) -> View:
    """A form that Mia has open."""
    return View(id="V1", team="T1", user="U0MIA", body=MODAL | more, hash="9.h")


def clicked(slack: FakeSlack, action: dict[str, Any]) -> dict[str, Any]:
    """Mia's click on a button of a message."""
    return payloads.action_in_message(slack.world, "U0MIA", message(slack), action)


def button(action_id: str, value: str = "-") -> dict[str, Any]:
    """As Slack repeats a button."""
    text = {"type": "plain_text", "text": "Go"}
    return {"type": "button", "action_id": action_id, "value": value, "text": text}


def test_a_command_with_words_is_one_and_without_words_wants_a_form(slack: FakeSlack) -> None:
    make = payloads.command
    said = sure(make(slack.world, "T1", "U0MIA", "/imagine", " a mug ", "C0DRAFTS"))
    assert (said.kind, said.text, said.command) == (Kind.COMMAND, "a mug", "/imagine")
    assert (said.team, said.user, said.name) == ("T1", "U0MIA", "mia")
    assert (said.channel, said.channel_name) == ("C0DRAFTS", "drafts")
    assert said.key == f"T1:trigger:{said.trigger}"
    assert said.trigger
    bare = sure(make(slack.world, "T1", "U0MIA", "/imagine", "  ", "C0DRAFTS"))
    assert bare.kind is Kind.OPEN
    assert heard(make(slack.world, "T1", "U0MIA", "/other", "x", "C0DRAFTS")) is None


def test_a_secret_of_slack_s_and_an_address_that_dies_soon_are_not_kept(slack: FakeSlack) -> None:
    form = payloads.command(slack.world, "T1", "U0MIA", "/imagine", "a mug", "C0DRAFTS")
    kept = json.dumps(to_payload(sure(form)))
    assert payloads.VERIFICATION_TOKEN not in kept
    assert form["response_url"] not in kept


@pytest.mark.parametrize(
    ("pressed", "kind", "action", "asks"),
    [
        (button("do:approve:r1"), Kind.ACTION, "approve:r1", ""),
        (button("do:reject:r1", "reason"), Kind.OPEN, "reject:r1", "reason"),
        (button("do:edit:a1", "words"), Kind.OPEN, "edit:a1", "words"),
        (button("open:imagine"), Kind.OPEN, "imagine", ""),
        (button("open:reference:a1"), Kind.OPEN, "reference:a1", ""),
        (
            {"action_id": "more:a1", "type": "overflow", "selected_option": {"value": "use:a1"}},
            Kind.ACTION,
            "use:a1",
            "",
        ),
        (
            {"action_id": "more:a1", "selected_option": {"value": "edit:a1|words"}},
            Kind.OPEN,
            "edit:a1",
            "words",
        ),
    ],
)
def test_a_button_acts_or_wants_a_form(
    slack: FakeSlack, pressed: dict[str, Any], kind: Kind, action: str, asks: str
) -> None:
    found = sure(clicked(slack, pressed))
    assert (found.kind, found.action, found.text) == (kind, action, asks)
    assert (found.channel, found.message) == ("C0DRAFTS", "1.5")


@pytest.mark.parametrize("pressed", [button("do:"), {"action_id": "more:a1"}, button("x")])
def test_a_button_that_is_not_ours_is_heard_to_be_answered(
    slack: FakeSlack, pressed: dict[str, Any]
) -> None:
    found = sure(clicked(slack, pressed))
    assert (found.kind, found.text) == (Kind.ACTION, "")
    with pytest.raises(Mistake, match="isn't one of ours"):
        parse_action(found.action)


def test_a_link_says_nothing(slack: FakeSlack) -> None:
    assert heard(clicked(slack, button(PORTAL_LINK))) is None


def test_a_click_brings_the_message_s_blocks_along_and_its_thread(slack: FakeSlack) -> None:
    blocks = [{"type": "divider", "block_id": "d"}]
    card = message(slack, blocks=blocks, thread="1.1")
    body = payloads.action_in_message(slack.world, "U0MIA", card, button("do:cancel:j1"))
    found = sure(body)
    assert json.loads(found.blocks) == blocks
    assert found.thread == "1.1"


def test_a_click_on_what_only_one_sees_names_the_message_by_its_container(
    slack: FakeSlack,
) -> None:
    body = payloads.action_in_message(
        slack.world, "U0MIA", message(slack, only_for="U0MIA"), button("do:cancel:j1")
    )
    assert "message" not in body
    assert sure(body).message == "1.5"


def test_a_choice_in_an_open_form_switches_it_and_other_fields_say_nothing(
    slack: FakeSlack,
) -> None:
    chosen = {
        "type": "external_select",
        "action_id": "pick_template",
        "selected_option": {"value": "product"},
    }
    found = sure(payloads.action_in_view(slack.world, view(), chosen))
    assert (found.kind, found.action, found.chosen) == (Kind.SWITCH, "pick_template", "product")
    assert (found.view, found.view_hash, found.metadata) == ("V1", "9.h", "m")
    other = chosen | {"action_id": "size"}
    assert heard(payloads.action_in_view(slack.world, view(), other)) is None


def test_a_button_of_the_home_tab_is_a_button(slack: FakeSlack) -> None:
    home = view(type="home", callback_id="")
    found = sure(payloads.action_in_view(slack.world, home, button("do:cancel:j1")))
    assert (found.kind, found.action, found.channel) == (Kind.ACTION, "cancel:j1", "")


def test_a_form_that_is_sent_off_twice_has_one_name(slack: FakeSlack) -> None:
    first, again = (sure(payloads.submission(slack.world, view())) for _ in range(2))
    assert first.kind is Kind.SUBMIT
    assert first.trigger != again.trigger
    assert first.key == again.key == "T1:view:V1"
    assert first.command == "imagine"
    assert heard(payloads.submission(slack.world, view(callback_id="foreign"))) is None


def test_what_was_typed_into_a_form_is_kept_as_slack_has_it(slack: FakeSlack) -> None:
    typed = view()
    typed.values = {"words": {"words": {"type": "plain_text_input", "value": "a mug"}}}
    assert json.loads(sure(payloads.submission(slack.world, typed)).state) == typed.values


def test_a_shortcut_wants_a_form_with_the_message_s_pictures(slack: FakeSlack) -> None:
    body = payloads.message_shortcut(slack.world, "U0MIA", "use_as_reference", message(slack))
    body["message"] |= {"files": [{"id": "F1"}, {"id": "F2"}, {"name": "no id"}]}
    found = sure(body)
    assert (found.kind, found.command, found.message) == (Kind.OPEN, "use_as_reference", "1.5")
    assert found.files == ("F1", "F2")
    bare = sure(payloads.global_shortcut(slack.world, "T1", "U0MIA", "new_picture"))
    assert (bare.kind, bare.command, bare.channel) == (Kind.OPEN, "new_picture", "")


def event(slack: FakeSlack, **inner: Any) -> dict[str, Any]:
    """An event of T1."""
    return payloads.event(slack.world, "T1", inner)


def mention(**more: Any) -> dict[str, Any]:
    """Mia says something to the app in a channel."""
    return {
        "type": "app_mention",
        "user": "U0MIA",
        "channel": "C0DRAFTS",
        "ts": "2.1",
        "text": "<@U0BOTT1> a mug",
    } | more


def talk(**more: Any) -> dict[str, Any]:
    """Mia says something in her conversation with the app."""
    return mention(**({"type": "message", "channel": "D0MIA", "channel_type": "im"} | more))


def test_a_mention_is_heard_in_its_thread_with_its_files(slack: FakeSlack) -> None:
    said = event(slack, **mention(thread_ts="2.0", files=[{"id": "F1"}]))
    found = sure(said)
    assert (found.kind, found.thread, found.message) == (Kind.MENTION, "2.0", "2.1")
    assert (found.files, found.bot_user) == (("F1",), "U0BOTT1")
    assert found.key == f"T1:event:{said['event_id']}"
    assert found.at == said["event_time"]


def test_what_is_said_in_the_direct_conversation_is_heard_once(slack: FakeSlack) -> None:
    assert sure(event(slack, **talk())).kind is Kind.TALK
    assert sure(event(slack, **talk(subtype="file_share"))).kind is Kind.TALK
    assert heard(event(slack, **mention(channel="D0MIA"))) is None, "it comes as a message too"


@pytest.mark.parametrize(
    "inner",
    [
        talk(subtype="message_changed"),
        talk(subtype="bot_message", bot_id="B1"),
        talk(bot_id="B0BOTT1"),
        talk(channel_type="channel"),
        talk(user=None),
        mention(bot_id="B1"),
        {"type": "channel_created", "channel": {"id": "C9"}},
        {"type": "app_home_opened", "tab": "messages", "user": "U0MIA", "channel": "D1"},
        {"type": "tokens_revoked", "tokens": {"oauth": ["U1"]}},
    ],
)
def test_what_no_person_says_to_us_is_not_heard(slack: FakeSlack, inner: dict[str, Any]) -> None:
    assert heard(event(slack, **inner)) is None


def reaction(author: str) -> dict[str, Any]:
    """Ana puts a tick on somebody's message."""
    item = {"type": "message", "channel": "C0DRAFTS", "ts": "1.5"}
    return {
        "type": "reaction_added",
        "user": "U0ANA",
        "reaction": "white_check_mark",
        "item": item,
        "item_user": author,
    }


def test_a_reaction_is_heard_on_our_messages_only(slack: FakeSlack) -> None:
    found = sure(event(slack, **reaction("U0BOTT1")))
    assert (found.kind, found.emoji) == (Kind.REACTION, "white_check_mark")
    assert (found.channel, found.message) == ("C0DRAFTS", "1.5")
    assert heard(event(slack, **reaction("U0BEN"))) is None


def test_the_home_tab_and_the_app_s_end_are_heard(slack: FakeSlack) -> None:
    opened = sure(event(slack, type="app_home_opened", tab="home", user="U0MIA", channel="D1"))
    assert (opened.kind, opened.user) == (Kind.HOME, "U0MIA")
    gone = sure(event(slack, type="app_uninstalled"))
    assert (gone.kind, gone.detail) == (Kind.LEFT, "app_uninstalled")
    revoked = sure(event(slack, type="tokens_revoked", tokens={"oauth": [], "bot": ["U9", "U8"]}))
    assert (revoked.kind, revoked.detail) == (Kind.LEFT, "U9,U8")


def test_nothing_is_heard_of_nobody_or_nowhere(slack: FakeSlack) -> None:
    click = clicked(slack, button("do:approve:r1"))
    assert heard(click | {"user": None}) is None
    nowhere = {"team": None, "user": {"id": "U1"}}
    assert heard(click | nowhere) is None


@pytest.mark.parametrize("told", [{"user_team": "T3"}, {"team": "E9"}, {}])
def test_in_a_shared_channel_everybody_is_heard_under_our_workspace(
    slack: FakeSlack, told: dict[str, str]
) -> None:
    for inner in (mention(**told), reaction("U0BOTT1") | told):
        found = sure(event(slack, **inner) | {"is_ext_shared_channel": True})
        assert found.team == "T1"


def test_a_workspace_of_an_enterprise_has_one_key_on_every_surface() -> None:
    slack = FakeSlack()
    slack.add_team("T2", "grid", enterprise="E1", token="xoxb-2")
    wide = FakeSlack()
    wide.add_team("T2", "grid", enterprise="E1")
    token = next(iter(wide.world.tokens.values()))
    wide.world.tokens["xoxb-w"] = type(token)(value="xoxb-w", kind="bot", team="", enterprise="E1")
    for each in (slack, wide):
        world = each.world
        found = [
            sure(payloads.command(world, "T2", "U0MIA", "/imagine", "a mug", "C0DRAFTS")),
            sure(payloads.global_shortcut(world, "T2", "U0MIA", "new_picture")),
            sure(payloads.event(world, "T2", mention())),
        ]
        assert [one.team for one in found] == ["E1/T2"] * 3


def grid() -> FakeSlack:
    """An enterprise whose first workspace to have the app is T1; Mia works in T2."""
    slack = FakeSlack()
    slack.add_team("T1", "first", enterprise="E1", token="xoxb-1")
    slack.add_team("T2", "second", enterprise="E1", token="xoxb-2")
    return slack


def test_a_form_and_a_home_tab_belong_to_where_the_person_works_not_to_the_first_installation() -> (
    None
):
    world = grid().world
    form = View(id="V1", team="T2", user="U0MIA", body=MODAL, hash="9.h")
    home = View(id="V2", team="T2", user="U0MIA", body=MODAL | {"type": "home"}, hash="9.h")
    sent = payloads.submission(world, form)
    assert sent["view"]["app_installed_team_id"] == "T1"
    pressed = payloads.action_in_view(world, home, button("do:cancel:j1"))
    assert [sure(one).team for one in (sent, pressed)] == ["E1/T2"] * 2
    wide = sent["view"] | {"app_installed_team_id": "E1"}
    assert sure(sent | {"team": None, "view": wide}).team == "E1/T2"
    nobody = {"id": "U0MIA"}
    assert sure(sent | {"team": None, "user": nobody, "view": wide}).team == "E1/T2"


def test_a_form_belongs_to_the_workspace_that_it_was_opened_in() -> None:
    world = grid().world
    kept = MODAL | {"private_metadata": '{"w":"E1/T2"}'}
    form = View(id="V1", team="T1", user="U0MIA", body=kept, hash="9.h")
    assert sure(payloads.submission(world, form)).team == "E1/T2"
    form.body = kept | {"private_metadata": '{"w":"E9/T2"}'}
    assert sure(payloads.submission(world, form)).team == "E1/T1"


def test_what_has_no_id_of_its_own_is_named_by_its_envelope_or_by_what_it_says(
    slack: FakeSlack,
) -> None:
    click = clicked(slack, button("do:approve:r1")) | {"trigger_id": None}
    assert sure(click | {ENVELOPE: "e-1"}).key == "T1:envelope:e-1"
    assert sure(click).key == sure(dict(reversed(click.items()))).key
    assert sure(click).key != sure(click | {"message_ts": "7.7"}).key


def test_what_another_version_wrote_is_read() -> None:
    found = from_payload({"kind": "command", "key": "T1:trigger:1", "from_the_future": 1})
    assert found == Heard(kind=Kind.COMMAND, key="T1:trigger:1")
