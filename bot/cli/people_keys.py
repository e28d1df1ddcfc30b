"""`housestyle people keys`: API keys of the owner, and of others to look at and revoke."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.console import Terminal
from bot.cli.options import Json, settings_of
from bot.cli.owner import at_terminal, run_async

if TYPE_CHECKING:
    from bot.core.people import Key

group = typer.Typer(help="API keys: list, create, revoke.", no_args_is_help=True)


@group.command("list")
def list_(
    context: typer.Context,
    who: Annotated[str, typer.Argument(help="Whose keys; left out: the owner's.")] = "",
    as_json: Json = False,
) -> None:
    """Keys with their scopes, their end and their last use. Secrets are kept hashed only."""
    settings, terminal = settings_of(context), Terminal(as_json=as_json)

    async def work() -> "list[Key]":
        from bot.core.api_keys import list_keys
        from bot.core.finding_people import find_person

        async with at_terminal(settings) as here:
            person = here.owner
            if who:
                async with here.house.store.read() as tx:
                    person = await find_person(tx, who)
            return await list_keys(here.house, here.caller, person.id)

    keys = run_async(work)
    if not keys:
        terminal.note("No keys.")
    rows = [
        (
            key.label,
            ", ".join(key.scopes),
            f"{key.expires_at:%d %b %Y}",
            f"{key.used_at:%d %b %H:%M} UTC" if key.used_at else "never",
            key.id,
        )
        for key in keys
    ]
    if rows or as_json:
        facts = [_facts(key) for key in keys]
        terminal.table(("name", "scopes", "ends", "last used", "id"), rows, facts)


@group.command()
def create(
    context: typer.Context,
    name: Annotated[list[str], typer.Argument(help="What the key is for.")],
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", help="read, submit, review, admin; may be given several times."),
    ] = None,
    days: Annotated[int, typer.Option("--days", help="How long it works, at most 366.")] = 90,
    as_json: Json = False,
) -> None:
    """A key for the owner. It is printed once and can't be shown again."""
    settings, terminal = settings_of(context), Terminal(as_json=as_json)

    async def work() -> "tuple[Key, str]":
        from bot.core import api_keys

        async with at_terminal(settings) as here:
            return await api_keys.create(
                here.house, here.caller, label=" ".join(name), scopes=scope or ["read"], days=days
            )

    key, text = run_async(work)
    terminal.note("Keep it now: it is shown only once. Send it as `Authorization: Bearer KEY`.")
    terminal.result(text, {**_facts(key), "key": text})


@group.command()
def revoke(
    context: typer.Context,
    key: Annotated[str, typer.Argument(help="The key's id, as the list has it.")],
    as_json: Json = False,
) -> None:
    """End a key at once."""
    settings = settings_of(context)

    async def work() -> "Key":
        from bot.core import api_keys

        async with at_terminal(settings) as here:
            return await api_keys.revoke(here.house, here.caller, key)

    gone = run_async(work)
    Terminal(as_json=as_json).result(f"{gone.label} is revoked.", _facts(gone))


def _facts(key: "Key") -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.label,
        "person": key.person,
        "scopes": list(key.scopes),
        "created_at": key.created_at.isoformat(),
        "expires_at": key.expires_at.isoformat(),
        "used_at": key.used_at.isoformat() if key.used_at else None,
    }
