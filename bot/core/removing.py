"""Take a card out of a chat: by whoever asked for the picture, or who looks after the brand.

Only what is over goes: what is still being made is cancelled. What becomes of its pictures later
puts no card up anew. Nothing else of the house goes with it; reviews and posts are records of what
was decided, and have their own ways out.
"""

from dataclasses import replace

from bot.core.caller import Caller
from bot.core.cards import reply_card
from bot.core.commands import DeleteCard
from bot.core.errors import Conflict
from bot.core.house import House
from bot.core.ledger import Event
from bot.core.lives import JOB_STEPS
from bot.core.messages import Card
from bot.core.policy import may_handle
from bot.core.telling import CARD_DELETED

DELETED = "deleted"
"""The state word of the answer that lets the card go."""


async def delete_card(house: House, caller: Caller, command: DeleteCard) -> Card:
    """Record that the job's card goes. The chat that asked takes the message away."""
    now = house.clock.now()
    async with house.store.write() as tx:
        job = await tx.jobs.get(command.job)
        kit = await tx.kits.current(job.brand)
        may_handle(kit, caller.person, job.requester)
        if JOB_STEPS[job.state]:
            raise Conflict("This is still being made.", fix=f"Cancel it first: `/cancel {job.id}`.")
        event = Event(
            action=CARD_DELETED,
            subject=f"job:{job.id}",
            at=now,
            actor=caller.person.id,
            brand=job.brand,
            facts={"platform": caller.actor.platform},
        )
        await tx.ledger.append(event)
    answer = reply_card("Deleted", "The pictures stay in the archive.", fix=f"`/show {job.id}`")
    return replace(answer, state=DELETED)
