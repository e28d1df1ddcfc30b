"""An identical recipe of the same brand takes the archive's pixels; decisions stay one's own."""

from dataclasses import replace

import pytest

from bot.core.assets import Asset
from bot.core.cards import REUSED
from bot.core.commands import Approve, ErasePerson, Imagine, SendToApproval, Withdraw
from bot.core.dispatch import Dispatch
from bot.core.lives import AssetState
from bot.studio import PoolStudio
from brand.spec import ModelInfo
from brand.templates import Brief
from tests.fakes import renderer as fake
from tests.fakes.studio import OFF_PALETTE, PASSED
from tests.fakes.town import Town

MUG = Brief(words="a red mug", seed=7)


async def made(town: Town, brief: Brief = MUG, who: str = "mia") -> Asset:
    """The newest picture after this brief was worked off."""
    await town.say(Imagine(brief=brief), who)
    await town.settle()
    async with town.house.store.read() as tx:
        [job, *_] = await tx.jobs.recent(limit=1)
        return (await tx.assets.of_job(job.id))[-1]


async def test_the_same_recipe_again_is_not_rendered_but_its_own_picture(town: Town) -> None:
    first = await made(town)
    second = await made(town, who="ana")
    assert len(town.renderer.requests) == 1
    assert (second.reused, second.seconds) == (first.id, 0.0)
    assert second.pixel_hash == first.pixel_hash
    assert second.id != first.id
    assert second.requester == town.people["ana"].id
    assert second.state is AssetState.CANDIDATE
    assert second.reproduction == first.reproduction
    async with town.house.store.read() as tx:
        job = await tx.jobs.get(second.job)
        [event] = [
            e
            for e in await tx.ledger.recent(subject=f"asset:{second.id}")
            if e.action == "asset.rendered"
        ]
    assert job.seconds == 0.0
    assert event.facts["reused"] == first.id
    shown = [card for card in town.chat.shown("drafts") if card.subject == f"job:{job.id}"]
    assert shown[-1].status == "Done: 1 picture"  # in no time at all
    assert REUSED in shown[0].pictures[0].caption


async def test_a_reused_picture_needs_its_own_approval(town: Town) -> None:
    first = await made(town)
    await town.say(SendToApproval(asset=first.id, channel="#social"))
    async with town.house.store.read() as tx:
        [review] = await tx.reviews.open()
    await town.say(Approve(review=review.id), "ana")
    second = await made(town)
    assert second.reused == first.id
    assert second.state is AssetState.CANDIDATE


async def test_the_real_gates_take_a_reused_picture_for_no_near_duplicate(town: Town) -> None:
    studio = PoolStudio()
    town.house = replace(town.house, studio=studio)
    town.house = replace(town.house, door=Dispatch(town.house))
    try:
        copies = [await made(town)]
        for _ in range(2):  # the last one is like two pictures in review
            sent = await town.say(SendToApproval(asset=copies[-1].id, channel="#social"))
            assert sent.kind == "review", sent
            copies.append(await made(town))
        other = await made(town, replace(MUG, fresh=True))
    finally:
        studio.close()
    assert [copy.state for copy in copies[1:]] == [AssetState.CANDIDATE] * 2
    assert [copy.reused for copy in copies[1:]] == [copy.id for copy in copies[:2]]
    assert len({copy.spec.seed for copy in copies}) == 1
    assert other.change, "one that was rendered again is judged as every other"


async def test_whoever_asks_for_a_fresh_one_gets_it_rendered(town: Town) -> None:
    await made(town)
    second = await made(town, replace(MUG, fresh=True))
    assert second.reused == ""
    assert len(town.renderer.requests) == 2


async def test_a_reused_picture_that_fails_a_gate_is_rendered_with_a_changed_recipe(
    town: Town,
) -> None:
    await made(town)
    town.studio.verdicts = [OFF_PALETTE, PASSED]
    second = await made(town)
    assert second.reused == ""
    assert "palette 12 %" in second.change
    assert len(town.renderer.requests) == 2


async def test_a_discarded_picture_serves_again_only_while_its_file_is_there(town: Town) -> None:
    town.studio.verdicts = [OFF_PALETTE]
    discarded = await made(town)
    assert discarded.state is AssetState.DISCARDED
    async with town.house.store.read() as tx:
        first, _ = await tx.assets.of_job(discarded.job)
    town.studio.verdicts = [PASSED]
    again = await made(town)
    assert again.reused == first.id
    town.house.blobs._blobs.clear()  # type: ignore[attr-defined]
    assert (await made(town)).reused == ""


async def test_a_damaged_file_is_not_reused(town: Town) -> None:
    first = await made(town)
    other = await made(town, replace(MUG, seed=8))
    blobs = town.house.blobs
    blobs._blobs[first.file_hash] = await blobs.get(other.file_hash)  # type: ignore[attr-defined]
    again = await made(town)
    assert again.reused == ""
    assert again.pixel_hash == first.pixel_hash


async def test_a_withdrawn_picture_serves_no_other(town: Town) -> None:
    first = await made(town)
    await town.say(SendToApproval(asset=first.id, channel="#social"))
    await town.say(Withdraw(asset=first.id))
    assert (await made(town)).reused == ""


async def test_a_model_with_other_weights_renders_anew(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await made(town)

    async def models() -> tuple[ModelInfo, ...]:
        return (ModelInfo(name="demo", sha256="1" * 64, layout="drawn", width=64, height=64),)

    town.renderer.models = models  # type: ignore[method-assign]
    monkeypatch.setattr(fake, "CLASS", replace(fake.CLASS, weights="1" * 64))
    second = await made(town)
    assert second.reused == ""
    assert second.reproduction.weights != first.reproduction.weights


async def test_an_erased_persons_picture_is_not_reused_and_its_file_is_gone(town: Town) -> None:
    first = await made(town)
    await town.say(ErasePerson(person=town.people["mia"].id, sure=True), "ida")
    assert not await town.house.blobs.exists(first.file_hash)
    again = await made(town, who="ana")
    assert again.reused == ""


async def test_a_picture_that_goes_between_asking_and_rendering_is_rendered(town: Town) -> None:
    first = await made(town)
    await town.say(Imagine(brief=MUG), "ana")
    async with town.house.store.read() as tx:
        [queued] = await tx.jobs.unfinished()
    assert queued.items[0].reuse == first.id
    await town.say(ErasePerson(person=town.people["mia"].id, sure=True), "ida")
    await town.settle()
    async with town.house.store.read() as tx:
        [job, *_] = await tx.jobs.recent(limit=1)
        [asset] = await tx.assets.of_job(job.id)
    assert asset.reused == ""
    assert job.items[0].was_rendered


async def test_a_picture_led_by_weights_that_a_recipe_does_not_pin_is_rendered_anew(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake, "CLASS", replace(fake.CLASS, aids="2" * 64))
    await made(town)
    assert (await made(town)).reused == ""
