"""Members: inviting, roles per brand, teams, leaving and coming back, and who is here.

Every change is one transaction with its ledger event; names stand in the event's personal part.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot.core import access
from bot.core.accounts import read_account
from bot.core.caller import Caller, kit_for
from bot.core.cards import reply_card
from bot.core.commands import Invite, ListPeople, SetActive, SetRole, SetTeam
from bot.core.errors import Conflict, Mistake, NotAllowed
from bot.core.finding_people import find_person
from bot.core.house import House
from bot.core.ids import new_id
from bot.core.ledger import Event, Personal
from bot.core.messages import Card, Field
from bot.core.people import ANY_BRAND, Identity, KeyKind, Person, Role
from bot.core.policy import (
    MANAGED,
    direct_line,
    keeps_an_admin,
    managed_brands,
    may_administer,
    may_give,
    may_raise,
    people_seen,
)
from bot.core.ports import Transaction
from bot.core.telling import line_to, say
from brand.words import clean, nearest

MAX_NAME = 80
MAX_TEAM = 40
EXAMPLE_LINE = "/imagine a red mug on a wooden table"
ROLE_WORDS = tuple(role.value for role in Role)


async def invite(house: House, caller: Caller, command: Invite) -> Card:
    """A new member who has not come in yet; `invitation` gives the link that lets them in. With an
    account in a chat, which an admin vouches for, they are in at once."""
    name = _text(command.name, MAX_NAME, "name")
    team = _text(command.team, MAX_TEAM, "team") if command.team else ""
    async with house.store.write() as tx:
        words = command.roles or (Role.REQUESTER.value,)
        roles = []
        for role in dict.fromkeys(role_of(word) for word in words):
            where = await _where(tx, caller, role, command.brand)
            may_give(caller.person, role, where)
            roles.append((where, role))
        if team or command.account:
            may_administer(caller.person)
        account = read_account(command.account, caller.actor) if command.account else None
        person = Person(
            id=new_id(),
            name=name,
            created_at=house.clock.now(),
            roles=tuple(roles),
            team=team,
        )
        await tx.people.add(person)
        facts = {"roles": [f"{role.value}@{where}" for where, role in person.roles]}
        await _note(house, tx, caller, "member.invited", person, facts=facts)
        if account is not None:
            person = await access.join(tx, house.clock, person, account, actor=caller.person.id)
            await _welcome(house, tx, person, account)
    if account is not None:
        return replace(
            reply_card(f"{name} is in", f"As {roles_line(person)}.", f"Known as {account}."),
            fields=(Field(label="id", value=person.id),),
        )
    return replace(
        reply_card(
            f"{name} is invited",
            f"As {roles_line(person)}.",
            fix="Give them their link: it is on the People page, works once and for 7 days.",
        ),
        fields=(Field(label="id", value=person.id),),
    )


async def invitation(house: House, caller: Caller, person_id: str) -> str:
    """The address of a fresh invitation link for a member who has not come in yet; earlier ones
    end. It is shown once and stored hashed. Raises NotAllowed, NotFound, Conflict."""
    async with house.store.write() as tx:
        person = await tx.people.get(person_id)
        for where, role in person.roles:
            may_give(caller.person, role, where)
        if not person.roles:
            may_administer(caller.person)
        if person.identities or not person.active:
            raise Conflict(
                f"{person.name or 'This member'} has come in already, or has left.",
                fix="Did they lose their account? Take it off with `/unlink`, then invite again.",
            )
        await tx.keys.remove_of(person.id, KeyKind.INVITE)
        secret = await access.issue(
            tx, house.clock, person.id, KeyKind.INVITE, access.INVITATION_LIFE
        )
        await _note(house, tx, caller, "invitation.issued", person)
    return f"{house.base_url}/enter?key={secret}"


async def set_role(house: House, caller: Caller, command: SetRole) -> Card:
    """Give a role in a brand or take it away."""
    role = role_of(command.role)
    async with house.store.write() as tx:
        where = await _where(tx, caller, role, command.brand)
        may_give(caller.person, role, where)
        person = await find_person(tx, command.person)
        if command.on:
            may_raise(caller.person, person)
            _is_here(person)
        if ((where, role) in person.roles) is command.on:
            return reply_card("Nothing to change", _has_already(person, role, where, command.on))
        if not command.on:
            await _check_taking(tx, person, role, where)
        held = tuple(pair for pair in person.roles if pair != (where, role))
        new = replace(person, roles=(*held, (where, role)) if command.on else held)
        waits = command.on and await is_invited(tx, person, house.clock.now())
        ended = waits and not _may_invite_still(person, role, where)
        if ended:  # the key before its person, as whoever comes in by it does
            await tx.keys.remove_of(person.id, KeyKind.INVITE)
        changed = await tx.people.update(new, was=person)
        action = "role.given" if command.on else "role.taken"
        await _note(house, tx, caller, action, changed, brand=where, facts={"role": role.value})
        verb = "is now" if command.on else "is no longer"
        said = f"{verb} {role_phrase(role, where)}"
        if person.id != caller.person.id:
            you = said.replace("is ", "You are ", 1)
            await _tell(house, tx, changed, "Your roles changed", f"{you}.")
    return reply_card(
        f"{person.name} {said}",
        f"Roles: {roles_line(changed) or 'none'}.",
        fix="Their invitation has ended: give them a fresh link from the People page."
        if ended
        else "",
    )


async def set_team(house: House, caller: Caller, command: SetTeam) -> Card:
    """Put a member into a team, or into none."""
    may_administer(caller.person)
    team = _text(command.team, MAX_TEAM, "team") if command.team else ""
    async with house.store.write() as tx:
        person = await find_person(tx, command.person)
        _is_here(person)
        if person.team != team:
            person = await tx.people.update(replace(person, team=team), was=person)
            await _note(house, tx, caller, "member.team_set", person, facts={"team": team})
    return reply_card(
        f"{person.name} is in team {team}" if team else f"{person.name} is in no team",
        "Members of a team share its budget." if team else "Only their own budget counts.",
    )


async def set_active(house: House, caller: Caller, command: SetActive) -> Card:
    """Let a member who left no longer in (sessions and keys end at once), or in again."""
    may_administer(caller.person)
    async with house.store.write() as tx:
        person = await find_person(tx, command.person)
        if person.is_erased:
            raise Conflict("This member was erased.", fix="Invite them as a new member.")
        if person.active is command.active:
            state = "a member" if person.active else "let in no longer"
            return reply_card("Nothing to change", f"{person.name} is {state} already.")
        if not command.active:
            if person.is_admin:
                keeps_an_admin(person, await tx.people.admins())
            await tx.keys.remove_of(person.id)
        changed = await tx.people.update(replace(person, active=command.active), was=person)
        action = "member.reactivated" if command.active else "member.deactivated"
        await _note(house, tx, caller, action, changed)
    if command.active:
        return reply_card(f"{person.name} is let in again", f"Roles: {roles_line(person)}.")
    return reply_card(
        f"{person.name} is let in no longer",
        "Their sessions, API keys and invitations have ended. What they asked for stays.",
        fix=f"Undo it with `/reactivate {person.name}`.",
    )


async def list_people(house: House, caller: Caller, command: ListPeople) -> Card:
    """The members whom the caller may see, with their roles and accounts."""
    async with house.store.read() as tx:
        people = people_seen(caller.person, await tx.people.all())
        brand = (await kit_for(tx, command.brand, caller.actor)).id if command.brand else ""
        waiting = {p.id for p in people if await is_invited(tx, p, house.clock.now())}
    shown = [
        person
        for person in people
        if not person.is_erased and (not brand or person.roles_in(brand))
    ]
    return Card(
        kind="list",
        title="People" if len(shown) != 1 else "You",
        columns=("name", "roles", "team", "accounts", "state", "id"),
        rows=tuple(_row(person, waiting) for person in shown),
        hint="/invite Mia --role approver" if managed_brands(caller.person) else "",
        fix="" if managed_brands(caller.person) else "Roles are given by admins and managers.",
        private=True,
    )


def _row(person: Person, waiting: set[str]) -> tuple[str, ...]:
    accounts = ", ".join(dict.fromkeys(identity.platform for identity in person.identities))
    return (
        person.name,
        roles_line(person) or "none",
        person.team,
        accounts,
        state_of(person, invited=person.id in waiting),
        person.id,
    )


async def is_invited(tx: Transaction, person: Person, now: datetime) -> bool:
    """Whether an invitation is out for somebody who has not come in. Of all others, no key is
    looked for: a long list stays one query."""
    if person.identities or not person.active:
        return False
    keys = await tx.keys.of_person(person.id, KeyKind.INVITE)
    return any(key.expires_at > now and key.used_at is None for key in keys)


def state_of(person: Person, *, invited: bool) -> str:
    """member, invited (a link is out), not in yet (none is), blocked, left."""
    if not person.active:
        return "left"
    if person.is_blocked:
        return "blocked"
    if person.identities:
        return "member"
    return "invited" if invited else "not in yet"


def role_of(word: str) -> Role:
    """The role of this word; a space is as good as an underscore. Raises Mistake."""
    text = clean(word).casefold().replace(" ", "_").replace("-", "_")
    if text in ROLE_WORDS:
        return Role(text)
    meant = nearest(text, ROLE_WORDS)
    raise Mistake(
        f"`{clean(word)[:40]}` isn't a role." + (f" Did you mean `{meant}`?" if meant else ""),
        allowed=ROLE_WORDS,
        nearest=meant,
        field="role",
    )


def role_phrase(role: Role, where: str) -> str:
    """ "approver in acme", "admin", "auditor in all brands"."""
    name = role.value.replace("_", " ")
    if role is Role.ADMIN:
        return name
    return f"{name} in {'all brands' if where == ANY_BRAND else where}"


def roles_line(person: Person) -> str:
    """All roles of a member in one line; empty if they have none."""
    return ", ".join(role_phrase(role, where) for where, role in person.roles)


async def _where(tx: Transaction, caller: Caller, role: Role, named: str) -> str:
    """The brand's id, or `*` where none is named; a manager of one brand means that one."""
    if named and named != ANY_BRAND:
        if role is Role.ADMIN:
            raise Mistake("An admin is one in all brands.", fix="Leave the brand out.")
        return (await kit_for(tx, named, caller.actor)).id
    managed = managed_brands(caller.person)
    own = len(managed) == 1 and not named and role is not Role.ADMIN
    return min(managed) if own else ANY_BRAND


def _has_already(person: Person, role: Role, where: str, on: bool) -> str:
    phrase = role_phrase(role, where)
    if on:
        return f"{person.name} is {phrase} already."
    elsewhere = ", ".join(role_phrase(r, w) for w, r in person.roles if r is role)
    more = f" They are {elsewhere}." if elsewhere else ""
    return f"{person.name} isn't {phrase}.{more}"


async def _check_taking(tx: Transaction, person: Person, role: Role, where: str) -> None:
    if role is Role.ADMIN and where == ANY_BRAND and person.active:
        keeps_an_admin(person, await tx.people.admins())


def _may_invite_still(person: Person, role: Role, where: str) -> bool:
    """Whether all who may have made this member's invitation may give the new role too: nobody
    comes in by an old link with rights that its maker could not give."""
    return role in MANAGED and any(held in (where, ANY_BRAND) for held, _ in person.roles)


def _is_here(person: Person) -> None:
    if not person.active:
        raise NotAllowed(
            f"{person.name or 'This member'} has left.",
            fix="Let them in again first: `/reactivate NAME`.",
        )


def _text(text: str, limit: int, field: str) -> str:
    plain = clean(text)
    if not plain or len(plain) > limit:
        raise Mistake(f"A {field} has 1 to {limit} characters.", field=field)
    return plain


async def _note(
    house: House,
    tx: Transaction,
    caller: Caller,
    action: str,
    person: Person,
    *,
    brand: str = "",
    facts: Mapping[str, object] | None = None,
) -> None:
    await tx.ledger.append(
        Event(
            action=action,
            subject=f"person:{person.id}",
            at=house.clock.now(),
            actor=caller.person.id,
            brand="" if brand == ANY_BRAND else brand,
            facts={**(facts or {}), **({"brand": brand} if brand else {})},
            personal={"name": Personal(value=person.name)},
        )
    )


async def _welcome(house: House, tx: Transaction, person: Person, account: Identity) -> None:
    line = direct_line(account.platform, account.user, account.team)
    card = reply_card(f"Welcome, {person.name}", f"You are {roles_line(person)}.")
    await say(tx, replace(card, hint=EXAMPLE_LINE), line, house.clock.now())


async def _tell(house: House, tx: Transaction, person: Person, title: str, line: str) -> None:
    to = await line_to(tx, person.id, "")
    if to is not None:
        await say(tx, reply_card(title, line), to, house.clock.now())
