"""People with their roles and identities in SQL."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table, delete, select
from sqlalchemy.engine import RowMapping

from bot.core.people import ANY_BRAND, Identity, Person, Role
from storage.rows import Shape
from storage.sql_table import Session, SqlTable
from storage.steps import account_taken
from storage.tables import IdentityRow, PersonRow, RoleRow, table_of

_PEOPLE = Shape(Person, PersonRow, apart=("roles", "identities"))
_IDENTITIES = Shape(Identity, IdentityRow)
_ROLES = table_of(RoleRow)


class _PersonTable(SqlTable[Person]):
    async def load(self, rows: Sequence[RowMapping]) -> list[Person]:
        if not rows:
            return []
        ids = [row["id"] for row in rows]
        roles: dict[str, list[tuple[str, Role]]] = defaultdict(list)
        for found in await self._parts(_ROLES, ids):
            roles[found["person"]].append((found["brand"], found["role"]))
        identities: dict[str, list[Identity]] = defaultdict(list)
        for found in await self._parts(_IDENTITIES.table, ids):
            identities[found["person"]].append(_IDENTITIES.value(found))
        return [
            _PEOPLE.value(row, roles=tuple(roles[key]), identities=tuple(identities[key]))
            for key, row in zip(ids, rows, strict=True)
        ]

    async def _parts(self, table: Table, ids: list[str]) -> Sequence[RowMapping]:
        query = select(table).where(table.c.person.in_(ids)).order_by(table.c.row)
        return await self.session.rows(query)


class SqlPeople:
    """The People port."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._people = _PersonTable(session, "person", _PEOPLE)

    async def add(self, person: Person) -> None:
        """See the port."""
        tables = [(_PEOPLE.table, [_PEOPLE.row(person)]), *_part_rows(person)]
        await self._session.insert(tables, refused=account_taken(person))

    async def get(self, person_id: str) -> Person:
        """See the port."""
        return await self._people.need(person_id)

    async def name(self, person_id: str) -> str:
        """See the port."""
        columns = _PEOPLE.table.c
        found = await self._session.first(select(columns.name).where(columns.id == person_id))
        return str(found[0]) if found else ""

    async def update(self, new: Person, *, was: Person) -> Person:
        """See the port."""
        async with self._session.step():
            updated = await self._people.update(new, was, None)
            for table in (_ROLES, _IDENTITIES.table):
                await self._session.change(delete(table).where(table.c.person == new.id))
            await self._session.insert(_part_rows(new), refused=account_taken(new))
        return updated

    async def by_identity(self, platform: str, user: str, team: str = "") -> Person | None:
        """See the port."""
        c = _IDENTITIES.table.c
        wanted = (c.platform == platform, c.user == user, c.team == team)
        found = await self._session.first(select(c.person).where(*wanted))
        return await self._people.find(found[0]) if found is not None else None

    async def all(self) -> Sequence[Person]:
        """See the port."""
        people = await self._people.where(order=(self._people.c.row,))
        # Sorted here, because databases differ in what comes first.
        return sorted(people, key=lambda person: person.name)

    async def admins(self) -> Sequence[Person]:
        """See the port."""
        c = _PEOPLE.table.c
        admin = (_ROLES.c.brand == ANY_BRAND) & (_ROLES.c.role == Role.ADMIN)
        ids = select(_ROLES.c.person).where(admin)
        # Whoever waited for these rows must not go by what was true before: so they are locked
        # first, and read by a statement of its own.
        if self._session.writable:
            await self._session.rows(
                select(c.id).where(c.id.in_(ids)).order_by(c.row).with_for_update()
            )
        people = await self._people.where(c.id.in_(ids), c.active.is_(True))
        return sorted(people, key=lambda person: person.name)


def _part_rows(person: Person) -> list[tuple[Table, list[dict[str, Any]]]]:
    roles = [{"person": person.id, "brand": brand, "role": role} for brand, role in person.roles]
    identities = [
        {"person": person.id, **_IDENTITIES.row(identity)} for identity in person.identities
    ]
    return [(_ROLES, roles), (_IDENTITIES.table, identities)]
