"""Gallery, picture, review board, queue, usage, brands, health: with scripts off."""

import json
from dataclasses import replace

import httpx
import pytest

from bot.core.cards import shown_blob
from bot.core.ids import new_id
from bot.core.lives import AssetState
from bot.core.messages import ChannelRef
from bot.core.people import Role
from brand.kit import PaletteColor, Template, ToneRule, Variable
from brand.spec import RendererHealth, RenderUnavailable
from brand.templates import Brief
from brand.verdicts import Evidence, Verdict
from tests.fakes.html import Page
from tests.fakes.portal import Portal, add_person, make_portal
from tests.fakes.studio import FakeStudio
from tests.fakes.town import KIT, person

ME = ChannelRef(platform="local", channel="@mia")


async def page(client: httpx.AsyncClient, path: str) -> Page:
    answer = await client.get(path, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    return Page(answer.text)


@pytest.mark.parametrize(
    "path",
    [
        *("/chat", "/queue", "/gallery", "/review", "/calendar", "/usage"),
        *("/brands", "/health", "/more"),
    ],
)
async def test_every_page_obeys_its_own_content_policy(portal: Portal, path: str) -> None:
    await portal.review()
    async with portal.browser("ana") as client:
        shown = await page(client, path)
    assert not shown.inline
    assert len(shown.ids) == len(set(shown.ids))
    assert all("alt" in image for image in shown.images)


@pytest.mark.parametrize("path", ["/queue", "/gallery", "/review", "/calendar", "/usage"])
async def test_every_empty_page_teaches_with_an_example_that_works(
    portal: Portal, path: str
) -> None:
    async with portal.browser("mia") as client:
        empty = await page(client, path)
        link = next(href for text, href in empty.links.items() if text.startswith("Try"))
        form = (await page(client, link)).form("Send")
        await client.post(form.action, data=form.data("Send"))
    async with portal.town.house.store.read() as tx:
        assert len(await tx.jobs.unfinished()) == 1


async def test_the_gallery_finds_and_filters_by_its_address(portal: Portal) -> None:
    await portal.picture("a red mug")
    await portal.picture("a blue hat", who="ana")
    async with portal.browser("mia") as client:
        everything = await page(client, "/gallery")
        assert len(everything.images) == 2
        found = await page(client, "/gallery?q=hat")
        assert [i["alt"] for i in found.images] == ["Acme: a blue hat (draft, picture 1)"]
        mine = await page(client, "/gallery?mine=1")
        assert [i["alt"] for i in mine.images] == ["Acme: a red mug (draft, picture 1)"]
        assert not (await page(client, "/gallery?state=approved")).images
        nothing = await page(client, "/gallery?q=zebra")
        assert "No picture fits" in nothing.text


async def test_filters_keep_each_other(portal: Portal) -> None:
    async with portal.browser("mia") as client:
        shown = await page(client, "/gallery?q=mug&mine=1")
    assert shown.links["Approved"] == "/gallery?q=mug&amp;state=approved&amp;mine=1".replace(
        "&amp;", "&"
    )
    assert shown.links["Mine"] == "/gallery?q=mug"


async def test_odd_filters_are_ignored(portal: Portal) -> None:
    await portal.picture()
    async with portal.browser("mia") as client:
        shown = await page(client, "/gallery?state=nonsense&template=none&before=../etc&mine=yes")
    assert len(shown.images) == 1


async def test_the_gallery_goes_on_to_older_pictures(portal: Portal) -> None:
    for _ in range(14):
        await portal.picture(brief=Brief(words="a red mug", n=4))
    async with portal.browser("mia") as client:
        first = await page(client, "/gallery")
        assert len(first.images) == 48
        second = await page(client, first.links["Older pictures"])
        assert len(second.images) == 8
        assert "Older pictures" not in second.links
    shown = {image["src"] for image in first.images + second.images}
    assert len(shown) == 56


async def test_other_peoples_drafts_do_not_hide_what_is_older(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.web.pages.gallery.ROUNDS", 1)
    await add_person(portal, person("Noa", Role.REQUESTER))
    await portal.picture("mine", who="noa")
    for _ in range(13):
        await portal.picture(brief=Brief(words="secret", n=4, private=True))
    async with portal.browser("noa") as client:
        newest = await page(client, "/gallery")
        assert not newest.images
        older = await page(client, newest.links["Look further back"])
        assert [image["alt"] for image in older.images] == ["Acme: mine (draft, picture 1)"]


async def test_what_failed_the_brand_check_hides_behind_its_filter() -> None:
    failed = Evidence(verdicts=(Verdict(name="palette", passed=False, summary="palette 1 %"),))
    portal = await make_portal(studio=FakeStudio(failed))
    await portal.picture()
    async with portal.browser("mia") as client:
        assert not (await page(client, "/gallery")).images
        assert len((await page(client, "/gallery?state=discarded")).images) == 2
        room = await page(client, "/chat/drafts")
        assert "Brand check failed: palette" in room.text
        assert not [f for f in room.forms if "Send to approval" in str(f.buttons)]


async def test_private_drafts_are_seen_by_their_requester_alone(portal: Portal) -> None:
    secret = await portal.picture(where=ME, brief=Brief(words="secret", private=True))
    blob = shown_blob(secret)
    paths = [f"/pictures/{secret.id}", f"/pictures/{secret.id}/recipe.json"]
    paths += [f"/files/{blob}?of={secret.id}", f"/files/{blob}?of={secret.id}&w=320"]
    async with portal.browser("mia") as client:
        for path in paths:
            assert (await client.get(path)).status_code == 200
    for who in ("ana", "ben", "ida"):
        async with portal.browser(who) as client:
            assert not (await page(client, "/gallery")).images
            for path in paths:
                assert (await client.get(path)).status_code == 404, (who, path)


async def test_an_auditor_sees_everything(portal: Portal) -> None:
    await add_person(portal, person("Uri", Role.AUDITOR))
    secret = await portal.picture(where=ME, brief=Brief(words="secret", private=True))
    async with portal.browser("uri") as client:
        assert "secret" in (await page(client, f"/pictures/{secret.id}")).text


async def test_a_requester_does_not_see_the_drafts_of_others_direct_lines(portal: Portal) -> None:
    await add_person(portal, person("Noa", Role.REQUESTER))
    draft = await portal.picture(where=ME)
    async with portal.browser("noa") as client:
        assert (await client.get(f"/pictures/{draft.id}")).status_code == 404
        assert not (await page(client, "/gallery")).images
    async with portal.browser("ana") as client:
        assert (await client.get(f"/pictures/{draft.id}")).status_code == 200


async def test_a_picture_of_another_brand_stays_there() -> None:
    portal = await make_portal(more_kits=(replace(KIT, id="beta", name="Beta", channels=()),))
    await add_person(portal, replace(person("Zoe"), roles=(("beta", Role.ADMIN),)))
    asset = await portal.picture()
    async with portal.browser("zoe") as client:
        for path in (f"/pictures/{asset.id}", f"/files/{asset.file_hash}?of={asset.id}"):
            assert (await client.get(path)).status_code == 404
        assert (await client.get("/brands/acme")).status_code == 404
        assert (await client.get("/chat/drafts")).status_code == 404


async def test_the_picture_page_explains_the_picture(portal: Portal) -> None:
    review = await portal.review("a red mug")
    async with portal.browser("ana") as client:
        shown = await page(client, f"/pictures/{review.asset}")
        for part in ("a red mug", "Mia", "palette", "dpmpp_2m_karras", "sent it to approval"):
            assert part in shown.text, part
        recipe = await client.get(f"/pictures/{review.asset}/recipe.json")
        assert json.loads(recipe.text)["prompt"].startswith("a red mug")
        assert "attachment" in recipe.headers["content-disposition"]


async def test_files_are_served_for_good_and_only_as_pictures(portal: Portal) -> None:
    asset = await portal.picture()
    async with portal.browser("mia") as client:
        path = f"/files/{asset.file_hash}?of={asset.id}"
        whole = await client.get(path)
        assert whole.headers["content-type"] == "image/png"
        assert "immutable" in whole.headers["cache-control"]
        assert "private" in whole.headers["cache-control"]
        assert whole.headers["x-content-type-options"] == "nosniff"
        again = await client.get(path, headers={"if-none-match": whole.headers["etag"]})
        assert again.status_code == 304
        saved = await client.get(path + "&download=1")
        assert f"acme-{asset.id}.png" in saved.headers["content-disposition"]
        small = await client.get(path + "&w=320")
        assert len(small.content) < len(whole.content)


@pytest.mark.parametrize("size", [1, 319, 100000, -5])
async def test_thumbnails_come_in_set_sizes_only(portal: Portal, size: int) -> None:
    asset = await portal.picture()
    async with portal.browser("mia") as client:
        answer = await client.get(f"/files/{asset.file_hash}?of={asset.id}&w={size}")
    assert answer.status_code == 404


async def test_a_hash_that_belongs_to_nothing_visible_is_not_served(portal: Portal) -> None:
    asset, other = await portal.picture("a red mug"), await portal.picture("a blue mug")
    stray = await portal.town.house.blobs.put(b"\x89PNG\r\n\x1a\nstray")
    tries = [
        f"/files/{stray}?of={asset.id}",
        f"/files/{other.file_hash}?of={asset.id}",
        f"/files/{asset.file_hash}?of={new_id()}",
        f"/files/{asset.file_hash}?of=..%2f..",
        f"/files/..%2f..%2fetc%2fpasswd?of={asset.id}",
    ]
    async with portal.browser("mia") as client:
        for path in tries:
            assert (await client.get(path)).status_code == 404, path


async def test_the_board_decides_one_after_the_other(portal: Portal) -> None:
    first, second = await portal.review("a red mug"), await portal.review("a blue mug")
    async with portal.browser("ana") as client:
        board = await page(client, "/review")
        assert "1 of 2" in board.text
        form = board.form("Approve")
        assert form.fields["action"] == f"approve:{first.id}"
        answer = await client.post(form.action, data=form.data("Approve"))
        assert answer.headers["location"].startswith(f"/review/{second.id}?reply=")
        following = await page(client, answer.headers["location"])
        assert "Approved by Ana" in following.text
        form = following.form("Reject")
        answer = await client.post(form.action, data=form.data("Reject", said="Too blue"))
        last = await page(client, answer.headers["location"])
        assert "Rejected by Ana" in last.text
        assert "Nothing waits for a decision" in last.text
    async with portal.town.house.store.read() as tx:
        assert (await tx.assets.get(first.asset)).state is AssetState.APPROVED
        assert (await tx.assets.get(second.asset)).state is AssetState.REJECTED


async def test_the_last_approval_can_be_taken_back(portal: Portal) -> None:
    review = await portal.review()
    async with portal.browser("ana") as client:
        form = (await page(client, "/review")).form("Approve")
        answer = await client.post(form.action, data=form.data("Approve"))
        after = await page(client, answer.headers["location"])
        undo = next(f for f in after.forms if f.fields.get("action", "").startswith("withdraw:"))
        await client.post(undo.action, data=undo.data())
    async with portal.town.house.store.read() as tx:
        assert (await tx.assets.get(review.asset)).state is AssetState.WITHDRAWN


async def test_who_may_not_vote_reads_why_instead_of_buttons(portal: Portal) -> None:
    review = await portal.review(who="ana")
    async with portal.browser("ana") as client:
        shown = await page(client, f"/review/{review.id}")
        assert "Nobody approves their own request" in shown.text
        assert not [form for form in shown.forms if "Approve" in form.buttons]
        assert [form for form in shown.forms if "Withdraw" in form.buttons]


async def test_an_approver_reads_the_words_that_approving_would_post(portal: Portal) -> None:
    review = await portal.review("a red mug")
    async with portal.browser("ana") as client:
        shown = await page(client, f"/review/{review.id}")
    assert "Posted with: “a red mug”" in shown.text


async def test_requesters_see_their_own_reviews_on_the_board(portal: Portal) -> None:
    await portal.review("a red mug", who="ana")
    mine = await portal.review("a blue mug", who="mia")
    async with portal.browser("mia") as client:
        answer = await client.get("/review")
    assert answer.headers["location"] == f"/review/{mine.id}"


async def test_comparing_shows_what_it_was_made_from_or_what_was_approved_last(
    portal: Portal,
) -> None:
    await portal.review("a red mug")
    async with portal.browser("ana") as client:
        board = await page(client, "/review")
        alone = await page(client, board.links["Compare"])
        assert "nothing to compare with" in alone.text
        form = board.form("Approve")
        await client.post(form.action, data=form.data("Approve"))
        await portal.review("a blue mug")
        board = await page(client, "/review")
        compared = await page(client, board.links["Compare"])
        assert "Approved last" in compared.text
        assert len(compared.images) == len(board.images) + 1


async def test_a_second_click_on_a_decided_review_says_who_was_faster(portal: Portal) -> None:
    await portal.review()
    async with portal.browser("ana") as ana, portal.browser("ben") as ben:
        ana_form = (await page(ana, "/review")).form("Approve")
        ben_form = (await page(ben, "/review")).form("Reject")
        await ana.post(ana_form.action, data=ana_form.data("Approve"))
        answer = await ben.post(ben_form.action, data=ben_form.data("Reject", said="no"))
        shown = await page(ben, answer.headers["location"])
    assert "Approved by Ana" in shown.text


async def test_the_answer_to_a_command_is_nobody_elses(portal: Portal) -> None:
    await portal.review()
    async with portal.browser("ana") as ana, portal.browser("ben") as ben:
        form = (await page(ana, "/review")).form("Approve")
        answer = await ana.post(form.action, data=form.data("Approve"))
        place = answer.headers["location"]
        assert 'class="flash"' in (await ana.get(place)).text
        assert 'class="flash"' not in (await ben.get(place)).text


async def test_the_queue_hides_the_words_of_private_jobs(portal: Portal) -> None:
    async with portal.browser("mia") as mia, portal.browser("ana") as ana:
        await mia.post("/chat/me", data={"text": "/imagine my secret mug --private"})
        await mia.post("/chat/drafts", data={"text": "/imagine a red mug"})
        own, other = await page(mia, "/queue"), await page(ana, "/queue")
    assert "my secret mug" in own.text
    assert "my secret mug" not in other.text
    assert "private words" in other.text
    assert "a red mug" in other.text


async def test_a_job_is_cancelled_from_the_queue(portal: Portal) -> None:
    async with portal.browser("mia") as client:
        await client.post("/chat/drafts", data={"text": "/imagine a red mug"})
        form = (await page(client, "/queue")).form("Cancel (a red mug)")
        answer = await client.post(form.action, data=form.data())
        shown = await page(client, answer.headers["location"])
    assert "Cancelled" in shown.text
    assert "Nothing is waiting" in shown.text


async def test_a_job_is_paused_and_resumed_from_the_queue(portal: Portal) -> None:
    async with portal.browser("mia") as client:
        await client.post("/chat/drafts", data={"text": "/imagine a red mug"})
        form = (await page(client, "/queue")).form("Pause (a red mug)")
        await client.post(form.action, data=form.data())
        shown = await page(client, "/queue")
        assert "Paused. It waits until it is resumed" in shown.text
        form = shown.form("Resume (a red mug)")
        await client.post(form.action, data=form.data())
        shown = await page(client, "/queue")
    assert "next in line" in shown.text
    assert shown.form("Pause (a red mug)")


async def test_usage_counts_what_was_rendered_and_approved(portal: Portal) -> None:
    await portal.picture(brief=Brief(words="a red mug", n=2))
    await portal.picture(who="ana")
    await portal.town.clock.advance(1)
    async with portal.browser("ida") as client:
        everybody = await page(client, "/usage")
    assert "Mia 2 0 0 %" in everybody.text
    assert "Ana 1 0 0 %" in everybody.text
    async with portal.browser("mia") as client:
        own = await page(client, "/usage")
    assert "Mia" in own.text
    assert "Ana 1" not in own.text


async def test_a_brand_page_shows_the_kit_with_examples_that_work() -> None:
    kit = replace(
        KIT,
        palette=(PaletteColor(name="teal", hex="#0f7c7c", key=True, min_share=0.1),),
        tone=(ToneRule(number=4, text="Talk of worth."),),
        templates=(
            Template(
                name="product",
                text="a [COLOR] [PRODUCT]",
                variables=(
                    Variable(name="COLOR", values=("dark red", "teal")),
                    Variable(name="PRODUCT", default="mug"),
                ),
            ),
        ),
    )
    portal = await make_portal(kit)
    async with portal.browser("mia") as client:
        shown = await page(client, "/brands")
        for part in ("#0f7c7c", "at least 10 %", "Talk of worth.", "affordable", "#social"):
            assert part in shown.text, part
        link = next(href for text, href in shown.links.items() if text.startswith("Try"))
        form = (await page(client, link)).form("Send")
        await client.post(form.action, data=form.data("Send"))
    async with portal.town.house.store.read() as tx:
        job = (await tx.jobs.unfinished())[0]
    assert dict(job.brief.variables) == {"COLOR": "dark red", "PRODUCT": "mug"}


async def test_health_says_what_works(portal: Portal) -> None:
    async with portal.browser("mia") as client:
        assert "Everything works." in (await page(client, "/health")).text


async def test_health_names_what_is_down_and_what_becomes_of_the_work() -> None:
    portal = await make_portal()

    async def gone() -> RendererHealth:
        raise RenderUnavailable("nothing listens there")

    portal.town.renderer.health = gone
    async with portal.browser("mia") as client:
        shown = await page(client, "/health")
    assert "Not reachable: nothing listens there" in shown.text
    assert "wait in the queue" in shown.text


async def test_health_does_not_wait_for_a_service_that_hangs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    portal = await make_portal()

    async def hanging() -> RendererHealth:
        await portal.town.clock.sleep(3600)
        raise AssertionError

    portal.town.renderer.health = hanging
    monkeypatch.setattr("bot.core.health.PATIENCE_S", 0.05)
    async with portal.browser("mia") as client:
        assert "no answer within" in (await page(client, "/health")).text


async def test_pages_are_made_quickly(portal: Portal) -> None:
    for _ in range(12):
        await portal.picture(brief=Brief(words="a red mug", n=4))
    async with portal.browser("ana") as client:
        for path in ("/chat/drafts", "/gallery", "/gallery?q=red", "/queue", "/usage"):
            await client.get(path)
            answer = await client.get(path)
            assert answer.elapsed.total_seconds() < 1.5, path  # 0.15 on a machine of one's own


async def test_the_portals_own_files_are_kept_for_good(portal: Portal) -> None:
    async with portal.browser() as client:
        html = (await client.get("/signed-out")).text
        sheet = html.split('rel="stylesheet" href="')[1].split('"')[0]
        answer = await client.get(sheet, headers={"accept-encoding": "gzip"})
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-encoding"] == "gzip"
        assert "--canvas" in answer.text
        assert (await client.get("/static/old/app.css")).headers["cache-control"] == "no-cache"
        for path in ("/static/x/../app.css", "/static/x/css/00-tokens.css", "/static/x/.env"):
            assert (await client.get(path)).status_code == 404
