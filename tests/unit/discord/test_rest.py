"""DiscordRest: what is asked of Discord, how often, and what a no, a limit or silence leads to."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.chat.discord_chat.outgoing.client import MOST_INVALID, InvalidRequests
from bot.chat.discord_chat.outgoing.previews import Previews
from bot.chat.discord_chat.outgoing.rest import DiscordRest
from bot.chat.discord_chat.rest import DiscordRefused, Rest
from bot.core.errors import ChatError, ChatUnavailable
from bot.core.watching import Unwatched
from storage.memory_blobs import MemoryBlobs
from tests.fakes.discord.state import Overwrite
from tests.fakes.discord_desk import Desk, discord_desk
from tests.fakes.waiting import until

ME = "GET /users/@me"
CHANNEL = "GET /channels/*"
COMMANDS = [{"name": "queue", "description": "What waits", "type": 1}]


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with discord_desk() as running:
        yield running


async def card(desk: Desk) -> str:
    """A message of ours in the channel of drafts."""
    return (await desk.chat.send(desk.outgoing(await desk.card()))).message


# ------------------------------------------------------------------------- what is asked


async def test_who_the_app_is_is_asked_once(desk: Desk) -> None:
    rest: Rest = desk.rest
    both = await asyncio.gather(*(rest.myself() for _ in range(5)))
    assert both[0].user == desk.discord.world.app.id
    assert both[0].name == "housestyle"
    assert desk.sent(ME) == 1


async def test_whose_reactions_stand_is_told_page_by_page_without_bots(desk: Desk) -> None:
    message = desk.discord.world.message(desk.drafts.id, await card(desk))
    assert message is not None
    people = [desk.discord.world.add_user(f"u{n}").id for n in range(120)]
    robot = desk.discord.world.add_user("robot", bot=True).id
    for person in (*people, robot):
        desk.discord.world.join(desk.guild.id, person)
        desk.discord.person(person).react(message, "✅")
    assert await desk.rest.reactors(desk.drafts.id, message.id, "✅") == people
    assert await desk.rest.reactors(desk.drafts.id, message.id, "❌") == []


async def test_super_reactions_are_reactions_too(desk: Desk) -> None:
    message = desk.discord.world.message(desk.drafts.id, await card(desk))
    assert message is not None
    rob, eve = (desk.discord.world.add_user(name).id for name in ("rob", "eve"))
    for person in (rob, eve):
        desk.discord.world.join(desk.guild.id, person)
    desk.discord.person(rob).react(message, "✅")
    desk.discord.person(eve).react(message, "✅", is_super=True)
    where = desk.drafts.id, message.id, "✅"
    assert await desk.rest.emoji_on(*where[:2]) == ["✅"]
    assert await desk.rest.reactors(*where) == [rob, eve]
    assert await desk.rest.has_reacted(*where, eve)
    desk.discord.person(eve).unreact(message, "✅", is_super=True)
    assert not await desk.rest.has_reacted(*where, eve)


async def test_whether_one_reaction_stands_is_a_small_request_of_each_type(desk: Desk) -> None:
    message = desk.discord.world.message(desk.drafts.id, await card(desk))
    assert message is not None
    rob, eve = (desk.discord.world.add_user(name).id for name in ("rob", "eve"))
    for person in (rob, eve):
        desk.discord.world.join(desk.guild.id, person)
    asked = desk.sent("GET *reactions*")
    desk.discord.person(eve).react(message, "✅")
    where = desk.drafts.id, message.id, "✅"
    assert not await desk.rest.has_reacted(*where, rob)
    assert await desk.rest.has_reacted(*where, eve)
    desk.discord.person(eve).unreact(message, "✅")
    assert not await desk.rest.has_reacted(*where, eve)
    assert desk.sent("GET *reactions*") == asked + 2 + 1 + 2


async def test_which_emoji_others_have_put_there_is_told_as_reactors_takes_it(desk: Desk) -> None:
    message = desk.discord.world.message(desk.drafts.id, await card(desk))
    assert message is not None
    await desk.rest.react(desk.drafts.id, message.id, "✅")
    await desk.rest.react(desk.drafts.id, message.id, "❌")
    for emoji in ("❌", "yes:4242"):
        desk.discord.person(desk.mia).react(message, emoji)
    assert await desk.rest.emoji_on(desk.drafts.id, message.id) == ["❌", "yes:4242"]


async def test_a_members_roles_are_told_and_a_strangers_are_none(desk: Desk) -> None:
    role = desk.discord.world.add_role(desk.guild.id, "brand")
    desk.discord.world.join(desk.guild.id, desk.mia, role.id)
    eve = desk.discord.world.add_user("eve").id
    assert await desk.rest.member_roles(desk.guild.id, desk.mia) == (role.id,)
    assert await desk.rest.member_roles(desk.guild.id, eve) == ()
    assert await desk.rest.member_roles(desk.guild.id, "4242") == ()


async def test_a_thread_tells_which_channel_it_belongs_to_and_is_asked_for_once(desk: Desk) -> None:
    for _ in range(3):
        facts = await desk.rest.channel(desk.thread.id)
    assert (facts.parent, facts.guild) == (desk.drafts.id, desk.guild.id)
    assert (facts.name, facts.id) == ("mugs", desk.thread.id)
    assert (await desk.rest.channel(desk.drafts.id)).parent == ""
    assert desk.sent(CHANNEL) == 2


async def test_a_direct_conversation_is_opened_once(desk: Desk) -> None:
    both = {await desk.rest.direct(desk.mia) for _ in range(3)}
    assert both == {desk.discord.world.direct(desk.mia).id}
    assert desk.sent("POST /users/@me/channels") == 1


async def test_commands_are_replaced_all_together(desk: Desk) -> None:
    await desk.rest.register(COMMANDS)
    assert [found["name"] for found in await desk.rest.commands()] == ["queue"]
    await desk.rest.register([])
    assert await desk.rest.commands() == []


# ------------------------------------------------------------------------- limits and silence


@pytest.mark.parametrize("kind", ["429", "global"])
async def test_a_limit_is_waited_for_and_the_call_succeeds(desk: Desk, kind: str) -> None:
    desk.discord.troubles.add(CHANNEL, kind, times=2, retry_after=0.02)
    assert (await desk.rest.channel(desk.drafts.id)).name == "drafts"


async def test_who_gives_up_while_the_app_s_own_limit_lasts_leaves_the_gate_open(
    desk: Desk,
) -> None:
    await desk.rest.myself()
    desk.discord.troubles.add(CHANNEL, "global", retry_after=20.0)
    waiting = asyncio.create_task(desk.rest.channel(desk.drafts.id))
    await until(lambda: desk.sent(CHANNEL) == 1)
    await until(lambda: not _gate(desk.rest).is_set())
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(15):  # the limit lasts longer
        assert (await desk.rest.channel(desk.social.id)).name == "social"


def _gate(rest: DiscordRest) -> asyncio.Event:
    client = rest._calls._client
    assert client is not None
    return client._global_over


async def test_a_limit_that_lasts_too_long_comes_back_for_its_turn(desk: Desk) -> None:
    desk.discord.troubles.add(CHANNEL, "429", retry_after=60.0)
    with pytest.raises(ChatUnavailable) as later:
        await desk.rest.channel(desk.drafts.id)
    assert later.value.queued
    assert later.value.retry_after_s == pytest.approx(60.0)


async def test_a_ban_of_the_proxy_before_discord_is_waited_for(desk: Desk) -> None:
    desk.discord.troubles.add(CHANNEL, "cloudflare")
    with pytest.raises(ChatUnavailable) as later:
        await desk.rest.channel(desk.drafts.id)
    assert later.value.retry_after_s >= 1
    assert desk.sent(CHANNEL) == 1


async def test_a_connection_that_breaks_is_told_and_the_next_call_goes_on(desk: Desk) -> None:
    desk.discord.troubles.add(CHANNEL, "cut", times=None)
    with pytest.raises(ChatUnavailable):
        await desk.rest.channel(desk.drafts.id)
    desk.discord.troubles.clear()
    assert (await desk.rest.channel(desk.drafts.id)).name == "drafts"


@pytest.mark.parametrize(("status", "code"), [(403, 50013), (404, 10003), (403, 0), (404, 0)])
async def test_a_no_is_asked_once_and_never_looped(desk: Desk, status: int, code: int) -> None:
    desk.discord.troubles.add(CHANNEL, "refuse", times=None, status=status, code=code)
    with pytest.raises(DiscordRefused) as refused:
        await desk.rest.channel(desk.drafts.id)
    assert (refused.value.status, refused.value.error) == (status, code)
    assert desk.sent(CHANNEL) == 1


async def test_a_wrong_token_is_tried_once_and_then_not_again_for_a_while(desk: Desk) -> None:
    options = replace(desk.options, token="wrong")
    async with DiscordRest(options, watch=Unwatched()) as rest:
        for _ in range(5):
            with pytest.raises(DiscordRefused) as refused:
                await rest.myself()
            assert refused.value.status == 401
        assert desk.sent(ME) == 1
        rest._calls._refused_until = 0.0
        with pytest.raises(DiscordRefused):
            await rest.myself()
    assert desk.sent(ME) == 2
    assert "wrong" not in str(refused.value) + refused.value.fix


async def test_a_message_waits_for_a_token_that_discord_takes(desk: Desk) -> None:
    await desk.rest.myself()
    desk.discord.world.app.token_revoked = True
    for _ in range(3):
        with pytest.raises(ChatUnavailable) as later:
            await desk.chat.send(desk.outgoing(await desk.card()))
        assert later.value.retry_after_s >= 60
        assert later.value.queued, "so that no night without a token makes it give up"
    assert desk.sent("POST *") == 1


async def test_discord_is_left_alone_long_before_it_bars_us(desk: Desk) -> None:
    await desk.rest.myself()
    invalid: InvalidRequests = desk.rest._calls._invalid
    for _ in range(MOST_INVALID - 1):
        invalid._at.append(asyncio.get_running_loop().time())
    desk.drafts.overwrites.append(Overwrite(id=desk.discord.world.app.id, kind=1, deny=1 << 10))
    with pytest.raises(DiscordRefused):
        await desk.rest.channel(desk.drafts.id)
    before = len(desk.discord.world.calls)
    with pytest.raises(ChatUnavailable) as later:
        await desk.rest.channel(desk.social.id)
    assert later.value.queued
    assert later.value.retry_after_s > 60
    assert len(desk.discord.world.calls) == before


async def test_a_first_login_that_fails_is_made_again_at_the_next_call(desk: Desk) -> None:
    desk.discord.troubles.add(ME, "cut", times=2)  # aiohttp itself asks a second time
    with pytest.raises(ChatUnavailable):
        await desk.rest.channel(desk.drafts.id)
    assert (await desk.rest.channel(desk.drafts.id)).name == "drafts"


async def test_a_discord_that_is_away_can_t_be_reached(desk: Desk) -> None:
    await desk.discord.stop()
    with pytest.raises(ChatUnavailable):
        await desk.rest.myself()
    await desk.discord.start()
    await desk.rest.myself()


async def test_after_the_end_nothing_is_asked_any_more(desk: Desk) -> None:
    async with DiscordRest(desk.options, watch=Unwatched()) as rest:
        await rest.myself()
    with pytest.raises(ChatUnavailable):
        await rest.channel(desk.drafts.id)
    with pytest.raises(ChatUnavailable):
        await rest.download(f"{desk.discord.cdn_url}/1/2/mug.png", limit=10)


async def test_what_goes_on_beside_ends_with_the_house(desk: Desk) -> None:
    begun, never = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await never.wait()

    async with DiscordRest(desk.options, watch=Unwatched()) as rest:
        rest.beside(work())
        await begun.wait()
    assert not rest._calls._beside


async def test_no_token_gets_into_a_log(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    asked = await desk.asked(acked=False)
    await desk.chat.send(desk.outgoing(await desk.card(), only_for=desk.mia, reply_to=asked.token))
    desk.discord.troubles.add(CHANNEL, "429", retry_after=0.02)
    await desk.rest.channel(desk.social.id)
    said = " ".join(record.getMessage() for record in caplog.records if _is_ours(record))
    assert said
    assert asked.token not in said
    assert desk.options.token not in said


def _is_ours(record: logging.LogRecord) -> bool:
    return record.name.startswith(("bot.", "discord"))


@pytest.mark.parametrize(
    "said", [[], "text", {"id": 5}, {}, None], ids=["list", "text", "number", "empty", "nothing"]
)
async def test_an_answer_without_an_id_is_in_doubt_and_breaks_nothing(
    desk: Desk, said: object
) -> None:
    async def answer(_route: object, **_asked: object) -> object:
        return said

    await desk.rest.channel(desk.social.id)  # logged in
    client = desk.rest._calls._client
    assert client is not None
    client.request = answer  # type: ignore[method-assign,assignment]
    with pytest.raises(ChatError):
        await desk.rest.create(desk.drafts.id, {})
    with pytest.raises(ChatError):
        await desk.rest.myself()
    with pytest.raises(ChatError):
        await desk.rest.direct(desk.mia)


async def test_a_preview_is_a_file_of_the_archive() -> None:
    blobs = MemoryBlobs()
    previews = Previews(blobs)
    file = await previews.temporary("", b"half a mug", "a mug")
    assert file is not None
    await previews.discard("", file)
    await previews.sweep()
    assert await blobs.get(file) == b"half a mug"
