"""Joining accounts: a code alone takes nothing, guessing is limited, every step counts once."""

import asyncio
import re
from datetime import timedelta

from bot.core import access
from bot.core.access import purge
from bot.core.actions import parse_action
from bot.core.commands import (
    ConfirmLink,
    Help,
    Imagine,
    LinkAccount,
    SetActive,
    UnlinkAccount,
)
from bot.core.linking import CODE_LETTERS, CODE_LIFE, MAX_OPEN, MAX_TRIES, TRIES_WITHIN
from bot.core.messages import Actor, Card, ChannelRef
from bot.core.people import Identity
from brand.templates import Brief
from tests.fakes.chat import FakeChat
from tests.fakes.town import Town
from tests.scenario.test_people import events, refused, stored

DISCORD = Identity(platform="discord", user="4242")


def there(user: str = "4242", name: str = "Mia on Discord", platform: str = "discord") -> Actor:
    """Someone who speaks on another platform."""
    line = ChannelRef(platform=platform, channel=f"@{user}")
    return Actor(platform=platform, user=user, name=name, channel=line)


async def say(town: Town, command: object, actor: Actor) -> Card:
    """Give a command from anywhere."""
    assert town.house.door is not None
    return await town.house.door.dispatch(command, actor)  # type: ignore[arg-type]


async def new_code(town: Town, who: str = "mia") -> str:
    """A code that this member asked for."""
    card = await town.say(LinkAccount(), who)
    found = re.search(r"[2-9A-Z]{4}-[2-9A-Z]{4}", card.title)
    assert found, card
    return found[0]


async def question(town: Town, who: str = "mia") -> Card:
    """The question that stands in this member's line."""
    town.house.chats["discord"] = FakeChat("discord")
    await town.settle()
    return next(card for card in town.chat.shown(f"@{who}") if card.subject.startswith("link:"))


async def answer(town: Town, yes: bool = True, who: str = "mia") -> Card:
    """Press one of its buttons."""
    card = await question(town, who)
    button = card.buttons[0 if yes else 1]
    return await town.say(parse_action(button.action), who)


async def test_a_code_typed_and_confirmed_makes_two_accounts_one_person(town: Town) -> None:
    card = await say(town, LinkAccount(code=await new_code(town)), there())
    assert card.lines == ("Mia is asked on local whether this account is theirs.",)
    assert DISCORD not in (await stored(town, "Mia")).identities
    refused(await say(town, Help(), there()), "don't know you")
    asked = await question(town)
    assert "Mia on Discord on discord (4242)" in asked.lines[0]
    assert (await answer(town)).title == "Joined"
    assert DISCORD in (await stored(town, "Mia")).identities
    assert (await say(town, Help(), there())).kind == "list"
    (event,) = await events(town, "account.linked")
    assert event.facts == {"platform": "discord"}
    assert event.personal["account"].value == "discord:4242"
    await town.settle()
    assert (await question(town)).buttons == ()  # the old buttons are gone
    there_too = town.house.chats["discord"]
    assert isinstance(there_too, FakeChat)


async def test_a_stolen_code_alone_takes_nothing(town: Town) -> None:
    await say(town, LinkAccount(code=await new_code(town)), there("666", "Eve"))
    refused(await say(town, Help(), there("666")), "don't know you")
    assert "Eve on discord (666)" in (await question(town)).lines[0]
    assert (await answer(town, yes=False)).title == "Not joined"
    assert len((await stored(town, "Mia")).identities) == 1
    assert await events(town, "link.refused")


async def test_only_the_codes_owner_confirms_and_only_where_they_asked(town: Town) -> None:
    await say(town, LinkAccount(code=await new_code(town)), there("666", "Eve"))
    key = (await question(town)).subject.removeprefix("link:")
    refused(await town.say(ConfirmLink(key=key, yes=True), "ana"), "no such question")
    refused(await say(town, ConfirmLink(key=key, yes=True), there("666")), "don't know you")
    assert len((await stored(town, "Mia")).identities) == 1


async def test_a_code_works_once(town: Town) -> None:
    code = await new_code(town)
    await say(town, LinkAccount(code=code), there())
    refused(await say(town, LinkAccount(code=code), there("77")), "isn't right")
    await answer(town)
    refused(await say(town, LinkAccount(code=code), there("77")), "isn't right")


async def test_a_code_and_its_question_run_out_after_ten_minutes(town: Town) -> None:
    code = await new_code(town)
    await town.clock.advance(CODE_LIFE.total_seconds())
    refused(await say(town, LinkAccount(code=code), there()), "run out")
    await say(town, LinkAccount(code=await new_code(town)), there())
    await town.clock.advance(CODE_LIFE.total_seconds())
    refused(await answer(town), "run out")
    assert len((await stored(town, "Mia")).identities) == 1


async def test_of_two_confirmations_at_once_one_counts(town: Town) -> None:
    await say(town, LinkAccount(code=await new_code(town)), there())
    key = (await question(town)).subject.removeprefix("link:")
    cards = await asyncio.gather(
        *(town.say(ConfirmLink(key=key, yes=yes), "mia") for yes in (True, False, True))
    )
    assert sorted(card.kind for card in cards) == ["error", "error", "reply"]
    assert len(await events(town, "account.linked")) + len(await events(town, "link.refused")) == 1


async def test_an_old_button_is_answered_after_it_was_used(town: Town) -> None:
    await say(town, LinkAccount(code=await new_code(town)), there())
    key = (await question(town)).subject.removeprefix("link:")
    await town.say(ConfirmLink(key=key, yes=True), "mia")
    refused(await town.say(ConfirmLink(key=key, yes=True), "mia"), "answered already")
    assert len((await stored(town, "Mia")).identities) == 2


async def test_guessing_is_limited_per_account_and_by_the_store(town: Town) -> None:
    code = await new_code(town)
    guesses = [f"{letter * 8}" for letter in CODE_LETTERS[:MAX_TRIES]]
    for guess in guesses:
        refused(await say(town, LinkAccount(code=guess), there("666")), "isn't right")
    refused(await say(town, LinkAccount(code=code), there("666")), "Too many")
    assert len(await events(town, "link.missed")) == MAX_TRIES
    assert (await say(town, LinkAccount(code=code), there("77"))).kind == "reply"
    await town.clock.advance(TRIES_WITHIN.total_seconds())
    fresh = await new_code(town)
    assert (await say(town, LinkAccount(code=fresh), there("666"))).kind == "reply"


async def test_guesses_that_come_at_once_are_limited_too(town: Town) -> None:
    await new_code(town)
    cards = await asyncio.gather(
        *(say(town, LinkAccount(code=f"{n:08d}"), there("666")) for n in range(20))
    )
    wrong = [card for card in cards if "isn't right" in card.lines[0]]
    assert len(wrong) == MAX_TRIES


async def test_a_right_code_ends_the_counting_of_wrong_ones(town: Town) -> None:
    for _ in range(MAX_TRIES - 1):
        await say(town, LinkAccount(code="ZZZZZZZZ"), there())
    await say(town, LinkAccount(code=await new_code(town)), there())
    refused(await say(town, LinkAccount(code="ZZZZZZZZ"), there()), "isn't right")
    refused(await say(town, LinkAccount(code="ZZZZZZZZ"), there()), "isn't right")


async def test_a_member_has_three_open_codes_at_most(town: Town) -> None:
    for _ in range(MAX_OPEN):
        await new_code(town)
    refused(await town.say(LinkAccount(), "mia"), "3 codes")
    await town.clock.advance(CODE_LIFE.total_seconds())
    await new_code(town)


async def test_an_account_of_another_member_is_refused_with_the_way_out(town: Town) -> None:
    card = await town.say(LinkAccount(code=await new_code(town)), "ana")
    refused(card, "belongs to another member")
    assert "/unlink" in card.fix
    assert "Ana" not in " ".join(card.lines)


async def test_the_own_account_is_named_as_known(town: Town) -> None:
    refused(await town.say(LinkAccount(code=await new_code(town)), "mia"), "yours already")


async def test_a_stranger_gets_no_code(town: Town) -> None:
    refused(await say(town, LinkAccount(), there()), "don't know you")


async def test_a_member_who_left_can_neither_ask_nor_be_joined(town: Town) -> None:
    code = await new_code(town)
    await town.say(SetActive(person="Mia", active=False), "ida")
    refused(await say(town, LinkAccount(code=code), there()), "isn't right")
    refused(await town.say(LinkAccount(), "mia"), "no longer a member")


async def test_the_code_is_taken_in_any_case_and_with_or_without_its_dash(town: Town) -> None:
    code = (await new_code(town)).lower().replace("-", " ")
    assert (await say(town, LinkAccount(code=code), there())).kind == "reply"


async def test_the_code_stands_nowhere_in_the_store_nor_in_the_ledger(town: Town) -> None:
    code = (await new_code(town)).replace("-", "")
    async with town.house.store.read() as tx:
        (link,) = await tx.links.of_person((await stored(town, "Mia")).id)
        assert code not in repr(link)
        assert code not in repr(await tx.ledger.recent())


async def test_one_platform_with_two_workspaces_has_two_accounts(town: Town) -> None:
    line = ChannelRef(platform="slack", channel="@U1", team="T2")
    other = Actor(platform="slack", user="U1", name="Mia", channel=line)
    await say(town, LinkAccount(code=await new_code(town)), other)
    await answer(town)
    assert (
        Identity(platform="slack", user="U1", team="T2") in (await stored(town, "Mia")).identities
    )
    card = await say(town, Help(), there("U1", platform="slack"))  # the same id elsewhere
    refused(card, "don't know you")


async def test_an_account_is_taken_off_by_its_member_or_an_admin(town: Town) -> None:
    await say(town, LinkAccount(code=await new_code(town)), there())
    await answer(town)
    refused(await town.say(UnlinkAccount(platform="local"), "mia"), "speak from")
    refused(await town.say(UnlinkAccount(platform="slack"), "mia"), "no account `slack`")
    refused(await town.say(UnlinkAccount(platform="discord", person="Mia"), "ana"), "Only an admin")
    card = await town.say(UnlinkAccount(platform="discord"), "mia")
    assert card.title == "The discord account is off"
    refused(await say(town, Help(), there()), "don't know you")
    (event,) = await events(town, "account.unlinked")
    assert event.facts == {"platform": "discord"}
    card = await town.say(UnlinkAccount(platform="local:mia", person="Mia"), "ida")
    assert card.title == "The local account of Mia is off"


async def test_an_account_that_an_admin_takes_off_is_signed_out(town: Town) -> None:
    store, clock = town.house.store, town.clock
    own = Identity(platform="local", user="mia")
    _, session = await access.enter(store, clock, own)
    assert await access.who(store, clock, session) is not None
    card = await town.say(UnlinkAccount(platform="local:mia", person="Mia"), "ida")
    assert "signed out" in card.lines[1]
    assert await access.who(store, clock, session) is None


async def test_codes_that_ended_are_forgotten_by_the_tick(town: Town) -> None:
    await new_code(town)
    await say(town, LinkAccount(code="ZZZZZZZZ"), there())
    assert await purge(town.house) == 0
    await town.clock.advance(timedelta(days=2).total_seconds())
    assert await purge(town.house) == 2


async def test_drafts_follow_the_member_and_not_an_account_that_was_taken_off(town: Town) -> None:
    chat = town.house.chats["discord"] = FakeChat("discord")
    mia = await stored(town, "Mia")
    async with town.house.store.write() as tx:
        await access.join(tx, town.clock, mia, DISCORD, actor=mia.id)
    await say(town, Imagine(brief=Brief(words="a mug of a merger")), there())
    await town.say(UnlinkAccount(platform="discord", person="Mia"), "ida")
    await town.settle()
    [left] = [card for card in chat.shown("@4242") if card.subject]
    assert (left.pictures, left.buttons) == ((), ())
    assert "merger" not in repr(left)
    [card] = [card for card in town.chat.shown("@mia") if card.subject]
    assert len(card.pictures) == 1


async def test_who_has_left_is_shown_no_draft_in_their_own_line(town: Town) -> None:
    await town.say(Imagine(brief=Brief(words="a mug of a merger", private=True)))
    await town.say(SetActive(person="Mia", active=False), "ida")
    await town.settle()
    [left] = [card for card in town.chat.shown("@mia") if card.subject]
    assert (left.pictures, left.buttons) == ((), ())
    assert "merger" not in repr(left)
