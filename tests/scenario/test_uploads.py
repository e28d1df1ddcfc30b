"""Pictures that people bring: theirs alone to begin from, and so many at once."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from PIL import Image

from bot.core.caller import Caller
from bot.core.commands import (
    Cancel,
    EditWords,
    ErasePerson,
    Extend,
    Imagine,
    Reroll,
    Upscale,
    Vary,
)
from bot.core.dispatch import Dispatch
from bot.core.erasing import erase
from bot.core.errors import NotAllowed, TooMuchWaiting
from bot.core.limits import UploadLimits
from bot.core.messages import Card
from bot.core.pruning import KEEP_FILES, prune
from bot.core.uploads import bring, may_bring
from brand.brief import Brief, ControlWish
from brand.errors import PictureRefused
from tests.fakes.town import START, Town, person
from tests.fakes.uploads import brought, png
from tests.scenario.conftest import newest_asset

USES: dict[str, Callable[[str], Brief]] = {
    "reference": lambda file: Brief(words="a hat", reference=file, strength=0.0),
    "mask": lambda file: Brief(words="a hat", reference=file, mask=file),
    "control": lambda file: Brief(
        words="a hat", controls=(ControlWish(kind="canny", picture=file),)
    ),
}


async def asked(town: Town, brief: Brief, who: str = "mia") -> Card:
    return await town.say(Imagine(brief=brief, brand="acme"), who)


def limited(town: Town, **limits: int) -> None:
    town.house = replace(town.house, uploads=UploadLimits(**limits))
    town.house = replace(town.house, door=Dispatch(town.house))


async def files(town: Town) -> list[str]:
    return [sha256 async for sha256 in town.house.blobs.all()]


@pytest.mark.parametrize("use", USES)
async def test_whoever_only_knows_the_hash_of_an_upload_cannot_begin_from_it(
    town: Town, use: str
) -> None:
    file = await brought(town, "mia")
    unknown = await asked(town, USES[use]("0" * 64), "ana")
    refused = await asked(town, USES[use](file), "ana")
    assert refused.kind == "error"
    assert [line.replace(file[:22], "0" * 22) for line in refused.lines] == list(unknown.lines)
    assert refused.fix == unknown.fix, "nobody learns whether it is there"
    assert (await asked(town, USES[use](file), "mia")).kind == "job"


async def test_two_people_who_bring_the_same_picture_may_both_begin_from_it(town: Town) -> None:
    assert await brought(town, "mia") == (file := await brought(town, "ana"))
    for who in ("mia", "ana"):
        assert (await asked(town, Brief(words="a hat", reference=file), who)).kind == "job"


async def test_edited_words_begin_from_no_upload_of_somebody_else(town: Town) -> None:
    file = await brought(town, "ana")
    await asked(town, Brief(words="a mug"))
    await town.settle()
    asset = await newest_asset(town)
    edit = EditWords(asset=asset.id, text=f"a hat --ref {file}")
    assert (await town.say(edit, "mia")).kind == "error"
    assert (await town.say(edit, "ana")).kind == "job"


async def test_a_file_of_the_archive_that_is_no_picture_begins_nothing(town: Town) -> None:
    weights = await town.house.blobs.put(b"the weights of a LoRA")
    assert (await asked(town, Brief(words="a hat", reference=weights))).kind == "error"


async def test_whoever_may_handle_a_job_goes_on_with_its_inputs(town: Town) -> None:
    """Ana approves: what Mia attached is part of Mia's job, which Ana may see."""
    file = await brought(town, "mia")
    await asked(town, USES["control"](file))
    await town.settle()
    asset = await newest_asset(town)
    onward = (Reroll(target=asset.job), Vary(asset=asset.id), Upscale(asset=asset.id, factor=2),
              Extend(asset=asset.id))  # fmt: skip
    for command in onward:
        assert (await town.say(command, "ana")).kind == "job", command
    await town.settle()
    async with town.house.store.read() as tx:
        jobs = [job for job in await tx.jobs.recent(limit=10) if job.requester != asset.requester]
    assert len(jobs) == len(onward)
    assert sum(file in item.spec.inputs for job in jobs for item in job.items) == 2
    assert (await asked(town, USES["control"](file), "ana")).kind == "error", "not by its hash"


async def test_nothing_of_a_stranger_s_picture_is_read_or_stored(town: Town) -> None:
    def opened(_: bytes) -> Image.Image:
        raise AssertionError("it was read")

    before = await files(town)
    for brand in ("acme", ""):
        with pytest.raises(NotAllowed, match="ask for pictures"):
            await bring(town.house, town.people["ben"], png(), brand=brand, opened=opened)
    with pytest.raises(NotAllowed):
        await may_bring(town.house, person("Zoe"))
    assert await files(town) == before


async def test_what_is_no_picture_is_not_stored_and_takes_no_room(town: Town) -> None:
    with pytest.raises(PictureRefused):
        await bring(town.house, town.people["mia"], b"no picture", brand="acme")
    assert await files(town) == []
    async with town.house.store.read() as tx:
        assert (await tx.uploads.waiting(town.people["mia"].id, START)).files == 0


async def test_only_so_many_pictures_of_one_person_wait(town: Town) -> None:
    limited(town, files=2)
    first = await brought(town, color="red")
    await brought(town, color="blue")
    before = await files(town)
    with pytest.raises(TooMuchWaiting, match="At most 2 may") as refused:
        await brought(town, color="green")
    assert "uploads.files" in refused.value.fix
    assert await files(town) == before
    await brought(town, "ana", "green")  # others have room of their own
    assert (await asked(town, Brief(words="a hat", reference=first))).kind == "job"
    with pytest.raises(TooMuchWaiting):
        await brought(town, color="yellow")  # the job is not finished
    await town.settle()
    await brought(town, color="yellow")


async def test_only_so_many_bytes_of_one_person_wait(town: Town) -> None:
    limited(town, mib=1)
    noise = Image.effect_noise((800, 800), 200).convert("RGB")
    out = io.BytesIO()
    noise.save(out, "PNG")
    mia = town.people["mia"]
    kept = await bring(town.house, mia, out.getvalue(), brand="acme")
    assert 500_000 < len(await town.house.blobs.get(kept.sha256)) < 1_000_000
    flipped = io.BytesIO()
    noise.rotate(180).save(flipped, "PNG")
    with pytest.raises(TooMuchWaiting, match="1 MiB in all"):
        await bring(town.house, mia, flipped.getvalue(), brand="acme")
    assert len(await files(town)) == 1
    await bring(town.house, mia, out.getvalue(), brand="acme")  # the same takes no more room


async def test_cancelling_jobs_makes_no_room_for_more(town: Town) -> None:
    limited(town, files=1)
    file = await brought(town)
    await asked(town, Brief(words="a hat", reference=file))
    await town.say(Cancel())
    with pytest.raises(TooMuchWaiting):
        await brought(town, color="blue")
    town.clock.jump(KEEP_FILES.total_seconds() + 1)
    await brought(town, color="blue")


async def test_what_no_job_used_is_forgotten_after_a_day(town: Town) -> None:
    used, unused = await brought(town, color="red"), await brought(town, color="blue")
    await asked(town, Brief(words="a hat", reference=used))
    town.clock.jump((KEEP_FILES + timedelta(hours=1)).total_seconds())
    await prune(town.house)
    assert (await asked(town, Brief(words="a hat", reference=used))).kind == "job"
    refused = await asked(town, Brief(words="a hat", reference=unused))
    assert refused.kind == "error"
    assert "forgotten after a day" in refused.fix


async def test_the_uploads_of_an_erased_person_go_unless_somebody_else_brought_them_too(
    town: Town,
) -> None:
    own, shared = await brought(town, color="red"), await brought(town, color="blue")
    assert await brought(town, "ana", "blue") == shared
    admin = Caller(person=town.people["ida"], actor=town.actor("ida"))
    await erase(town.house, admin, ErasePerson(person="Mia", sure=True))
    assert await files(town) == [shared]
    async with town.house.store.read() as tx:
        assert await tx.uploads.get(town.people["mia"].id, own) is None
        assert await tx.uploads.get(town.people["ana"].id, shared) is not None
