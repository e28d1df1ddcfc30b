"""A form that is sent off again with other words: its first answer was lost on the way, and Slack
gives both the same name, so only the first counts. Whoever wrote the second is told."""

from dataclasses import replace

from bot.chat.slack_chat.incoming.heard import Heard
from bot.chat.slack_chat.places import PLATFORM
from bot.core.cards import reply_card
from bot.core.commands import Imagine
from bot.core.house import House
from bot.core.jobs import Job
from bot.core.messages import Card
from brand.brief import Brief

LOOKED_AT = 20
"""The newest jobs of a person among which the first version is."""


async def other_version(house: House, heard: Heard, command: Imagine) -> Card | None:
    """What is said of a form whose first version was taken; None where it was this very one.
    Raises Unavailable."""
    async with house.store.read() as tx:
        person = await tx.people.by_identity(PLATFORM, heard.user, heard.team)
        if person is None:
            return None
        jobs = await tx.jobs.recent(brand=command.brand, requester=person.id, limit=LOOKED_AT)
    if not jobs or any(_same(job.brief, command.brief) for job in jobs):
        return None
    return _card(jobs[0])


def _card(first: Job) -> Card:
    return reply_card(
        "The first version is on its way",
        f"You sent this form off twice, with other words the second time. The first became the "
        f"job `{first.id}`; this one was not queued.",
        fix="If you want both, send it off once more.",
    )


def _same(first: Brief, second: Brief) -> bool:
    """Apart from what is filled in where a form leaves it open."""
    filled = replace(
        second,
        n=second.n or first.n,
        seed=first.seed if second.seed is None else second.seed,
        reference=first.reference if second.reference else "",  # the door may name it otherwise
    )
    return filled == first
