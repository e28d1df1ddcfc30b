"""The main job against the real processes, with the pages' plain forms."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from tests.acceptance.product import Product, demo, free_port, until

ON_BRAND = "/imagine a teal mug in front of diagonal orange and white stripes"
DONE = r"Done(:| in)"


async def asked_and_done(product: Product, text: str = ON_BRAND) -> None:
    """Ask for a picture and wait for it."""
    await product.enter()
    await product.say(text)
    await until(lambda: product.shows("/chat", DONE), "a picture")


async def test_a_person_does_the_whole_job_without_javascript(tmp_path: Path) -> None:
    async with demo(tmp_path, free_port(), "--engine", "drawn") as product:
        await asked_and_done(product)
        await product.press("/chat", "send")
        await until(lambda: product.shows("/review", "Approve"), "an open review")
        await product.press("/chat", "approve")
        await until(lambda: product.shows("/chat/social", r"/files/[0-9a-f]{64}"), "a post")
        assert len(re.findall('class="card card-post"', await product.page("/chat/social"))) == 1
        assert await product.shows("/chat", r"Approved by Owner.*own request, demo")
        assert await product.shows("/gallery", r"/pictures/\w{22}")
        assert await product.stop() == 0


async def test_a_killed_generation_service_is_restarted_and_the_job_finishes(
    tmp_path: Path,
) -> None:
    async with demo(tmp_path, free_port(), "--engine", "drawn") as product:
        await product.enter()
        victim = product.generation_pid()
        os.kill(victim, signal.SIGSTOP)  # so that the job is certainly in its hands
        await product.say(ON_BRAND)
        await until(lambda: product.shows("/chat", "Rendering"), "the job in the service")
        os.kill(victim, signal.SIGKILL)
        await until(lambda: product.shows("/chat", DONE), "the picture all the same")
        assert product.generation_pid() != victim


async def test_pulling_the_plug_in_the_middle_of_a_job_loses_nothing(tmp_path: Path) -> None:
    port = free_port()
    async with demo(tmp_path, port, "--engine", "drawn") as product:
        await product.enter()
        child = product.generation_pid()
        os.kill(child, signal.SIGSTOP)
        await product.say(ON_BRAND)
        await until(lambda: product.shows("/chat", "Rendering"), "the job in the service")
        product.process.kill()
        os.kill(child, signal.SIGCONT)  # a stopped process cannot see that its parent is gone
        await product.process.wait()
    await until(lambda: gone(child), "the orphaned service's end")
    async with demo(tmp_path, port, "--engine", "drawn") as product:
        await product.enter()
        await until(lambda: product.shows("/chat", DONE), "the picture after the restart")
        page = await product.page("/chat")
        assert len(re.findall('class="card card-job"', page)) == 1


async def test_no_process_outlives_a_killed_product(tmp_path: Path) -> None:
    async with demo(tmp_path, free_port(), "--engine", "drawn") as product:
        await asked_and_done(product)
        family = product.children()
        assert len(family) >= 3, "the service, a worker process and its tracker"
        product.process.kill()
        await product.process.wait()
        for pid in family:
            await until(lambda pid=pid: gone(pid), f"the end of process {pid}")


async def gone(pid: int) -> bool:
    """Whether a process has ended."""
    return not await asyncio.to_thread(Path(f"/proc/{pid}").exists)


def test_the_bot_process_imports_no_torch() -> None:
    code = (
        "import sys, bot.app, bot.cli.app; "
        "print([m for m in ('torch','diffusers','transformers','peft') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
