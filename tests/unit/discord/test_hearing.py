"""What Discord delivers becomes one flat thing that was heard."""

import json
from typing import Any

import pytest

from bot.chat.discord_chat.heard import Did, Heard, from_payload, to_payload
from bot.chat.discord_chat.incoming.components import MAX_PICTURES, pictures_in
from bot.chat.discord_chat.incoming.hearing import (
    UNKNOWN,
    focused_in,
    heard_of,
    reaction_of,
    resync,
)
from bot.chat.discord_chat.incoming.shape import is_reaction, is_sound
from bot.chat.discord_chat.options import DiscordOptions
from tests.hostile.discord import (
    APP,
    CLICK,
    COMMAND,
    MENU,
    MIA,
    REACTION,
    SENT_OFF,
    TYPING,
    WITH_PICTURE,
)

OPTIONS = DiscordOptions(
    token="t", base_url="http://house.test", approve_emoji=("shipit",), reject_emoji=("🚫",)
)


def heard(payload: dict[str, Any]) -> Heard | None:
    """As the intake reads it."""
    assert is_sound(payload)
    return heard_of(payload, own=APP, at=7.5)


def sure(payload: dict[str, Any]) -> Heard:
    """What was heard, as it comes out of the inbox."""
    found = heard(payload)
    assert found is not None
    kept = json.loads(json.dumps(to_payload(found)))
    assert all(isinstance(value, str | float | bool | list) for value in kept.values()), "flat"
    assert from_payload(kept) == found
    return found


def reacted(**more: Any) -> Heard | None:
    """Mia's reaction on a message of ours, but for what is said."""
    event = {name: value for name, value in (REACTION | more).items() if value is not None}
    assert is_reaction(event)
    return reaction_of(event, OPTIONS, own=APP, added=True)


def data(payload: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The payload with other data."""
    return payload | {"data": payload["data"] | more}


def test_a_command_has_its_options_as_people_type_them() -> None:
    said = sure(WITH_PICTURE)
    assert (said.did, said.command, said.key) == (Did.COMMAND, "imagine", "interaction:9002")
    assert said.options == (
        ("prompt", "a red mug"),
        ("reference", "7001"),
        ("count", "2"),
        ("private", "true"),
    )
    assert said.files == ("https://cdn/7001.png",)
    assert (said.user, said.name, said.roles) == (MIA, "Mia", ("4200",))
    assert (said.guild, said.channel, said.thread) == ("4000", "4100", "")
    assert (said.channel_name, said.is_direct, said.acked) == ("drafts", False, False)
    assert (said.token, said.at) == (COMMAND["token"], 7.5)


def test_in_a_thread_the_place_is_its_channel_with_the_thread_beside() -> None:
    thread = {"id": "4300", "type": 11, "name": "week 47", "parent_id": "4100"}
    said = sure(COMMAND | {"channel": thread, "channel_id": "4300"})
    assert (said.channel, said.thread, said.room) == ("4100", "4300", "4300")
    below_category = {"id": "4100", "type": 0, "name": "drafts", "parent_id": "4001"}
    assert sure(COMMAND | {"channel": below_category}).thread == ""


@pytest.mark.parametrize(("context", "is_direct"), [(1, True), (2, False), (None, True)])
def test_a_conversation_of_two_with_the_app_is_direct_and_other_people_s_is_not(
    context: int | None, is_direct: bool
) -> None:
    told = {k: v for k, v in COMMAND.items() if k not in ("guild_id", "member", "context")}
    told |= {"user": {"id": MIA, "username": "mia"}, "channel": {"id": "1", "type": 1}}
    told |= {} if context is None else {"context": context}
    said = sure(told)
    assert (said.is_direct, said.guild, said.user, said.name) == (is_direct, "", MIA, "mia")


def test_a_menu_points_at_a_message_and_the_pictures_in_it() -> None:
    said = sure(MENU)
    assert (said.did, said.command, said.message) == (Did.MENU, "Use as reference", "8001")
    assert (said.files, said.of_us) == (("https://cdn/1.png",), False)
    theirs = MENU["data"]["resolved"]["messages"]["8001"]
    ours = {"messages": {"8001": theirs | {"author": {"id": APP}}}}
    assert sure(data(MENU, resolved=ours)).of_us


def test_pictures_are_found_where_a_message_shows_them() -> None:
    gallery = {"type": 12, "items": [{"media": {"url": f"https://cdn/{n}"}} for n in range(12)]}
    section = {
        "type": 9,
        "components": [],
        "accessory": {"type": 11, "media": {"url": "https://t"}},
    }
    found = pictures_in({"components": [{"type": 17, "components": [section, gallery]}]})
    assert found[0] == "https://cdn/0"
    assert len(found) == MAX_PICTURES
    assert pictures_in({"components": [section]}) == ["https://t"]
    assert pictures_in({"attachments": [{"url": "https://a", "width": 5}]}) == ["https://a"]
    assert pictures_in({"attachments": [None, {"content_type": "image/png"}]}) == []


@pytest.mark.parametrize(
    ("pressed", "action"),
    [
        ({"custom_id": "do:approve:r1"}, "approve:r1"),
        ({"custom_id": "ask:reason:reject:r1"}, "reject:r1"),
        ({"custom_id": "pick:a1", "values": ["do:use:a1"]}, "use:a1"),
        ({"custom_id": "pick:a1", "values": ["use:a1"]}, "use:a1"),
        ({"custom_id": "pick:a1", "values": ["ask:words:edit:a1"]}, "edit:a1"),
        ({"custom_id": "pick:a1", "values": []}, UNKNOWN),
        ({"custom_id": "pick:a1", "values": [7]}, UNKNOWN),
        ({"custom_id": "do:"}, UNKNOWN),
        ({"custom_id": "old_button"}, UNKNOWN),
        ({}, UNKNOWN),
    ],
)
def test_a_button_acts_and_one_that_is_not_ours_any_more_is_heard_to_be_answered(
    pressed: dict[str, Any], action: str
) -> None:
    said = sure(CLICK | {"data": pressed})
    assert (said.did, said.action, said.message, said.of_us) == (Did.ACTION, action, "8002", True)


def test_a_button_that_only_shows_something_does_nothing() -> None:
    assert heard(data(CLICK, custom_id="shown:x")) is None


def test_a_form_has_what_was_filled_in() -> None:
    said = sure(SENT_OFF)
    assert (said.did, said.action, said.said) == (Did.SUBMIT, "reason:reject:r1", "too dark")
    assert said.options == (("said", "too dark"),)
    rows = [
        {"type": 1, "components": [{"type": 4, "custom_id": "prompt", "value": "a mug"}]},
        {"type": 18, "component": {"type": 3, "custom_id": "shape", "values": ["16:9"]}},
        {"type": 18, "component": {"type": 19, "custom_id": "reference", "values": ["7001"]}},
        {"type": 18, "component": {"type": 19, "custom_id": "other", "values": []}},
        {"type": 10, "content": "some words"},
    ]
    attached = {"attachments": {"7001": {"url": "https://cdn/7001.png"}}}
    filled = sure(data(SENT_OFF, custom_id="form:imagine", components=rows, resolved=attached))
    assert filled.options == (
        ("prompt", "a mug"),
        ("shape", "16:9"),
        ("reference", "7001"),
        ("other", ""),
    )
    assert (filled.said, filled.files) == ("", ("https://cdn/7001.png",))
    assert heard(data(SENT_OFF, custom_id="x")) is None


def test_what_is_not_ours_is_not_heard() -> None:
    assert heard(data(COMMAND, name="other")) is None
    assert heard(data(COMMAND, type=2)) is None
    assert heard(data(MENU, name="Other")) is None
    assert heard(COMMAND | {"type": 1}) is None
    assert heard(COMMAND | {"member": {}}) is None


def test_what_is_being_typed_is_found() -> None:
    assert focused_in(TYPING) == ("template", "pro")
    assert focused_in(COMMAND) == ("", "")


def test_a_reaction_is_heard_with_who_and_where() -> None:
    said = reacted()
    assert said is not None
    assert (said.did, said.emoji, said.message, said.channel) == (Did.REACTED, "✅", "8002", "4100")
    assert (said.user, said.name, said.roles, said.guild) == (MIA, "Mia", ("4200",), "4000")
    assert said.of_us
    unsaid = reacted(message_author_id=None, member=None)
    assert unsaid is not None
    assert not unsaid.of_us, "Discord did not say whose it is"


@pytest.mark.parametrize(
    ("emoji", "means"),
    [
        ({"name": "✅"}, True),
        ({"name": "❌"}, True),
        ({"name": "✉"}, True),
        ({"name": "✉️"}, True),
        ({"name": "🚫"}, True),
        ({"name": "shipit", "id": "31"}, True),
        ({"name": "🎉"}, False),
        ({"name": None, "id": "31"}, False),
        ({}, False),
    ],
)
def test_an_emoji_that_means_nothing_is_not_heard(emoji: dict[str, Any], means: bool) -> None:
    assert (reacted(emoji=emoji) is not None) is means


def test_reactions_of_bots_and_our_own_and_on_other_people_s_messages_are_not_heard() -> None:
    robot = {"user": {"id": "66", "bot": True}, "roles": []}
    assert reacted(user_id="66", member=robot) is None
    assert reacted(user_id=APP, member=None) is None
    assert reacted(message_author_id="5002") is None


def test_that_events_were_missed_is_heard_anew_each_time() -> None:
    first, second = resync(), resync()
    assert first.did is second.did is Did.RESYNC
    assert first.key != second.key
