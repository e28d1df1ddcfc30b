"""The People page and one's own account: with scripts off."""

from dataclasses import replace

import httpx
import pytest

from bot.core.api_keys import create
from bot.core.caller import Caller
from bot.core.people import ANY_BRAND, Identity, KeyKind, Person, Role
from tests.fakes.html import Form, Page
from tests.fakes.portal import Portal, add_person, make_portal
from tests.fakes.sign_in import give, is_signed_in
from tests.fakes.town import KIT, person

BETA = replace(KIT, id="beta", name="Beta")


@pytest.fixture
async def portal() -> Portal:
    """Two brands; Ida runs everything, Max manages Acme, Bo asks for pictures of Beta."""
    portal = await make_portal(more_kits=(BETA,))
    await add_person(portal, member("Max", ("acme", Role.BRAND_MANAGER)))
    await add_person(portal, member("Bo", ("beta", Role.REQUESTER)))
    await add_person(portal, member("Cy", ("acme", Role.REQUESTER)))
    return portal


def member(name: str, *roles: tuple[str, Role]) -> Person:
    """Someone with these roles."""
    return replace(person(name), roles=roles)


async def page(client: httpx.AsyncClient, path: str) -> Page:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return Page(answer.text)


async def send(client: httpx.AsyncClient, form: Form, button: str, **typed: object) -> Page:
    """Press a button of a form; the page that comes of it."""
    data: dict[str, object] = {**form.data(button), **typed}
    answer = await client.post(form.action, data=data, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    return Page(answer.text)


async def now(portal: Portal, name: str) -> Person:
    """A member as the records have them."""
    async with portal.town.house.store.read() as tx:
        return next(one for one in await tx.people.all() if one.name == name)


def form_to(shown: Page, end: str, *, role: str = "") -> Form:
    """The form that goes there."""
    return next(
        form
        for form in shown.forms
        if form.action.endswith(end) and (not role or form.fields.get("role") == role)
    )


async def test_whom_an_admin_invites_with_an_account_in_a_chat_needs_no_link(
    portal: Portal,
) -> None:
    async with portal.browser("ida") as ida:
        form = form_to(await page(ida, "/people"), "/invite")
        there = {"name": "Eve", "role": "requester", "account": "slack:U0EVE/T1"}
        shown = await send(ida, form, "Invite and show the link", **there)
    assert "Known as slack:U0EVE." in shown.text
    eve = await now(portal, "Eve")
    assert eve.identities == (Identity(platform="slack", user="U0EVE", team="T1"),)
    async with portal.browser("max") as manager:
        assert "account" not in form_to(await page(manager, "/people"), "/invite").fields


async def test_an_admin_invites_and_the_link_lets_the_new_member_in(portal: Portal) -> None:
    async with portal.browser("ida") as client:
        form = (await page(client, "/people")).form("Invite and show the link")
        shown = await send(
            client,
            form,
            "Invite and show the link",
            name='Noa "N" O\'Neil',
            role=["requester", "approver"],
            brand="acme",
        )
        assert "works once and for 7 days" in shown.text
        again = await page(client, "/people")
    link = next(word for word in shown.text.split() if word.startswith("http://portal.test/enter"))
    assert "invited" in again.text
    assert link not in again.text
    noa = await now(portal, 'Noa "N" O\'Neil')
    assert set(noa.roles) == {("acme", Role.REQUESTER), ("acme", Role.APPROVER)}
    async with portal.browser() as guest:
        welcome = await page(guest, link.removeprefix("http://portal.test"))
        assert "Welcome to Housestyle, Noa" in welcome.text
        form = welcome.form("Open Housestyle")
        assert (await guest.post(form.action, data=form.data())).status_code == 303
        assert await is_signed_in(guest)


async def test_a_new_invitation_link_ends_the_one_before(portal: Portal) -> None:
    await add_person(portal, replace(person("Noa", Role.REQUESTER), identities=()))
    async with portal.browser("ida") as client:
        links = []
        for _ in range(2):
            shown = await page(client, "/people")
            form = form_to(shown, "/invitation")
            answer = await client.post(form.action)
            assert answer.headers["cache-control"] == "no-store"
            words = Page(answer.text).text.split()
            links.append(next(w for w in words if w.startswith("http://portal.test/enter")))
    async with portal.browser() as guest:
        old, new = (link.partition("key=")[2] for link in links)
        assert (await guest.post("/enter", data={"key": old})).status_code == 403
        assert (await guest.post("/enter", data={"key": new})).status_code == 303


async def test_roles_are_given_and_taken_away(portal: Portal) -> None:
    cy = portal.town.people["cy"].id
    async with portal.browser("ida") as client:
        shown = await page(client, "/people")
        form = next(
            f for f in shown.forms if f.action == f"/people/{cy}/role" and "role" not in f.fields
        )
        told = await send(client, form, "Give it", role="approver", brand="acme")
        assert "Cy is now approver in acme" in told.text
        assert ("acme", Role.APPROVER) in (await now(portal, "Cy")).roles
        taken = next(
            f
            for f in (await page(client, "/people")).forms
            if f.action == f"/people/{cy}/role" and f.fields.get("role") == "approver"
        )
        told = await send(client, taken, next(iter(taken.buttons)))
        assert "Cy is no longer approver in acme" in told.text
    assert (await now(portal, "Cy")).roles == (("acme", Role.REQUESTER),)


async def test_the_same_form_sent_twice_counts_once(portal: Portal) -> None:
    async with portal.browser("ida") as client:
        form = (await page(client, "/people")).form("Invite and show the link")
        for _ in range(2):
            await send(client, form, "Invite and show the link", name="Noa", role="requester")
    async with portal.town.house.store.read() as tx:
        assert len([one for one in await tx.people.all() if one.name == "Noa"]) == 1


async def test_a_brand_manager_changes_their_own_brand_only(portal: Portal) -> None:
    async with portal.browser("max") as client:
        shown = await page(client, "/people")
        assert "Cy" in shown.text
        assert "Bo" not in shown.text.split()
        assert "auditor sees everything" not in shown.text
        ida = portal.town.people["ida"].id
        bo = portal.town.people["bo"].id
        for who, role, brand in ((bo, "approver", "beta"), (ida, "admin", ""), (bo, "auditor", "")):
            answer = await client.post(
                f"/people/{who}/role",
                data={"role": role, "brand": brand, "on": "yes"},
                follow_redirects=True,
            )
            assert "note-bad" in answer.text
    assert (await now(portal, "Bo")).roles == (("beta", Role.REQUESTER),)


@pytest.mark.parametrize("who", ["mia", "ana", "bo"])
async def test_others_see_whom_to_ask_and_change_nothing(portal: Portal, who: str) -> None:
    async with portal.town.house.store.read() as tx:
        before = await tx.people.all()
    cy = portal.town.people["cy"].id
    async with portal.browser(who) as client:
        shown = await page(client, "/people")
        assert not [form for form in shown.forms if form.action.startswith("/people")]
        assert "Whom to ask" in shown.text
        assert "Approves pictures Ana, Ben" in shown.text
        tries: list[tuple[str, dict[str, str]]] = [
            ("/people/invite", {"name": "Eve", "role": "admin"}),
            (f"/people/{cy}/role", {"role": "admin", "on": "yes"}),
            (f"/people/{cy}/team", {"team": "mine"}),
            (f"/people/{cy}/active", {"active": "no"}),
            (f"/people/{cy}/block", {"blocked": "yes"}),
            (f"/people/{cy}/erase", {"typed": "Cy"}),
            (f"/people/{cy}/unlink", {"platform": "local"}),
            (f"/people/{cy}/invitation", {}),
            (f"/people/{portal.town.people[who].id}/role", {"role": "admin", "on": "yes"}),
        ]
        for path, data in tries:
            answer = await client.post(path, data=data, follow_redirects=True)
            assert "note-bad" in answer.text or answer.status_code in (403, 409, 422), path
    async with portal.town.house.store.read() as tx:
        assert await tx.people.all() == before


async def test_a_member_who_left_is_out_at_once_and_can_come_back(portal: Portal) -> None:
    cy = portal.town.people["cy"].id
    async with portal.browser("cy") as theirs, portal.browser("ida") as client:
        assert await is_signed_in(theirs)
        form = form_to(await page(client, "/people"), f"{cy}/active")
        told = await send(client, form, "Let Cy in no longer")
        assert "Cy is let in no longer" in told.text
        assert not await is_signed_in(theirs)
        form = form_to(await page(client, "/people"), f"{cy}/active")
        await send(client, form, "Let Cy in again")
    assert (await now(portal, "Cy")).active


async def test_an_admin_blocks_a_member_with_a_reason_and_takes_them_off_again(
    portal: Portal,
) -> None:
    cy = portal.town.people["cy"].id
    async with portal.browser("ida") as client:
        form = form_to(await page(client, "/people"), f"{cy}/block")
        blocked = form.data() | {"blocked": "yes", "reason": "spam"}
        told = await client.post(form.action, data=blocked, follow_redirects=True)
        assert "Cy is on the block list" in told.text
        assert (await now(portal, "Cy")).blocked_why == "spam"
        shown = await page(client, "/people")
        assert "On the block list: spam" in shown.text
        await send(client, form_to(shown, f"{cy}/block"), "Take Cy off the block list")
    assert not (await now(portal, "Cy")).is_blocked


async def test_erasing_asks_for_the_name_letter_by_letter(portal: Portal) -> None:
    cy = portal.town.people["cy"].id
    async with portal.browser("ida") as client:
        form = form_to(await page(client, "/people"), f"{cy}/erase")
        wrong = await client.post(form.action, data=form.data() | {"typed": "cy"})
        assert wrong.status_code == 422
        assert (await now(portal, "Cy")).active
        told = await client.post(
            form.action, data=form.data() | {"typed": "Cy"}, follow_redirects=True
        )
        assert told.status_code == 200
        assert "note-bad" not in told.text, told.text
        assert "Cy" not in Page((await client.get("/people")).text).text.split()
    async with portal.town.house.store.read() as tx:
        assert (await tx.people.get(cy)).is_erased


async def test_the_last_admin_cannot_be_let_out(portal: Portal) -> None:
    ida = portal.town.people["ida"].id
    async with portal.browser("ida") as client:
        for path, data in ((f"/people/{ida}/active", {"active": "no"}),
                           (f"/people/{ida}/role", {"role": "admin", "on": "no"})):  # fmt: skip
            told = await client.post(path, data=data, follow_redirects=True)
            assert "note-bad" in told.text
        assert await is_signed_in(client)


async def test_an_account_of_a_member_is_taken_off(portal: Portal) -> None:
    await give(portal, "cy", Identity(platform="slack", user="U7", team="T1"))
    cy = portal.town.people["cy"].id
    async with portal.browser("ida") as client:
        shown = await page(client, "/people")
        assert "Slack U7" in shown.text
        form = form_to(shown, f"{cy}/unlink")
        await client.post(form.action, data=form.data())
    assert [one.platform for one in (await now(portal, "Cy")).identities] == ["local"]


@pytest.mark.parametrize("bad", ["x", "..", "%2e%2e", "0" * 23])
async def test_an_odd_member_is_not_found(portal: Portal, bad: str) -> None:
    async with portal.browser("ida") as client:
        answer = await client.post(f"/people/{bad}/role", data={"role": "approver"})
    assert answer.status_code == 404


async def test_a_lone_owner_is_shown_the_next_step() -> None:
    portal = await make_portal()
    async with portal.town.house.store.write() as tx:
        for one in await tx.people.all():
            if one.name != "Ida":
                await tx.people.update(replace(one, name="", active=False, roles=()), was=one)
    async with portal.browser("ida") as client:
        shown = await page(client, "/people")
    assert "Only you so far" in shown.text
    assert "nobody approves their own request" in shown.text


async def test_the_account_page_says_what_is_yours(portal: Portal) -> None:
    await give(portal, "max", Identity(platform="discord", user="4711"))
    async with portal.browser("max") as client:
        shown = await page(client, "/account")
        assert "brand manager in Acme" in shown.text
        assert "Discord 4711" in shown.text
        form = form_to(shown, "/account/unlink")
        told = await send(client, form, "Take off Discord 4711")
        assert "The discord account is off" in told.text
    assert [one.platform for one in (await now(portal, "Max")).identities] == ["local"]


async def test_other_browsers_are_signed_out(portal: Portal) -> None:
    async with (
        portal.browser("mia") as one,
        portal.browser("mia") as two,
        portal.browser("mia") as here,
    ):
        shown = await page(here, "/account")
        ends = [form for form in shown.forms if form.action == "/account/sessions/end"]
        assert len(ends) == 2
        await here.post("/account/sessions/end", data=ends[1].data())
        assert [await is_signed_in(one), await is_signed_in(two)] == [False, True]
        await here.post("/account/sessions/end-others")
        assert [await is_signed_in(two), await is_signed_in(here)] == [False, True]


async def test_nobody_signs_somebody_else_out(portal: Portal) -> None:
    async with portal.browser("mia") as mia, portal.browser("ana") as ana:
        theirs = mia.cookies["housestyle"].partition(".")[0]
        answer = await ana.post("/account/sessions/end", data={"session": theirs})
        assert answer.status_code == 404
        assert await is_signed_in(mia)


async def test_an_api_key_is_shown_once_and_reads_what_its_scope_says(portal: Portal) -> None:
    async with portal.browser("ana") as client:
        form = (await page(client, "/account")).form("Make the key")
        shown = await send(client, form, "Make the key", label="badge", scope=["read"], days="30")
        key = next(word for word in shown.text.split() if word.startswith("hs_") and len(word) > 60)
        again = await page(client, "/account")
        assert key not in again.text
        assert "badge" in again.text
    async with portal.browser() as script:
        bearer = {"authorization": f"Bearer {key}"}
        answer = await script.get("/review/count", headers=bearer)
        assert answer.json() == {"open": 0, "short": "0"}
        assert (await script.get("/queue", headers=bearer)).status_code == 401
    async with portal.browser("ana") as client:
        form = form_to(await page(client, "/account"), "/keys/revoke")
        await client.post(form.action, data=form.data())
    async with portal.browser() as script:
        gone = await script.get("/review/count", headers=bearer)
        assert gone.status_code == 401
        assert gone.headers["www-authenticate"] == "Bearer"
        assert gone.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer x", "bearer hs_", "Bearer hs_0_0", "Bearer " + "h" * 9999]
)
async def test_what_is_no_key_opens_nothing(portal: Portal, header: str) -> None:
    async with portal.browser("ana") as client:
        answer = await client.get("/review/count", headers={"authorization": header})
    assert answer.status_code == 401


@pytest.mark.parametrize("header", ["", "Basic eDp5", "Negotiate x"])
async def test_a_proxys_own_password_is_no_key(portal: Portal, header: str) -> None:
    async with portal.browser("ana") as client:
        client.headers["authorization"] = header
        assert (await client.get("/review/count")).status_code == 200
        missing = await client.get("/nowhere")
        assert missing.headers["content-type"].startswith("text/html")


async def test_a_key_without_the_scope_is_told_which_it_needs(portal: Portal) -> None:
    house = portal.town.house
    caller = Caller(person=portal.town.people["ana"], actor=portal.town.actor("ana"))
    _, key = await create(house, caller, label="x", scopes=("submit",))
    async with portal.browser() as script:
        answer = await script.get("/review/count", headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == 403
    assert "the scope `read`" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"label": ""}, "1 to 60 characters"),
        ({"days": "0"}, "1 to 366 days"),
        ({"days": "9" * 9}, "1 to 366 days"),
        ({"days": "²"}, "1 to 366 days"),
        ({"scope": "everything"}, "isn't a scope"),
        ({"scope": "admin"}, "Only an admin"),
    ],
)
async def test_a_wrong_key_form_is_answered_in_words(
    portal: Portal, typed: dict[str, str], says: str
) -> None:
    async with portal.browser("mia") as client:
        data = {"label": "x", "scope": "read", "days": "30"} | typed
        answer = await client.post("/account/keys", data=data)
    assert answer.status_code == 422
    assert says in Page(answer.text).text
    async with portal.town.house.store.read() as tx:
        assert not await tx.keys.of_person(portal.town.people["mia"].id, KeyKind.API)


async def test_a_code_for_another_chat_is_given_on_the_account_page(portal: Portal) -> None:
    async with portal.browser("mia") as client:
        form = (await page(client, "/account")).form("Give me a code")
        told = await send(client, form, "Give me a code")
    assert "Your code:" in told.text
    assert "/link" in told.text


@pytest.mark.parametrize("path", ["/people", "/account"])
async def test_both_pages_obey_the_content_policy(portal: Portal, path: str) -> None:
    async with portal.browser("ida") as client:
        shown = await page(client, path)
    assert not shown.inline
    assert len(shown.ids) == len(set(shown.ids))


async def test_names_are_shown_as_text(portal: Portal) -> None:
    await add_person(portal, member("<b>Eve</b>{{7*7}}", (ANY_BRAND, Role.APPROVER)))
    async with portal.browser("ida") as client:
        raw = (await client.get("/people")).text
    assert "<b>Eve" not in raw
    assert "&lt;b&gt;Eve" in raw
    assert "{{7*7}}" in raw


async def test_whoever_has_no_role_is_told_so_and_can_sign_out(portal: Portal) -> None:
    await add_person(portal, member("Uwe"))
    async with portal.browser("uwe") as client:
        answer = await client.get("/chat")
        assert answer.status_code == 403
        assert "member of any brand" in answer.text
        assert 'action="/leave"' in answer.text
        await client.post("/leave")
        assert not await is_signed_in(client)
