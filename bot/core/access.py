"""Who someone is: one-time links, portal sessions. Secrets are stored hashed only."""

import hmac
import secrets
from dataclasses import replace
from datetime import timedelta

from bot.core.errors import Conflict, NotFound, Refused
from bot.core.ids import is_id, new_id
from bot.core.ledger import Event
from bot.core.people import Key, KeyKind, Person
from bot.core.ports import Clock, Store, Transaction
from brand.spec import sha256_hex

LINK_LIFE = timedelta(minutes=30)
SESSION_LIFE = timedelta(days=14)
USED_UP = "This link is used up or too old. Ask for a new one: `housestyle demo` prints one."


def _secret_of(key_id: str, secret: str) -> str:
    return f"{key_id}.{secret}"


def _parts(text: str) -> tuple[str, str]:
    key_id, _, secret = text.partition(".")
    if not is_id(key_id) or not secret or len(secret) > 128:
        raise Refused(USED_UP)
    return key_id, secret


async def issue(
    tx: Transaction,
    clock: Clock,
    person: str,
    kind: KeyKind,
    life: timedelta,
    scopes: tuple[str, ...] = (),
) -> str:
    """Make a secret of this kind; returns the text that is shown once, `ID.SECRET`."""
    now, key_id, secret = clock.now(), new_id(), secrets.token_urlsafe(32)
    await tx.keys.add(
        Key(
            id=key_id,
            kind=kind,
            person=person,
            secret_hash=sha256_hex(secret.encode()),
            created_at=now,
            expires_at=now + life,
            scopes=scopes,
        )
    )
    return _secret_of(key_id, secret)


async def _valid(tx: Transaction, clock: Clock, kind: KeyKind, text: str) -> Key:
    key_id, secret = _parts(text)
    try:
        key = await tx.keys.get(kind, key_id)
    except NotFound as exc:
        raise Refused(USED_UP) from exc
    fits = hmac.compare_digest(key.secret_hash, sha256_hex(secret.encode()))
    if not fits or key.expires_at <= clock.now():
        raise Refused(USED_UP)
    return key


async def use_link(store: Store, clock: Clock, text: str) -> tuple[Person, str]:
    """Trade a one-time link's secret for a session secret. Raises Refused, once is once."""
    try:
        async with store.write() as tx:
            key = await _valid(tx, clock, KeyKind.LINK, text)
            if key.used_at is not None:
                raise Refused(USED_UP)
            await tx.keys.update(replace(key, used_at=clock.now()), was=key)
            person = await tx.people.get(key.person)
            session = await issue(tx, clock, person.id, KeyKind.SESSION, SESSION_LIFE)
            await tx.ledger.append(
                Event(
                    action="session.opened",
                    subject=f"person:{person.id}",
                    at=clock.now(),
                    actor=person.id,
                )
            )
            return person, session
    except Conflict as exc:
        raise Refused(USED_UP) from exc


async def who(store: Store, clock: Clock, session: str) -> Person | None:
    """The person of a portal session, or None."""
    try:
        async with store.read() as tx:
            key = await _valid(tx, clock, KeyKind.SESSION, session)
            return await tx.people.get(key.person)
    except (Refused, NotFound):
        return None


async def sign_out(store: Store, session: str) -> None:
    """Forget a session; no error if it is gone."""
    try:
        key_id, _ = _parts(session)
    except Refused:
        return
    async with store.write() as tx:
        await tx.keys.remove(key_id)
