"""`housestyle serve` killed where it hurts: nothing is lost, nothing stands twice."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.acceptance.product import Product, free_port, serving
from tests.benchmarks.chat_parts.records import read_records
from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord.looking import anywhere, button_of, pictured, posted
from tests.fakes.discord_product import STARTS_S, set_up
from tests.fakes.discord_town import DRAFTS, SOCIAL, USERS
from tests.fakes.locking import locked
from tests.fakes.waiting import until

LEASE_S = 15.0
"""How long nobody touches what a killed process had in hand."""
HELD_S = 300.0
"""Longer than any test: an answer that a killed process never got."""


async def listens(discord: FakeDiscord) -> None:
    """Wait for a product that can be spoken to."""
    await until(lambda: len(discord.gateway.connected()) == discord.world.shards, STARTS_S)
    await until(lambda: discord.world.app.commands, STARTS_S)


async def killed(product: Product) -> None:
    """Without a word."""
    product.process.send_signal(signal.SIGKILL)
    await product.process.wait()


async def test_a_command_outlives_a_kill_after_its_acknowledgement(
    discord: FakeDiscord, tmp_path: Path
) -> None:
    data, environment = await set_up(discord, tmp_path)
    start = (data, free_port(), "--engine", "drawn")
    async with serving(*start, environment=environment) as product:
        await listens(discord)
        with locked(data / "housestyle.db"):
            mia = discord.person(USERS["mia"])
            receipt = await mia.command("imagine", prompt="a red mug", channel=DRAFTS)
            assert receipt.acked
            await killed(product)
    assert discord.messages(DRAFTS) == []
    async with serving(*start, environment=environment) as product:
        card = await posted(discord, DRAFTS, pictured, within_s=STARTS_S)
        await receipt.answer()
        assert receipt.original is not None
        assert "Queued" in receipt.original.text
        assert await product.stop() == 0
    assert discord.messages(DRAFTS) == [card]
    registered = discord.calls("PUT /applications/*/commands")
    assert len(registered) == 1, "commands are registered when they change, not at each start"


@pytest.mark.deep
async def test_a_command_outlives_a_kill_before_its_acknowledgement(
    discord: FakeDiscord, tmp_path: Path
) -> None:
    data, environment = await set_up(discord, tmp_path)
    start = (data, free_port(), "--engine", "drawn")
    mia = discord.person(USERS["mia"])
    async with serving(*start, environment=environment) as product:
        await listens(discord)
        discord.troubles.add("POST /interactions/*", "slow", seconds=HELD_S)
        asking = asyncio.create_task(mia.command("imagine", prompt="a red mug", channel=DRAFTS))
        await until(lambda: discord.calls("POST /interactions/*"), STARTS_S)
        await killed(product)
        assert not (await asking).acked
    assert [line for line in discord.violations if "did not respond" not in line] == []
    discord.violations.clear()  # what Mia read of it is no fault of the app's
    async with serving(*start, environment=environment):
        card = await posted(discord, DRAFTS, pictured, within_s=STARTS_S)
        answer = await posted(discord, mia.dm.id, within_s=STARTS_S)
    assert "Queued" in answer.text
    assert discord.messages(DRAFTS) == [card]


@pytest.mark.deep
async def test_a_card_outlives_a_kill_between_its_sending_and_its_record(
    discord: FakeDiscord, tmp_path: Path
) -> None:
    data, environment = await set_up(discord, tmp_path)
    start = (data, free_port(), "--engine", "drawn")
    mia = discord.person(USERS["mia"])
    async with serving(*start, environment=environment) as product:
        await listens(discord)
        discord.troubles.add(f"POST /channels/{DRAFTS}/messages", "late", seconds=HELD_S)
        await mia.command("imagine", prompt="a red mug", channel=DRAFTS)
        sent = await posted(discord, DRAFTS, within_s=STARTS_S)
        await killed(product)
    discord.forget_nonces()
    async with serving(*start, environment=environment):
        await until(lambda: pictured(sent), STARTS_S + LEASE_S)
    assert discord.messages(DRAFTS) == [sent]


@pytest.mark.deep
async def test_a_post_outlives_a_kill_between_its_sending_and_its_record(
    discord: FakeDiscord, tmp_path: Path
) -> None:
    data, environment = await set_up(discord, tmp_path)
    start = (data, free_port(), "--engine", "drawn")
    mia, rob = (discord.person(USERS[name]) for name in ("mia", "rob"))
    async with serving(*start, environment=environment) as product:
        await listens(discord)
        discord.troubles.add(f"POST /channels/{SOCIAL}/messages", "late", seconds=HELD_S)
        await mia.command("imagine", prompt="a red mug", channel=DRAFTS)
        card = await posted(discord, DRAFTS, pictured, within_s=STARTS_S)
        await mia.click(card, button_of(card, "do:send:"))
        review = await anywhere(discord, lambda m: button_of(m, "do:approve:"), within_s=STARTS_S)
        rob.react(review, "✅")
        post = await posted(discord, SOCIAL, within_s=STARTS_S)
        await killed(product)
    discord.forget_nonces()
    assert read_records(data / "housestyle.db").posts == {post.nonce: "sending"}
    async with serving(*start, environment=environment):
        sent = {post.nonce: "sent"}
        await until(lambda: read_records(data / "housestyle.db").posts == sent, STARTS_S + LEASE_S)
    assert discord.messages(SOCIAL) == [post]
