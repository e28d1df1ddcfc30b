"""What stays of the records of a person who was erased, and in which state."""

from dataclasses import replace

from bot.core.archive import recipe_of
from bot.core.assets import AssetQuery
from bot.core.auditing import verify_ledger
from bot.core.commands import (
    Approve,
    Find,
    Imagine,
    ListPeople,
    SendToApproval,
    Show,
    Vary,
)
from bot.core.ledger import ERASED
from bot.core.lives import AssetState, JobState, ReviewState, ScheduleState
from bot.core.people import KeyKind
from bot.core.sequencing import chain_all
from brand.templates import Brief
from storage.database import OpenStore
from tests.contract.erasing import (
    LOCAL,
    NAME,
    SLACK,
    WORD,
    busy_life,
    erase,
    newest,
    picture,
    say,
    town_of,
)
from tests.fakes.town import Town
from tests.fakes.uploads import brought


async def test_erasing_takes_accounts_roles_and_keys_and_leaves_the_id(store: OpenStore) -> None:
    town = await town_of(store)
    await busy_life(town)
    await erase(town)
    person = town.people["q"]
    async with store.read() as tx:
        left = await tx.people.get(person.id)
        assert left == replace(
            person,
            name="",
            roles=(),
            identities=(),
            team="",
            active=False,
            blocked_at=left.blocked_at,
            blocked_by=town.people["ida"].id,
            version=left.version,
        )
        assert await tx.people.by_identity("slack", SLACK.user, "T1") is None
        for kind in KeyKind:
            assert await tx.keys.of_person(person.id, kind) == []
        assert await tx.links.of_person(person.id) == []
    rows = (await town.say(ListPeople(), "ida")).rows
    assert person.id not in {row[-1] for row in rows}


async def test_what_was_under_way_ends_and_what_others_did_stays(store: OpenStore) -> None:
    town = await town_of(store)
    await busy_life(town)
    await erase(town)
    person = town.people["q"]
    async with store.read() as tx:
        jobs = await tx.jobs.recent(requester=person.id)
        assert {job.state for job in jobs} == {JobState.DONE, JobState.CANCELLED, JobState.FAILED}
        assert {item.asset for job in jobs for item in job.items} == {""}
        assert {job.brief.words for job in jobs} == {""}
        assert [review.requester for review in await tx.reviews.open()] == []
        (schedule,) = await tx.schedules.of_brand("acme")
        assert schedule.state is ScheduleState.PAUSED
        own = [asset for job in jobs for asset in await tx.assets.of_job(job.id)]
        assert {asset.state for asset in own} == {AssetState.REJECTED, AssetState.WITHDRAWN}
        assert all(asset.is_erased and not asset.renditions for asset in own)
        (blue,) = await tx.assets.find(AssetQuery(brand="acme"))
        assert blue.words == "a blue bowl"
        (review,) = await tx.reviews.of_asset(blue.id)
        assert review.state is ReviewState.DECIDED
        assert review.votes[0].person == person.id
        assert (review.votes[0].name, review.votes[0].reason) == ("", "")
        assert await tx.assets.find(AssetQuery(brand="acme", text=WORD)) == []
        assert [a.id for a in await tx.assets.find(AssetQuery(text="bowl"))] == [blue.id]


async def test_files_go_unless_a_record_still_speaks_of_them(store: OpenStore) -> None:
    town = await town_of(store)
    blobs = town.house.blobs
    upload, shared = await brought(town, "q", "red"), await brought(town, "q", "blue")
    for reference in (upload, shared):
        await say(town, Imagine(brief=Brief(words="like this", reference=reference)))
        await town.settle()
    draft = await newest(town)
    await say(town, SendToApproval(asset=draft.id, channel="#social"))
    kept = await picture(town, "a kettle")
    await say(town, SendToApproval(asset=kept.id, channel="#social"))
    await town.say(Approve(review=kept.id), "ana")
    await town.settle()
    assert await brought(town, "mia", "blue") == shared
    await town.say(Imagine(brief=Brief(words="ours", reference=shared)), "mia")
    await town.settle()
    async with store.read() as tx:
        files = {sha256 async for _, sha256 in tx.assets.file_hashes()}
    stay = {kept.file_hash, *(r.file_hash for r in kept.renditions)}
    stay |= {sha256 for sha256 in files if sha256 in await files_of_others(town)}
    await erase(town)
    left = {sha256 async for sha256 in blobs.all()}
    assert upload not in left
    assert not {draft.file_hash, *(r.file_hash for r in draft.renditions)} & left
    assert {shared, *stay} <= left
    async with store.read() as tx:
        named = {sha256 async for _, sha256 in tx.assets.file_hashes()}
    assert named <= left


async def test_files_go_while_the_generation_service_is_away(store: OpenStore) -> None:
    town = await town_of(store)
    upload = await brought(town, "q")
    await say(town, Imagine(brief=Brief(words="like this", reference=upload)))
    town.renderer.away = True
    await erase(town)
    assert upload not in {sha256 async for sha256 in town.house.blobs.all()}


async def files_of_others(town: Town) -> set[str]:
    """The files of pictures that somebody else asked for."""
    async with town.house.store.read() as tx:
        assets = await tx.assets.find(AssetQuery(brand="acme", requester=town.people["mia"].id))
    return {r.file_hash for asset in assets for r in asset.renditions}


async def test_an_erased_picture_is_found_shown_and_varied_by_nobody(store: OpenStore) -> None:
    town = await town_of(store)
    draft = await picture(town, "a draft")
    await erase(town)
    for who in ("ana", "ida"):
        assert (await town.say(Show(target=draft.id), who)).kind == "error"
        assert (await town.say(Vary(asset=draft.id), who)).kind == "error"
        assert (await town.say(SendToApproval(asset=draft.id), who)).kind == "error"
    assert (await town.say(Find(text=""), "ida")).pictures == ()


async def test_what_was_published_keeps_its_recipe_without_the_person(store: OpenStore) -> None:
    town = await town_of(store)
    asset = await picture(town, "a green kettle")
    await say(town, SendToApproval(asset=asset.id, channel="#social", caption="Tea?"))
    await town.say(Approve(review=asset.id), "ana")
    await town.settle()
    async with store.read() as tx:
        before = await tx.assets.get(asset.id)
        posts = await tx.publications.of_asset(asset.id)
    await erase(town)
    async with store.read() as tx:
        after = await tx.assets.get(asset.id)
        assert after == before
        assert await tx.publications.of_asset(asset.id) == posts
        (job,) = await tx.jobs.recent(requester=town.people["q"].id)
        assert job.items[0].spec == before.spec
        assert job.brief.words == ""
        assert [a.id for a in await tx.assets.find(AssetQuery(text="kettle"))] == [asset.id]
    assert NAME not in repr(recipe_of(after))


async def test_the_ledger_keeps_its_commitments_and_says_that_someone_was_erased(
    store: OpenStore,
) -> None:
    town = await town_of(store)
    await busy_life(town)
    async with store.read() as tx:
        before = {event.id: event.body() for event in await tx.ledger.recent(limit=1000)}
    await erase(town)
    person = town.people["q"]
    async with store.read() as tx:
        events = await tx.ledger.recent(limit=1000)
    assert events[0].action == ERASED
    assert events[0].subject == f"person:{person.id}"
    assert events[0].facts["texts"] > 3
    assert {event.id: event.body() for event in events[1:]} == before
    own = [event for event in events if person.id in (event.actor, event.subject[7:])]
    assert all(event.personal == {} for event in own)
    assert any(event.commitments for event in own)


async def test_the_chain_verifies_before_and_after_and_names_the_gap(store: OpenStore) -> None:
    town = await town_of(store)
    await busy_life(town)
    await chain_all(town.house)
    before = await verify_ledger(store)
    await erase(town)
    await chain_all(town.house)
    after = await verify_ledger(store)
    assert (before.sound, before.erased, before.waiting) == (True, 0, 0)
    assert (after.sound, after.waiting) == (True, 0)
    assert after.erased > 3
    assert after.lines > before.lines


async def test_messages_about_their_work_are_blank_and_others_only_lose_the_name(
    store: OpenStore,
) -> None:
    town = await town_of(store)
    await busy_life(town)
    await erase(town)
    shown = await store.timeline.page("drafts", user="mia")
    texts = [(message.author, message.text) for message in shown if message.text]
    assert ("someone", "Erased with the person who wrote it.") in texts
    assert ("Mia", "ask someone about it") in texts
    assert all(not message.reactions for message in shown)
    assert await store.timeline.page(f"@{LOCAL.user}", user=LOCAL.user) == []
