"""A person who leaves words and names wherever the product takes them, and is then erased."""

from dataclasses import replace

from bot.chat.local_chat.chat import LocalChat
from bot.chat.local_chat.intake import LocalIntake
from bot.core import api_keys
from bot.core.actions import parse_action
from bot.core.assets import Asset, AssetQuery
from bot.core.caller import Caller
from bot.core.commands import (
    Cancel,
    ErasePerson,
    Imagine,
    LinkAccount,
    Reject,
    SendToApproval,
)
from bot.core.dispatch import Dispatch
from bot.core.ids import new_id
from bot.core.lives import JobState
from bot.core.messages import Actor, Card, ChannelRef
from bot.core.people import ANY_BRAND, Identity, Person, Role
from bot.core.ports.requests import KeptRequest
from brand.templates import Brief
from storage.database import OpenStore
from tests.contract.values import (
    make_install,
    make_job,
    make_outgoing,
    make_publication,
    make_schedule,
    make_slot,
)
from tests.fakes.chat import FakeChat
from tests.fakes.town import START, Town, make_town

NAME = "Quixanna Ö'Trace"
WORD = "zyxwvutcanary"
SLACK = Identity(platform="slack", user="U0QUIXANNA", team="T1")
LOCAL = Identity(platform="local", user="quixlocal")
CANARIES = (NAME, "Quixanna", WORD, SLACK.user, LOCAL.user)


async def town_of(store: OpenStore) -> Town:
    """A town with the person who will be erased, and the real local chat beside the fake one."""
    town = await make_town(store=store)
    house = replace(town.house, chats={"local": town.chat, "slack": FakeChat("slack")})
    town.house = replace(house, door=Dispatch(house))
    person = Person(
        id=new_id(),
        name=NAME,
        created_at=START,
        roles=((ANY_BRAND, Role.REQUESTER), ("acme", Role.APPROVER)),
        identities=(LOCAL, SLACK),
        team="design",
    )
    async with store.write() as tx:
        await tx.people.add(person)
    town.people["q"] = person
    return town


async def say(town: Town, command: object, user: str = LOCAL.user) -> Card:
    """What the person does, in the working channel of the local chat."""
    return await town.say(command, user)


async def newest(town: Town) -> Asset:
    """The picture rendered last."""
    async with town.house.store.read() as tx:
        return (await tx.assets.find(AssetQuery(brand="acme")))[0]


async def picture(town: Town, words: str, user: str = LOCAL.user) -> Asset:
    """A rendered picture."""
    await say(town, Imagine(brief=Brief(words=words, negative=f"no {words}")), user)
    await town.settle()
    return await newest(town)


async def busy_life(town: Town) -> None:
    """Leave words and names wherever the product takes them."""
    house, person = town.house, town.people["q"]
    await picture(town, f"{WORD} mug")  # never sent
    sent = await picture(town, f"{WORD} pot")
    await say(town, SendToApproval(asset=sent.id, channel="#social", caption=f"{WORD}!"))
    waits = await picture(town, f"{WORD} cup")
    await say(town, SendToApproval(asset=waits.id, channel="#social", caption=f"{WORD}?"))
    await town.say(Reject(review=sent.id, reason="too dark"), "ana")
    other = await picture(town, "a blue bowl", "mia")
    await town.say(SendToApproval(asset=other.id, channel="#social"), "mia")
    await say(town, Reject(review=other.id, reason=f"{WORD}: too blue"))
    await say(town, Imagine(brief=Brief(words=f"{WORD} queued")))  # still waits
    await say(town, Imagine(brief=Brief(words=f"{WORD} stopped", private=True)))
    await say(town, Cancel())
    await town.settle()
    actor = town.actor(LOCAL.user)
    stored = Caller(person=person, actor=actor)
    await api_keys.create(house, stored, label=f"key of {NAME}")
    code = (await say(town, LinkAccount())).title.removeprefix("Your code: ")
    line = ChannelRef(platform="slack", channel="@U0QUIXBIS")
    stranger = Actor(platform="slack", user="U0QUIXBIS", name=NAME, channel=line)
    assert house.door is not None
    await house.door.dispatch(LinkAccount(code=code), stranger)
    schedule = make_schedule(owner=person.id)
    async with house.store.write() as tx:
        await tx.schedules.add(schedule)
        await tx.schedules.add_slot(make_slot(schedule.id, reason=f"{NAME} made it and has left."))
        await tx.jobs.add(
            make_job(
                hold="brand:acme:acme", held_why=f"Ask {NAME} for more.", error=f"{NAME} was away."
            )
        )
        failed = make_job(
            requester=person.id,
            state=JobState.FAILED,
            error=f"{WORD} is too long.",
            groups=(f"discord:{WORD}",),
        )
        await tx.jobs.add(failed)
        await tx.publications.add(make_publication(error=f"There is no channel of {NAME}."))
        await tx.requests.add(
            KeptRequest(
                person=person.id,
                key="a" * 64,
                content="b" * 64,
                job=failed.id,
                answer={"words": WORD},
                created_at=START,
            )
        )
        await tx.installs.put(make_install(installed_by=SLACK.user, team=SLACK.team))
        corner = ChannelRef(platform="slack", channel="C1", team=SLACK.team)
        told = Card(kind="message", title=f"{WORD} for you alone")
        answer = make_outgoing(target=corner, card=told, only_for=SLACK.user, reply_to=WORD)
        await tx.outbox.add(answer)
    await chatter(town)
    await town.settle()


async def chatter(town: Town) -> None:
    """Lines, reactions and cards in the local chat, through its real intake."""
    house, timeline = town.house, town.house.timeline
    local = LocalChat(
        timeline=timeline,
        signals=house.signals,
        store=house.store,
        blobs=house.blobs,
        clock=house.clock,
    )
    house = replace(house, chats={**house.chats, "local": local})
    desk = LocalIntake(house, Dispatch(house), answer_within_s=60)
    person = town.people["q"]

    async def line(who: Person, user: str, text: str, channel: str = "drafts") -> None:
        place = ChannelRef(platform="local", channel=channel)
        await desk.say(
            Actor(
                platform="local",
                user=user,
                name=who.name,
                person=who.id,
                channel=place,
                delivery=new_id(),
            ),
            text,
        )

    await line(person, LOCAL.user, f"I like the {WORD}")
    await line(person, LOCAL.user, f"talking to myself of {WORD}", f"@{LOCAL.user}")
    await line(person, LOCAL.user, "/find nothing --brnd x")
    mia = town.people["mia"]
    await line(mia, "mia", f"ask {NAME} about it")
    (said,) = [m for m in await timeline.page("drafts", user="mia") if m.user == "mia"]
    await timeline.react(said.id, "tada", LOCAL.user, on=True)
    await line(town.people["ida"], "ida", "/people")
    await line(town.people["ida"], "ida", f'/people block "{NAME}" {WORD} in every channel')
    await line(person, LOCAL.user, "/queue")
    await line(town.people["ida"], "ida", f"/erase {NAME}")


async def erase(town: Town) -> Card:
    """Ask, and press the button."""
    asked = await town.say(ErasePerson(person=NAME), "ida")
    assert asked.title == f"Erase {NAME}?"
    return await town.say(parse_action(asked.buttons[0].action), "ida")
