"""From `/imagine` to the posted picture, on memory."""

from dataclasses import replace

from bot.core.commands import (
    Approve,
    Cancel,
    Extend,
    Imagine,
    Reroll,
    SendToApproval,
    Upscale,
    Vary,
)
from bot.core.lives import AssetState, JobState, PublicationState
from bot.core.messages import ChannelRef
from bot.core.rendering import MAX_STARTS, RenderingWorker
from bot.core.sending import Sender
from brand.kit import WayPolicy
from brand.spec import Outpaint, RenderBusy, RenderFailed, RenderUnavailable, sha256_hex
from brand.templates import Brief
from tests.fakes.renderer import noise
from tests.fakes.studio import OFF_PALETTE, PASSED
from tests.fakes.town import PUBLIC, WORKING, Town
from tests.scenario.conftest import candidate, in_review, newest_asset
from tests.scenario.crews import settled_in_time


async def test_a_request_is_rendered_reviewed_approved_and_posted_once(town: Town) -> None:
    card = await town.say(Imagine(brief=Brief(words="a red mug")))
    assert card.subject.startswith("job:")
    assert "Queued, next in line" in card.status
    await town.settle()
    asset = await newest_asset(town)
    assert asset.state is AssetState.CANDIDATE
    await town.say(SendToApproval(asset=asset.id, channel="#social"))
    async with town.house.store.read() as tx:
        review = (await tx.reviews.open())[0]
    answer = await town.say(Approve(review=review.id), "ana")
    assert answer.stamp.startswith("Approved by Ana")
    await town.settle()
    [(channel, data)] = town.chat.posts.values()
    assert channel == "social"
    assert sha256_hex(data) in review.rendition_hashes
    async with town.house.store.read() as tx:
        [publication] = await tx.publications.of_asset(asset.id)
        actions = {e.action for e in await tx.ledger.recent(limit=100)}
    assert publication.state is PublicationState.SENT
    assert publication.receipt is not None
    assert actions >= {
        "job.queued",
        "asset.rendered",
        "job.done",
        "review.opened",
        "review.voted",
        "review.decided",
        "publication.sent",
    }


async def test_the_job_message_changes_in_place(town: Town) -> None:
    await candidate(town)
    jobs = [card for card in town.chat.shown("drafts") if card.kind == "job"]
    assert [card.state for card in jobs] == ["done"]
    assert jobs[0].draft
    assert [button.label for button in jobs[0].pictures[0].buttons] == [
        "Use",
        "Vary",
        "Vary strongly",
        "Upscale",
        "Extend",
        "Re-roll",
        "Edit words",
        "Use as reference",
        "Details",
        "Send to approval for #social",
    ]


async def test_a_draft_asked_for_in_a_public_channel_goes_to_the_requester_alone(
    town: Town,
) -> None:
    await town.say(Imagine(brief=Brief(words="a red mug")), where=PUBLIC)
    await town.settle()
    assert town.chat.shown("social") == []
    assert [card.state for card in town.chat.shown("@mia")] == ["done"]


async def test_a_private_request_stays_out_of_the_working_channel(town: Town) -> None:
    await town.say(Imagine(brief=Brief(words="a red mug", private=True)), where=WORKING)
    await town.settle()
    assert town.chat.shown("drafts") == []
    assert len(town.chat.shown("@mia")) == 1


async def test_a_channel_that_the_kit_does_not_list_counts_as_public(town: Town) -> None:
    await town.say(
        Imagine(brief=Brief(words="a red mug")),
        where=ChannelRef(platform="local", channel="elsewhere"),
    )
    await town.settle()
    assert town.chat.shown("elsewhere") == []


async def test_a_banned_word_is_refused_with_rule_and_alternative_and_queues_nothing(
    town: Town,
) -> None:
    card = await town.say(Imagine(brief=Brief(words="a cheap mug")))
    assert card.kind == "error"
    assert "affordable" in " ".join(card.lines)
    async with town.house.store.read() as tx:
        assert not await tx.jobs.unfinished()


async def test_a_failed_gate_renders_once_more_and_says_what_changed(town: Town) -> None:
    town.studio.verdicts = [OFF_PALETTE, PASSED]
    asset = await candidate(town)
    first, second = (request.spec for request in town.renderer.requests)
    assert first != second
    assert "new seed" in asset.change
    assert "palette 12 %" in asset.change
    async with town.house.store.read() as tx:
        discarded = await tx.assets.get(asset.parent)
    assert discarded.state is AssetState.DISCARDED
    assert discarded.spec == first


async def test_a_second_failure_ends_with_a_discarded_picture_that_cannot_be_sent(
    town: Town,
) -> None:
    town.studio.verdicts = [OFF_PALETTE]
    asset = await candidate(town)
    assert len(town.renderer.requests) == 2
    assert asset.state is AssetState.DISCARDED
    [job] = [card for card in town.chat.shown("drafts") if card.kind == "job"]
    assert "Did not pass the brand check" in job.pictures[0].caption
    card = await town.say(SendToApproval(asset=asset.id))
    assert card.kind == "error"
    assert "did not pass" in card.lines[0]


async def test_a_crash_of_the_generation_service_loses_no_job(town: Town) -> None:
    town.renderer.failures = [RenderUnavailable("gone")]
    await town.say(Imagine(brief=Brief(words="a red mug")))
    await settled_in_time(town)
    asset = await newest_asset(town)
    ids = {request.render_id for request in town.renderer.requests}
    assert len(town.renderer.requests) == 2
    assert len(ids) == 1, "the same submission keeps its id"
    assert asset.state is AssetState.CANDIDATE


async def test_a_job_given_back_says_on_its_card_that_it_waits_again(town: Town) -> None:
    town.renderer.failures = [RenderUnavailable("gone")]
    await town.say(Imagine(brief=Brief(words="a red mug")))
    assert await RenderingWorker(town.house, "w1").run_one()
    sender = Sender(town.house, "s1")
    while await sender.run_one():
        pass
    [card] = town.chat.shown("drafts")
    assert card.state == "queued"
    assert "next in line" in card.status


async def test_an_outage_uses_up_no_claims_of_what_waits(town: Town) -> None:
    town.renderer.away = True
    for words in ("a red mug", "a blue hat"):
        await town.say(Imagine(brief=Brief(words=words)))
    worker = RenderingWorker(town.house, "w1")
    assert await worker.run_one(), "it has to try once to know"
    for _ in range(3 * MAX_STARTS):
        assert not await worker.run_one()
    town.renderer.away = False
    await town.settle()
    states = [card.state for card in town.chat.shown("drafts")]
    assert states == ["done", "done"]


async def test_a_full_service_is_waited_for_with_the_job_in_hand(town: Town) -> None:
    busy = RenderBusy("its queue is full", retry_after_s=3)
    town.renderer.failures = [busy] * (3 * MAX_STARTS)
    await town.say(Imagine(brief=Brief(words="a red mug")))
    await settled_in_time(town)
    assert (await newest_asset(town)).state is AssetState.CANDIDATE


async def test_a_broken_render_fails_its_job_with_a_reference_and_a_way_on(town: Town) -> None:
    town.renderer.failures = [RenderFailed("the model gave no numbers")]
    await town.say(Imagine(brief=Brief(words="a red mug")))
    await town.settle()
    [card] = town.chat.shown("drafts")
    assert card.state == "failed"
    assert card.reference
    assert "the model gave no numbers" in card.status
    assert card.buttons[0].label == "Try again"


async def test_cancelling_while_rendering_stores_no_asset(town: Town) -> None:
    async def cancel(_request: object) -> None:
        await town.say(Cancel())

    town.renderer.before_picture = cancel
    await town.say(Imagine(brief=Brief(words="a red mug")))
    await town.settle()
    async with town.house.store.read() as tx:
        [job] = await tx.jobs.recent()
        assert not await tx.assets.of_job(job.id)
    assert job.state is JobState.CANCELLED
    assert town.renderer.cancelled == {town.renderer.requests[0].render_id}


async def test_varying_starts_from_the_archived_pixels(town: Town) -> None:
    asset = await candidate(town)
    await town.say(Vary(asset=asset.id, strong=True))
    await town.settle()
    child = await newest_asset(town)
    assert child.parent == asset.id
    assert child.spec.init is not None
    assert child.spec.init.sha256 == asset.file_hash
    assert child.spec.init.strength == 0.65
    assert asset.file_hash in town.renderer.blobs


async def test_upscaling_is_a_new_asset_that_needs_its_own_approval(town: Town) -> None:
    review = await in_review(town)
    await town.say(Approve(review=review.id), "ana")
    await town.settle()
    await town.say(Upscale(asset=review.asset, factor=2))
    await town.settle()
    child = await newest_asset(town)
    assert (child.width, child.height) == (128, 128)
    assert child.state is AssetState.CANDIDATE


async def test_extending_goes_on_over_the_edges_as_a_new_asset(town: Town) -> None:
    asset = await candidate(town)
    await town.say(Extend(asset=asset.id))
    await town.settle()
    wide = await newest_asset(town)
    assert wide.parent == asset.id
    assert (wide.width, wide.height) == (96, 64)
    assert wide.spec.outpaint == Outpaint(left=16, right=16)
    assert wide.spec.init is not None
    assert (wide.spec.init.sha256, wide.spec.init.strength) == (asset.file_hash, 1.0)
    await town.say(Vary(asset=wide.id))
    await town.settle()
    varied = await newest_asset(town)
    assert (varied.spec.outpaint, varied.width) == (None, 96)
    card = await town.say(Extend(asset=asset.id, sides=Outpaint(top=4096)))
    assert card.kind == "error"
    assert "that far" in card.lines[0]


async def test_a_kit_that_allows_no_outpainting_has_no_button_for_it(town: Town) -> None:
    asset = await candidate(town)
    labels = [b.label for b in town.chat.shown("drafts")[0].pictures[0].buttons]
    assert "Extend" in labels
    async with town.house.store.write() as tx:
        kit = replace(town.kit, version="2", ways=WayPolicy())
        await tx.kits.put(kit, source="", at=town.clock.now())
    card = await town.say(Extend(asset=asset.id))
    assert card.kind == "error"
    assert "outpaint = true" in card.fix
    await candidate(town, "a blue hat")
    labels = [b.label for b in town.chat.shown("drafts")[-1].pictures[0].buttons]
    assert "Extend" not in labels


async def test_a_reroll_is_the_same_brief_with_another_seed(town: Town) -> None:
    asset = await candidate(town)
    await town.say(Reroll(target=asset.id))
    await town.settle()
    again = await newest_asset(town)
    assert again.spec.prompt == asset.spec.prompt
    assert again.spec.seed != asset.spec.seed


async def test_the_same_delivery_makes_one_job(town: Town) -> None:
    actor = town.actor("mia", delivery="D1")
    command = Imagine(brief=Brief(words="a red mug"))
    assert town.house.door is not None
    await town.house.door.dispatch(command, actor)
    second = await town.house.door.dispatch(command, actor)
    assert second.title == "Already on it"
    async with town.house.store.read() as tx:
        assert len(await tx.jobs.recent()) == 1


async def test_a_refused_delivery_may_come_again(town: Town) -> None:
    actor = town.actor("mia", delivery="D1")
    assert town.house.door is not None
    refused = await town.house.door.dispatch(Imagine(brief=Brief(words="cheap")), actor)
    accepted = await town.house.door.dispatch(Imagine(brief=Brief(words="a mug")), actor)
    assert refused.kind == "error"
    assert accepted.kind == "job"


async def test_someone_unknown_gets_an_answer_and_a_ledger_line(town: Town) -> None:
    card = await town.say(Imagine(brief=Brief(words="a red mug")), "stranger")
    assert card.kind == "error"
    assert "invite" in card.fix
    async with town.house.store.read() as tx:
        [event] = await tx.ledger.recent()
    assert event.action == "command.refused"
    assert event.facts["known"] is False


async def test_a_job_that_trips_over_a_bug_fails_alone(town: Town) -> None:
    def bug(_spec: object) -> object:
        raise ZeroDivisionError

    town.renderer.paint = bug  # type: ignore[assignment]
    await town.say(Imagine(brief=Brief(words="a red mug")))
    await town.settle()
    town.renderer.paint = noise
    await town.say(Imagine(brief=Brief(words="a blue mug")))
    await town.settle()
    broken, fine = town.chat.shown("drafts")
    assert (broken.state, fine.state) == ("failed", "done")
    assert "on our side" in broken.status
    assert broken.reference
