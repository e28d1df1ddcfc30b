"""People, brand kits and LoRA versions in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core.people import Identity, Person
from brand.kit import BrandKit
from brand.loras import LoraVersion
from storage.memory_tables import Table, Tables
from storage.steps import account_taken, check_lora_move, stale, taken


class MemoryPeople:
    """The People port."""

    def __init__(self, tables: Tables) -> None:
        self._people: Table[Person] = Table(tables, "person")

    async def add(self, person: Person) -> None:
        """See the port."""
        self._check_identities(person)
        if self._people.get(person.id) is not None:
            raise account_taken(person)
        self._people.put(person.id, person)

    async def get(self, person_id: str) -> Person:
        """See the port."""
        return self._people.need(person_id)

    async def name(self, person_id: str) -> str:
        """See the port."""
        person = self._people.get(person_id)
        return person.name if person else ""

    async def update(self, new: Person, *, was: Person) -> Person:
        """See the port."""
        self._check_identities(new)
        return self._people.update(new, was, None)

    async def by_identity(self, platform: str, user: str, team: str = "") -> Person | None:
        """See the port."""
        wanted = Identity(platform=platform, user=user, team=team)
        return next((p for p in self._people if wanted in p.identities), None)

    async def all(self) -> Sequence[Person]:
        """See the port."""
        return self._people.oldest(lambda person: person.name)

    async def admins(self) -> Sequence[Person]:
        """See the port. Writers take turns here, so nothing needs a lock."""
        return [person for person in await self.all() if person.is_admin]

    def _check_identities(self, person: Person) -> None:
        if len(set(person.identities)) != len(person.identities):
            raise account_taken(person)
        for other in self._people:
            if other.id != person.id and set(other.identities) & set(person.identities):
                raise account_taken(person)


@dataclass(frozen=True, kw_only=True)
class StoredKit:
    """A kit as it was when used, with the text of its file."""

    kit: BrandKit
    source: str
    stored_at: datetime


class MemoryKits:
    """The Kits port."""

    def __init__(self, tables: Tables) -> None:
        self._kits: Table[StoredKit] = Table(tables, "kit")
        self._current: Table[str] = Table(tables, "current kit of")

    async def put(self, kit: BrandKit, *, source: str, at: datetime) -> bool:
        """See the port."""
        self._current.put(kit.id, kit.hash)
        if self._kits.get(kit.hash) is not None:
            return False
        self._kits.add(kit.hash, StoredKit(kit=kit, source=source, stored_at=at))
        return True

    async def current(self, brand: str) -> BrandKit:
        """See the port."""
        return self._kits.need(self._current.need(brand)).kit

    async def get(self, kit_hash: str) -> BrandKit:
        """See the port."""
        return self._kits.need(kit_hash).kit

    async def all(self) -> Sequence[BrandKit]:
        """See the port."""
        kits = [self._kits.need(kit_hash).kit for kit_hash in self._current]
        return sorted(kits, key=lambda kit: kit.name)


class MemoryLoras:
    """The Loras port."""

    def __init__(self, tables: Tables) -> None:
        self._loras: Table[LoraVersion] = Table(tables, "LoRA")

    async def add(self, lora: LoraVersion) -> None:
        """See the port."""
        for other in self._loras:
            if (other.brand, other.id) == (lora.brand, lora.id):
                raise taken("LoRA", lora.id)
        # One file under two names could be retired under one and serve under the other.
        self._loras.add((lora.brand, lora.sha256), lora)

    async def get(self, brand: str, sha256: str) -> LoraVersion:
        """See the port."""
        return self._loras.need((brand, sha256))

    async def update(self, new: LoraVersion, *, was: LoraVersion) -> LoraVersion:
        """See the port."""
        stored = self._loras.need((was.brand, was.sha256))
        check_lora_move(new, was)
        if stored.status is not was.status:
            raise stale(stored)
        self._loras.put((was.brand, was.sha256), new)
        return new

    async def of_brand(self, brand: str) -> Sequence[LoraVersion]:
        """See the port."""
        every = self._loras.oldest(lambda lora: (lora.name, lora.version))
        return [lora for lora in every if lora.brand == brand]
