"""`housestyle serve` killed between acknowledgement and commit: nothing is lost, nothing twice."""

import signal
from pathlib import Path

from tests.acceptance.product import free_port, serving
from tests.fakes.discord.app import FakeDiscord
from tests.fakes.discord.looking import pictured, posted
from tests.fakes.discord_product import STARTS_S, set_up
from tests.fakes.discord_town import DRAFTS, USERS
from tests.fakes.locking import locked
from tests.fakes.waiting import until


async def test_a_command_outlives_a_kill_after_its_acknowledgement(
    discord: FakeDiscord, tmp_path: Path
) -> None:
    data, environment = await set_up(discord, tmp_path)
    start = (data, free_port(), "--engine", "drawn")
    async with serving(*start, environment=environment) as product:
        await until(lambda: discord.gateway.connected() and discord.world.app.commands, STARTS_S)
        with locked(data / "housestyle.db"):
            mia = discord.person(USERS["mia"])
            receipt = await mia.command("imagine", prompt="a red mug", channel=DRAFTS)
            assert receipt.acked
            assert receipt.ms < 1_000
            product.process.send_signal(signal.SIGKILL)
            await product.process.wait()
    assert discord.messages(DRAFTS) == []
    async with serving(*start, environment=environment) as product:
        card = await posted(discord, DRAFTS, pictured, within_s=STARTS_S)
        await until(lambda: receipt.original is not None and "Queued" in receipt.original.text)
        assert await product.stop() == 0
    assert discord.messages(DRAFTS) == [card]
    registered = discord.calls("PUT /applications/*/commands")
    assert len(registered) == 1, "commands are registered when they change, not at each start"
