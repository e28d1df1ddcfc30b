"""Members: invitations, roles, teams, leaving; every way to get what one should not."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core import access, members
from bot.core.caller import Caller
from bot.core.commands import Help, Imagine, Invite, ListPeople, SetActive, SetRole, SetTeam
from bot.core.errors import Conflict, NotAllowed, Refused
from bot.core.ids import new_id
from bot.core.ledger import Event
from bot.core.messages import Actor, Card, ChannelRef
from bot.core.people import ANY_BRAND, Identity, KeyKind, Person, Role
from bot.core.policy import direct_line
from brand.templates import Brief
from tests.fakes.town import START, Town
from tests.scenario.conftest import in_review

SLACK = Identity(platform="slack", user="U0MIA", team="T1")


async def stored(town: Town, name: str) -> Person:
    """The member of this name."""
    async with town.house.store.read() as tx:
        return next(person for person in await tx.people.all() if person.name == name)


async def events(town: Town, action: str) -> list[Event]:
    """Ledger events of an action, newest first."""
    async with town.house.store.read() as tx:
        return [event for event in await tx.ledger.recent() if event.action == action]


async def caller(town: Town, who: str) -> Caller:
    """Someone of the town, as use cases know them."""
    return Caller(person=await stored(town, who.title()), actor=town.actor(who))


async def add(town: Town, name: str, *roles: tuple[str, Role]) -> Person:
    """One more member with a local account."""
    person = Person(
        id=new_id(),
        name=name,
        created_at=START,
        roles=roles,
        identities=(Identity(platform="local", user=name.lower()),),
    )
    async with town.house.store.write() as tx:
        await tx.people.add(person)
    return person


async def link_of(town: Town, person: Person, who: str = "ida") -> str:
    """The secret of a fresh invitation."""
    address = await members.invitation(town.house, await caller(town, who), person.id)
    return address.partition("key=")[2]


def refused(card: Card, word: str) -> None:
    """An error card that says this."""
    assert card.kind == "error"
    assert word in card.lines[0]


async def test_an_invited_member_comes_in_once_by_the_link(town: Town) -> None:
    card = await town.say(Invite(name="Zoë", roles=("requester", "approver")), "ida")
    assert card.title == "Zoë is invited"
    zoe = await stored(town, "Zoë")
    assert zoe.roles == ((ANY_BRAND, Role.REQUESTER), (ANY_BRAND, Role.APPROVER))
    assert zoe.identities == ()
    secret = await link_of(town, zoe)
    store, clock = town.house.store, town.clock
    assert (await access.invited(store, clock, secret)) == zoe
    person, session = await access.use_link(store, clock, secret)
    assert person.identities == (Identity(platform="local", user=zoe.id),)
    assert (await access.who(store, clock, session)) == person
    assert await access.invited(store, clock, secret) is None
    with pytest.raises(Refused):
        await access.use_link(store, clock, secret)


async def test_whom_an_admin_invites_with_their_account_is_in_at_once_and_told(town: Town) -> None:
    card = await town.say(Invite(name="Zoë", account="slack:U0MIA/T1"), "ida")
    assert (card.title, card.lines[-1]) == ("Zoë is in", "Known as slack:U0MIA.")
    zoe = await stored(town, "Zoë")
    assert zoe.identities == (SLACK,)
    assert [event.actor for event in await events(town, "account.linked")][:1] == [
        (await stored(town, "Ida")).id
    ]
    line = direct_line("slack", "U0MIA", "T1")
    async with town.house.store.write() as tx:
        told = await tx.outbox.claim("test", now=town.clock.now(), lease=timedelta(minutes=1))
    assert told is not None
    assert (told.target, told.card.title) == (line, "Welcome, Zoë")
    with pytest.raises(Conflict, match="come in already"):
        await link_of(town, zoe)


async def test_in_a_chat_an_account_needs_no_workspace_of_its_own(town: Town) -> None:
    here = ChannelRef(platform="slack", channel="C1", team="T1")
    ida = Actor(platform="slack", user="U0IDA", name="Ida", channel=here)
    await town.say(Invite(name="Ida", account="slack:U0IDA/T1", roles=("admin",)), "ida")
    assert town.house.door is not None
    await town.house.door.dispatch(Invite(name="Zoë", account="slack:U0MIA"), ida)
    assert (await stored(town, "Zoë")).identities == (SLACK,)


@pytest.mark.parametrize(
    ("account", "who", "says"),
    [
        ("slack:U0MIA", "ida", "lacks its workspace"),
        ("slack:@mia/T1", "ida", "isn't an account in a chat"),
        ("U0MIA", "ida", "isn't an account in a chat"),
        ("local:mia", "ida", "isn't an account in a chat"),
        ("slack:U0MIA/T1", "max", "admin"),
        ("slack:U0TAKEN/T1", "ida", "belongs to another member"),
    ],
)
async def test_an_account_that_nobody_may_vouch_for_lets_nobody_in(
    town: Town, account: str, who: str, says: str
) -> None:
    await add(town, "Max", ("acme", Role.BRAND_MANAGER))
    await town.say(Invite(name="Tess", account="slack:U0TAKEN/T1"), "ida")
    refused(await town.say(Invite(name="Zoë", account=account), who), says)
    async with town.house.store.read() as tx:
        assert "Zoë" not in {person.name for person in await tx.people.all()}


async def test_a_stranger_reads_the_account_that_an_admin_needs(town: Town) -> None:
    here = ChannelRef(platform="slack", channel="C1", team="E1/T1")
    actor = Actor(platform="slack", user="U0ZOE", name="zoe", channel=here)
    assert town.house.door is not None
    card = await town.house.door.dispatch(Help(), actor)
    assert "invite you as `slack:U0ZOE/E1/T1`" in card.fix
    await town.say(Invite(name="Zoë", account="slack:U0ZOE/E1/T1"), "ida")
    assert (await town.house.door.dispatch(Help(), actor)).kind != "error"


async def test_an_invitation_runs_out_after_seven_days(town: Town) -> None:
    await town.say(Invite(name="Zoë"), "ida")
    secret = await link_of(town, await stored(town, "Zoë"))
    await town.clock.advance(access.INVITATION_LIFE.total_seconds())
    with pytest.raises(Refused):
        await access.use_link(town.house.store, town.clock, secret)


async def test_a_second_invitation_ends_the_first(town: Town) -> None:
    await town.say(Invite(name="Zoë"), "ida")
    zoe = await stored(town, "Zoë")
    first, second = await link_of(town, zoe), await link_of(town, zoe)
    with pytest.raises(Refused):
        await access.use_link(town.house.store, town.clock, first)
    await access.use_link(town.house.store, town.clock, second)


async def test_two_who_use_one_invitation_at_once_make_one_session(town: Town) -> None:
    await town.say(Invite(name="Zoë"), "ida")
    secret = await link_of(town, await stored(town, "Zoë"))
    done = await asyncio.gather(
        *(access.use_link(town.house.store, town.clock, secret) for _ in range(4)),
        return_exceptions=True,
    )
    assert sum(not isinstance(item, BaseException) for item in done) == 1
    assert all(isinstance(item, Refused) for item in done if isinstance(item, BaseException))


async def test_a_providers_account_accepts_an_invitation_and_signs_in_from_then_on(
    town: Town,
) -> None:
    await town.say(Invite(name="Zoë"), "ida")
    secret = await link_of(town, await stored(town, "Zoë"))
    store, clock = town.house.store, town.clock
    with pytest.raises(NotAllowed, match="isn't a member's"):
        await access.enter(store, clock, SLACK)
    person, _ = await access.accept(store, clock, secret, SLACK)
    assert SLACK in person.identities
    again, session = await access.enter(store, clock, SLACK)
    assert again == person
    assert await access.who(store, clock, session) == person


async def test_an_invitation_is_not_accepted_by_another_members_account(town: Town) -> None:
    await town.say(Invite(name="Zoë"), "ida")
    secret = await link_of(town, await stored(town, "Zoë"))
    taken = Identity(platform="local", user="mia")
    with pytest.raises(NotAllowed, match="another member"):
        await access.accept(town.house.store, town.clock, secret, taken)
    await access.use_link(town.house.store, town.clock, secret)  # it was not used up by that


async def test_nobody_gets_a_link_for_someone_who_is_in_already(town: Town) -> None:
    with pytest.raises(Conflict, match="come in already"):
        await link_of(town, await stored(town, "Ana"))


async def test_a_brand_manager_gets_no_link_for_an_admin_who_has_not_come_in(town: Town) -> None:
    await add(town, "Max", ("acme", Role.BRAND_MANAGER))
    await town.say(Invite(name="Zoë", roles=("admin",)), "ida")
    with pytest.raises(NotAllowed):
        await link_of(town, await stored(town, "Zoë"), "max")


async def test_an_invitation_ends_with_a_role_that_its_maker_could_not_give(town: Town) -> None:
    await add(town, "Bo", ("acme", Role.BRAND_MANAGER))
    await town.say(Invite(name="Zoë"), "bo")
    zoe = await stored(town, "Zoë")
    secret = await link_of(town, zoe, "bo")
    card = await town.say(SetRole(person="Zoë", role="approver", brand="acme"), "ida")
    assert card.fix == ""  # Bo could have given that too
    card = await town.say(SetRole(person="Zoë", role="admin"), "ida")
    assert "fresh link" in card.fix
    with pytest.raises(Refused):
        await access.use_link(town.house.store, town.clock, secret)
    with pytest.raises(NotAllowed):
        await link_of(town, zoe, "bo")
    secret = await link_of(town, zoe)
    card = await town.say(SetRole(person="Zoë", role="requester"), "ida")
    await access.use_link(town.house.store, town.clock, secret)
    card = await town.say(SetRole(person="Zoë", role="auditor"), "ida")
    assert card.fix == ""  # she is in


async def test_the_links_secret_stands_nowhere_in_the_store(town: Town) -> None:
    await town.say(Invite(name="Zoë"), "ida")
    zoe = await stored(town, "Zoë")
    secret = (await link_of(town, zoe)).partition(".")[2]
    async with town.house.store.read() as tx:
        (key,) = await tx.keys.of_person(zoe.id, KeyKind.INVITE)
    assert secret not in repr(key)


async def test_a_given_role_counts_and_is_told_and_recorded(town: Town) -> None:
    card = await town.say(SetRole(person="mia", role="approver", brand="acme"), "ida")
    assert card.title == "Mia is now approver in acme"
    assert ("acme", Role.APPROVER) in (await stored(town, "Mia")).roles
    (event,) = await events(town, "role.given")
    assert event.facts == {"role": "approver", "brand": "acme"}
    assert "Mia" not in event.body().decode()
    assert event.personal["name"].value == "Mia"
    await town.settle()
    assert town.chat.shown("@mia")[-1].lines == ("You are now approver in acme.",)
    card = await town.say(SetRole(person="Mia", role="approver", on=False, brand="acme"), "ida")
    assert card.title == "Mia is no longer approver in acme"
    assert ("acme", Role.APPROVER) not in (await stored(town, "Mia")).roles
    assert await events(town, "role.taken")


async def test_giving_what_one_has_and_taking_what_one_lacks_changes_nothing(town: Town) -> None:
    card = await town.say(SetRole(person="Mia", role="requester"), "ida")
    assert card.lines == ("Mia is requester in all brands already.",)
    card = await town.say(SetRole(person="Mia", role="requester", on=False, brand="acme"), "ida")
    assert card.lines == ("Mia isn't requester in acme. They are requester in all brands.",)
    assert not await events(town, "role.given") + await events(town, "role.taken")


async def test_nobody_raises_themselves(town: Town) -> None:
    refused(await town.say(SetRole(person="Ida", role="approver"), "ida"), "Nobody gives")
    await add(town, "Max", ("acme", Role.BRAND_MANAGER))
    refused(await town.say(SetRole(person="Max", role="approver"), "max"), "Nobody gives")
    refused(await town.say(SetRole(person="Max", role="admin"), "max"), "Only an admin")


async def test_a_brand_manager_gives_requester_and_approver_in_their_brand_only(
    town: Town,
) -> None:
    async with town.house.store.write() as tx:
        await tx.kits.put(replace(town.kit, id="nord", name="Nord"), source="", at=START)
    await add(town, "Max", ("acme", Role.BRAND_MANAGER))
    assert (await town.say(SetRole(person="Mia", role="approver"), "max")).kind == "reply"
    assert ("acme", Role.APPROVER) in (await stored(town, "Mia")).roles
    refused(
        await town.say(SetRole(person="Mia", role="approver", brand="nord"), "max"), "acme only"
    )
    refused(await town.say(SetRole(person="Mia", role="auditor"), "max"), "Only an admin")
    refused(await town.say(Invite(name="Eve", roles=("brand_manager",)), "max"), "Only an admin")
    refused(await town.say(SetTeam(person="Mia", team="design"), "max"), "Only an admin")
    refused(await town.say(SetActive(person="Mia", active=False), "max"), "Only an admin")
    assert (await town.say(Invite(name="Eve"), "max")).title == "Eve is invited"
    assert (await stored(town, "Eve")).roles == (("acme", Role.REQUESTER),)


async def test_the_last_admin_stays(town: Town) -> None:
    refused(await town.say(SetRole(person="Ida", role="admin", on=False), "ida"), "last admin")
    refused(await town.say(SetActive(person="Ida", active=False), "ida"), "last admin")
    await town.say(SetRole(person="Ana", role="admin"), "ida")
    card = await town.say(SetRole(person="Ida", role="admin", on=False), "ida")
    assert card.title == "Ida is no longer admin"
    refused(await town.say(SetRole(person="Ana", role="admin", on=False), "ana"), "last admin")


async def test_an_admin_who_left_does_not_count_as_one(town: Town) -> None:
    await town.say(SetRole(person="Ana", role="admin"), "ida")
    await town.say(SetActive(person="Ana", active=False), "ida")
    refused(await town.say(SetRole(person="Ida", role="admin", on=False), "ida"), "last admin")


async def test_an_admin_who_has_not_come_in_does_not_count_as_one(town: Town) -> None:
    await town.say(Invite(name="Zoë", roles=("admin",)), "ida")
    for command in (
        SetActive(person="Ida", active=False),
        SetRole(person="Ida", role="admin", on=False),
    ):
        card = await town.say(command, "ida")
        refused(card, "last admin")
        assert "Zoë has to come in" in card.fix
    await access.use_link(
        town.house.store, town.clock, await link_of(town, await stored(town, "Zoë"))
    )
    assert (await town.say(SetActive(person="Ida", active=False), "ida")).kind == "reply"


async def test_two_admins_cannot_dismiss_each_other_at_once(town: Town) -> None:
    await town.say(SetRole(person="Ana", role="admin"), "ida")
    await asyncio.gather(
        town.say(SetRole(person="Ana", role="admin", on=False), "ida"),
        town.say(SetRole(person="Ida", role="admin", on=False), "ana"),
    )
    async with town.house.store.read() as tx:
        assert len(await tx.people.admins()) == 1


async def test_whoever_left_can_do_nothing_and_comes_back_as_they_were(town: Town) -> None:
    mia = await stored(town, "Mia")
    async with town.house.store.write() as tx:
        secret = await access.issue(tx, town.clock, mia.id, KeyKind.SESSION, access.SESSION_LIFE)
    assert await access.who(town.house.store, town.clock, secret) is not None
    card = await town.say(SetActive(person="Mia", active=False), "ida")
    assert card.title == "Mia is let in no longer"
    assert await access.who(town.house.store, town.clock, secret) is None
    refused(await town.say(Help(), "mia"), "no longer a member")
    refused(await town.say(Imagine(brief=Brief(words="a mug")), "mia"), "no longer a member")
    refused(await town.say(SetRole(person="Mia", role="approver"), "ida"), "has left")
    await town.say(SetActive(person="Mia", active=True), "ida")
    assert (await town.say(Help(), "mia")).kind == "list"
    assert await access.who(town.house.store, town.clock, secret) is None  # the session is gone
    assert await events(town, "member.deactivated")
    assert await events(town, "member.reactivated")


async def test_a_session_ends_with_the_membership_even_if_its_key_were_left(town: Town) -> None:
    mia = await stored(town, "Mia")
    async with town.house.store.write() as tx:
        secret = await access.issue(tx, town.clock, mia.id, KeyKind.SESSION, access.SESSION_LIFE)
        await tx.people.update(replace(mia, active=False), was=mia)
    assert await access.who(town.house.store, town.clock, secret) is None
    with pytest.raises(NotAllowed, match="no longer"):
        await access.enter(town.house.store, town.clock, Identity(platform="local", user="mia"))


async def test_a_team_is_set_and_taken_away(town: Town) -> None:
    await town.say(SetTeam(person="Mia", team=" design "), "ida")
    assert (await stored(town, "Mia")).team == "design"
    await town.say(SetTeam(person="Mia", team=""), "ida")
    assert (await stored(town, "Mia")).team == ""
    assert len(await events(town, "member.team_set")) == 2


async def test_the_list_shows_each_viewer_whom_they_may_see(town: Town) -> None:
    await add(town, "Max", ("acme", Role.BRAND_MANAGER))
    await add(town, "Nia", ("nord", Role.REQUESTER))

    async def names(who: str) -> set[str]:
        return {row[0] for row in (await town.say(ListPeople(), who)).rows}

    assert await names("ida") == {"Mia", "Ana", "Ben", "Ida", "Max", "Nia"}
    assert await names("max") == {"Mia", "Ana", "Ben", "Ida", "Max"}
    assert await names("mia") == {"Mia"}


async def test_the_list_says_who_has_not_come_in(town: Town) -> None:
    await town.say(Invite(name="Zoë"), "ida")
    rows = {row[0]: row[4] for row in (await town.say(ListPeople(), "ida")).rows}
    assert (rows["Zoë"], rows["Mia"]) == ("not in yet", "member")
    await link_of(town, await stored(town, "Zoë"))
    await town.say(SetActive(person="Ben", active=False), "ida")
    rows = {row[0]: row[4] for row in (await town.say(ListPeople(), "ida")).rows}
    assert (rows["Zoë"], rows["Ben"]) == ("invited", "left")
    await town.clock.advance(timedelta(days=8).total_seconds())
    rows = {row[0]: row[4] for row in (await town.say(ListPeople(), "ida")).rows}
    assert rows["Zoë"] == "not in yet"


async def test_of_two_members_with_one_name_the_id_decides(town: Town) -> None:
    first = await add(town, "Kim", ("acme", Role.REQUESTER))
    await town.say(Invite(name="Kim"), "ida")
    card = await town.say(SetTeam(person="Kim", team="design"), "ida")
    assert card.kind == "error"
    assert "2 members called Kim" in card.lines[0]
    card = await town.say(SetTeam(person=first.id, team="design"), "ida")
    assert card.kind == "reply"
    card = await town.say(SetTeam(person="local:kim", team="brand"), "ida")
    assert card.kind == "reply"


async def test_a_misspelt_name_or_role_is_answered_with_the_nearest(town: Town) -> None:
    card = await town.say(SetTeam(person="Annna", team="design"), "ida")
    assert "Did you mean Ana?" in card.lines[0]
    card = await town.say(SetRole(person="Mia", role="aprover"), "ida")
    assert "Did you mean `approver`?" in card.lines[0]
    card = await town.say(SetRole(person="Mia", role="admin", brand="acme"), "ida")
    assert "all brands" in card.lines[0]


@pytest.mark.parametrize("name", ["", " ", "x" * 81])
async def test_a_name_that_is_none_is_refused(town: Town, name: str) -> None:
    refused(await town.say(Invite(name=name), "ida"), "1 to 80 characters")


async def test_a_delivery_that_comes_twice_invites_once(town: Town) -> None:
    assert town.house.door is not None
    actor = town.actor("ida", delivery="d-1")
    await town.house.door.dispatch(Invite(name="Zoë"), actor)
    again = await town.house.door.dispatch(Invite(name="Zoë"), actor)
    assert again.title == "Already on it"
    async with town.house.store.read() as tx:
        assert [p.name for p in await tx.people.all()].count("Zoë") == 1


async def test_approvers_who_left_are_not_asked(town: Town) -> None:
    async with town.house.store.write() as tx:
        kit = replace(town.kit, channels=town.kit.channels[:1], version="2")
        await tx.kits.put(kit, source="", at=START)
    await town.say(SetActive(person="Ben", active=False), "ida")
    await in_review(town)
    assert town.chat.shown("@ana")
    assert not town.chat.shown("@ben")
