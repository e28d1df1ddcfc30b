"""API keys: `hs_ID_SECRET`, shown once, stored hashed, with scopes and an end.

A key is never more than its member: what it may do is what its scopes name AND what the member's
roles allow at that moment.
"""

import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from bot.core.caller import Caller
from bot.core.errors import Conflict, Mistake, NotAllowed, NotFound, Refused
from bot.core.house import House
from bot.core.ids import encode_id, is_id, new_id
from bot.core.ledger import Event, Personal
from bot.core.people import Key, KeyKind, Person
from bot.core.policy import may_administer
from bot.core.ports import Clock, Store, Transaction
from brand.spec import sha256_hex
from brand.words import clean

PREFIX = "hs"
DEFAULT_DAYS = 90
MAX_DAYS = 366
MAX_KEYS = 20
MAX_LABEL = 60
MAX_TEXT = 128
USE_NOTED_EVERY = timedelta(minutes=1)
"""The last use is written at most this often, so that reading stays reading."""


class Scope(StrEnum):
    """What a key may be used for."""

    READ = "read"
    """Look: pictures, jobs, reviews, the calendar, usage."""
    SUBMIT = "submit"
    """Ask for pictures and send them to approval."""
    REVIEW = "review"
    """Vote on reviews."""
    ADMIN = "admin"
    """Members, roles, budgets, schedules: what the member may administer."""


@dataclass(frozen=True, kw_only=True)
class KeyUse:
    """A key that was checked: who speaks by it, and what for."""

    person: Person
    key: str
    """The key's id; never the secret."""
    scopes: frozenset[Scope]

    def need(self, scope: Scope) -> None:
        """Raises NotAllowed unless the key has this scope."""
        if scope not in self.scopes:
            raise NotAllowed(
                f"This API key isn't for `{scope.value}`.",
                fix=f"Make one with the scope `{scope.value}`: `housestyle people keys create`.",
            )


async def create(
    house: House,
    caller: Caller,
    *,
    label: str,
    scopes: Iterable[str] = (Scope.READ,),
    days: int = DEFAULT_DAYS,
) -> tuple[Key, str]:
    """A key for the caller themselves: (key, the text that is shown once).

    Raises Mistake for unknown scopes, a missing name or too long a life; NotAllowed for the scope
    `admin` of someone who isn't one; Refused beyond MAX_KEYS.
    """
    name = clean(label)
    if not 1 <= len(name) <= MAX_LABEL:
        raise Mistake(f"A key's name has 1 to {MAX_LABEL} characters.", field="label")
    if not 1 <= days <= MAX_DAYS:
        raise Mistake(f"A key lives 1 to {MAX_DAYS} days.", field="days")
    wanted = tuple(dict.fromkeys(_scope(word) for word in scopes))
    if Scope.ADMIN in wanted:
        may_administer(caller.person)
    now = house.clock.now()
    secret = encode_id(secrets.randbits(128)) + encode_id(secrets.randbits(128))
    key = Key(
        id=new_id(),
        kind=KeyKind.API,
        person=caller.person.id,
        secret_hash=sha256_hex(secret.encode()),
        created_at=now,
        expires_at=now + timedelta(days=days),
        scopes=tuple(scope.value for scope in wanted) or (Scope.READ.value,),
        label=name,
    )
    async with house.store.write() as tx:
        alive = [one for one in await _of(tx, caller.person.id) if one.expires_at > now]
        if len(alive) >= MAX_KEYS:
            raise Refused(f"You have {MAX_KEYS} keys already.", fix="Revoke one of them first.")
        await tx.keys.add(key)
        await _note(house, tx, caller, "key.created", key)
    return key, f"{PREFIX}_{key.id}_{secret}"


async def verify(store: Store, clock: Clock, text: str) -> KeyUse:
    """Who speaks by this key, and what for. Raises NotAllowed for anything but a valid one.

    Every refusal reads the same, so that nothing is learned about keys that exist.
    """
    key_id, secret = _parts(text)
    now = clock.now()
    try:
        async with store.read() as tx:
            key = await tx.keys.get(KeyKind.API, key_id)
            person = await tx.people.get(key.person)
    except NotFound as exc:
        raise _unknown() from exc
    fits = hmac.compare_digest(key.secret_hash, sha256_hex(secret.encode()))
    if not fits or key.expires_at <= now or not person.active:
        raise _unknown()
    if key.used_at is None or now - key.used_at >= USE_NOTED_EVERY:
        await _note_use(store, replace(key, used_at=now), key)
    known = frozenset(Scope) & frozenset(key.scopes)  # a later version may know more
    return KeyUse(person=person, key=key.id, scopes=frozenset(Scope(word) for word in known))


async def _note_use(store: Store, new: Key, was: Key) -> None:
    try:
        async with store.write() as tx:
            await tx.keys.update(new, was=was)
    except (Conflict, NotFound):
        return  # another request noted it, or the key was revoked a moment ago


async def list_keys(house: House, caller: Caller, person_id: str = "") -> list[Key]:
    """A member's API keys, oldest first: one's own, or as an admin another's."""
    if person_id and person_id != caller.person.id:
        may_administer(caller.person)
    async with house.store.read() as tx:
        return await _of(tx, person_id or caller.person.id)


async def revoke(house: House, caller: Caller, key_id: str) -> Key:
    """End a key at once: one's own, or as an admin another's. Raises NotFound, NotAllowed."""
    async with house.store.write() as tx:
        key = await tx.keys.get(KeyKind.API, key_id)
        if key.person != caller.person.id:
            may_administer(caller.person)
        await tx.keys.remove(key.id)
        await _note(house, tx, caller, "key.revoked", key)
    return key


async def _of(tx: Transaction, person_id: str) -> list[Key]:
    return list(await tx.keys.of_person(person_id, KeyKind.API))


def _scope(word: str) -> Scope:
    text = clean(word).casefold()
    if text not in set(Scope):
        raise Mistake(
            f"`{text[:40]}` isn't a scope.",
            allowed=tuple(scope.value for scope in Scope),
            field="scope",
        )
    return Scope(text)


def _parts(text: str) -> tuple[str, str]:
    parts = text.split("_") if len(text) <= MAX_TEXT and text.isascii() else []
    if len(parts) != 3 or parts[0] != PREFIX or not is_id(parts[1]) or not parts[2]:
        raise _unknown()
    return parts[1], parts[2]


def _unknown() -> NotAllowed:
    return NotAllowed(
        "This API key isn't valid, or it has ended.",
        fix="Make a new one: `housestyle people keys create`.",
    )


async def _note(house: House, tx: Transaction, caller: Caller, action: str, key: Key) -> None:
    await tx.ledger.append(
        Event(
            action=action,
            subject=f"person:{key.person}",
            at=house.clock.now(),
            actor=caller.person.id,
            facts={"key": key.id, "scopes": list(key.scopes)},
            personal={"label": Personal(value=key.label)},
        )
    )
