"""The one door: every chat, the portal, the API and the calendar come in here.

`dispatch(command, actor)` always answers with a card: a refusal names its rule and the way out,
an unknown failure has a reference id that the log has too. Nothing else in the house changes
the state of a job, asset, review or publication on somebody's behalf.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from typing import Any

from bot.core import (
    blocking,
    budgeting,
    calendar_add,
    calendar_commands,
    cancelling,
    erasing,
    going_on,
    intake,
    linking,
    looking,
    members,
    pausing,
    publishing,
    removing,
    reproducing,
    reviewing,
    sharing,
    usage,
)
from bot.core.caller import Caller, kit_for, known
from bot.core.cards import error_card, reply_card
from bot.core.commands import (
    AddSchedule,
    Approve,
    AskChange,
    BlockPerson,
    Calendar,
    Cancel,
    Command,
    ConfirmLink,
    DeleteCard,
    EditWords,
    EndSchedule,
    ErasePerson,
    Extend,
    Find,
    Help,
    Imagine,
    Invite,
    LinkAccount,
    ListPeople,
    MoveSlot,
    PauseJob,
    PauseSchedule,
    Queue,
    Recipe,
    Reject,
    Reroll,
    RerollSlot,
    RestoreSlot,
    ResumeJob,
    ResumeSchedule,
    SendToApproval,
    SetActive,
    SetBudget,
    SetRole,
    SetTeam,
    Settle,
    Share,
    Show,
    SkipSlot,
    TakeBack,
    UnlinkAccount,
    Upscale,
    Usage,
    Use,
    Vary,
    Withdraw,
)
from bot.core.errors import Conflict, HousestyleError, Mistake, Refused, Unavailable
from bot.core.grammar import parse
from bot.core.help import help_card
from bot.core.house import House
from bot.core.ledger import Event
from bot.core.messages import Actor, Card
from bot.core.once import AlreadyTaken, OnceStore
from bot.core.policy import has_part
from bot.core.vocabulary import Vocabulary
from bot.core.watching import hide, reference

log = logging.getLogger(__name__)

REPEATED = "repeated"
"""The state word of the answer to a delivery that was done before."""

Handler = Callable[[House, Caller, Any], Awaitable[Card]]


async def _edit(house: House, caller: Caller, command: EditWords) -> Card:
    if not command.text.strip():
        raise Mistake("There are no new words.", fix="Write what the picture should show.")
    async with house.store.read() as tx:
        asset = await tx.assets.get(command.asset)
        kit = await tx.kits.current(asset.brand)
    said = parse(f"/imagine {command.text}", vocabulary=Vocabulary.of(kit))
    if not isinstance(said, Imagine):
        raise Mistake("New words can't be a command.", fix="Write what the picture should show.")
    return await going_on.edit_words(house, caller, command, said)


async def _help(house: House, caller: Caller, command: Help) -> Card:
    async with house.store.read() as tx:
        kit = await kit_for(tx, command.brand, caller.actor)
    if not has_part(kit, caller.person):
        return help_card(command.topic, Vocabulary(brand=kit.name))
    return help_card(command.topic, Vocabulary.of(kit))


HANDLERS: dict[type, Handler] = {
    Imagine: intake.imagine,
    Vary: going_on.vary,
    Reroll: intake.reroll,
    Upscale: going_on.upscale,
    Extend: going_on.extend,
    EditWords: _edit,
    SendToApproval: reviewing.send_to_approval,
    Share: sharing.share,
    Use: sharing.use,
    Approve: reviewing.vote,
    Reject: reviewing.vote,
    AskChange: reviewing.vote,
    TakeBack: reviewing.take_back,
    Withdraw: reviewing.withdraw,
    Cancel: cancelling.cancel,
    PauseJob: pausing.pause,
    ResumeJob: pausing.resume,
    Settle: publishing.settle,
    Queue: looking.queue,
    Show: looking.show,
    Recipe: reproducing.recipe,
    DeleteCard: removing.delete_card,
    Find: looking.find,
    Usage: usage.usage,
    SetBudget: budgeting.set_budget,
    Invite: members.invite,
    ListPeople: members.list_people,
    SetRole: members.set_role,
    SetTeam: members.set_team,
    SetActive: members.set_active,
    BlockPerson: blocking.block,
    ErasePerson: erasing.erase,
    ConfirmLink: linking.confirm,
    UnlinkAccount: linking.unlink,
    AddSchedule: calendar_add.add_schedule,
    Calendar: calendar_commands.calendar,
    PauseSchedule: calendar_commands.pause_schedule,
    ResumeSchedule: calendar_commands.resume_schedule,
    EndSchedule: calendar_commands.end_schedule,
    SkipSlot: calendar_commands.skip_slot,
    RestoreSlot: calendar_commands.restore_slot,
    MoveSlot: calendar_commands.move_slot,
    RerollSlot: calendar_commands.reroll_slot,
    Help: _help,
}


class Dispatch:
    """The door of one house."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def dispatch(self, command: Command, actor: Actor) -> Card:
        """Do it and answer. A delivery that the house can't take in now raises Unavailable: it is
        in the inbox and is worked off later. Else only cancellation of the task gets out."""
        name, watch = type(command).__name__.lower(), self._house.watch
        with watch.span("dispatch", command=name, platform=actor.platform):
            hide(*_texts(command))
            outcome = "unavailable"
            try:
                card, outcome = await self._done(command, actor)
            finally:
                watch.count("commands", command=name, outcome=outcome)
            return card

    async def _done(self, command: Command, actor: Actor) -> tuple[Card, str]:
        """The answer, and in a word how it went."""
        try:
            once = OnceStore(self._house.store, actor, self._house.clock)
            house = replace(self._house, store=once)
            if isinstance(command, LinkAccount):  # the one thing that a stranger may say
                return await linking.link(house, actor, command), "done"
            async with house.store.read() as tx:
                caller = await known(tx, actor)
            card: Card = await HANDLERS[type(command)](house, caller, command)
            return card, "done"
        except Unavailable as exc:
            if actor.delivery:
                raise  # it is written down, and is done as soon as the house answers
            return error_card(exc), exc.code
        except AlreadyTaken as exc:
            answer = reply_card("Already on it", exc.message)
            return replace(answer, state=REPEATED), REPEATED
        except HousestyleError as exc:
            if isinstance(exc, Refused | Conflict):
                await self._note_refusal(command, actor, exc)
            return error_card(exc), exc.code
        except Exception:
            log.exception("Command failed", extra={"action": "command.failed"})
            unknown = HousestyleError(
                "Something broke on our side. Nothing was charged.",
                fix=f"Try again; if it stays, tell an admin the reference {reference()}.",
            )
            return error_card(unknown, reference=reference()), "broken"

    async def _note_refusal(self, command: Command, actor: Actor, exc: HousestyleError) -> None:
        fields = asdict(command)
        target = next(
            (
                fields[name]
                for name in ("review", "asset", "job", "target", "slot", "schedule")
                if fields.get(name)
            ),
            "",
        )
        async with self._house.store.write() as tx:
            team = actor.channel.team if actor.channel else ""
            person = await tx.people.by_identity(actor.platform, actor.user, team)
            await tx.ledger.append(
                Event(
                    action="command.refused",
                    subject=f"{type(command).__name__.lower()}:{target}",
                    at=self._house.clock.now(),
                    actor=person.id if person else "",
                    facts={
                        "error": type(exc).__name__,
                        "platform": actor.platform,
                        "known": person is not None,
                    },
                )
            )


def _texts(command: Command) -> list[str]:
    """All that a person wrote in it."""
    fields = [asdict(command)]
    texts = []
    while fields:
        for value in fields.pop().values():
            if isinstance(value, dict):
                fields.append(value)
            elif isinstance(value, str):
                texts.append(value)
    return texts
