"""DiscordChat against the strict Discord: cards in place, answers for one person, posts once."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.chat.discord_chat.outgoing.chat import DiscordChat
from bot.chat.discord_chat.outgoing.failing import (
    AUTOMOD,
    NO_ACCESS,
    NO_DMS,
    TOO_LARGE,
    UNKNOWN_CHANNEL,
)
from bot.chat.discord_chat.outgoing.sending import BARRED_FOR, SEEDS
from bot.chat.discord_chat.rest import DiscordRefused
from bot.core.drafts import Rooms
from bot.core.errors import ChatAmbiguous, ChatRejected, ChatUnavailable
from bot.core.messages import Card, ChannelRef, MessageRef
from tests.fakes.discord.state import Overwrite
from tests.fakes.discord_desk import PNG, Desk, discord_desk, picture
from tests.fakes.waiting import until

POSTS = "POST /channels/*/messages"
EDITS = "PATCH /channels/*/messages/*"
ANSWERS = "PATCH /webhooks/*/messages/*"
SEND, VIEW, REACT = 1 << 11, 1 << 10, 1 << 6


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with discord_desk() as running:
        yield running


def refused_in(desk: Desk, *permissions: int) -> None:
    """The app may not do this in the channel of drafts."""
    deny = sum(permissions)
    desk.drafts.overwrites.append(Overwrite(id=desk.discord.world.app.id, kind=1, deny=deny))


# ------------------------------------------------------------------------- cards for everybody


async def test_a_card_stands_with_its_pictures_their_alt_texts_and_its_address(desk: Desk) -> None:
    ref = await desk.chat.send(desk.outgoing(await desk.card(PNG, picture("JPEG", "navy"))))
    (message,) = desk.drafts.live()
    assert (ref.channel, ref.message) == (desk.drafts.id, message.id)
    assert ref.link == f"https://discord.com/channels/{desk.guild.id}/{desk.drafts.id}/{message.id}"
    assert desk.shown(message) == [PNG, picture("JPEG", "navy")]
    alts = [desk.discord.world.attachments[one].description for one in message.attachments]
    assert alts == ["a mug", "a mug"]
    assert "a red mug" in message.text


async def test_a_card_changes_in_place_with_the_pictures_that_it_shows_now(desk: Desk) -> None:
    first = await desk.chat.send(desk.outgoing(await desk.card()))
    second = desk.outgoing(await desk.card(PNG, title="a blue mug"), update=first)
    assert await desk.chat.send(second) == first
    third = desk.outgoing(await desk.card(picture(colour="navy")), update=first)
    await desk.chat.send(third)
    (message,) = desk.drafts.live()
    assert desk.shown(message) == [picture(colour="navy")]
    assert len(message.versions) == 2


async def test_a_card_in_a_thread_stands_there(desk: Desk) -> None:
    ref = await desk.chat.send(desk.outgoing(await desk.card(), desk.place(desk.thread)))
    assert ref.channel == desk.thread.id
    assert len(desk.thread.live()) == 1


async def test_a_card_for_a_locked_thread_stands_beside_it(desk: Desk) -> None:
    desk.thread.archived = desk.thread.locked = True
    ref = await desk.chat.send(desk.outgoing(await desk.card(), desk.place(desk.thread)))
    assert ref.channel == desk.drafts.id


async def test_a_card_on_a_direct_line_stands_in_the_conversation_of_two(desk: Desk) -> None:
    ref = await desk.chat.send(desk.outgoing(await desk.card(PNG), desk.line))
    (message,) = desk.said_directly()
    assert ref.channel == message.channel
    assert ref.link.startswith("https://discord.com/channels/@me/")


async def test_a_card_that_was_deleted_is_put_up_anew(desk: Desk) -> None:
    first = await desk.chat.send(desk.outgoing(await desk.card()))
    await desk.chat.delete(first)
    again = await desk.chat.send(desk.outgoing(await desk.card(), update=first))
    assert again.message != first.message
    assert [message.id for message in desk.drafts.live()] == [again.message]


async def test_a_card_that_we_took_out_does_not_come_back_by_a_late_change(desk: Desk) -> None:
    ref = await desk.chat.send(desk.outgoing(await desk.card(PNG)))
    await desk.rest.delete(ref.channel, ref.message)
    late = desk.outgoing(await desk.card(PNG, state="done"), update=ref)
    assert await desk.chat.send(late) == ref
    assert desk.drafts.live() == []


async def test_a_card_that_was_changed_too_often_in_its_old_age_is_put_up_anew(desk: Desk) -> None:
    first = await desk.chat.send(desk.outgoing(await desk.card()))
    desk.clock.jump(3700)
    desk.discord.world.old_edits_left[desk.drafts.id] = 0
    again = await desk.chat.send(desk.outgoing(await desk.card(title="done"), update=first))
    assert again.message != first.message
    await until(lambda: [message.id for message in desk.drafts.live()] == [again.message])
    assert "done" in desk.drafts.live()[0].text


async def test_a_card_in_a_thread_that_was_archived_stands_there_anew_and_once(desk: Desk) -> None:
    place = desk.place(desk.thread)
    first = await desk.chat.send(desk.outgoing(await desk.card(), place))
    desk.thread.archived = True
    again = await desk.chat.send(desk.outgoing(await desk.card(title="done"), place, update=first))
    await until(lambda: [message.id for message in desk.thread.live()] == [again.message])
    assert "done" in desk.thread.live()[0].text


async def test_a_card_of_another_platform_is_refused(desk: Desk) -> None:
    with pytest.raises(ChatRejected):
        await desk.chat.send(
            desk.outgoing(await desk.card(), ChannelRef(platform="slack", channel="C1"))
        )


async def test_nobody_is_pinged_by_what_somebody_wrote(desk: Desk) -> None:
    title = f"@everyone @here <@{desk.mia}> <@&{desk.guild.id}>"
    await desk.chat.send(desk.outgoing(await desk.card(title=title)))
    await desk.chat.post(desk.publication(caption=title), PNG, "image/png", "a mug")
    for message in (*desk.drafts.live(), *desk.social.live()):
        assert not message.mention_everyone
        assert (message.mentions, message.mention_roles) == ([], [])


async def test_whatever_is_sent_says_that_nobody_is_to_be_pinged(desk: Desk) -> None:
    """The words are escaped already: this is the second lock."""
    asked = await desk.asked()
    message = desk.outgoing(await desk.card(PNG))
    ref = await desk.chat.send(message)
    await desk.chat.send(desk.outgoing(await desk.card(), update=ref))
    await desk.chat.send(desk.outgoing(await desk.card(), only_for=desk.mia, reply_to=asked.token))
    await desk.chat.send(desk.outgoing(await desk.card(), desk.line))
    await desk.chat.post(desk.publication(), PNG, "image/png", "a mug")
    sent = [desk.discord.calls(what) for what in (POSTS, EDITS, ANSWERS)]
    bodies = [call.body for calls in sent for call in calls]
    assert len(bodies) == 5
    assert all(body["allowed_mentions"] == {"parse": []} for body in bodies)
    assert bodies[0]["nonce"] == message.id


# ------------------------------------------------------------------------- once


async def test_a_card_whose_answer_was_lost_stands_once_when_it_is_sent_again(desk: Desk) -> None:
    message = desk.outgoing(await desk.card(PNG))
    desk.discord.troubles.add(POSTS, "lost")
    with pytest.raises(ChatAmbiguous):
        await desk.chat.send(message)
    ref = await desk.chat.send(message)
    assert [one.id for one in desk.drafts.live()] == [ref.message]


async def test_a_card_is_found_after_the_nonce_is_forgotten(desk: Desk) -> None:
    message = desk.outgoing(await desk.card(PNG))
    desk.discord.troubles.add(POSTS, "lost")
    with pytest.raises(ChatAmbiguous):
        await desk.chat.send(message)
    desk.discord.forget_nonces()
    await desk.chat.send(desk.outgoing(await desk.card()))
    found = await desk.chat.look_up(message.id, message.target, since=message.created_at)
    assert [ref.message for ref in found] == [desk.drafts.live()[0].id]


async def test_all_copies_are_found_the_oldest_first(desk: Desk) -> None:
    message = desk.outgoing(await desk.card())
    first = await desk.chat.send(message)
    desk.discord.forget_nonces()
    second = await desk.chat.send(message)
    found = await desk.chat.look_up(message.id, message.target, since=message.created_at)
    assert [ref.message for ref in found] == [first.message, second.message]


async def test_another_s_words_are_never_taken_for_ours(desk: Desk) -> None:
    """In the conversation of two, where Discord hides nothing of them from the app."""
    message = desk.outgoing(await desk.card(), desk.line)
    mia = desk.discord.person(desk.mia)
    mia.say("look", files=(mia.attach(PNG, f"hs-{message.id}.png"),))
    (said,) = await desk.rest.history(await desk.rest.direct(desk.mia))
    assert said["attachments"][0]["filename"] == f"hs-{message.id}.png"
    assert await desk.chat.look_up(message.id, message.target, since=message.created_at) == []


async def test_a_card_meant_for_a_thread_is_found_beside_it(desk: Desk) -> None:
    desk.thread.archived = desk.thread.locked = True
    message = desk.outgoing(await desk.card(), desk.place(desk.thread))
    ref = await desk.chat.send(message)
    found = await desk.chat.look_up(message.id, message.target, since=message.created_at)
    assert found == [ref]


async def test_a_look_up_reads_two_pages_at_most(desk: Desk) -> None:
    message = desk.outgoing(await desk.card())
    await desk.chat.send(message)
    for _ in range(250):
        desk.discord.person(desk.mia).say("hello", channel=desk.drafts.id)
    assert await desk.chat.look_up(message.id, message.target, since=message.created_at) == []
    assert desk.sent("GET /channels/*/messages") == 2


async def test_a_broken_answer_to_a_change_makes_it_come_again(desk: Desk) -> None:
    ref = await desk.chat.send(desk.outgoing(await desk.card()))
    desk.discord.troubles.add(EDITS, "lost")
    with pytest.raises(ChatUnavailable):
        await desk.chat.send(desk.outgoing(await desk.card(), update=ref))


# ------------------------------------------------------------------------- for one person


async def test_an_answer_stands_where_it_was_asked_for_its_person_alone(desk: Desk) -> None:
    asked = await desk.asked()
    message = desk.outgoing(await desk.card(PNG), only_for=desk.mia, reply_to=asked.token)
    ref = await desk.chat.send(message)
    (answer,) = desk.said_alone()
    assert (ref.channel, ref.message) == (desk.drafts.id, answer.id)
    assert desk.shown(answer) == [PNG]
    assert desk.drafts.live() == []


async def test_an_answer_in_the_conversation_of_two_takes_the_place_of_its_acknowledgement(
    desk: Desk,
) -> None:
    asked = await desk.asked(direct=True)
    ref = await desk.chat.send(
        desk.outgoing(await desk.card(PNG), desk.line, only_for=desk.mia, reply_to=asked.token)
    )
    (answer,) = desk.said_alone()
    assert (ref.channel, ref.message) == (answer.channel, answer.id)
    assert desk.said_directly() == []


async def test_an_answer_made_again_changes_the_one_that_stands(desk: Desk) -> None:
    asked = await desk.asked()
    message = desk.outgoing(await desk.card(), only_for=desk.mia, reply_to=asked.token)
    desk.discord.troubles.add(ANSWERS, "lost")
    with pytest.raises(ChatUnavailable):
        await desk.chat.send(message)
    await desk.chat.send(message)
    assert len(desk.said_alone()) == 1


async def test_an_answer_that_was_never_acknowledged_goes_to_the_direct_line(desk: Desk) -> None:
    asked = await desk.asked(acked=False)
    message = desk.outgoing(await desk.card(PNG), only_for=desk.mia, reply_to=asked.token)
    ref = await desk.chat.send(message)
    (direct,) = desk.said_directly()
    assert ref.message == direct.id
    assert desk.shown(direct) == [PNG]
    assert desk.clock.waited == [0.5, 1.5]


async def test_a_dead_token_is_not_used_again(desk: Desk) -> None:
    asked = await desk.asked(acked=False)
    for _ in range(3):
        message = desk.outgoing(await desk.card(), only_for=desk.mia, reply_to=asked.token)
        await desk.chat.send(message)
    assert desk.sent(ANSWERS) == 3  # a fresh token may be unknown for a moment: only the first's
    assert len(desk.said_directly()) == 3


async def test_a_fresh_token_that_is_unknown_for_a_moment_is_tried_again(desk: Desk) -> None:
    asked = await desk.asked()
    desk.discord.troubles.add(ANSWERS, "refuse", status=404, code=10015)
    await desk.chat.send(desk.outgoing(await desk.card(), only_for=desk.mia, reply_to=asked.token))
    assert len(desk.said_alone()) == 1
    assert desk.said_directly() == []


async def test_an_answer_that_has_waited_already_waits_for_no_fresh_token(desk: Desk) -> None:
    asked = await desk.asked(acked=False)
    message = desk.outgoing(await desk.card(), only_for=desk.mia, reply_to=asked.token)
    desk.clock.jump(3)
    await desk.chat.send(message)
    assert len(desk.said_directly()) == 1
    assert desk.clock.waited == []


async def test_after_fifteen_minutes_the_token_is_not_even_tried(desk: Desk) -> None:
    asked = await desk.asked()
    message = desk.outgoing(await desk.card(), only_for=desk.mia, reply_to=asked.token)
    desk.clock.jump(15 * 60)
    await desk.chat.send(message)
    assert desk.sent(ANSWERS) == 0
    assert len(desk.said_directly()) == 1


@pytest.mark.parametrize(("status", "code"), [(401, 50027), (404, 10003)])
async def test_a_token_or_channel_that_ends_on_the_way_leads_to_the_direct_line(
    desk: Desk, status: int, code: int
) -> None:
    asked = await desk.asked()
    message = desk.outgoing(await desk.card(), only_for=desk.mia, reply_to=asked.token)
    desk.discord.troubles.add(ANSWERS, "refuse", status=status, code=code)
    await desk.chat.send(message)
    assert len(desk.said_directly()) == 1


async def test_where_direct_messages_are_closed_one_line_without_details_says_so(
    desk: Desk,
) -> None:
    desk.discord.world.users[desk.mia].takes_dms = False
    asked = await desk.asked(acked=False)
    message = desk.outgoing(
        await desk.card(PNG, title="secret mug"), only_for=desk.mia, reply_to=asked.token
    )
    await desk.chat.send(message)
    (line,) = desk.drafts.live()
    assert "secret mug" not in line.text
    assert line.attachments == []
    assert "direct messages" in line.text
    found = await desk.chat.look_up(
        message.id, message.target, since=message.created_at, only_for=desk.mia
    )
    assert [ref.message for ref in found] == [line.id]


async def test_an_answer_on_the_direct_line_is_found_there(desk: Desk) -> None:
    message = desk.outgoing(await desk.card(), only_for=desk.mia)
    ref = await desk.chat.send(message)
    found = await desk.chat.look_up(
        message.id, message.target, since=message.created_at, only_for=desk.mia
    )
    assert found == [ref]


async def test_an_answer_never_changes_what_stands_in_the_channel(desk: Desk) -> None:
    standing = await desk.chat.send(desk.outgoing(await desk.card()))
    asked = await desk.asked()
    await desk.chat.send(
        desk.outgoing(await desk.card(), only_for=desk.mia, reply_to=asked.token, update=standing)
    )
    assert desk.drafts.live()[0].versions == []
    assert len(desk.said_alone()) == 1


async def test_an_answer_that_discord_refuses_is_answered_with_why(desk: Desk) -> None:
    asked = await desk.asked()
    desk.guild.blocked_words.append("red mug")
    await desk.chat.send(desk.outgoing(await desk.card(), only_for=desk.mia, reply_to=asked.token))
    (answer,) = desk.said_alone()
    assert "AutoMod" in answer.text


async def test_a_closed_direct_line_is_a_refusal_with_a_way_out(desk: Desk) -> None:
    desk.discord.world.users[desk.mia].takes_dms = False
    with pytest.raises(DiscordRefused) as refused:
        await desk.chat.send(desk.outgoing(await desk.card(), desk.line))
    assert refused.value.error == NO_DMS
    assert refused.value.fix


async def test_drafts_stay_out_of_a_public_channel_and_come_to_their_person(desk: Desk) -> None:
    rooms = Rooms(desk.store, desk.clock)  # there is no kit: no channel is a working one
    chat = DiscordChat(
        rest=desk.rest, blobs=desk.blobs, clock=desk.clock, options=desk.options, rooms=rooms
    )
    card, asked = await desk.card(PNG), await desk.asked()
    await chat.send(desk.outgoing(card))
    await chat.send(desk.outgoing(card, desk.line))
    await chat.send(desk.outgoing(card, only_for=desk.mia, reply_to=asked.token))
    assert desk.shown(desk.drafts.live()[0]) == []
    assert desk.shown(desk.said_directly()[0]) == desk.shown(desk.said_alone()[0]) == [PNG]


async def test_a_message_is_noted_also_where_its_address_can_t_be_known(desk: Desk) -> None:
    desk.discord.troubles.add("GET /channels/*", "refuse", status=403, code=50001)
    ref = await desk.chat.send(desk.outgoing(await desk.card()))
    assert (ref.message, ref.link) == (desk.drafts.live()[0].id, "")


# ------------------------------------------------------------------------- reviews


def review(**more: object) -> Card:
    made = Card(kind="review", title="Approve a mug?", subject="review:1")
    return replace(made, **more)  # type: ignore[arg-type]


async def left_alone(desk: Desk) -> None:
    """Wait until all that went on beside the messages is over."""
    await until(lambda: not desk.rest._calls._beside)


async def test_an_open_review_has_both_emoji_to_tap(desk: Desk) -> None:
    await desk.chat.send(desk.outgoing(review()))
    (message,) = desk.drafts.live()
    await until(lambda: len(message.reactions) == 2)
    assert tuple(one.name for one in message.reactions) == SEEDS


async def test_a_decided_review_and_one_on_a_direct_line_have_none(desk: Desk) -> None:
    await desk.chat.send(desk.outgoing(review(stamp="Approved by Rob")))
    await desk.chat.send(desk.outgoing(review(), desk.line))  # its reactions are not told to us
    await desk.chat.send(desk.outgoing(review()))
    await left_alone(desk)
    assert len(desk.drafts.live()[-1].reactions) == 2
    assert desk.drafts.live()[0].reactions == desk.said_directly()[0].reactions == []


async def test_where_no_emoji_may_be_put_the_review_stands_and_it_is_tried_once(desk: Desk) -> None:
    refused_in(desk, REACT)
    await desk.chat.send(desk.outgoing(review()))
    await left_alone(desk)
    assert desk.sent("PUT *") == 1
    await desk.chat.send(desk.outgoing(review()))
    await desk.chat.send(desk.outgoing(await desk.card()))
    await left_alone(desk)
    assert desk.sent("PUT *") == 1
    assert len(desk.drafts.live()) == 3


async def test_once_emoji_may_be_put_there_a_later_review_has_them(desk: Desk) -> None:
    refused_in(desk, REACT)
    await desk.chat.send(desk.outgoing(review()))
    await left_alone(desk)
    desk.drafts.overwrites.clear()
    desk.clock.jump(BARRED_FOR.total_seconds())
    await desk.chat.send(desk.outgoing(review()))
    await until(lambda: len(desk.drafts.live()[-1].reactions) == len(SEEDS))


# ------------------------------------------------------------------------- refusals


async def test_a_channel_that_is_gone_is_a_refusal(desk: Desk) -> None:
    nowhere = ChannelRef(platform="discord", channel="4242")
    with pytest.raises(DiscordRefused) as refused:
        await desk.chat.send(desk.outgoing(await desk.card(), nowhere))
    assert refused.value.error == UNKNOWN_CHANNEL


@pytest.mark.parametrize("name", ["", "#drafts", "C0DRAFTS", "4" * 40])
async def test_what_can_be_no_channel_is_not_even_asked_for(desk: Desk, name: str) -> None:
    with pytest.raises(DiscordRefused):
        await desk.chat.send(
            desk.outgoing(await desk.card(), ChannelRef(platform="discord", channel=name))
        )
    assert desk.sent(POSTS) == 0


async def test_a_channel_that_may_not_be_seen_says_which_permission_is_missing(desk: Desk) -> None:
    refused_in(desk, VIEW)
    with pytest.raises(DiscordRefused) as refused:
        await desk.chat.send(desk.outgoing(await desk.card()))
    assert refused.value.error == NO_ACCESS
    assert "View Channel" in refused.value.fix
    assert desk.sent(POSTS) == 1


async def test_words_that_automod_blocks_are_told_as_such(desk: Desk) -> None:
    desk.guild.blocked_words.append("mug")
    with pytest.raises(DiscordRefused) as refused:
        await desk.chat.post(desk.publication(), PNG, "image/png", "a cup")
    assert refused.value.error == AUTOMOD


async def test_deleting_what_is_gone_is_no_error(desk: Desk) -> None:
    ref = await desk.chat.send(desk.outgoing(await desk.card()))
    await desk.chat.delete(ref)
    await desk.chat.delete(ref)
    await desk.chat.delete(MessageRef(platform="discord", channel="4242", message="4243"))
    assert desk.drafts.live() == []


# ------------------------------------------------------------------------- posts


async def test_a_post_is_exactly_its_bytes_with_its_caption_and_alt_text(desk: Desk) -> None:
    publication = desk.publication()
    ref = await desk.chat.post(publication, PNG, "image/png", "a teal mug")
    (message,) = desk.social.live()
    assert ref.message == message.id
    assert desk.shown(message) == [PNG]
    file = desk.discord.world.attachments[message.attachments[0]]
    assert file.filename == f"hs-{publication.id}.png"
    assert file.description == "a teal mug"
    assert message.content == "Our new mug"


async def test_a_post_whose_answer_was_lost_stands_once(desk: Desk) -> None:
    publication = desk.publication()
    desk.discord.troubles.add(POSTS, "lost")
    with pytest.raises(ChatAmbiguous):
        await desk.chat.post(publication, PNG, "image/png", "a mug")
    found = await desk.chat.look_up(
        publication.id, publication.target, since=publication.created_at
    )
    ref = await desk.chat.post(publication, PNG, "image/png", "a mug")
    assert [one.message for one in found] == [ref.message]
    assert len(desk.social.live()) == 1


async def test_a_post_that_was_answered_502_after_it_stood_stands_once(desk: Desk) -> None:
    desk.discord.troubles.add(POSTS, "status", status=502, kept=True)
    ref = await desk.chat.post(desk.publication(), PNG, "image/png", "a mug")
    assert [message.id for message in desk.social.live()] == [ref.message]
    assert desk.sent(POSTS) == 2


async def test_a_post_without_a_caption_is_the_picture_alone(desk: Desk) -> None:
    await desk.chat.post(desk.publication(caption=""), PNG, "image/png", "a mug")
    assert desk.social.live()[0].content == ""


async def test_a_caption_that_is_too_long_is_refused_and_never_cut(desk: Desk) -> None:
    with pytest.raises(DiscordRefused, match="too long"):
        await desk.chat.post(desk.publication(caption="mug " * 600), PNG, "image/png", "a mug")
    assert desk.social.live() == []


async def test_a_file_that_the_server_finds_too_large_is_refused_with_a_way_out(
    desk: Desk,
) -> None:
    desk.guild.file_limit = 50
    with pytest.raises(DiscordRefused) as refused:
        await desk.chat.post(desk.publication(), PNG, "image/png", "a mug")
    assert refused.value.error == TOO_LARGE
    assert "rendition" in refused.value.fix
