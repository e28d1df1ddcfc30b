"""The block list: members who may give no command until they are taken off it again."""

from dataclasses import replace

from bot.core.caller import Caller
from bot.core.cards import reply_card
from bot.core.commands import BlockPerson
from bot.core.errors import Mistake, NotAllowed
from bot.core.finding_people import find_person
from bot.core.house import House
from bot.core.ledger import Event, Personal
from bot.core.messages import Card
from bot.core.people import Person
from bot.core.policy import may_administer
from bot.core.ports import Transaction
from brand.words import clean

MAX_REASON = 300
BLOCKED = "member.blocked"
UNBLOCKED = "member.unblocked"


async def block(house: House, caller: Caller, command: BlockPerson) -> Card:
    """Put a member on the block list, or take them off it. What they asked for stays, and their
    jobs go on. Raises NotAllowed, NotFound, Mistake."""
    may_administer(caller.person)
    reason = clean(command.reason)
    if len(reason) > MAX_REASON:
        raise Mistake(f"A reason has at most {MAX_REASON} characters.", field="reason")
    async with house.store.write() as tx:
        person = await find_person(tx, command.person)
        if command.blocked:
            _may_be_blocked(caller, person)
        if person.is_blocked is command.blocked and person.blocked_why == reason:
            state = "on the block list already" if person.is_blocked else "not on the block list"
            return reply_card("Nothing to change", f"{person.name} is {state}.")
        new = await tx.people.update(_listed(house, caller, person, command, reason), was=person)
        await _note(house, tx, caller, new)
    if not command.blocked:
        return reply_card(f"{person.name} is off the block list", "They are answered again.")
    return reply_card(
        f"{person.name} is on the block list",
        "Whatever they say is refused, with the reason, to them alone. What they asked for stays.",
        fix=f"Undo it with `/people unblock {person.name}`.",
    )


def _may_be_blocked(caller: Caller, person: Person) -> None:
    if person.id == caller.person.id:
        raise NotAllowed("Nobody puts themselves on the block list.")
    if person.is_admin:
        raise NotAllowed(
            f"{person.name} is an admin.",
            fix=f"Take the role away first: `/role {person.name} admin off`.",
        )


def _listed(
    house: House, caller: Caller, person: Person, command: BlockPerson, reason: str
) -> Person:
    if not command.blocked:
        return replace(person, blocked_at=None, blocked_by="", blocked_why="")
    since = person.blocked_at or house.clock.now()
    return replace(person, blocked_at=since, blocked_by=caller.person.id, blocked_why=reason)


async def _note(house: House, tx: Transaction, caller: Caller, person: Person) -> None:
    personal = {"name": Personal(value=person.name)}
    if person.blocked_why:
        personal["reason"] = Personal(value=person.blocked_why)
    await tx.ledger.append(
        Event(
            action=BLOCKED if person.is_blocked else UNBLOCKED,
            subject=f"person:{person.id}",
            at=house.clock.now(),
            actor=caller.person.id,
            personal=personal,
        )
    )
