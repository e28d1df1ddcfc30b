"""Pictures that people point at in Slack: in a message, its thread, a form, or one of ours.

A file is fetched through `Web.download` alone, which gives the token to Slack's own hosts only.
What stands elsewhere (a link from another service) is refused: no address of somebody else's is
ever fetched here.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.chat.slack_chat.incoming.heard import Heard, Kind
from bot.chat.slack_chat.methods import Method
from bot.chat.slack_chat.modals.reading import MAX_FILES, loaded_object
from bot.chat.slack_chat.modals.wish import wish_of
from bot.chat.slack_chat.places import PLATFORM
from bot.chat.slack_chat.web import SlackRefused, Web, Webs
from bot.core.errors import Mistake
from bot.core.house import House
from bot.core.people import Person
from bot.core.references import master_shown
from bot.core.uploads import bring, may_bring
from brand.errors import PictureRefused
from brand.pictures import MAX_BYTES

THREAD_MESSAGES = 15
"""Messages of a thread that are looked through: Slack gives newer apps no more at once
(docs.slack.dev/changelog/2025-05-29-rate-limit-changes-for-non-marketplace-apps)."""
SAID = (Kind.MENTION, Kind.TALK)
_POINTING = re.compile(r"\b(this|it|above|like)\b", re.IGNORECASE)
FIELD = "reference"
AGAIN = "Attach a PNG, JPEG or WebP."
ELSEWHERE = ("external", "email", "post", "space", "quip", "canvas")
GONE = ("tombstone", "hidden_by_limit")
TYPES = ("image/png", "image/jpeg", "image/webp")
_NOT_OURS = ("file_not_found", "file_deleted", "not_visible", "access_denied", "not_in_channel")
_UNREADABLE = ("not_in_channel", "channel_not_found", "thread_not_found", "missing_scope")


class Bringing:
    """Takes pictures in for somebody who may begin from them."""

    def __init__(self, house: House, webs: Webs) -> None:
        self._house = house
        self._webs = webs

    async def picture(self, heard: Heard, person: Person, *, brand: str = "") -> str:
        """The SHA-256 of the picture that came with this, as the door takes it; empty where none
        did. Raises Mistake, NotAllowed, TooMuchWaiting, ChatUnavailable; then nothing is kept."""
        if heard.kind is Kind.SUBMIT:
            wish = wish_of(heard.metadata, loaded_object(heard.state))
            if wish.reference.asset and not wish.files:
                return await self._asset(wish.reference.asset)
            files = wish.files or wish.reference.files
        else:
            files = await self.found(heard)
        return await self._first(heard.team, files, person, brand) if files else ""

    async def found(self, heard: Heard) -> tuple[str, ...]:
        """Ids of the files of a message: its own, those that its blocks show, else that of the
        nearest picture in its thread, for a line only if its words point at one. Empty where
        there is none. Raises ChatUnavailable."""
        own = files_of(heard)
        is_said = heard.kind in SAID
        if own or not heard.thread or not heard.channel or (is_said and not points_up(heard)):
            return own
        web = await self._webs.web(heard.team)
        return await _in_thread(web, heard)

    async def _first(self, team: str, files: tuple[str, ...], person: Person, brand: str) -> str:
        """The first file that is a picture; of several that are none the first one's mistake."""
        web = await self._webs.web(team)
        wrong: Mistake | None = None
        for file in files[:MAX_FILES]:
            try:
                return await self._taken(web, file, person, brand)
            except Mistake as exc:
                wrong = wrong or exc
        if wrong is None:
            return ""
        raise wrong

    async def _taken(self, web: Web, file: str, person: Person, brand: str) -> str:
        if ours := await self._ours(web.team, file, person, brand):
            return ours
        await may_bring(self._house, person, brand=brand)
        about = await _about(web, file)
        _check(about)
        url = about.get("url_private_download") or about.get("url_private") or ""
        data = await web.download(str(url), limit=MAX_BYTES)
        try:
            return (await bring(self._house, person, data, brand=brand)).sha256
        except PictureRefused as exc:
            raise Mistake(str(exc), fix=AGAIN, field=FIELD) from exc

    async def _ours(self, team: str, file: str, person: Person, brand: str) -> str:
        """Where the file shows a picture of the archive that the person may see: its lossless
        master."""
        async with self._house.store.read() as tx:
            sent = await tx.sent_files.by_file(PLATFORM, team, file)
            return await master_shown(tx, sent.key, person, brand) if sent else ""

    async def _asset(self, asset_id: str) -> str:
        async with self._house.store.read() as tx:
            return (await tx.assets.get(asset_id)).file_hash


def may_bring_files(heard: Heard) -> bool:
    """Whether Slack may have to be asked for a picture before this can be worked off."""
    if heard.kind is Kind.SUBMIT:
        wish = wish_of(heard.metadata, loaded_object(heard.state))
        return bool(wish.files or wish.reference.files)
    return heard.kind in SAID and (bool(heard.files) or points_up(heard))


def points_up(heard: Heard) -> bool:
    """Whether words in a thread speak of what stands above them: else a picture there is not
    meant."""
    return bool(heard.thread) and _POINTING.search(heard.text) is not None


def files_of(heard: Heard) -> tuple[str, ...]:
    """Ids of the files of the message itself: attached to it, or shown in its blocks."""
    return heard.files or tuple(_shown_in(_blocks(heard.blocks)))


async def _about(web: Web, file: str) -> Mapping[str, Any]:
    try:
        answer = await web.call(Method.FILES_INFO, file=file)
    except SlackRefused as exc:
        if exc.error not in _NOT_OURS:
            raise
        raise Mistake(
            "I can't see that file in Slack: it was deleted, or it stands in a channel that I am "
            "not in.",
            fix="Invite me there, or attach the picture again.",
            field=FIELD,
        ) from exc
    about = answer.get("file")
    return about if isinstance(about, dict) else {}


def _check(about: Mapping[str, Any]) -> None:
    """Raises Mistake for what can be no reference, before anything is fetched."""
    name = str(about.get("name") or about.get("title") or "That file")[:80]
    mode = about.get("mode")
    if mode in GONE:
        raise Mistake(f"Slack no longer has `{name}`.", fix=AGAIN, field=FIELD)
    if about.get("is_external") or mode in ELSEWHERE:
        raise Mistake(
            f"`{name}` isn't stored in Slack, and I fetch nothing from elsewhere.",
            fix="Save the picture and attach it as a PNG, JPEG or WebP.",
            field=FIELD,
        )
    if about.get("mimetype") not in TYPES:
        raise Mistake(f"`{name}` isn't a PNG, JPEG or WebP picture.", fix=AGAIN, field=FIELD)
    size = about.get("size")
    if isinstance(size, int) and size > MAX_BYTES:
        raise Mistake(
            f"`{name}` has {size:,} bytes; at most {MAX_BYTES:,} are read.",
            fix="Scale it down and attach it again.",
            field=FIELD,
        )


async def _in_thread(web: Web, heard: Heard) -> tuple[str, ...]:
    """The newest picture of a thread that stands above what was said."""
    try:
        answer = await web.call(
            Method.CONVERSATIONS_REPLIES,
            place=heard.channel,
            channel=heard.channel,
            ts=heard.thread,
            limit=THREAD_MESSAGES,
        )
    except SlackRefused as exc:
        if exc.error not in _UNREADABLE:
            raise
        return ()  # a thread that I can't read has no picture for me
    messages = answer.get("messages")
    for message in reversed(_dicts(messages)):
        above = not heard.message or _at(message.get("ts")) <= _at(heard.message)
        if above and (files := tuple(_pictures(message))):
            return files
    return ()


def _at(ts: object) -> float:
    """When a message was written; 0 where its `ts` is none."""
    try:
        return float(ts) if isinstance(ts, str) else 0.0
    except ValueError:
        return 0.0


def _pictures(message: Mapping[str, Any]) -> Iterator[str]:
    for file in _dicts(message.get("files")):
        stored = not file.get("is_external") and file.get("mode") not in (*ELSEWHERE, *GONE)
        if stored and file.get("mimetype") in TYPES and isinstance(file.get("id"), str):
            yield file["id"]
    yield from _shown_in(message.get("blocks"))


def _shown_in(blocks: object) -> Iterator[str]:
    """Ids of the files that image blocks show."""
    for block in _dicts(blocks):
        file = block.get("slack_file") if block.get("type") == "image" else None
        if isinstance(file, dict) and isinstance(file.get("id"), str):
            yield file["id"]


def _dicts(items: object) -> list[dict[str, Any]]:
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _blocks(text: str) -> object:
    try:
        return json.loads(text or "[]")
    except ValueError:
        return []
