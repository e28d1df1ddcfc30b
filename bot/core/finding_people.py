"""Which member a person means: by id, by name, or by one of their accounts."""

from bot.core.errors import Mistake, NotFound
from bot.core.ids import is_id
from bot.core.people import Person
from bot.core.ports import Transaction
from brand.words import clean, nearest


async def find_person(tx: Transaction, said: str) -> Person:
    """The member of this id, `platform:user` or name (in any case). Raises NotFound, and Mistake
    where several have the name."""
    text = clean(said).removeprefix("person:").removeprefix("@")
    if is_id(text):
        return await tx.people.get(text)
    people = [person for person in await tx.people.all() if not person.is_erased]
    named = [person for person in people if person.name.casefold() == text.casefold()]
    account = [p for p in people if any(str(identity) == text for identity in p.identities)]
    found = named or account
    if len(found) == 1:
        return found[0]
    if found:
        raise Mistake(
            f"There are {len(found)} members called {found[0].name}.",
            fix="Say which one by the id: `/people` lists them.",
            allowed=tuple(person.id for person in found),
            field="person",
        )
    meant = nearest(text, tuple(person.name for person in people))
    raise NotFound(
        f"There is no member `{text[:40]}`." + (f" Did you mean {meant}?" if meant else ""),
        fix="`/people` lists them.",
    )
