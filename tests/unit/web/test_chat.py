"""The local chat's pages, with scripts off: what is said, what comes back, who sees it."""

import io
from dataclasses import replace

import httpx
import pytest
from PIL import Image

from bot.core.ids import new_id
from bot.core.live import LiveProgress
from bot.core.messages import ChannelRef
from bot.core.people import Role
from bot.core.sending import Sender
from brand.templates import Brief
from tests.fakes.html import Page
from tests.fakes.portal import Portal, add_person
from tests.fakes.town import person

ME = ChannelRef(platform="local", channel="@mia")


async def page(client: httpx.AsyncClient, path: str) -> Page:
    answer = await client.get(path, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    return Page(answer.text)


async def say(client: httpx.AsyncClient, text: str, room: str = "drafts") -> httpx.Response:
    form = (await page(client, f"/chat/{room}")).form("Send")
    return await client.post(form.action, data=form.data("Send", text=text))


def png(size: tuple[int, int] = (40, 30)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, "PNG")
    return out.getvalue()


async def test_the_product_opens_on_the_working_channel(portal: Portal) -> None:
    async with portal.browser("mia") as client:
        answer = await client.get("/", follow_redirects=True)
    assert answer.url.path == "/chat/drafts"


async def test_an_empty_room_teaches_with_an_example_that_works(portal: Portal) -> None:
    async with portal.browser("mia") as client:
        room = await page(client, "/chat/drafts")
        link = next(href for text, href in room.links.items() if text.startswith("Try"))
        prefilled = await page(client, link)
        form = prefilled.form("Send")
        assert form.fields["text"] == "/imagine a red mug on a wooden table"
        await client.post(form.action, data=form.data("Send"))
        await portal.town.settle()
        assert "Done: 1 picture" in (await page(client, "/chat/drafts")).text


async def test_a_job_is_followed_from_queue_to_picture(portal: Portal) -> None:
    async with portal.browser("mia") as client:
        answer = await say(client, "/imagine a red mug")
        assert answer.headers["location"] == "/chat/drafts#newest"
        await portal.town.settle()
        room = await page(client, "/chat/drafts")
        assert "a red mug" in room.text
        assert "Done: 1 picture" in room.text
        picture = next(image for image in room.images if "a red mug" in image["alt"])
        shown = await client.get(picture["src"])
        assert shown.status_code == 200
        assert shown.headers["content-type"] == "image/webp"


async def test_a_waiting_job_says_its_place_as_it_is_now(portal: Portal) -> None:
    async with portal.browser("mia") as client:
        await say(client, "/imagine a red mug")
        await say(client, "/imagine a blue mug")
        house = portal.town.house
        async with house.store.read() as tx:
            first, _ = await tx.jobs.unfinished()
        sender = Sender(house, "s")
        while await sender.run_one():
            pass
        assert "2nd in line" in (await page(client, "/chat/drafts")).text
        form = (await page(client, "/chat/drafts")).form("Cancel")
        assert form.fields["action"] == f"cancel:{first.id}"
        await client.post(form.action, data=form.data("Cancel"))
        room = await page(client, "/chat/drafts")
        assert "2nd in line" not in room.text
        assert "next in line" in room.text


async def test_a_running_job_shows_progress_and_preview(portal: Portal) -> None:
    house = portal.town.house
    seen: list[Page] = []

    async with portal.browser("mia") as client:

        async def look(_: object) -> None:
            async with house.store.read() as tx:
                job = (await tx.jobs.unfinished())[0]
            progress = LiveProgress(fraction=0.45, eta_s=12.0, preview=b"\xff\xd8\xffpreview")
            house.live.put(job.id, progress)
            seen.append(await page(client, "/chat/drafts"))
            seen.append(await page(client, "/queue"))
            preview = next(i for i in seen[0].images if "preview.jpg" in i["src"])
            answer = await client.get(preview["src"])
            assert answer.content == b"\xff\xd8\xffpreview"
            assert answer.headers["content-type"] == "image/jpeg"

        portal.town.renderer.before_picture = look
        await say(client, "/imagine a red mug")
        await Sender(house, "s").run_one()
        await portal.town.settle()
    assert all("Rendering · 45 % · about 12 s left" in shown.text for shown in seen)


async def test_a_paused_job_stands_still_in_the_chat_and_goes_on_from_there(portal: Portal) -> None:
    spinning = []
    async with portal.browser("mia") as client:

        async def seen() -> str:
            sender = Sender(portal.town.house, "s")
            while await sender.run_one():
                pass
            html = (await client.get("/chat/drafts")).text
            spinning.append('class="spinner"' in html)
            return html

        await say(client, "/imagine a red mug")
        for button in ("Pause", "Resume"):
            form = Page(await seen()).form(button)
            await client.post(form.action, data=form.data(button))
        assert "next in line" in await seen()
    assert spinning == [True, False, True]


async def test_a_mistake_is_marked_and_the_right_line_offered(portal: Portal) -> None:
    async with portal.browser("mia") as client:
        await say(client, "/imagine a red mug --samplr euler")
        room = await page(client, "/chat/drafts")
        assert "isn't a flag" in room.text
        assert "^^^^^^^^" in room.text
        assert "Only you see this" in room.text
        link = next(href for text, href in room.links.items() if text.startswith("Use"))
        form = (await page(client, link)).form("Send")
        assert form.fields["text"] == "/imagine a red mug --sampler euler"
    async with portal.browser("ana") as client:
        assert "samplr" not in (await page(client, "/chat/drafts")).text


async def test_a_banned_word_names_its_rule_and_the_way_out(portal: Portal) -> None:
    async with portal.browser("mia") as client:
        await say(client, "/imagine a cheap mug")
        text = (await page(client, "/chat/drafts")).text
    assert "cheap" in text
    assert "affordable" in text


async def test_answers_to_one_person_are_seen_by_nobody_else(portal: Portal) -> None:
    async with portal.browser("mia") as client:
        await say(client, "/help")
        mine = await page(client, "/chat/drafts")
        assert "/imagine" in mine.text
    async with portal.browser("ana") as client:
        other = await page(client, "/chat/drafts")
        assert "/help" not in other.text.replace("/help all lists every command", "")
        for message in [i.removeprefix("m-") for i in mine.ids if i.startswith("m-")]:
            assert (await client.get(f"/chat/drafts/messages/{message}")).status_code == 404


async def test_help_where_nothing_says_which_brand_asks_for_none(portal: Portal) -> None:
    house, kit = portal.town.house, portal.town.kit
    async with house.store.write() as tx:
        other = replace(kit, id="zeta", name="Zeta", channels=())
        await tx.kits.put(other, source="", at=house.clock.now())
    async with portal.browser("mia") as client:
        await say(client, "/help vary", room="me")
        shown = await page(client, "/chat/me")
        assert "/vary ID [strong]" in shown.text
        assert "Which brand" not in shown.text


async def test_a_request_in_a_public_channel_keeps_its_draft_out_of_it(portal: Portal) -> None:
    async with portal.browser("mia") as client:
        await say(client, "/imagine a red mug", room="social")
        await portal.town.settle()
        public = await page(client, "/chat/social")
        assert "Drafts stay out of #social" in public.text
        assert not public.images
        assert "Done: 1 picture" in (await page(client, "/chat/me")).text
    async with portal.browser("ana") as client:
        assert "red mug" not in Page((await client.get("/chat/social")).text).text.replace(
            "a red mug on a wooden table", ""
        )


async def test_a_private_request_stands_in_ones_own_channel_alone(portal: Portal) -> None:
    async with portal.browser("mia") as client:
        await say(client, "/imagine a secret mug --private")
        await portal.town.settle()
        assert "You asked for it privately" in (await page(client, "/chat/drafts")).text
        own = await page(client, "/chat/me")
        assert "Done: 1 picture" in own.text
        image = next(i for i in own.images if "secret" in i["alt"])
    for who in ("ana", "ida"):
        async with portal.browser(who) as client:
            assert "secret" not in (await page(client, "/chat/drafts")).text
            assert (await client.get(image["src"])).status_code == 404


async def test_others_rooms_are_not_there(portal: Portal) -> None:
    async with portal.browser("ana") as client:
        for room in ("@mia", "@mia/pages", "nowhere", "%2e%2e%2fqueue"):
            assert (await client.get(f"/chat/{room}")).status_code == 404
            posted = await client.post(f"/chat/{room}", data={"text": "hello"})
            assert posted.status_code in (404, 405)


async def test_someone_outside_the_brand_sees_no_working_channel(portal: Portal) -> None:
    await add_person(portal, replace(person("Zoe"), roles=(("beta", Role.ADMIN),)))
    async with portal.browser("zoe") as client:
        assert (await client.get("/chat/drafts")).status_code in (403, 404)


async def test_talk_among_people_stays_talk(portal: Portal) -> None:
    async with portal.browser("mia") as client:
        await say(client, "what do you think of <b>teal</b> & `code`?")
        await say(client, "help me please")
    async with portal.browser("ana") as client:
        answer = await client.get("/chat/drafts")
    assert "&lt;b&gt;teal&lt;/b&gt; &amp; `code`?" in answer.text
    assert "help me please" in answer.text


async def test_talk_with_nobody_is_answered_with_the_command(portal: Portal) -> None:
    async with portal.browser("mia") as client:
        await say(client, "a red mug", room="me")
        room = await page(client, "/chat/me")
    assert any(text == "Use /imagine a red mug" for text in room.links)


@pytest.mark.parametrize("text", ["", "   ", "\n"])
async def test_saying_nothing_says_nothing(portal: Portal, text: str) -> None:
    async with portal.browser("mia") as client:
        assert (await say(client, text)).status_code == 303
        assert not [i for i in (await page(client, "/chat/drafts")).ids if i.startswith("m-")]


async def test_a_form_sent_twice_counts_once(portal: Portal) -> None:
    async with portal.browser("mia") as client:
        form = (await page(client, "/chat/drafts")).form("Send")
        data = form.data("Send", text="/imagine a red mug")
        await client.post(form.action, data=data)
        await client.post(form.action, data=data)
    async with portal.town.house.store.read() as tx:
        assert len(await tx.jobs.unfinished()) == 1


async def test_an_attached_picture_is_made_anew_and_becomes_the_reference(portal: Portal) -> None:
    async with portal.browser("mia") as client:
        answer = await client.post(
            "/chat/drafts",
            data={"text": "/imagine a red mug"},
            files={"picture": ("me.png", png() + b"<script>", "image/svg+xml")},
        )
        assert answer.status_code == 303
        async with portal.town.house.store.read() as tx:
            job = (await tx.jobs.unfinished())[0]
        assert job.brief.reference
        kept = await portal.town.house.blobs.get(job.brief.reference)
        assert b"<script>" not in kept
        room = await page(client, "/chat/drafts")
        own = next(i for i in room.images if job.brief.reference in i["src"])
        assert (await client.get(own["src"])).status_code == 200


async def test_the_more_disclosure_takes_a_mask_and_a_picture_that_leads(portal: Portal) -> None:
    async with portal.browser("mia") as client:
        room = (await client.get("/chat/drafts")).text
        for name in ("picture", "mask", "control"):
            assert f'type="file" name="{name}"' in room
        assert 'name="like"' not in room, "the kit allows no image prompts"
        files = {
            name: (f"{name}.png", png(size), "image/png")
            for name, size in (("picture", (64, 64)), ("mask", (64, 72)), ("control", (72, 64)))
        }
        answer = await client.post(
            "/chat/drafts", data={"text": "/imagine a blue sky control:canny@0.8"}, files=files
        )
    assert answer.status_code == 303
    async with portal.town.house.store.read() as tx:
        [job] = await tx.jobs.unfinished()
    spec = job.items[0].spec
    assert spec.init is not None
    assert spec.mask is not None
    assert [(use.kind, use.weight) for use in spec.controls] == [("canny", 0.8)]
    files_named = {spec.init.sha256, spec.mask.sha256, spec.controls[0].sha256}
    assert len(files_named) == 3
    assert set(spec.inputs) >= files_named


@pytest.mark.parametrize(
    ("data", "status"),
    [(b"<svg onload=alert(1)>", 422), (png()[:60], 422), (png((5000, 5000)), 413)],
)
async def test_what_is_no_usable_picture_is_refused_with_the_reason(
    portal: Portal, data: bytes, status: int
) -> None:
    async with portal.browser("mia") as client:
        answer = await client.post(
            "/chat/drafts",
            data={"text": "/imagine a red mug"},
            files={"picture": ("a.png", data, "image/png")},
        )
    assert answer.status_code == status
    assert "That picture can" in answer.text
    async with portal.town.house.store.read() as tx:
        assert not await tx.jobs.unfinished()


async def test_one_of_our_pictures_can_be_the_reference(portal: Portal) -> None:
    asset = await portal.picture()
    async with portal.browser("mia") as client:
        form = (await page(client, f"/chat/drafts?reference={asset.id}")).form("Send")
        assert form.fields["reference"] == asset.id
        await client.post(form.action, data=form.data("Send", text="/imagine a blue mug"))
    async with portal.town.house.store.read() as tx:
        assert (await tx.jobs.unfinished())[0].brief.reference == asset.file_hash


async def test_somebody_elses_draft_is_no_reference(portal: Portal) -> None:
    secret = await portal.picture(brief=Brief(words="secret", private=True), where=ME)
    async with portal.browser("ana") as client:
        assert (await client.get(f"/chat/drafts?reference={secret.id}")).status_code == 404
        data = {"text": "/imagine a mug", "reference": secret.id}
        assert (await client.post("/chat/drafts", data=data)).status_code == 404


async def test_a_reaction_approves_as_the_button_does(portal: Portal) -> None:
    review = await portal.review()
    async with portal.browser("ana") as client:
        room = await page(client, "/chat/drafts")
        form = next(f for f in room.forms if f.fields.get("emoji") == "white_check_mark")
        await client.post(form.action, data=form.data())
        await portal.town.settle()
        assert "Approved by Ana" in (await page(client, "/chat/drafts")).text
        public = await page(client, "/chat/social")
        assert public.images
        assert (await client.get(public.images[0]["src"])).status_code == 200
    async with portal.town.house.store.read() as tx:
        assert (await tx.reviews.get(review.id)).outcome == "approve"


async def test_a_rejection_carries_its_reason_to_the_requester(portal: Portal) -> None:
    await portal.review()
    async with portal.browser("ana") as client:
        form = (await page(client, "/chat/drafts")).form("Reject")
        await client.post(form.action, data=form.data("Reject", said="Too dark, sorry."))
        await portal.town.settle()
    async with portal.browser("mia") as client:
        assert "Too dark, sorry." in (await page(client, "/chat/me")).text


async def test_a_reaction_of_the_requester_is_refused_to_them_alone(portal: Portal) -> None:
    await portal.review(who="ana")
    async with portal.browser("ana") as client:
        room = await page(client, "/chat/drafts")
        form = next(f for f in room.forms if f.fields.get("emoji") == "white_check_mark")
        await client.post(form.action, data=form.data())
        assert "Nobody approves their own request" in (await page(client, "/chat/drafts")).text


async def test_a_reaction_on_what_one_cannot_see_is_refused(portal: Portal) -> None:
    await portal.picture(where=ME, brief=Brief(words="secret", private=True))
    async with portal.browser("mia") as client:
        own = await page(client, "/chat/me")
        message = next(i for i in own.ids if i.startswith("m-")).removeprefix("m-")
    async with portal.browser("ana") as client:
        for room in ("drafts", "me", "@mia"):
            answer = await client.post(
                f"/chat/{room}/messages/{message}/react", data={"emoji": "x"}
            )
            assert answer.status_code == 404


async def test_a_button_of_nobody_is_answered(portal: Portal) -> None:
    async with portal.browser("mia") as client:
        for action in ("launch:missiles", f"approve:{new_id()}", "approve:../..", "x" * 150):
            answer = await client.post("/act", data={"action": action, "room": "drafts"})
            assert answer.status_code == 303
        text = (await page(client, "/chat/drafts")).text
    assert "isn't one of ours" in text
    assert "no review with that id" in text


async def test_scripts_get_fragments_instead_of_pages(portal: Portal) -> None:
    async with portal.browser("mia") as client:
        client.headers["x-fragment"] = "1"
        answer = await client.post("/chat/drafts", data={"text": "/help"})
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert answer.text.count('<li class="msg') == 2


async def test_earlier_messages_are_a_page_away(portal: Portal) -> None:
    async with portal.browser("mia") as client:
        for number in range(45):
            await client.post("/chat/drafts", data={"text": f"message number {number:02}"})
        newest = await page(client, "/chat/drafts")
        assert "message number 44" in newest.text
        assert "message number 04" not in newest.text
        older = await page(client, newest.links["Earlier messages"])
        assert "message number 04" in older.text
        assert "message number 05" not in older.text
        assert "Back to the newest" in older.links


async def test_the_composer_knows_the_words_of_the_brand(portal: Portal) -> None:
    async with portal.browser("mia") as client:
        words = (await client.get("/chat/drafts/words")).json()
    assert {"/imagine", "/find", "/approve"} <= {verb["insert"] for verb in words["verbs"]}
    sampler = next(flag for flag in words["flags"] if flag["insert"] == "--sampler")
    assert sampler["values"] == ["dpmpp_2m_karras", "euler"]


async def test_the_composer_offers_only_the_ways_that_the_kit_allows(portal: Portal) -> None:
    async with portal.browser("mia") as client:
        words = (await client.get("/chat/drafts/words")).json()
    flags = {flag["insert"] for flag in words["flags"]}
    assert {"--mask", "--outpaint", "--control", "--highres", "--recipe"} <= flags
    assert "--like" not in flags, "the kit allows no image prompts"
    ways = [way["insert"] for way in words["ways"]]
    assert ways[:3] == ["control:canny", "highres:2", "outpaint:left=64,right=64"]
    assert ways[3:] == ["recipe:scene", "recipe:patch"]
    async with portal.browser("mia") as client:
        for way in ways[:2]:
            answer = await client.post(
                "/chat/drafts",
                data={"text": f"/imagine a red mug {way}"},
                files={"control": ("lead.png", png((64, 64)), "image/png")},
            )
            assert answer.status_code == 303
    async with portal.town.house.store.read() as tx:
        assert len(await tx.jobs.unfinished()) == 2


async def test_the_public_post_keeps_the_caption(portal: Portal) -> None:
    asset = await portal.picture()
    async with portal.browser("mia") as client:
        form = (await page(client, f"/pictures/{asset.id}")).form("Send to approval for #social")
        button = "Send to approval for #social"
        answer = await client.post(form.action, data=form.data(button, said="Tea time!"))
        assert answer.headers["location"].startswith(f"/pictures/{asset.id}?reply=")
    async with portal.browser("ana") as client:
        await portal.town.settle()
        form = (await page(client, "/chat/drafts")).form("Approve")
        await client.post(form.action, data=form.data("Approve"))
        await portal.town.settle()
        assert "Tea time!" in (await page(client, "/chat/social")).text


async def test_drafts_are_gone_from_a_channel_that_has_become_public(portal: Portal) -> None:
    async with portal.browser("mia") as client, portal.browser("ana") as other:
        await say(client, "/imagine a red mug")
        await portal.town.settle()
        assert "a red mug" in (await page(other, "/chat/drafts")).text
        kit = portal.town.kit
        public = tuple(replace(channel, audience="public") for channel in kit.channels)
        async with portal.town.house.store.write() as tx:
            now = portal.town.clock.now()
            await tx.kits.put(replace(kit, version="2", channels=public), source="", at=now)
        room = (await page(other, "/chat/drafts")).text
    assert "Moved to direct messages" in room
    assert "Done: 1 picture" not in room
