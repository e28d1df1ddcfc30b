"""What people press, choose in a message's menu, or send off: all of it ends as a command.

Nothing of a card is remembered here: a button's custom id says all, so that those from before a
restart work, and the door decides again what still counts.
"""

import re
from dataclasses import dataclass

from bot.chat.discord_chat.forms.reading import answer_of
from bot.chat.discord_chat.heard import Did, Heard
from bot.chat.discord_chat.surfaces import APPROVE, DETAILS
from bot.chat.discord_chat.understanding.standing import message_ref
from bot.core.actions import parse_action
from bot.core.commands import Approve, Command, Recipe
from bot.core.errors import Mistake
from bot.core.house import House
from bot.core.ids import is_id
from bot.core.lives import AssetState

_POST = re.compile(r"(?:^|/)hs-([0-9A-Za-z]{22})\.[a-z]+(?:$|\?)")
"""The file of a post is named by the post's id (see outgoing)."""
_PICTURES = ("job", "review", "publication")


@dataclass(frozen=True, kw_only=True)
class Clicked:
    """A click as a command."""

    command: Command
    standing: str = ""
    """The subject of the card that was clicked, where it is known."""


class Clicking:
    """Makes commands of clicks."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def understood(self, heard: Heard) -> Clicked:
        """The command. Raises Mistake and Unavailable."""
        if heard.did is Did.MENU:
            return await self._chosen(heard)
        action, said = heard.action, heard.said
        if heard.did is Did.SUBMIT:
            action, said = answer_of(heard)
        standing = await self.subject(heard) if heard.message else ""
        return Clicked(command=parse_action(action, said), standing=standing)

    async def subject(self, heard: Heard) -> str:
        """What the card is about that stands there; empty for one that nobody knows any more."""
        async with self._house.store.read() as tx:
            return await tx.outbox.subject_of(message_ref(heard))

    async def _chosen(self, heard: Heard) -> Clicked:
        subject = await self.subject(heard) or _post_of(heard)
        kind, _, key = subject.partition(":")
        if kind not in _PICTURES or not is_id(key):
            raise Mistake(
                "I know of no picture in that message.",
                fix="Choose it on a card of mine, or on a picture that I posted.",
            )
        if heard.command == DETAILS:
            return Clicked(command=Recipe(target=key), standing=subject)
        if heard.command != APPROVE:
            raise Mistake("This command isn't one of ours.", fix="`/help` lists what there is.")
        return Clicked(command=Approve(review=await self._review(kind, key)), standing=subject)

    async def _review(self, kind: str, key: str) -> str:
        """The review, or of a job's card the one picture that waits for approval."""
        if kind == "review":
            return key
        async with self._house.store.read() as tx:
            assets = await tx.assets.of_job(key) if kind == "job" else ()
        waiting = [asset.id for asset in assets if asset.state is AssetState.IN_REVIEW]
        if len(waiting) == 1:
            return waiting[0]
        raise Mistake(
            "No picture there waits for approval."
            if not waiting
            else f"{len(waiting)} pictures there wait for approval.",
            fix="Approve on the picture's own review card.",
        )


def _post_of(heard: Heard) -> str:
    """The post that a message of ours is, by its file."""
    found = (_POST.search(url) for url in heard.files if heard.of_us)
    return next((f"publication:{match[1]}" for match in found if match), "")
