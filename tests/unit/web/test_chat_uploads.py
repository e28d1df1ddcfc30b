"""Pictures attached in the portal's chat: theirs who attached them, and within limits."""

import pytest

from bot.core.limits import UploadLimits
from tests.fakes.portal import Portal, make_portal
from tests.fakes.uploads import png

FIELDS = ("picture", "mask", "control", "like")


async def stored(portal: Portal) -> list[str]:
    return [sha256 async for sha256 in portal.town.house.blobs.all()]


@pytest.mark.parametrize("field", FIELDS)
async def test_whoever_may_not_ask_for_pictures_attaches_none(portal: Portal, field: str) -> None:
    async with portal.browser("ben") as client:
        answer = await client.post(
            "/chat/drafts",
            data={"text": "/imagine a red mug"},
            files={field: ("me.png", png(), "image/png")},
        )
    assert answer.status_code == 403, answer.text
    assert "requester" in answer.text
    assert await stored(portal) == []


async def test_only_so_many_attached_pictures_wait() -> None:
    portal = await make_portal(uploads=UploadLimits(files=1))
    async with portal.browser("mia") as client:
        for color, status in (("red", 303), ("blue", 403)):
            answer = await client.post(
                "/chat/drafts",
                data={"text": f"/imagine a {color} mug"},
                files={"picture": ("me.png", png(color), "image/png")},
            )
            assert answer.status_code == status, answer.text
    assert "At most 1 may" in answer.text
    assert len(await stored(portal)) == 1


async def test_a_typed_hash_of_somebody_else_s_attachment_is_refused(portal: Portal) -> None:
    async with portal.browser("mia") as mia, portal.browser("ana") as ana:
        await mia.post(
            "/chat/drafts",
            data={"text": "/imagine a red mug --private"},
            files={"picture": ("me.png", png(), "image/png")},
        )
        [sha256] = await stored(portal)
        line = {"text": f"/imagine a hat --ref {sha256} --strength 0"}
        shown = await ana.post("/chat/drafts", data=line, follow_redirects=True)
        assert "There is no picture" in shown.text
        await mia.post("/chat/drafts", data=line)
    async with portal.town.house.store.read() as tx:
        jobs = await tx.jobs.unfinished()
    assert {job.requester for job in jobs} == {portal.town.people["mia"].id}
    assert len(jobs) == 2
