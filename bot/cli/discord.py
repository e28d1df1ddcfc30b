"""`housestyle discord`: what connecting to Discord needs."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.console import Terminal
from bot.cli.options import Json, settings_of
from bot.cli.owner import run_async

if TYPE_CHECKING:
    from bot.chat.discord_chat.options import DiscordOptions

group = typer.Typer(
    help="Connecting to Discord: the invitation's address, the commands.", no_args_is_help=True
)


@group.command()
def invite(
    context: typer.Context,
    app: Annotated[
        str, typer.Option(help="The application's id; default: Discord is asked by the token.")
    ] = "",
    guild: Annotated[str, typer.Option(help="The id of the server that is chosen there.")] = "",
    as_json: Json = False,
) -> None:
    """Print the address by which the app is invited, with the permissions it needs."""
    from bot.chat.discord_chat.permissions import SCOPES, WANTED, invitation
    from bot.chat.discord_chat.surfaces import PERMISSIONS

    terminal = Terminal(as_json=as_json)
    chosen = app or run_async(lambda: app_of(_options(context)))
    address = invitation(chosen, guild=guild)
    facts = {
        "url": address,
        "app": chosen,
        "scopes": SCOPES.split(),
        "permissions": WANTED,
        "names": list(PERMISSIONS),
    }
    terminal.result(address, facts)
    terminal.note("Open it as somebody who may manage the server. It asks for:")
    terminal.note(f"{', '.join(PERMISSIONS)}.")


@group.command()
def commands(
    context: typer.Context,
    sync: Annotated[
        bool, typer.Option("--sync", help="Tell Discord this version's commands now.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say which commands this version has, and whether Discord has them.

    `serve` tells Discord by itself when they have changed."""
    from bot.chat.discord_chat.commands import payloads

    terminal = Terminal(as_json=as_json)
    ours = payloads()
    state = run_async(lambda: told(_options(context), ours, sync=sync))
    text = "\n".join(_line(command) for command in ours)
    terminal.result(text, {"state": state, "commands": ours})
    terminal.note(_SAID[state])


_SAID = {
    "same": "Discord has them.",
    "other": "Discord has others; `--sync` replaces them.",
    "told": "Discord has them now. Apps show them after a restart of theirs at the latest.",
}
_SLASH = 1


def _line(command: dict[str, Any]) -> str:
    if command["type"] != _SLASH:
        return f"{command['name']}  (in each message's menu, under Apps)"
    return f"/{command['name']}  {command.get('description', '')}"


def _options(context: typer.Context) -> "DiscordOptions":
    """Raises SettingsInvalid."""
    from bot.chats import discord_options
    from bot.settings import SettingsInvalid

    found = discord_options(settings_of(context))
    if found is None:
        raise SettingsInvalid(
            "Discord is not connected: discord.token is not set.",
            fix="Set HOUSESTYLE_DISCORD_TOKEN; docs/discord.md says where it is from. "
            "`invite --app ID` needs none.",
        )
    return found


async def app_of(options: "DiscordOptions") -> str:
    """The application's id, by its token. Raises DiscordSaysNo."""
    from bot.cli.discord_asking import Asking

    async with Asking(options) as asking:
        return str((await asking.about("/applications/@me")).get("id", ""))


async def told(options: "DiscordOptions", ours: list[dict[str, Any]], *, sync: bool) -> str:
    """Whether Discord has these commands: `same`, `other`, or `told` where it was told now.
    Raises DiscordSaysNo."""
    from bot.chat.discord_chat.commands import digest
    from bot.cli.discord_asking import Asking

    async with Asking(options) as asking:
        app = (await asking.about("/applications/@me")).get("id", "")
        path = f"/applications/{app}/commands"
        if digest(await asking.all_of(path)) == digest(ours):
            return "same"
        if sync:
            await asking.put(path, ours)
        return "told" if sync else "other"
