"""Recipes in several stages: in order, each picture explained, resumed from the last stored one."""

import io
from dataclasses import replace

import pytest
from PIL import Image

from bot.core.assets import Asset
from bot.core.budget import Account, Scope, month_of
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
from bot.core.errors import Unavailable
from bot.core.jobs import Job
from bot.core.lives import AssetState, JobState
from bot.core.rendering import RenderingWorker
from bot.core.telling import current_job_card
from brand.spec import RenderFailed, RenderRequest
from brand.templates import Brief
from tests.fakes.studio import OFF_PALETTE, PASSED
from tests.fakes.town import Town
from tests.fakes.uploads import brought

SCENE = Brief(words="a red mug", recipe="scene", seed=7)


async def ask(town: Town, brief: Brief = SCENE) -> None:
    card = await town.say(Imagine(brief=brief))
    assert card.kind == "job", card


async def newest(town: Town) -> tuple[Job, list[Asset]]:
    async with town.house.store.read() as tx:
        [job, *_] = await tx.jobs.recent(limit=1)
        return job, list(await tx.assets.of_job(job.id))


async def test_the_stages_run_in_order_each_from_the_pictures_before(town: Town) -> None:
    await ask(town)
    await town.settle()
    job, assets = await newest(town)
    assert job.state is JobState.DONE
    base, background, dawn, night = assets
    assert [item.stage for item in job.items] == [0, 1, 2, 2]
    assert base.spec.init is None
    assert background.parent == base.id
    assert background.spec.init is not None
    assert background.spec.init.sha256 == base.file_hash
    assert background.spec.mask is not None
    assert {dawn.parent, night.parent} == {background.id}
    for mood, words in ((dawn, "at dawn"), (night, "at night")):
        assert mood.spec.init is not None
        assert (mood.spec.init.sha256, mood.spec.init.strength) == (background.file_hash, 0.3)
        assert f"a red mug {words}" in mood.spec.prompt
        assert mood.spec.mask is None
    assert dawn.change == "stage “mood”"


async def test_a_stages_own_mask_is_painted_anew_outside_of_its_box(town: Town) -> None:
    await ask(town)
    await town.settle()
    _, assets = await newest(town)
    mask = assets[1].spec.mask
    assert mask is not None
    with Image.open(io.BytesIO(await town.house.blobs.get(mask.sha256))) as image:
        assert image.size == (64, 64)
        pixels = image.convert("L")
    assert [pixels.getpixel(at) for at in ((0, 0), (15, 32), (16, 16), (47, 47), (48, 48))] == [
        255,
        255,
        0,
        0,
        255,
    ]


async def test_the_requester_sees_every_stage_and_picks_from_them(town: Town) -> None:
    await ask(town)
    await town.settle()
    _, assets = await newest(town)
    [card] = [c for c in town.chat.shown("drafts") if c.kind == "job"]
    assert [ref.asset for ref in card.pictures] == [asset.id for asset in assets]
    await town.say(SendToApproval(asset=assets[-1].id, channel="#social"))
    async with town.house.store.read() as tx:
        [review] = await tx.reviews.open()
    await town.say(Approve(review=review.id), "ana")
    await town.settle()
    assert len(town.chat.posts) == 1


async def test_an_uploaded_mask_is_kept_for_its_stage(town: Town) -> None:
    mask = await brought(town)
    await ask(town, replace(SCENE, recipe="patch", mask=mask))
    await town.settle()
    _, [base, part] = await newest(town)
    assert base.spec.mask is None
    assert part.spec.mask is not None
    assert part.spec.mask.sha256 == mask
    assert "a bow" in part.spec.prompt


@pytest.mark.parametrize(
    ("brief", "says"),
    [
        (replace(SCENE, recipe="scen"), "Did you mean `scene`"),
        (replace(SCENE, recipe="patch"), "Attach one"),
        (replace(SCENE, words="a cheap mug"), "affordable"),
    ],
)
async def test_a_recipe_that_cannot_be_is_refused_before_anything_is_rendered(
    town: Town, brief: Brief, says: str
) -> None:
    card = await town.say(Imagine(brief=brief))
    assert card.kind == "error"
    assert says in " ".join((*card.lines, card.fix))
    assert not town.renderer.requests


async def test_a_picture_that_fails_the_brand_check_is_not_gone_on_with(town: Town) -> None:
    town.studio.verdicts = [PASSED, OFF_PALETTE, OFF_PALETTE]
    await ask(town, replace(SCENE, n=1))
    await town.settle()
    job, assets = await newest(town)
    assert job.state is JobState.DONE
    assert [item.stage for item in job.items] == [0, 1]
    assert assets[-1].state is AssetState.DISCARDED


async def test_after_a_crash_the_job_goes_on_from_the_last_stored_stage(town: Town) -> None:
    await ask(town)
    worker = RenderingWorker(town.house, "w")
    assert await worker.run_one()

    def crash(*_: object) -> object:
        raise Unavailable("the machine stops here")

    real, town.studio.check = town.studio.check, crash  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        await worker.run_one()
    town.studio.check = real  # type: ignore[method-assign]
    town.clock.jump(town.house.lease.total_seconds() + 1)
    await town.settle()
    job, assets = await newest(town)
    assert job.state is JobState.DONE
    assert len(assets) == 4
    rendered = [r.spec.hash for r in town.renderer.requests]
    assert rendered.count(assets[0].spec.hash) == 1


async def test_a_stage_that_failed_is_taken_up_again_from_the_stage_before(town: Town) -> None:
    def breaks(request: RenderRequest) -> None:
        if "at night" in request.spec.prompt:
            raise RenderFailed("no numbers")

    town.renderer.before_picture = breaks
    await ask(town)
    await town.settle()
    failed, before = await newest(town)
    assert failed.state is JobState.FAILED
    assert len(before) == 2
    town.renderer.before_picture = lambda _: None
    town.renderer.requests.clear()
    await town.say(Reroll(target=failed.id))
    await town.settle()
    job, assets = await newest(town)
    assert job.id != failed.id
    assert (job.state, job.brief.recipe) == (JobState.DONE, "scene")
    assert {asset.parent for asset in assets} == {before[1].id}
    assert len(town.renderer.requests) == 2


async def test_a_cancelled_recipe_is_taken_up_again_too(town: Town) -> None:
    async def cancel(request: RenderRequest) -> None:
        if request.spec.mask is not None:
            await town.say(Cancel())

    town.renderer.before_picture = cancel
    await ask(town)
    await town.settle()
    cancelled, [base] = await newest(town)
    assert cancelled.state is JobState.CANCELLED
    town.renderer.before_picture = lambda _: None
    town.renderer.cancelled.clear()
    await town.say(Reroll(target=cancelled.id))
    await town.settle()
    job, assets = await newest(town)
    assert job.state is JobState.DONE
    assert assets[0].parent == base.id
    assert [item.stage for item in job.items] == [1, 2, 2]


@pytest.mark.parametrize("name", [" scene", "scene\u200b", "\tscene\n"])
async def test_a_recipes_name_with_stray_characters_runs_all_its_stages(
    town: Town, name: str
) -> None:
    await ask(town, replace(SCENE, recipe=name))
    await town.settle()
    job, _ = await newest(town)
    assert job.brief.recipe == "scene"
    assert [item.stage for item in job.items] == [0, 1, 2, 2]


async def test_all_stages_count_in_the_budget(town: Town) -> None:
    await ask(town)
    async with town.house.store.read() as tx:
        [job] = await tx.jobs.unfinished()
    assert job.charge is not None
    assert job.charge.pictures == 4


async def test_the_card_says_which_stage_is_done(town: Town) -> None:
    await ask(town)
    await RenderingWorker(town.house, "w").run_one()
    job, _ = await newest(town)
    async with town.house.store.read() as tx:
        card = await current_job_card(tx, job, town.kit)
    assert card.status.startswith("Stage 1 is done. Queued")


async def test_what_a_stage_had_finished_is_gone_on_with_and_not_counted_twice(town: Town) -> None:
    def breaks(request: RenderRequest) -> None:
        if request.spec.mask is not None and request.spec.seed not in (7, 8):
            raise RenderFailed("no numbers")  # the changed second try of one background

    town.renderer.before_picture = breaks
    town.studio.verdicts = [PASSED, PASSED, PASSED, OFF_PALETTE, PASSED]
    await ask(town, replace(SCENE, n=2))
    await town.settle()
    failed, before = await newest(town)
    assert failed.state is JobState.FAILED
    finished = next(item.asset for item in failed.items if item.stage == 1 and item.asset)
    town.renderer.before_picture = lambda _: None
    await town.say(Reroll(target=failed.id))
    async with town.house.store.read() as tx:
        [job] = await tx.jobs.unfinished()
    assert job.charge is not None
    assert job.charge.pictures == 1 + 4
    await town.settle()
    job, assets = await newest(town)
    assert len(assets) == 1 + 4
    assert [asset.parent for asset in assets].count(finished) == 2
    account = Account(scope=Scope.PERSON.value, key=town.people["mia"].id)
    async with town.house.store.read() as tx:
        [spend] = await tx.budgets.spends(month_of(town.clock.now()), [account])
    assert spend.pictures == 2 + 1 + 1 + 4
    assert len(before) == 4


@pytest.mark.parametrize("further", [Vary, Upscale, Extend])
async def test_what_is_made_of_a_recipes_picture_does_not_run_the_recipe_again(
    town: Town, further: type[Vary | Upscale | Extend]
) -> None:
    await ask(town)
    await town.settle()
    _, assets = await newest(town)
    town.renderer.requests.clear()
    await town.say(further(asset=assets[-1].id))
    await town.settle()
    job, [made] = await newest(town)
    assert (job.state, made.parent) == (JobState.DONE, assets[-1].id)
    assert [item.stage for item in job.items] == [0]
    assert len({request.render_id for request in town.renderer.requests}) == 1
