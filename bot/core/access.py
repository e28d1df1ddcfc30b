"""Who someone is: one-time links, invitations, portal sessions. Secrets are stored hashed only."""

import hmac
import secrets
from dataclasses import replace
from datetime import timedelta

from bot.core.errors import Conflict, NotAllowed, NotFound, Refused
from bot.core.house import House
from bot.core.ids import is_id, new_id
from bot.core.ledger import Event, Personal
from bot.core.people import Identity, Key, KeyKind, Person
from bot.core.ports import Clock, Store, Transaction
from brand.spec import sha256_hex

LINK_LIFE = timedelta(minutes=30)
INVITATION_LIFE = timedelta(days=7)
SESSION_LIFE = timedelta(days=14)
KEPT_AFTER = timedelta(days=1)
"""How long what has ended is kept, for a sentence that says so."""
LOCAL = "local"
"""The platform of the portal's own chat; whoever enters the portal has an account there."""
USED_UP = "This link is used up or too old. Ask for a new one: `housestyle demo` prints one."
GONE = "You are no longer a member here."
_OPENS = (KeyKind.LINK, KeyKind.INVITE)
"""What can be traded for a session."""


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


async def _valid(tx: Transaction, clock: Clock, kinds: tuple[KeyKind, ...], text: str) -> Key:
    key_id, secret = _parts(text)
    for kind in kinds:
        try:
            key = await tx.keys.get(kind, key_id)
        except NotFound:
            continue
        fits = hmac.compare_digest(key.secret_hash, sha256_hex(secret.encode()))
        if fits and key.expires_at > clock.now():
            return key
    raise Refused(USED_UP)


async def invited(store: Store, clock: Clock, text: str) -> Person | None:
    """Whom an invitation was made for, without using it up; None if it opens nothing."""
    try:
        async with store.read() as tx:
            key = await _valid(tx, clock, (KeyKind.INVITE,), text)
            person = await tx.people.get(key.person)
    except (Refused, NotFound):
        return None
    return person if person.active and key.used_at is None else None


async def use_link(store: Store, clock: Clock, text: str) -> tuple[Person, str]:
    """Trade a one-time link's or an invitation's secret for a session secret: (person, session).

    The person has an account in the local chat from then on. Raises Refused: once is once.
    """
    return await _use(store, clock, text, _OPENS, None)


async def accept(store: Store, clock: Clock, text: str, identity: Identity) -> tuple[Person, str]:
    """Accept an invitation with an account of a sign-in provider: the account is joined with the
    invited person, who is signed in. Returns (person, session).

    Raises Refused, and NotAllowed where the account belongs to another member.
    """
    return await _use(store, clock, text, (KeyKind.INVITE,), identity)


async def _use(
    store: Store, clock: Clock, text: str, kinds: tuple[KeyKind, ...], identity: Identity | None
) -> tuple[Person, str]:
    try:
        async with store.write() as tx:
            key = await _valid(tx, clock, kinds, text)
            if key.used_at is not None:
                raise Refused(USED_UP)
            await tx.keys.update(replace(key, used_at=clock.now()), was=key)
            person = await tx.people.get(key.person)
            if identity is not None:
                person = await join(tx, clock, person, identity, actor=person.id)
            by = identity.platform if identity else key.kind.value
            return await _opened(tx, clock, person, by)
    except Conflict as exc:
        raise Refused(USED_UP) from exc


async def enter(store: Store, clock: Clock, identity: Identity) -> tuple[Person, str]:
    """Sign in with an account that a provider vouches for: (person, session secret).

    Raises NotAllowed for an account that is no member's, and for a member who left.
    """
    async with store.write() as tx:
        person = await tx.people.by_identity(identity.platform, identity.user, identity.team)
        if person is None:
            raise NotAllowed(
                "This account isn't a member's yet.",
                fix="Ask an admin for an invitation and open its link first, or join this "
                "account with yours: type `/link` in the chat.",
            )
        return await _opened(tx, clock, person, identity.platform)


async def join(
    tx: Transaction, clock: Clock, person: Person, identity: Identity, *, actor: str
) -> Person:
    """The person with one more account. Raises NotAllowed where it is another member's."""
    owner = await tx.people.by_identity(identity.platform, identity.user, identity.team)
    if owner is not None and owner.id != person.id:
        raise NotAllowed(
            "This account belongs to another member.",
            fix="Its member can take it off with `/unlink`, or an admin for them; then try again.",
        )
    if owner is not None:
        return owner
    new = replace(person, identities=(*person.identities, identity))
    joined = await tx.people.update(new, was=person)
    await tx.ledger.append(
        Event(
            action="account.linked",
            subject=f"person:{person.id}",
            at=clock.now(),
            actor=actor,
            facts={"platform": identity.platform},
            personal={"account": Personal(value=str(identity))},
        )
    )
    return joined


async def local_account(store: Store, clock: Clock, person: Person) -> Person:
    """The person with an account in the local chat, where programs that have their key speak."""
    if has_local(person):
        return person
    async with store.write() as tx:
        return await _with_local(tx, clock, await tx.people.get(person.id))


def has_local(person: Person) -> bool:
    """Whether they have an account in the local chat."""
    return any(identity.platform == LOCAL for identity in person.identities)


async def _with_local(tx: Transaction, clock: Clock, person: Person) -> Person:
    if has_local(person):
        return person
    own = Identity(platform=LOCAL, user=person.id)
    return await join(tx, clock, person, own, actor=person.id)


async def _opened(tx: Transaction, clock: Clock, person: Person, by: str) -> tuple[Person, str]:
    """A session for them, and an account in the local chat if they have none."""
    if not person.active:
        raise NotAllowed(GONE, fix="Ask an admin to let you in again.")
    person = await _with_local(tx, clock, person)
    session = await issue(tx, clock, person.id, KeyKind.SESSION, SESSION_LIFE)
    await tx.ledger.append(
        Event(
            action="session.opened",
            subject=f"person:{person.id}",
            at=clock.now(),
            actor=person.id,
            facts={"by": by},
        )
    )
    return person, session


async def who(store: Store, clock: Clock, session: str) -> Person | None:
    """The person of a portal session, or None: also for one who left."""
    try:
        async with store.read() as tx:
            key = await _valid(tx, clock, (KeyKind.SESSION,), session)
            person = await tx.people.get(key.person)
    except (Refused, NotFound):
        return None
    return person if person.active else None


async def sign_out(store: Store, session: str) -> None:
    """Forget a session; no error if it is gone."""
    try:
        key_id, _ = _parts(session)
    except Refused:
        return
    async with store.write() as tx:
        await tx.keys.remove(key_id)


async def purge(house: House) -> int:
    """Forget sessions, links and codes that ended a while ago; how many."""
    before = house.clock.now() - KEPT_AFTER
    async with house.store.write() as tx:
        return await tx.keys.purge(before) + await tx.links.purge(before)
