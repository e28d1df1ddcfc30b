"""Who is kept from what in a whole house: the block list, platform roles, requests at once."""

from dataclasses import replace

from bot.core.commands import Approve, BlockPerson, Cancel, Help, Imagine, ListPeople, Queue
from bot.core.messages import Actor, Card
from brand.brief import Brief
from brand.kit import AccessRule, Limits
from tests.fakes.town import KIT, Town, make_town
from tests.scenario.conftest import in_review

ASK = Imagine(brief=Brief(words="a red mug"))


def on_discord(town: Town, who: str, *roles: str, place: str = "discord:100") -> Actor:
    return replace(town.actor(who), groups=frozenset(f"discord:{r}" for r in roles), place=place)


async def say(town: Town, command: object, who: Actor) -> Card:
    assert town.house.door is not None
    return await town.house.door.dispatch(command, who)


async def test_a_blocked_member_gives_no_command_and_reads_why() -> None:
    town = await make_town()
    done = await town.say(BlockPerson(person="Mia", reason="spam in #drafts"), "ida")
    assert done.title == "Mia is on the block list"
    for command in (ASK, Help(topic=""), Queue()):
        card = await town.say(command)
        assert card.kind == "error"
        assert "block list" in card.lines[0]
        assert "spam in #drafts" in card.lines[0]
    listed = await town.say(ListPeople(), "ida")
    assert [row[4] for row in listed.rows if row[0] == "Mia"] == ["blocked"]
    await town.say(BlockPerson(person="Mia", blocked=False), "ida")
    assert (await town.say(ASK)).kind == "job"


async def test_only_admins_keep_the_block_list_and_no_admin_gets_onto_it() -> None:
    town = await make_town()
    assert "Only an admin" in (await town.say(BlockPerson(person="Ana"))).lines[0]
    assert "themselves" in (await town.say(BlockPerson(person="Ida"), "ida")).lines[0]
    again = await town.say(BlockPerson(person="Mia", blocked=False), "ida")
    assert again.title == "Nothing to change"


async def test_the_block_list_is_in_the_ledger_without_names_or_reasons() -> None:
    town = await make_town()
    await town.say(BlockPerson(person="Mia", reason="spam"), "ida")
    await town.say(BlockPerson(person="Mia", blocked=False), "ida")
    mia = town.people["mia"].id
    async with town.house.store.read() as tx:
        found = await tx.ledger.recent(subject=f"person:{mia}")
    kept = [e for e in found if e.action.startswith("member.")]
    assert [e.action for e in kept][:2] == ["member.unblocked", "member.blocked"]
    assert all("spam" not in str(e.facts) and "Mia" not in str(e.facts) for e in kept)


async def test_more_requests_at_once_than_the_kit_allows_are_refused_until_one_is_done() -> None:
    town = await make_town(replace(KIT, limits=Limits(open_jobs_person=2)))
    first = await town.say(ASK)
    await town.say(ASK)
    refused = await town.say(ASK)
    assert refused.kind == "error"
    assert "2 requests" in refused.lines[0]
    assert "`open_jobs_person`" in refused.lines[0]
    assert (await town.say(ASK, "ana")).kind == "job"
    await town.say(Cancel(job=first.subject.removeprefix("job:")))
    assert (await town.say(ASK)).kind == "job"


async def test_a_place_has_a_limit_of_its_own_that_all_in_it_share() -> None:
    town = await make_town(replace(KIT, limits=Limits(open_jobs_place=1)))
    assert (await say(town, ASK, on_discord(town, "mia"))).kind == "job"
    refused = await say(town, ASK, on_discord(town, "mia"))
    assert "`open_jobs_place`" in refused.lines[0]
    assert (await say(town, ASK, on_discord(town, "mia", place="discord:200"))).kind == "job"
    assert (await town.say(ASK)).kind == "job"  # in the portal, which is no place


async def test_a_rule_about_approving_is_kept_at_the_vote() -> None:
    rule = AccessRule(name="leads approve", platform="local", roles=("9",), may=("approve",))
    town = await make_town(replace(KIT, access=(rule,)))
    review = await in_review(town)
    refused = await town.say(Approve(review=review.id), "ana")
    assert "“leads approve”" in refused.lines[0]
