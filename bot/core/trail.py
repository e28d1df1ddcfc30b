"""Reading the record: who may, one thing's whole story, and the state of the chain."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.anchors import last_anchored
from bot.core.assets import Asset
from bot.core.auditing import verify_ledger
from bot.core.chain import Report
from bot.core.errors import NotAllowed, NotFound
from bot.core.house import House
from bot.core.ledger import SUBJECT_CHAIN, Event, Head
from bot.core.people import ANY_BRAND, Person, Role
from bot.core.ports import Transaction
from brand.kit import BrandKit

CHECKED = "ledger.checked"
CHECK_EVERY = timedelta(days=1)
_READERS = {Role.AUDITOR.value, Role.ADMIN.value}


def audits(person: Person, brand: str) -> bool:
    """Whether this person reads a brand's record: its auditors, and admins."""
    return person.active and bool(person.roles_in(brand) & _READERS)


def audits_all(person: Person) -> bool:
    """Whether this person reads everything that was recorded."""
    return audits(person, ANY_BRAND)


def may_audit(kit: BrandKit, person: Person) -> None:
    """Raises NotAllowed unless this person reads this brand's record."""
    if not audits(person, kit.id):
        raise NotAllowed(
            f"The record of {kit.name} is for its auditors.",
            fix="Ask an admin for the role `auditor`.",
        )


async def story(tx: Transaction, subject: str) -> tuple[str, ...]:
    """The subjects that tell of a picture's whole way where `subject` is on it, else itself."""
    subjects = {subject: None}
    for asset in await _assets(tx, subject):
        subjects |= dict.fromkeys((f"job:{asset.job}", f"asset:{asset.id}"))
        subjects |= dict.fromkeys(f"review:{r.id}" for r in await tx.reviews.of_asset(asset.id))
        posts = await tx.publications.of_asset(asset.id)
        subjects |= dict.fromkeys(f"publication:{post.id}" for post in posts)
    return tuple(subjects)


async def _assets(tx: Transaction, subject: str) -> list[Asset]:
    kind, _, key = subject.partition(":")
    try:
        if kind == "job":
            return list(await tx.assets.of_job(key))
        if kind == "review":
            key = (await tx.reviews.get(key)).asset
        elif kind == "publication":
            key = (await tx.publications.get(key)).asset
        elif kind != "asset":
            return []
        return [await tx.assets.get(key)]
    except NotFound:
        return []  # the record outlives what it tells of


@dataclass(frozen=True, kw_only=True)
class ChainState:
    """What is known of the chain without walking it."""

    head: Head
    waiting: int
    anchor: Event | None
    """The event of the newest anchor."""
    check: Event | None
    """The event of the newest check of the whole chain."""


async def chain_state(tx: Transaction) -> ChainState:
    """The state of the chain now."""
    return ChainState(
        head=await tx.ledger.head(),
        waiting=await tx.ledger.waiting(),
        anchor=await last_anchored(tx),
        check=await _last_check(tx),
    )


async def check_ledger(house: House, *, actor: str = "system") -> Report:
    """Walk the whole chain against the anchors that are kept, and record what came out."""
    book = house.anchors.book
    report = await verify_ledger(house.store, await book.all() if book else [])
    facts = {
        "lines": report.lines,
        "sound": report.sound,
        "anchored": report.anchored,
        "first": report.findings[0].seq if report.findings else 0,
        "says": report.findings[0].says if report.findings else "",
    }
    async with house.store.write() as tx:
        await tx.ledger.append(
            Event(
                action=CHECKED,
                subject=SUBJECT_CHAIN,
                at=house.clock.now(),
                actor=actor,
                facts=facts,
            )
        )
    return report


async def check_due(house: House) -> int:
    """Once a day: check the whole chain; how many times that was done."""
    async with house.store.read() as tx:
        last, head = await _last_check(tx), await tx.ledger.head()
    if head.seq == 0 or (last is not None and not _is_old(last, house.clock.now())):
        return 0
    await check_ledger(house)
    return 1


def _is_old(event: Event, now: datetime) -> bool:
    return now - event.at >= CHECK_EVERY


async def _last_check(tx: Transaction) -> Event | None:
    events = await tx.ledger.recent(subject=SUBJECT_CHAIN, limit=50)
    return next((event for event in events if event.action == CHECKED), None)
