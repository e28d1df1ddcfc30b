"""The record's page: for auditors and admins, by links alone."""

import json
import re
from dataclasses import replace

from bot.core.auditing import verify_export
from bot.core.commands import Approve
from bot.core.ledger import ERASED, Event
from bot.core.people import Role
from bot.core.sequencing import chain_all
from tests.fakes.portal import Portal, add_person, make_portal
from tests.fakes.town import KIT, person


async def portal_with_story() -> tuple[Portal, str]:
    """A picture that was asked for, approved and posted; the id of its review."""
    portal = await make_portal()
    review = await portal.review("a red mug & <b>bold</b>")
    await portal.town.say(Approve(review=review.id), "ana")
    await portal.town.settle()
    await chain_all(portal.town.house)
    return portal, review.id


async def page(portal: Portal, path: str = "/audit", who: str = "ida") -> str:
    """A page's text."""
    async with portal.browser(who) as browser:
        answer = await browser.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_the_whole_story_of_a_picture_is_one_link_away() -> None:
    portal, review = await portal_with_story()
    text = await page(portal, f"/audit?subject=review:{review}")
    for what in ("job queued", "asset rendered", "review opened", "review voted", "publication"):
        assert what in text
    assert "a red mug &amp; &lt;b&gt;bold&lt;/b&gt;" in text, "texts are shown, and escaped"


async def test_filters_are_links_that_narrow_the_record() -> None:
    portal, _ = await portal_with_story()
    decisions = await page(portal, "/audit?action=review")
    assert "review voted" in decisions
    assert "<strong>job queued</strong>" not in decisions
    ana = portal.town.people["ana"].id
    hers = await page(portal, f"/audit?person={ana}")
    assert "review voted" in hers
    assert "<strong>job queued</strong>" not in hers
    assert "Nothing was recorded" in await page(portal, "/audit?person=nobody")


async def test_the_state_of_the_chain_is_told_once_it_was_checked() -> None:
    portal, _ = await portal_with_story()
    assert "not checked yet" in await page(portal)
    async with portal.browser("ida") as browser:
        answer = await browser.post("/audit/check")
        assert answer.headers["location"] == "/audit"
    text = await page(portal)
    assert "unbroken" in text
    assert re.search(r"\d+ waiting to be chained", text)
    assert "No anchor yet" in text


async def test_the_export_verifies_where_there_is_no_house() -> None:
    portal, _ = await portal_with_story()
    async with portal.browser("ida") as browser:
        answer = await browser.get("/audit/export")
    assert "attachment" in answer.headers["content-disposition"]
    report = verify_export(answer.content.splitlines(keepends=True))
    assert report.sound
    assert report.lines > 5
    assert "housestyle-ledger" in json.loads(answer.text.splitlines()[0])


async def test_a_brands_auditor_sees_that_brand_alone() -> None:
    other = replace(KIT, id="beta", name="Beta", channels=())
    portal = await make_portal(more_kits=(other,))
    await add_person(portal, replace(person("Aud"), roles=(("acme", Role.AUDITOR),)))
    house = portal.town.house
    async with house.store.write() as tx:
        for brand in ("acme", "beta"):
            await tx.ledger.append(
                Event(
                    action="kit.loaded",
                    subject=f"kit:of-{brand}",
                    at=house.clock.now(),
                    actor="system",
                    brand=brand,
                )
            )
    text = await page(portal, "/audit", "aud")
    assert "kit:of-acme" in text
    assert "kit:of-beta" not in text
    assert "Export" not in text
    assert "Nothing was recorded" in await page(portal, "/audit?subject=kit:of-beta", "aud")


async def test_only_auditors_have_the_link() -> None:
    portal = await make_portal()
    assert 'href="/audit"' in await page(portal, "/more")
    assert 'href="/audit"' not in await page(portal, "/more", "mia")


async def test_an_erased_text_is_said_to_be_erased() -> None:
    portal, _ = await portal_with_story()
    house, mia = portal.town.house, portal.town.people["mia"]
    async with house.store.write() as tx:
        await tx.ledger.forget(mia.id)
        await tx.ledger.append(
            Event(action=ERASED, subject=f"person:{mia.id}", at=house.clock.now(), actor="system")
        )
    text = await page(portal)
    assert "<em>erased</em>" in text
    assert "a red mug" not in text


async def test_many_events_come_in_pages() -> None:
    portal = await make_portal()
    house = portal.town.house
    async with house.store.write() as tx:
        for number in range(120):
            await tx.ledger.append(
                Event(action="kit.loaded", subject=f"kit:n{number}.", at=house.clock.now())
            )
    seen: list[str] = []
    path = "/audit?action=kit"
    while path:
        text = await page(portal, path)
        seen += re.findall(r">kit:n(\d+)\.<", text)
        older = re.search(r'rel="next" href="([^"]+)"', text)
        path = older[1].replace("&amp;", "&") if older else ""
    assert seen == [str(number) for number in reversed(range(120))]
