"""Scripted people: they ask, send to approval, approve, and settle what the house can't know.

They see what stands in the channels and press buttons. Each button is pressed once: whatever they
did and the platform took is the house's to keep.
"""

import asyncio
import sys
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.chaos.plan import APPROVER, NAIVE, PUBLIC, REQUESTERS, WORKING

AT_ONCE = 24
"""Commands that wait for their pictures at the same time; of few jobs a quarter."""
LOOK_S = 0.2
REJECT_EVERY = 25


@dataclass
class People:
    """Everybody who talks to the house, and what they see."""

    chat: httpx.AsyncClient
    jobs: int
    seen: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Messages by their ids, as they stood at the last look."""
    asked: int = 0
    pressed: set[str] = field(default_factory=set)
    settled: dict[str, str] = field(default_factory=dict)
    """What a person said of ambiguous posts."""
    refusals: list[str] = field(default_factory=list)
    waiting: int = 0
    """Deliveries that the platform has not got rid of."""
    _after: int = 0

    async def live(self) -> None:
        """Do what is to be done until cancelled."""
        while True:
            changed = await self.look()
            await self._ask()
            for message in changed:
                await self._react(message)
            await asyncio.sleep(LOOK_S)

    async def look(self) -> list[dict[str, Any]]:
        """See what has changed."""
        answer = (await self.chat.get("/people", params={"after": self._after})).json()
        self.waiting = answer["waiting"]
        changed: list[dict[str, Any]] = answer["messages"]
        for message in changed:
            self.seen[message["id"]] = message
            self._after = max(self._after, message["changed"])
        return changed

    def standing(self, channel: str) -> list[dict[str, Any]]:
        """The messages that stand in a channel, oldest first."""
        return [m for m in self.seen.values() if m["channel"] == channel and not m["deleted"]]

    @property
    def done(self) -> int:
        """Jobs whose pictures were posted or rejected, as far as people can see."""
        rejected = sum(key.startswith("reject:") for key in self.pressed)
        return len({m["outgoing"] for m in self.standing(PUBLIC)}) + rejected

    async def _ask(self) -> None:
        finished = sum(m["card"].get("kind") == "review" for m in self.seen.values())
        at_once = min(AT_ONCE, self.jobs // 4 + 1)
        while self.asked < self.jobs and self.asked - finished < at_once:
            self.asked += 1
            text = f"/imagine a red mug number {self.asked}"
            user = REQUESTERS[self.asked % len(REQUESTERS)]
            await self._say({"user": user, "channel": WORKING, "text": text})

    async def _react(self, message: dict[str, Any]) -> None:
        card, channel = message["card"], message["channel"]
        if message["deleted"] or channel in (PUBLIC, NAIVE):
            return
        kind = card.get("kind")
        if kind == "error":
            self._refused(message)
        actions = [button["action"] for button in card.get("buttons", ())]
        for picture in card.get("pictures", ()):
            actions += [button["action"] for button in picture["buttons"]]
        for action in actions:
            verb, key, *extra = action.split(":")
            if verb == "send":
                asked_by = card["lines"][0].partition(" ")[0].lower()
                await self._press(f"send:{key}", action, asked_by, channel)
            elif verb == "approve":
                await self._decide(key, action, channel)
            elif verb == "settle" and extra == ["sent"]:
                await self._settle(key, channel, message["changed"])

    async def _decide(self, review: str, action: str, channel: str) -> None:
        if {f"approve:{review}", f"reject:{review}"} & self.pressed:
            return
        decided = sum(key.startswith(("approve:", "reject:")) for key in self.pressed) + 1
        if decided % REJECT_EVERY:
            await self._press(f"approve:{review}", action, APPROVER, channel)
        else:
            key = f"reject:{review}"
            await self._press(key, key, APPROVER, channel, said="too dark")

    async def _settle(self, publication: str, channel: str, asked: int) -> None:
        """Look into the channel, and say what stands there; once each time it is asked."""
        there = any(m["outgoing"] == publication for m in self.standing(PUBLIC))
        said = "sent" if there else "again"
        key = f"settle:{publication}:{asked}"
        if key in self.pressed:
            return
        self.settled[publication] = said
        await self._press(key, f"settle:{publication}:{said}", channel[1:], channel)

    async def _press(
        self, key: str, action: str, user: str, channel: str, *, said: str = ""
    ) -> None:
        if key in self.pressed:
            return
        self.pressed.add(key)
        body = {"user": user, "channel": channel, "action": action, "said": said}
        await self._say(body)

    async def _say(self, body: dict[str, Any]) -> None:
        (await self.chat.post("/people", json=body)).raise_for_status()

    def _refused(self, message: dict[str, Any]) -> None:
        card = message["card"]
        line = f"{message['channel']}: {card['title']}: {' '.join(card['lines'])}"
        if message["id"] not in self.pressed:
            self.pressed.add(message["id"])
            self.refusals.append(line)
            sys.stderr.write(f"refused {line}\n")
