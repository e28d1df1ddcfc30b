"""Approved posts in Discord: refusals told with their fix, and one message whatever is lost."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.chat.discord_chat.wiring import open_discord
from bot.core.actions import parse_action
from bot.core.assets import AssetQuery
from bot.core.commands import Approve
from bot.core.lives import PublicationState
from bot.core.people import Identity
from bot.core.publications import Publication
from bot.core.publishing import Publisher
from bot.core.sending import Sender
from brand.kit import Channel
from tests.acceptance.product import free_port, serving
from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord.looking import anywhere, button_of, pictured, posted
from tests.fakes.discord.state import Event, Message
from tests.fakes.discord_product import STARTS_S, set_up
from tests.fakes.discord_town import DRAFTS, SOCIAL, USERS, options_for
from tests.fakes.town import KIT, Town, make_town
from tests.fakes.waiting import until
from tests.scenario.conftest import in_review

POSTED_TO = replace(
    KIT,
    channels=(
        Channel(name="#social", audience="public", platform="discord", id=SOCIAL),
        Channel(name="#drafts", audience="working"),
    ),
)
POST = f"POST /channels/{SOCIAL}/messages"
HISTORY = f"GET /channels/{SOCIAL}/messages"


@dataclass
class Post:
    """A house with one approved picture, to be posted to Discord's #social. Its requester, Ana,
    is in Discord too; what is said of drafts stays in the local chat."""

    town: Town
    discord: FakeDiscord

    async def record(self) -> Publication:
        """As the records have it."""
        async with self.town.house.store.read() as tx:
            (asset,) = await tx.assets.find(AssetQuery())
            (publication,) = await tx.publications.of_asset(asset.id)
        return publication

    async def publish(self) -> bool:
        """One round of the publisher."""
        return await Publisher(self.town.house, "p").run_one()

    def shown(self) -> list[Message]:
        """What stands in #social."""
        return self.discord.messages(SOCIAL)

    async def told(self) -> str:
        """What Ana reads in her direct messages."""
        while await Sender(self.town.house, "s").run_one():
            pass
        dm = self.discord.person(USERS["ana"]).dm
        return "\n".join(message.text for message in self.discord.messages(dm.id))


@pytest.fixture
async def post(discord: FakeDiscord) -> AsyncIterator[Post]:
    """It is approved, and not posted yet."""
    town = await make_town(POSTED_TO)
    discord.world.now = lambda: town.clock.now().timestamp()
    ana = town.people["ana"]
    account = Identity(platform="discord", user=USERS["ana"])
    async with town.house.store.write() as tx:
        await tx.people.update(replace(ana, identities=(*ana.identities, account)), was=ana)
    store, blobs = town.house.store, town.house.blobs
    async with open_discord(
        options_for(discord), store=store, blobs=blobs, clock=town.clock
    ) as parts:
        town.house = replace(town.house, chats={**town.house.chats, "discord": parts.chat})
        review = await in_review(town)
        await town.say(Approve(review=review.id), "ana")
        yield Post(town, discord)


@pytest.mark.parametrize(
    ("status", "code", "fix"),
    [
        (403, 50001, "View Channel"),
        (403, 50013, "Send Messages"),
        (404, 10003, "kit"),
        (400, 200000, "AutoMod"),
    ],
)
async def test_a_refused_post_is_reported_to_its_owner_with_the_fix(
    post: Post, status: int, code: int, fix: str
) -> None:
    post.discord.troubles.add(POST, "refuse", status=status, code=code)
    assert await post.publish()
    assert (await post.record()).state is PublicationState.FAILED
    told = await post.told()
    assert "Not posted to #social" in told
    assert fix in told
    assert post.shown() == []
    assert len(post.discord.calls(POST)) == 1, "a no is not asked again"


@pytest.mark.parametrize("kind", ["lost", "html502", "429", "global"])
async def test_a_post_whose_answer_was_lost_or_late_stands_once(post: Post, kind: str) -> None:
    post.discord.troubles.add(POST, kind, kept=kind == "html502", retry_after=0.05)
    for _ in range(3):
        await post.publish()
        post.town.clock.jump(60)
    record = await post.record()
    (standing,) = post.shown()
    assert record.state is PublicationState.SENT
    assert record.receipt is not None
    assert record.receipt.message == standing.id
    assert standing.nonce == record.id


async def test_a_post_that_is_not_found_waits_for_a_person_who_sends_it_once(post: Post) -> None:
    post.discord.troubles.add(POST, "cut")
    await post.publish()
    record = await post.record()
    assert record.state is PublicationState.AMBIGUOUS
    assert "#social" in await post.told()
    assert len(post.discord.calls(HISTORY)) == 1
    again = await post.town.say(parse_action(f"settle:{record.id}:no"), "ana")
    assert again.lines == ("The picture goes to #social now.",)
    while await post.publish():
        pass
    assert (await post.record()).state is PublicationState.SENT
    assert len(post.shown()) == 1


async def test_a_post_is_found_when_the_nonce_is_no_longer_known(post: Post) -> None:
    post.discord.troubles.add(POST, "lost", times=None)
    await post.publish()
    post.discord.troubles.clear()
    post.discord.forget_nonces()
    for _ in range(3):
        post.town.clock.jump(120)
        await post.publish()
    (standing,) = post.shown()
    record = await post.record()
    assert record.state is PublicationState.SENT
    assert record.receipt is not None
    assert record.receipt.message == standing.id


async def test_the_published_bytes_are_the_approved_ones(post: Post) -> None:
    assert await post.publish()
    record, (standing,) = await post.record(), post.shown()
    (file,) = (post.discord.world.attachments[found] for found in standing.attachments)
    assert file.data == await post.town.house.blobs.get(record.file_hash)
    assert file.filename.startswith("hs-")


@pytest.mark.deep
@pytest.mark.parametrize("room", [DRAFTS, SOCIAL], ids=["a card", "a post"])
async def test_a_kill_between_a_message_and_its_record_leaves_one(
    discord: FakeDiscord, tmp_path: Path, room: str
) -> None:
    data, environment = await set_up(discord, tmp_path)
    start = (data, free_port(), "--engine", "drawn")
    mia, rob = discord.person(USERS["mia"]), discord.person(USERS["rob"])
    async with serving(*start, environment=environment) as product:

        def die(event: Event) -> None:
            if event.name == "MESSAGE_CREATE" and event.data["channel_id"] == room:
                product.process.kill()

        await until(lambda: len(discord.gateway.connected()) == discord.world.shards, STARTS_S)
        await until(lambda: discord.world.app.commands, STARTS_S)
        discord.world.tellers += [die] if room == DRAFTS else []
        await mia.command("imagine", prompt="a red mug", channel=DRAFTS)
        if room == SOCIAL:
            card = await posted(discord, DRAFTS, pictured, within_s=STARTS_S)
            await mia.click(card, button_of(card, "do:send:"))
            review = await anywhere(discord, lambda m: button_of(m, "do:approve:"))
            discord.world.tellers.append(die)
            rob.react(review, "✅")
        await product.process.wait()
    assert len(discord.messages(room)) == 1
    discord.world.tellers.remove(die)
    discord.forget_nonces()
    async with serving(*start, environment=environment) as product:
        await posted(discord, DRAFTS, pictured, within_s=STARTS_S)
        if room == SOCIAL:
            await until(lambda: "Posted to #social" in review.text, STARTS_S)
        assert await product.stop() == 0
    assert len(discord.messages(room)) == 1
    assert len(discord.calls(f"POST /channels/{room}/messages")) == 1
