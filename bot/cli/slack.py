"""`housestyle slack`: what connecting to Slack needs."""

import json
from typing import Annotated

import typer

from bot.cli.console import Terminal
from bot.cli.options import Json, settings_of

group = typer.Typer(help="Connecting to Slack: the app's manifest, a key.", no_args_is_help=True)


@group.command()
def manifest(
    context: typer.Context,
    url: Annotated[
        str, typer.Option(help="Where people and Slack reach this house; default: base_url.")
    ] = "",
    mode: Annotated[str, typer.Option(help="http or socket; default: what the settings say.")] = "",
    distributed: Annotated[
        bool, typer.Option("--distributed", help="For several workspaces, which install it.")
    ] = False,
    name: Annotated[str, typer.Option(help="What the app is called in Slack.")] = "",
) -> None:
    """Print the app's manifest, ready to paste at api.slack.com/apps."""
    from bot.chat.slack_chat.manifest import NAME
    from bot.chat.slack_chat.manifest import manifest as made
    from bot.chat.slack_chat.options import Mode

    settings = settings_of(context, slack__mode=mode or None)
    chosen = settings.slack.mode or ("socket" if settings.slack.app_token else "http")
    several = distributed or bool(settings.slack.client_id)
    address = url or settings.base_url
    found = made(address, mode=Mode(chosen), distributed=several, name=name or NAME)
    print(json.dumps(found, indent=2, ensure_ascii=False))
    Terminal().note("Paste it at https://api.slack.com/apps: Create New App, From a manifest.")


@group.command()
def key(as_json: Json = False) -> None:
    """Print a new key for slack.token_key.

    It seals the tokens of workspaces that install the app.
    """
    from bot.chat.slack_chat.installing.vault import new_key

    made = new_key()
    terminal = Terminal(as_json=as_json)
    terminal.result(made, {"key": made})
    terminal.note(
        "Keep it as HOUSESTYLE_SLACK_TOKEN_KEY, apart from the backups: whoever has both has the "
        "workspaces' tokens. To change it, put the new one in front: NEW,OLD."
    )
