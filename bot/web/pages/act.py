"""Every button of every page: one address that takes a command as a form."""

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import Response

from bot.web.frame import Framed, go, safe_back
from bot.web.pages.chat import FRESH, place_of, recent

router = APIRouter()


@router.post("/act")
async def act(
    frame: Framed,
    action: Annotated[str, Form(max_length=200)],
    said: Annotated[str, Form(max_length=4000)] = "",
    room: Annotated[str, Form(max_length=200)] = "",
    back: Annotated[str, Form(max_length=2000)] = "/",
    delivery: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Carry out a button's command: in a room of the chat, or from another page."""
    desk, visitor = frame.site.desk, frame.visitor
    if room:
        place = place_of(frame, room)
        answer = await desk.press(visitor.actor(delivery, place.room.channel), action, said=said)
        if frame.wants_fragment:
            items = await recent(frame, place, limit=FRESH)
            return frame.fragment("messages.html", place=place, messages=items)
        return go(f"{place.href}#m-{answer.id}" if answer else safe_back(back, place.href))
    answer = await desk.press(visitor.actor(delivery), action, said=said, aside=visitor.aside)
    return go(back, reply=answer.id if answer else "")
