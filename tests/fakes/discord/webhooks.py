"""Answers to interactions: the callback within three seconds, then the token's webhook.

A token is good for 15 minutes. Its webhook exists from the first answer on: before, it is 10015.
"""

from collections.abc import Callable

from tests.fakes.discord import components, payloads, sending
from tests.fakes.discord.asked import Asked, Reply
from tests.fakes.discord.channels import remove
from tests.fakes.discord.state import (
    ACK_S,
    EPHEMERAL,
    LOADING,
    TOKEN_S,
    Interaction,
    Json,
    Message,
    Refused,
    World,
)

SAY, DEFER, DEFER_UPDATE, UPDATE, CHOICES, FORM = 4, 5, 6, 7, 8, 9
ALLOWED = {
    2: (SAY, DEFER, FORM),
    3: (SAY, DEFER, DEFER_UPDATE, UPDATE, FORM),
    4: (CHOICES,),
    5: (SAY, DEFER, DEFER_UPDATE, UPDATE),
}
"""Answers that each type of interaction may be given."""
MOST_REFUSALS = 6
"""A webhook that said 404 may be tried again some times (discord-api-docs #6851), no more."""


def callback(asked: Asked) -> Reply:
    """POST /interactions/{id}/{token}/callback: once, within three seconds."""
    world = asked.world
    found = world.interactions.get(asked.params["interaction_token"])
    if found is None or found.id != asked.params["interaction_id"]:
        raise Refused(404, 10062, "Unknown interaction")
    if found.response is not None:
        raise Refused(400, 40060, "Interaction has already been acknowledged.")
    if world.now() - found.made_at > ACK_S:
        raise Refused(404, 10062, "Unknown interaction")
    if found.channel not in world.channels:
        raise Refused(404, 10003, "Unknown Channel")
    kind = int(asked.body["type"])
    if kind not in ALLOWED[found.type]:
        raise Refused(400, 50035, f"A type {found.type} interaction takes no callback {kind}")
    message = _done(world, found, kind, asked)
    found.response = asked.body
    found.response_ms = (world.now() - found.made_at) * 1000
    found.answered.set()
    if asked.query.get("with_response", "").lower() not in ("true", "1"):
        return 204, None
    return 200, _response(world, found, kind, message)


def _done(world: World, found: Interaction, kind: int, asked: Asked) -> Message | None:
    data = asked.body.get("data") or {}
    only_for = found.user if (data.get("flags") or 0) & EPHEMERAL else ""
    if kind == FORM:
        components.check_form(data)
    if kind == SAY:
        message = _say(world, found, data, asked, only_for=only_for)
        found.original = message.id
        found.changed.set()
        return message
    if kind == DEFER:
        message = _waiting(world, found, only_for=only_for)
        found.original = message.id
        return message
    if kind in (UPDATE, DEFER_UPDATE):
        shown = world.message(found.channel, found.message)
        if shown is None:
            raise Refused(404, 10008, "Unknown Message")
        found.original = shown.id
        if kind == UPDATE:
            sending.change(world, shown, data, asked.files)
            found.changed.set()
        return shown
    return None


def _say(world: World, found: Interaction, data: Json, asked: Asked, *, only_for: str) -> Message:
    return sending.create(
        world,
        world.channels[found.channel],
        data,
        asked.files,
        webhook=world.app.id,
        interaction=found.token,
        only_for=only_for,
    )


def _waiting(world: World, found: Interaction, *, only_for: str) -> Message:
    """`Housestyle is thinking …`."""
    message = Message(
        id=world.new_id(),
        channel=found.channel,
        author=world.app.id,
        at=world.now(),
        flags=LOADING | (EPHEMERAL if only_for else 0),
        webhook=world.app.id,
        interaction=found.token,
        only_for=only_for,
    )
    where = world.channels[found.channel]
    where.messages[message.id] = message
    if not only_for:
        world.tell("MESSAGE_CREATE", payloads.message_event(world, message), guild=where.guild)
    return message


def _response(world: World, found: Interaction, kind: int, message: Message | None) -> Json:
    told: Json = {"id": found.id, "type": found.type, "channel_id": found.channel}
    if found.guild:
        told["guild_id"] = found.guild
    if message is None:
        return {"interaction": told}
    told |= {
        "response_message_id": message.id,
        "response_message_ephemeral": bool(message.only_for),
        "response_message_loading": bool(message.flags & LOADING),
    }
    if kind in (DEFER_UPDATE, DEFER):
        return {"interaction": told}
    shown = payloads.message_json(world, message, hide=False)
    return {"interaction": told, "resource": {"type": kind, "message": shown}}


# --------------------------------------------------------------------------------- webhooks


def guarded(handler: Callable[[Asked, Interaction], Reply]) -> Callable[[Asked], Reply]:
    """A handler that is given the interaction whose token stands in the address."""

    def handle(asked: Asked) -> Reply:
        found = asked.world.interactions.get(asked.params["webhook_token"])
        try:
            return handler(asked, _open(asked, found))
        except Refused as exc:
            if found is not None and exc.status in (401, 404):
                found.webhook_refusals += 1
                if found.webhook_refusals > MOST_REFUSALS:
                    asked.world.violated(f"A webhook that is gone was asked again: {exc}")
            raise

    return handle


def _open(asked: Asked, found: Interaction | None) -> Interaction:
    if found is None or asked.params["webhook_id"] != asked.world.app.id:
        raise Refused(404, 10015, "Unknown Webhook")
    found.webhook_calls += 1
    if asked.world.now() - found.made_at > TOKEN_S:
        raise Refused(401, 50027, "Invalid Webhook Token")
    if found.response is None:
        raise Refused(404, 10015, "Unknown Webhook")
    if found.channel not in asked.world.channels:
        raise Refused(404, 10003, "Unknown Channel")
    return found


def _standing(asked: Asked, found: Interaction) -> Message:
    wanted = asked.params.get("message_id", found.original)
    message = asked.world.message(found.channel, wanted) if wanted else None
    if message is None or (message.interaction != found.token and message.id != found.original):
        raise Refused(404, 10008, "Unknown Message")
    return message


def get(asked: Asked, found: Interaction) -> Reply:
    """GET …/messages/@original and …/messages/{id}."""
    message = _standing(asked, found)
    return 200, payloads.message_json(asked.world, message, hide=False)


def edit(asked: Asked, found: Interaction) -> Reply:
    """PATCH …/messages/@original and …/messages/{id}."""
    message = _standing(asked, found)
    sending.change(asked.world, message, asked.body, asked.files)
    if message.id == found.original:
        found.changed.set()
    return 200, payloads.message_json(asked.world, message, hide=False)


def delete(asked: Asked, found: Interaction) -> Reply:
    """DELETE …/messages/@original and …/messages/{id}."""
    remove(asked.world, _standing(asked, found))
    return 204, None


def follow(asked: Asked, found: Interaction) -> Reply:
    """POST /webhooks/{app}/{token}: one message more each time; the first after a deferral takes
    the place of `thinking …`. There are no nonces here."""
    world = asked.world
    original = world.message(found.channel, found.original) if found.original else None
    if original is not None and original.flags & LOADING:
        sending.change(world, original, asked.body, asked.files)
        found.changed.set()
        message = original
    else:
        private = (asked.body.get("flags") or 0) & EPHEMERAL
        message = _say(world, found, asked.body, asked, only_for=found.user if private else "")
    if asked.query.get("wait", "").lower() not in ("true", "1"):
        return 204, None
    return 200, payloads.message_json(world, message, hide=False)
