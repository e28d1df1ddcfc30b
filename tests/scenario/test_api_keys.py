"""API keys: shown once, never more than their member, ended at once."""

from datetime import timedelta

import pytest

from bot.core import api_keys
from bot.core.api_keys import MAX_KEYS, Scope
from bot.core.commands import SetActive
from bot.core.errors import Mistake, NotAllowed, NotFound, Refused
from bot.core.people import KeyKind
from tests.fakes.town import Town
from tests.scenario.test_people import caller, events, stored


async def make(town: Town, who: str = "mia", **change: object) -> str:
    """The text of a fresh key."""
    plain: dict[str, object] = {"label": "ci", "scopes": ("read", "submit")}
    _, text = await api_keys.create(
        town.house,
        await caller(town, who),
        **{**plain, **change},  # type: ignore[arg-type]
    )
    return text


async def test_a_key_speaks_for_its_member_within_its_scopes(town: Town) -> None:
    text = await make(town)
    assert text.startswith("hs_")
    use = await api_keys.verify(town.house.store, town.clock, text)
    assert use.person == await stored(town, "Mia")
    use.need(Scope.READ)
    use.need(Scope.SUBMIT)
    with pytest.raises(NotAllowed, match="isn't for `review`"):
        use.need(Scope.REVIEW)


async def test_only_the_hash_is_kept(town: Town) -> None:
    text = await make(town)
    mia = await stored(town, "Mia")
    async with town.house.store.read() as tx:
        (key,) = await tx.keys.of_person(mia.id, KeyKind.API)
        ledger = repr(await tx.ledger.recent())
    secret = text.split("_")[2]
    assert secret not in repr(key) + ledger
    assert key.label == "ci"
    assert (await events(town, "key.created"))[0].facts == {
        "key": key.id,
        "scopes": ["read", "submit"],
    }


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-1],
        lambda text: text + "x",
        lambda text: text.replace("hs_", "hx_"),
        lambda text: text.upper(),
        lambda text: "_".join((*text.split("_")[:2], "a" * 44)),
        lambda text: text.split("_")[2],
        lambda text: text + "_",
        lambda text: f"hs_{'0' * 22}_{text.split('_')[2]}",
        lambda text: text + "é",
        lambda text: text * 10,
        lambda text: "",
        lambda text: "\x00",
    ],
)
async def test_what_is_not_exactly_the_key_opens_nothing(town: Town, change: object) -> None:
    text = await make(town)
    with pytest.raises(NotAllowed, match="isn't valid, or it has ended"):
        await api_keys.verify(town.house.store, town.clock, change(text))  # type: ignore[operator]


async def test_a_session_is_no_api_key(town: Town) -> None:
    text = await make(town)
    key_id = text.split("_")[1]
    async with town.house.store.read() as tx:
        with pytest.raises(NotFound):
            await tx.keys.get(KeyKind.SESSION, key_id)


async def test_a_key_ends_at_its_time(town: Town) -> None:
    text = await make(town, days=2)
    await town.clock.advance(timedelta(days=2, seconds=-1).total_seconds())
    await api_keys.verify(town.house.store, town.clock, text)
    await town.clock.advance(1)
    with pytest.raises(NotAllowed):
        await api_keys.verify(town.house.store, town.clock, text)


async def test_a_revoked_key_ends_at_once(town: Town) -> None:
    text = await make(town)
    key_id = text.split("_")[1]
    with pytest.raises(NotAllowed, match="Only an admin"):
        await api_keys.revoke(town.house, await caller(town, "ana"), key_id)
    await api_keys.revoke(town.house, await caller(town, "mia"), key_id)
    with pytest.raises(NotAllowed):
        await api_keys.verify(town.house.store, town.clock, text)
    assert await events(town, "key.revoked")
    again = await make(town)
    await api_keys.revoke(town.house, await caller(town, "ida"), again.split("_")[1])
    with pytest.raises(NotFound):
        await api_keys.revoke(town.house, await caller(town, "ida"), again.split("_")[1])


async def test_keys_end_with_the_membership(town: Town) -> None:
    text = await make(town)
    await town.say(SetActive(person="Mia", active=False), "ida")
    with pytest.raises(NotAllowed):
        await api_keys.verify(town.house.store, town.clock, text)
    await town.say(SetActive(person="Mia", active=True), "ida")
    with pytest.raises(NotAllowed):
        await api_keys.verify(town.house.store, town.clock, text)


async def test_the_last_use_is_noted_to_the_minute(town: Town) -> None:
    text = await make(town)
    key_id = text.split("_")[1]

    async def last() -> object:
        await api_keys.verify(town.house.store, town.clock, text)
        async with town.house.store.read() as tx:
            return (await tx.keys.get(KeyKind.API, key_id)).used_at

    first = town.clock.now()
    assert await last() == first
    await town.clock.advance(59)
    assert await last() == first
    await town.clock.advance(1)
    assert await last() == town.clock.now()


async def test_only_admins_make_keys_for_administering(town: Town) -> None:
    with pytest.raises(NotAllowed):
        await make(town, scopes=("admin",))
    text = await make(town, "ida", scopes=("admin",))
    use = await api_keys.verify(town.house.store, town.clock, text)
    use.need(Scope.ADMIN)
    with pytest.raises(NotAllowed):
        use.need(Scope.READ)


@pytest.mark.parametrize(
    "change", [{"label": " "}, {"label": "x" * 61}, {"days": 0}, {"days": 367}, {"scopes": ("x",)}]
)
async def test_a_key_that_cannot_be_made_is_a_mistake(
    town: Town, change: dict[str, object]
) -> None:
    with pytest.raises(Mistake):
        await make(town, **change)


async def test_a_member_has_twenty_keys_at_most_and_expired_ones_do_not_count(
    town: Town,
) -> None:
    for _ in range(MAX_KEYS):
        await make(town, days=1)
    with pytest.raises(Refused, match="20 keys"):
        await make(town)
    await town.clock.advance(timedelta(days=1).total_seconds())
    await make(town)


async def test_keys_are_listed_for_their_member_and_for_admins(town: Town) -> None:
    await make(town)
    mia = await stored(town, "Mia")
    for who in ("mia", "ida"):
        keys = await api_keys.list_keys(town.house, await caller(town, who), mia.id)
        assert [key.label for key in keys] == ["ci"]
    with pytest.raises(NotAllowed):
        await api_keys.list_keys(town.house, await caller(town, "ana"), mia.id)
