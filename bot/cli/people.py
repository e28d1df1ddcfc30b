"""`housestyle people`: members, roles, teams, joined accounts, leaving, erasing."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli import people_keys
from bot.cli.cards import print_card, say
from bot.cli.console import CommandFailed, Failure, Terminal
from bot.cli.exits import ExitCode
from bot.cli.options import BrandId, Json, settings_of
from bot.cli.owner import at_terminal, run_async

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.messages import Card
    from bot.core.people import Person

group = typer.Typer(
    help="People: list, invite, give roles, join accounts, let go, erase.", no_args_is_help=True
)
group.add_typer(people_keys.group, name="keys")
Who = Annotated[str, typer.Argument(help="The member's name, id, or an account as slack:USER.")]
Role = Annotated[str, typer.Argument(help="requester, approver, brand_manager, admin, auditor.")]


@group.command("list")
def list_(context: typer.Context, brand: BrandId = "", as_json: Json = False) -> None:
    """Who is here, with roles and accounts."""
    from bot.core.commands import ListPeople

    settings = settings_of(context)

    async def work() -> "tuple[Card, Sequence[Person]]":
        async with at_terminal(settings) as here:
            card = await here.say(ListPeople(brand=brand))
            async with here.house.store.read() as tx:
                return card, await tx.people.all()

    card, people = run_async(work)
    known = {person.id: person for person in people}
    facts = [_facts(row, known[row[-1]]) for row in card.rows]
    Terminal(as_json=as_json).table(card.columns, card.rows, facts)


@group.command()
def invite(
    context: typer.Context,
    name: Annotated[list[str], typer.Argument(help="How the new member is called.")],
    role: Annotated[
        list[str] | None, typer.Option("--role", help="May be given several times.")
    ] = None,
    brand: BrandId = "",
    team: Annotated[str, typer.Option("--team", help="Whose budget they share.")] = "",
    account: Annotated[
        str, typer.Option("--account", help="Theirs in a chat, as slack:USER/WORKSPACE.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Add a member; prints the one-time link that lets them in, good for seven days.

    With --account they are in at once.
    """
    from bot.core.commands import Invite
    from bot.core.members import invitation

    settings, terminal = settings_of(context), Terminal(as_json=as_json)
    command = Invite(
        name=" ".join(name),
        roles=tuple(role or ["requester"]),
        brand=brand,
        team=team,
        account=account,
    )
    if account:
        say(settings, command, as_json=as_json)
        return

    async def work() -> tuple[str, str]:
        async with at_terminal(settings) as here:
            card = await here.say(command)
            person = next(field.value for field in card.fields if field.label == "id")
            return person, await invitation(here.house, here.caller, person)

    person, link = run_async(work)
    terminal.note(f"Give {command.name} this link. It works once, for 7 days.")
    terminal.result(link, {"id": person, "name": command.name, "link": link})


@group.command("link-again")
def link_again(context: typer.Context, who: Who, as_json: Json = False) -> None:
    """A fresh link for a member who has not come in yet; the earlier one ends."""
    from bot.core.finding_people import find_person
    from bot.core.members import invitation

    settings = settings_of(context)

    async def work() -> tuple[str, str]:
        async with at_terminal(settings) as here:
            async with here.house.store.read() as tx:
                person = await find_person(tx, who)
            return person.id, await invitation(here.house, here.caller, person.id)

    person, link = run_async(work)
    Terminal(as_json=as_json).result(link, {"id": person, "link": link})


@group.command()
def role(
    context: typer.Context,
    who: Who,
    word: Role,
    off: Annotated[bool, typer.Option("--off", help="Take it away.")] = False,
    brand: BrandId = "",
    as_json: Json = False,
) -> None:
    """Give a role, in one brand or in all."""
    from bot.core.commands import SetRole

    say(
        settings_of(context),
        SetRole(person=who, role=word, on=not off, brand=brand),
        as_json=as_json,
    )


@group.command()
def team(
    context: typer.Context,
    who: Who,
    name: Annotated[str, typer.Argument(help="The team; left out: none.")] = "",
    as_json: Json = False,
) -> None:
    """Put a member into a team, or into none."""
    from bot.core.commands import SetTeam

    say(settings_of(context), SetTeam(person=who, team=name), as_json=as_json)


@group.command()
def deactivate(context: typer.Context, who: Who, as_json: Json = False) -> None:
    """Let a member who left no longer in; their sessions and keys end at once."""
    from bot.core.commands import SetActive

    say(settings_of(context), SetActive(person=who, active=False), as_json=as_json)


@group.command()
def reactivate(context: typer.Context, who: Who, as_json: Json = False) -> None:
    """Let a member in again."""
    from bot.core.commands import SetActive

    say(settings_of(context), SetActive(person=who, active=True), as_json=as_json)


@group.command()
def block(
    context: typer.Context,
    who: Who,
    reason: Annotated[str, typer.Option("--reason", help="Why; they read it.")] = "",
    as_json: Json = False,
) -> None:
    """Put a member on the block list: whatever they say is refused."""
    from bot.core.commands import BlockPerson

    say(settings_of(context), BlockPerson(person=who, reason=reason), as_json=as_json)


@group.command()
def unblock(context: typer.Context, who: Who, as_json: Json = False) -> None:
    """Take a member off the block list."""
    from bot.core.commands import BlockPerson

    say(settings_of(context), BlockPerson(person=who, blocked=False), as_json=as_json)


@group.command()
def link(
    context: typer.Context,
    code: Annotated[str, typer.Argument(help="A code from another account.")] = "",
    as_json: Json = False,
) -> None:
    """Join the owner's account with one on another platform: prints a code, or takes one."""
    from bot.core.commands import LinkAccount

    settings = settings_of(context)
    say(settings, LinkAccount(code=code), as_json=as_json)
    if not code:
        Terminal(as_json=as_json).note(f"You are asked in the portal: {settings.base_url}/chat/me")


@group.command()
def unlink(
    context: typer.Context,
    platform: Annotated[str, typer.Argument(help="slack, or exactly slack:USER.")],
    who: Annotated[str, typer.Argument(help="Whose account; left out: the owner's.")] = "",
    as_json: Json = False,
) -> None:
    """Take an account off a member."""
    from bot.core.commands import UnlinkAccount

    say(settings_of(context), UnlinkAccount(platform=platform, person=who), as_json=as_json)


@group.command()
def erase(
    context: typer.Context,
    who: Who,
    yes: Annotated[bool, typer.Option("--yes", help="Really: it can't be undone.")] = False,
    as_json: Json = False,
) -> None:
    """Take a person's name, accounts and words out of all records."""
    from bot.core.commands import ErasePerson

    settings = settings_of(context)

    async def work() -> "Card":
        async with at_terminal(settings) as here:
            return await here.say(ErasePerson(person=who, sure=yes))

    card = run_async(work)
    if not yes:
        said = " ".join((card.title, *card.lines))
        raise CommandFailed(
            Failure(
                code=ExitCode.USAGE, error="not_sure", message=said, fix="If so, say it with --yes."
            )
        )
    print_card(Terminal(as_json=as_json), card)


@group.command()
def sweep(context: typer.Context, as_json: Json = False) -> None:
    """Overwrite on the disk what was erased, where that was not possible at once."""
    settings = settings_of(context)

    async def work() -> bool:
        async with at_terminal(settings) as here:
            return await here.house.store.compact()

    if not run_async(work):
        raise CommandFailed(
            Failure(
                code=ExitCode.UNAVAILABLE,
                error="store_busy",
                message="Another process used the database file.",
                fix="Try again in a moment.",
            )
        )
    Terminal(as_json=as_json).result("The database file is written anew.", {"swept": True})


def _facts(row: tuple[str, ...], person: "Person") -> dict[str, Any]:
    return {
        "id": person.id,
        "name": person.name,
        "state": row[4],
        "team": person.team,
        "roles": [{"brand": where, "role": role.value} for where, role in person.roles],
        "accounts": [
            {"platform": one.platform, "user": one.user, "team": one.team}
            for one in person.identities
        ],
    }
