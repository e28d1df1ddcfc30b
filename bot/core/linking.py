"""Joining the accounts of one person: a code asked for in one, typed in the other, confirmed in
the first.

Nothing is won by a stolen code alone: its owner is asked, in the account that asked for it, and
is told whose account typed it. Guessing is limited by the store: a code is one of 32^8, lives ten
minutes, and an account may be wrong five times in a quarter of an hour.
"""

import secrets
from dataclasses import replace
from datetime import timedelta

from bot.core.access import join
from bot.core.accounts import account_of
from bot.core.actions import action
from bot.core.caller import Caller, known
from bot.core.cards import reply_card
from bot.core.commands import ConfirmLink, LinkAccount, UnlinkAccount
from bot.core.errors import Conflict, Mistake, NotAllowed, NotFound, Refused
from bot.core.finding_people import find_person
from bot.core.house import House
from bot.core.ids import new_id
from bot.core.ledger import Event, Personal
from bot.core.lives import LinkState
from bot.core.messages import Actor, Button, Card, ChannelRef, Style
from bot.core.people import AccountLink, Identity, KeyKind, Person
from bot.core.policy import direct_line, may_administer
from bot.core.ports import Transaction
from bot.core.telling import line_to, name_of, say
from brand.spec import sha256_hex
from brand.words import clean

CODE_LIFE = timedelta(minutes=10)
"""For typing the code, and again for confirming."""
CODE_LENGTH = 8
CODE_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Nothing that is read as something else: no 0, 1, I and O."""
MAX_OPEN = 3
"""Codes of one person that wait at a time."""
MAX_TRIES = 5
TRIES_WITHIN = timedelta(minutes=15)


async def link(house: House, actor: Actor, command: LinkAccount) -> Card:
    """Without a code: give one. With it: claim it for this account, known or not."""
    if not command.code:
        return await _give_code(house, actor)
    return await _claim(house, actor, _plain(command.code))


async def _give_code(house: House, actor: Actor) -> Card:
    now = house.clock.now()
    async with house.store.write() as tx:
        caller = await known(tx, actor)
        waiting = [
            one
            for one in await tx.links.of_person(caller.person.id)
            if one.expires_at > now and one.state in (LinkState.OPEN, LinkState.CLAIMED)
        ]
        if len(waiting) >= MAX_OPEN:
            raise Refused(
                f"{MAX_OPEN} codes of yours are open already.",
                fix="Use one of them, or wait ten minutes until they have run out.",
            )
        code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
        asked = AccountLink(
            id=new_id(),
            person=caller.person.id,
            code_hash=sha256_hex(code.encode()),
            asked_from=account_of(actor),
            created_at=now,
            expires_at=now + CODE_LIFE,
        )
        await tx.links.add(asked)
        await _note(house, tx, "link.asked", asked, actor=caller.person.id)
    shown = f"{code[:4]}-{code[4:]}"
    return reply_card(
        f"Your code: {shown}",
        "Type it in your other account within ten minutes: after /link in the portal's chat and "
        "in Discord, after /imagine link in Slack.",
        "Then you are asked here whether that account is yours. Give the code to nobody.",
    )


async def _claim(house: House, actor: Actor, code: str) -> Card:
    """What is wrong is answered after the commit, so that the wrong try is counted."""
    account, now = account_of(actor), house.clock.now()
    async with house.store.write() as tx:
        if await tx.links.count_try(account, now, TRIES_WITHIN) > MAX_TRIES:
            raise Refused(
                "Too many codes came from this account.",
                fix="Wait a quarter of an hour, then ask for a new code.",
            )
        asked = await tx.links.by_code(sha256_hex(code.encode()))
        if asked is None or asked.expires_at <= now:
            await _note_miss(house, tx, account.platform)
            asked = None
        else:
            owner = await _claimed(house, tx, actor, asked)
    if asked is None:
        raise Refused(
            "This code isn't right, or it has run out.",
            fix="Type `/link` in the account I know, and the new code here.",
        )
    return reply_card(
        "One more step",
        f"{owner} is asked on {asked.asked_from.platform} whether this account is theirs.",
        fix="Answer there within ten minutes.",
    )


async def _claimed(house: House, tx: Transaction, actor: Actor, asked: AccountLink) -> str:
    """The code is taken by this account, and its owner is asked; the owner's name."""
    account = account_of(actor)
    await _check_free(tx, asked, account)
    await tx.links.forget_tries(account)
    new = replace(
        asked,
        state=LinkState.CLAIMED,
        claim=account,
        claim_name=clean(actor.name)[:80],
        expires_at=house.clock.now() + CODE_LIFE,
    )
    claimed = await tx.links.update(new, was=asked)
    await _note(house, tx, "link.claimed", claimed, actor="")
    await _ask(house, tx, claimed)
    return await name_of(tx, asked.person)


async def _check_free(tx: Transaction, asked: AccountLink, account: Identity) -> None:
    person = await tx.people.get(asked.person)
    if not person.active:
        raise Refused("This code isn't right, or it has run out.")
    owner = await tx.people.by_identity(account.platform, account.user, account.team)
    if owner is None:
        return
    if owner.id == asked.person:
        raise Conflict(
            "I know this account as yours already.",
            fix="Type the code in the account that I don't know yet.",
        )
    raise NotAllowed(
        "This account belongs to another member.",
        fix="If both are you, take it off there with `/unlink`, or ask an admin; then try again.",
    )


async def _ask(house: House, tx: Transaction, claimed: AccountLink) -> None:
    """The question to the code's owner, in the account that asked for the code."""
    if claimed.claim is None:
        raise ValueError("A code that nobody typed has no account to ask about.")
    card = Card(
        kind="reply",
        subject=f"link:{claimed.id}",
        title="Is this account yours?",
        lines=(
            f"{claimed.claim_name} on {claimed.claim.platform} ({claimed.claim.user}) typed your "
            "code and wants to speak as you.",
        ),
        buttons=(
            Button(
                label="Yes, it's mine",
                action=action("link", claimed.id, "yes"),
                style=Style.PRIMARY,
                icon="approve",
            ),
            Button(
                label="No",
                action=action("link", claimed.id, "no"),
                style=Style.DANGER,
                icon="reject",
            ),
        ),
        private=True,
    )
    await say(tx, card, _line(claimed.asked_from), house.clock.now())


async def confirm(house: House, caller: Caller, command: ConfirmLink) -> Card:
    """The code's owner, in the account that asked for it, says whether the other one is theirs."""
    now = house.clock.now()
    async with house.store.write() as tx:
        asked = await tx.links.get(command.key)
        if asked.person != caller.person.id or asked.asked_from != account_of(caller.actor):
            raise NotFound("There is no such question for you.")
        if asked.state is not LinkState.CLAIMED or asked.claim is None:
            raise Conflict("This was answered already.", fix="`/people` shows your accounts.")
        if asked.expires_at <= now:
            raise Refused("This question has run out.", fix="Start again with `/link`.")
        account = asked.claim
        state = LinkState.JOINED if command.yes else LinkState.REFUSED
        answered = await tx.links.update(replace(asked, state=state), was=asked)
        if command.yes:
            person = await tx.people.get(asked.person)
            await join(tx, house.clock, person, account, actor=person.id)
            said = reply_card("Joined", f"You are {person.name} here from now on.")
        else:
            await _note(house, tx, "link.refused", answered, actor=caller.person.id)
            said = reply_card("Not joined", "The owner of the code said it isn't their account.")
        await say(tx, said, _line(account), now)
        done = _answered(answered)
        await say(tx, done, _line(asked.asked_from), now)
    return reply_card(done.title, *done.lines, fix=done.fix)


def _answered(link: AccountLink) -> Card:
    """What replaces the question."""
    platform = link.claim.platform if link.claim else "that"
    joined = link.state is LinkState.JOINED
    return Card(
        kind="reply",
        subject=f"link:{link.id}",
        title="Joined" if joined else "Not joined",
        lines=(f"Your {platform} account speaks as you now.",)
        if joined
        else ("That account stays a stranger. Its code is used up.",),
        fix=f"Undo it with `/unlink {platform}`." if joined else "",
        private=True,
    )


async def unlink(house: House, caller: Caller, command: UnlinkAccount) -> Card:
    """Take an account off: one's own, or as an admin another's. The account that asks stays."""
    async with house.store.write() as tx:
        person = caller.person
        if command.person:
            may_administer(caller.person)
            person = await find_person(tx, command.person)
        account = _account(person, command.platform)
        if account == account_of(caller.actor):
            raise Refused(
                "This is the account that you speak from.", fix="Take it off from another one."
            )
        left = tuple(one for one in person.identities if one != account)
        if person.id != caller.person.id:  # whoever has that account may be signed in by it
            await tx.keys.remove_of(person.id, KeyKind.SESSION)
        changed = await tx.people.update(replace(person, identities=left), was=person)
        await tx.ledger.append(
            Event(
                action="account.unlinked",
                subject=f"person:{person.id}",
                at=house.clock.now(),
                actor=caller.person.id,
                facts={"platform": account.platform},
                personal={"account": Personal(value=str(account))},
            )
        )
        if person.id != caller.person.id:
            card = reply_card(
                "An account was taken off",
                f"{caller.person.name} took your {account.platform} account off. It is nobody's "
                "now.",
                fix="If that wasn't agreed, ask another admin; the ledger has it.",
            )
            to = await line_to(tx, person.id, "") or _line(account)
            await say(tx, card, to, house.clock.now())
    rest = ", ".join(dict.fromkeys(one.platform for one in changed.identities)) or "none"
    whose = "" if person.id == caller.person.id else f" of {person.name}"
    lines = (f"Left: {rest}.", "They are signed out of the portal.")
    shown = lines if whose else lines[:1]
    return reply_card(f"The {account.platform} account{whose} is off", *shown)


def _account(person: Person, said: str) -> Identity:
    text = clean(said)
    found = [one for one in person.identities if text in (str(one), one.platform)]
    choices = tuple(str(one) for one in person.identities)
    if len(found) == 1:
        return found[0]
    if found:
        raise Mistake("Which account?", allowed=choices, field="platform")
    raise NotFound(
        f"{person.name} has no account `{text[:40]}`.",
        fix="Accounts: " + (", ".join(choices) or "none") + ".",
    )


def _line(account: Identity) -> ChannelRef:
    return direct_line(account.platform, account.user, account.team)


def _plain(code: str) -> str:
    """The code as it was made: upper case, without the dash."""
    text = clean(code).upper().replace("-", "").replace(" ", "")
    return text[:64]


async def _note(house: House, tx: Transaction, said: str, link: AccountLink, *, actor: str) -> None:
    claim = {"account": Personal(value=str(link.claim))} if link.claim else {}
    await tx.ledger.append(
        Event(
            action=said,
            subject=f"person:{link.person}",
            at=house.clock.now(),
            actor=actor,
            facts={"code": link.id},
            personal=claim,
        )
    )


async def _note_miss(house: House, tx: Transaction, platform: str) -> None:
    # Not whose account: nobody's who later could ask to be forgotten.
    event = Event(action="link.missed", subject=f"platform:{platform}", at=house.clock.now())
    await tx.ledger.append(event)
