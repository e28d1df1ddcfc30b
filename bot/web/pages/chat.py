"""The local chat: rooms, messages, the composer, reactions."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, File, Form, Query, UploadFile
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from bot.core.errors import NotFound
from bot.core.ids import is_id
from bot.core.messages import Audience
from bot.core.ports import TimelineMessage
from bot.core.rooms import Room, rooms_of
from bot.core.seeing import Sight
from bot.core.uploads import bring
from bot.web.frame import Frame, Framed, go
from bot.web.messages import Shown, shown
from bot.web.suggestions import suggestions
from bot.web.visitor import PLATFORM

router = APIRouter(prefix="/chat")
PAGE = 40
FRESH = 12
"""Messages sent back after a command: what it changed stands among the newest."""
MAX_LINE = 10_000
EXAMPLE = "/imagine a red mug on a wooden table"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A room with the address of its page."""

    room: Room
    slug: str

    @property
    def href(self) -> str:
        """Its page."""
        return f"/chat/{self.slug}"


def places_of(frame: Frame) -> list[Place]:
    """The visitor's rooms of the brand in force, their own first."""
    visitor = frame.visitor
    return [
        Place(room=room, slug="me" if room.channel == visitor.direct_line else room.channel)
        for room in rooms_of((frame.kit,), visitor.person, PLATFORM, visitor.user)
    ]


def place_of(frame: Frame, slug: str) -> Place:
    """The room at this address. Raises NotFound for any that is not the visitor's."""
    for place in places_of(frame):
        if place.slug == slug:
            return place
    raise NotFound(f"There is no channel `{slug[:60]}` for you.", fix="Choose one on the left.")


@router.get("")
async def chat_start(frame: Framed, say: str = "") -> Response:
    """The first working channel; the visitor's own where the kit has none."""
    places = places_of(frame)
    working = (p for p in places if p.room.audience is Audience.WORKING)
    place = next(working, places[0])
    return go(place.href + (f"?{frame.request.url.query}" if say else ""))


@router.get("/{slug}")
async def chat_page(
    frame: Framed,
    slug: str,
    say: Annotated[str, Query(max_length=MAX_LINE)] = "",
    before: str = "",
    reference: str = "",
) -> HTMLResponse:
    """One room: its newest messages, or those before one."""
    place = place_of(frame, slug)
    earlier = before if is_id(before) else ""
    messages = await recent(frame, place, before=earlier, limit=PAGE + 1)
    return frame.page(
        "chat.html",
        "chat",
        places=places_of(frame),
        place=place,
        messages=messages[-PAGE:],
        older=messages[-PAGE].message.id if len(messages) > PAGE else "",
        before=earlier,
        say=say,
        reference=await _reference(frame, reference),
        example=EXAMPLE,
    )


@router.post("/{slug}")
async def say_here(
    frame: Framed,
    slug: str,
    text: Annotated[str, Form(max_length=MAX_LINE * 2)] = "",
    delivery: Annotated[str, Form()] = "",
    reference: Annotated[str, Form()] = "",
    picture: Annotated[UploadFile | None, File()] = None,
    mask: Annotated[UploadFile | None, File()] = None,
    control: Annotated[UploadFile | None, File()] = None,
    like: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Say a line, with the pictures that come along."""
    place = place_of(frame, slug)
    files = {
        "reference": await _attached(frame, picture) or await _hash_of(frame, reference),
        "mask": await _attached(frame, mask),
        "control": await _attached(frame, control),
        "like": await _attached(frame, like),
    }
    if text.strip() or any(files.values()):
        actor = frame.visitor.actor(delivery, place.room.channel)
        await frame.site.desk.say(actor, text, brand=frame.kit.id, **files)
    return await _fresh(frame, place)


@router.get("/{slug}/messages")
async def newest(frame: Framed, slug: str) -> HTMLResponse:
    """The newest messages as a fragment: what a page catches up with."""
    place = place_of(frame, slug)
    return frame.fragment(
        "messages.html", place=place, messages=await recent(frame, place, limit=PAGE)
    )


@router.get("/{slug}/messages/{message}")
async def one_message(frame: Framed, slug: str, message: str) -> HTMLResponse:
    """One message as a fragment."""
    place = place_of(frame, slug)
    found = await visible_message(frame, message)
    if found.channel != place.room.channel:
        raise NotFound("That message isn't in this channel.")
    async with frame.house.store.read() as tx:
        items = [await shown(tx, found, frame.house, frame.visitor, audience=place.room.audience)]
    return frame.fragment("messages.html", place=place, messages=items)


@router.post("/{slug}/messages/{message}/react")
async def react(
    frame: Framed,
    slug: str,
    message: str,
    emoji: Annotated[str, Form(max_length=40)],
    on: Annotated[bool, Form()] = True,
    delivery: Annotated[str, Form()] = "",
) -> Response:
    """Put a reaction on a message, or take it away."""
    place = place_of(frame, slug)
    found = await visible_message(frame, message)
    actor = frame.visitor.actor(delivery, place.room.channel)
    await frame.site.desk.react(actor, found.id, emoji, on=on)
    return await _fresh(frame, place, message=found.id)


@router.get("/{slug}/words")
async def words(frame: Framed, slug: str) -> JSONResponse:
    """What may be typed here, for the composer's suggestions."""
    place_of(frame, slug)
    return JSONResponse(suggestions(frame.kit, frame.kits))


async def visible_message(frame: Frame, message_id: str) -> TimelineMessage:
    """A message that the visitor may see. Raises NotFound."""
    if not is_id(message_id):
        raise NotFound("That isn't a message.")
    message = await frame.house.timeline.get(message_id)
    channels = {place.room.channel for place in places_of(frame)}
    if message.channel not in channels or message.only_for not in ("", frame.visitor.user):
        raise NotFound("That message isn't there.")
    return message


async def recent(frame: Frame, place: Place, *, before: str = "", limit: int) -> list[Shown]:
    messages = await frame.house.timeline.page(
        place.room.channel, user=frame.visitor.user, before=before, limit=limit
    )
    async with frame.house.store.read() as tx:
        return [
            await shown(tx, message, frame.house, frame.visitor, audience=place.room.audience)
            for message in messages
        ]


async def _fresh(frame: Frame, place: Place, message: str = "") -> Response:
    if frame.wants_fragment:
        items = await recent(frame, place, limit=FRESH)
        return frame.fragment("messages.html", place=place, messages=items)
    return RedirectResponse(f"{place.href}#{f'm-{message}' if message else 'newest'}", 303)


async def _attached(frame: Frame, picture: UploadFile | None) -> str:
    """The picture, made anew from its pixels and kept for the visitor; its hash. Raises as
    `bring`."""
    if picture is None or not picture.size:
        return ""
    person, brand = frame.visitor.person, frame.kit.id
    return (await bring(frame.house, person, await picture.read(), brand=brand)).sha256


async def _hash_of(frame: Frame, asset_id: str) -> str:
    """The master file of one of our own pictures, meant as a reference. Raises NotFound."""
    if not asset_id:
        return ""
    if not is_id(asset_id):
        raise NotFound("That isn't a picture.")
    async with frame.house.store.read() as tx:
        asset = await tx.assets.get(asset_id)
        if not await Sight(tx, frame.visitor.person).asset(asset):
            raise NotFound("That picture isn't one that you can see.")
    return asset.file_hash


async def _reference(frame: Frame, asset_id: str) -> str:
    """The asset named in the address, if it can serve as a reference."""
    return asset_id if await _hash_of(frame, asset_id) else ""
