"""Pictures that people point at in Discord: attached to a command or form, or in a message.

An attachment's address is signed and expires, so it is fetched at once, through `Rest.download`
alone, which goes to Discord's own hosts only; no token goes along. Only what was fetched is kept.
"""

import re
from datetime import datetime
from typing import Protocol

from bot.chat.discord_chat.forms.reading import message_of
from bot.chat.discord_chat.heard import Did, Heard
from bot.chat.discord_chat.incoming.components import MAX_PICTURES
from bot.chat.discord_chat.places import FILES_PLATFORM, PLATFORM
from bot.core.errors import Mistake, NotFound, Unavailable
from bot.core.house import House
from bot.core.people import Person
from bot.core.ports import SentFile, Transaction
from bot.core.receiving import aside
from bot.core.references import master_shown
from bot.core.uploads import bring, may_bring
from brand.errors import PictureRefused
from brand.pictures import MAX_BYTES

FIELD = "reference"
AGAIN = "Attach a PNG, JPEG or WebP."
SAID = "said:"
"""Begins the key under which a message's picture is remembered for who chose it."""
LOOKS, LOOK_AGAIN_S = 10, 0.5
"""How often, and how soon again, a form that came before its picture looks for it."""
_BLOB = re.compile(r"(?:^|-)([0-9a-f]{64})\.")
_POST = re.compile(r"^hs-([0-9A-Za-z]{22})\.")


class Files(Protocol):
    """What is asked of Discord here; see `Rest`."""

    async def download(self, url: str, *, limit: int) -> bytes:
        """An attachment. Raises ForeignHost, TooLarge, Gone (all Mistakes), ChatUnavailable."""
        ...


class Bringing:
    """Takes pictures in for somebody who may begin from them."""

    def __init__(self, house: House, rest: Files) -> None:
        self._house = house
        self._rest = rest

    async def picture(self, heard: Heard, person: Person, *, brand: str = "") -> str:
        """The SHA-256 of the picture that came with this, as the door takes it; empty where none
        did. Raises Mistake, NotAllowed, TooMuchWaiting, ChatUnavailable, Unavailable; then
        nothing is kept."""
        if heard.files:
            return await self._first(heard, person, brand)
        if heard.did is Did.SUBMIT and message_of(heard):
            return await self.remembered(heard)
        return ""

    async def remember(self, heard: Heard, person: Person) -> None:
        """Fetch the picture of the message in whose menu *Use as reference* was chosen, and keep
        it for the form that this opens. Raises as `picture`."""
        sha256 = await self.picture(heard, person)
        if not sha256:
            return
        kept = SentFile(
            platform=PLATFORM,
            team="",
            key=_key(heard),
            file=sha256,
            ready=True,
            at=self._house.clock.now(),
        )
        async with self._house.store.write() as tx:
            await tx.sent_files.put(kept)

    async def remembered(self, heard: Heard) -> str:
        """The picture that was kept for this form. Raises Mistake where there is none, and
        Unavailable while it is still being fetched."""
        for _ in range(LOOKS):
            since = await self._coming_since(heard)  # first, or its end in between would be missed
            async with self._house.store.read() as tx:
                kept = await tx.sent_files.get(PLATFORM, "", _key(heard))
            if kept is not None and (since is None or kept.at >= since):
                return kept.file  # an older one may be what the card showed before
            if since is None:
                raise Mistake(
                    "I couldn't take the picture of that message. Nothing was queued.",
                    fix="Choose *Use as reference* on it once more, or type `/imagine`. " + AGAIN,
                    field=FIELD,
                )
            async with aside():
                await self._house.clock.sleep(LOOK_AGAIN_S)
        raise Unavailable("The picture of that message is still being fetched.")

    async def _coming_since(self, heard: Heard) -> datetime | None:
        """When the menu was chosen, of a choice that is still to be worked off; None of none."""
        inbox = self._house.inbox
        pending = [*await inbox.pending(FILES_PLATFORM), *await inbox.pending(PLATFORM)]
        wanted = (message_of(heard), heard.user)
        chosen = [
            delivery.received_at
            for delivery in pending
            if (delivery.payload.get("message"), delivery.payload.get("user")) == wanted
            and delivery.payload.get("did") == Did.MENU
        ]
        return max(chosen, default=None)

    async def _first(self, heard: Heard, person: Person, brand: str) -> str:
        """The first file that is a picture; of several that are none the first one's mistake."""
        wrong: Mistake | None = None
        for url in heard.files[:MAX_PICTURES]:
            try:
                return await self._taken(url, heard, person, brand)
            except Mistake as exc:
                wrong = wrong or exc
        if wrong is None:
            return ""
        raise wrong

    async def _taken(self, url: str, heard: Heard, person: Person, brand: str) -> str:
        shows_ours = heard.of_us and heard.did is Did.MENU
        if shows_ours and (ours := await self._ours(url, person, brand)):
            return ours
        await may_bring(self._house, person, brand=brand)
        data = await self._rest.download(url, limit=MAX_BYTES)
        try:
            return (await bring(self._house, person, data, brand=brand)).sha256
        except PictureRefused as exc:
            raise Mistake(str(exc), fix=AGAIN, field=FIELD) from exc

    async def _ours(self, url: str, person: Person, brand: str) -> str:
        """Where a message of ours shows a picture of the archive that the person may see: its
        lossless master. Our files are named by their contents, or by the post they are."""
        async with self._house.store.read() as tx:
            sha256 = await _file_in(tx, url.partition("?")[0].rpartition("/")[2])
            return await master_shown(tx, sha256, person, brand) if sha256 else ""


async def _file_in(tx: Transaction, name: str) -> str:
    if match := _BLOB.search(name):
        return match[1]
    if match := _POST.match(name):
        try:
            return (await tx.publications.get(match[1])).file_hash
        except NotFound:
            return ""
    return ""


def _key(heard: Heard) -> str:
    return f"{SAID}{message_of(heard)}:{heard.user}"
