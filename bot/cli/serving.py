"""`housestyle serve` and `housestyle demo`: the product until Ctrl-C."""

import asyncio
import socket
import sys
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.console import Terminal
from bot.cli.logs import configure_logging
from bot.cli.options import Json, common, settings_of, shipped_brands
from bot.cli.owner import run_async
from bot.settings import DEMO_FOLDER, Settings, terminal_environment

Port = Annotated[int | None, typer.Option(help="The port to listen on.")]
Host = Annotated[str | None, typer.Option(help="The address to listen on.")]
Engine = Annotated[str | None, typer.Option(help="diffusers, or drawn: no torch needed.")]

FIRST_PORT, PORTS_TRIED = 8600, 20
LISTENING_EVERY_S = 0.05


def serve(
    context: typer.Context,
    role: Annotated[
        list[str] | None, typer.Option(help="all, or bot, web, worker, scheduler; repeatable.")
    ] = None,
    host: Host = None,
    port: Port = None,
    engine: Engine = None,
    owner_link: Annotated[
        bool, typer.Option("--owner-link", help="Print a one-time link for the owner.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Run the product until Ctrl-C.

    --role chooses parts of it, which may then run apart."""
    settings = settings_of(
        context,
        roles=",".join(role) if role else None,
        host=host,
        port=port,
        generation__engine=engine,
    )
    configure_logging(settings)
    run_async(lambda: _serve(settings, Terminal(as_json=as_json), link=owner_link))


def demo(
    context: typer.Context,
    port: Port = None,
    engine: Engine = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the link, if one can.")
    ] = True,
    as_json: Json = False,
) -> None:
    """Run everything here, with a demo brand.

    Prints one owner link, which opens on the local chat.

    In the demo alone one person may ask and approve; such votes are marked.
    """
    chosen = common(context)
    settings = settings_of(
        context,
        data_dir=str(chosen.data_dir or Path(DEMO_FOLDER)),
        port=port,
        generation__engine=engine,
    )
    configure_logging(settings, "warning" if settings.log_level == "info" else "")
    run_async(
        lambda: _serve(_for_demo(settings), Terminal(as_json=as_json), link=True, browser=browser)
    )


def _for_demo(settings: Settings) -> Settings:
    """The demo brand where there is no kit, and a free port where none was chosen."""
    if not any(settings.brands_dir.glob("*.toml")):
        settings = replace(settings, brands_dir=shipped_brands())
    if settings.port == FIRST_PORT:
        port = _free_port(settings.host)
        base_url = settings.base_url.replace(f":{FIRST_PORT}", f":{port}")
        settings = replace(settings, port=port, base_url=base_url)
    return replace(settings, demo=True)


def _free_port(host: str) -> int:
    for port in range(FIRST_PORT, FIRST_PORT + PORTS_TRIED):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            with socket.create_server((host, port), family=family):
                return port
        except OSError:
            continue
    return FIRST_PORT  # taken as well: listening says so, with the way out


async def _serve(
    settings: Settings, terminal: Terminal, *, link: bool, browser: bool = False
) -> None:
    from bot.app import Roles, open_house, owner_link, serve
    from bot.chats import slack_options

    slack_options(settings)  # half a configuration is refused before anything starts
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    roles = Roles.named(settings.roles)
    stop = asyncio.Event()
    async with open_house(settings, generation=roles.worker) as house:
        url = await owner_link(house) if link else ""
        async with _announced(settings, terminal, url, browser=browser, on=roles.web):
            await serve(settings, house, roles, stop)


@asynccontextmanager
async def _announced(
    settings: Settings, terminal: Terminal, url: str, *, browser: bool, on: bool
) -> AsyncIterator[None]:
    """Say where it is once it listens, not before: a link that does not open yet is no link."""
    telling = (
        asyncio.create_task(_announce(settings, terminal, url, browser=browser)) if on else None
    )
    try:
        yield
    finally:
        if telling is not None:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)


async def _announce(settings: Settings, terminal: Terminal, url: str, *, browser: bool) -> None:
    await _listening(settings)
    facts = {"base_url": settings.base_url, "data_dir": str(settings.data_dir)}
    if terminal.as_json:
        terminal.json_line(facts | ({"owner_link": url} if url else {}))
    elif url:
        print(url, flush=True)
    terminal.note(
        f"{'Open the link above once. ' if url else ''}Housestyle is at {settings.base_url}; "
        f"everything is kept in {settings.data_dir}. Ctrl-C stops it."
    )
    if url and browser and _has_screen():
        await asyncio.to_thread(webbrowser.open, url)


async def _listening(settings: Settings) -> None:
    host = "127.0.0.1" if settings.host == "0.0.0.0" else settings.host  # noqa: S104  compared
    while True:
        try:
            _, writer = await asyncio.open_connection(host, settings.port)
        except OSError:
            await asyncio.sleep(LISTENING_EVERY_S)
            continue
        writer.close()
        return


def _has_screen() -> bool:
    """A browser in the terminal itself would hide the link, so only one on a screen counts."""
    environment = terminal_environment()
    return sys.platform == "darwin" or "DISPLAY" in environment or "WAYLAND_DISPLAY" in environment
