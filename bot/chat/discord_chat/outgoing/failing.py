"""What a failed call to Discord means: refused, later, or in doubt; and what a person can do.

Only a call that posts can be in doubt (`posts`): anything else is simply made again. What failed
before a byte left has surely not arrived. Numbers of Discord: docs.discord.com, JSON error codes.
"""

from collections.abc import Mapping

import aiohttp
from discord import HTTPException, RateLimited

from bot.chat.discord_chat.rest import DiscordRefused
from bot.core.errors import ChatAmbiguous, ChatError, ChatUnavailable
from bot.core.patience import RATE_S, retry_after, turn_in

BROKEN_S = 5.0
"""Before something is tried again that went wrong at Discord or on the way."""
BARRED_S = 300.0
"""Where something before Discord keeps us out."""

UNAUTHORISED, FORBIDDEN, MISSING, TOO_MANY, BROKEN = 401, 403, 404, 429, 500

UNHEARD = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
    aiohttp.NonHttpUrlClientError,
)
"""Nothing was sent: no connection came about."""
LOST = (aiohttp.ClientError, TimeoutError, OSError)
"""Something may have been sent, and no whole answer came."""
GARBLED = (AttributeError, ValueError, LookupError, RecursionError)
"""What discord.py raises where a body or header is not what it should be."""

UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, UNKNOWN_USER, UNKNOWN_WEBHOOK = 10003, 10008, 10013, 10015
UNKNOWN_MEMBER, UNKNOWN_INTERACTION, UNKNOWN_EMOJI = 10007, 10062, 10014
TOO_MANY_OLD_EDITS, TOO_MANY_REACTIONS, TOO_LARGE = 30046, 30010, 40005
NO_ACCESS, NOT_OURS, NO_DMS, NO_PERMISSION = 50001, 50005, 50007, 50013
TOKEN_OVER, INVALID_BODY, ARCHIVED, THREAD_LOCKED = 50027, 50035, 50083, 160005
NO_SHARED_GUILD, REACTION_BLOCKED = 50278, 90001
AUTOMOD, AUTOMOD_TITLE = 200000, 200001

BUSY: Mapping[int, float] = {
    20016: RATE_S,
    20026: RATE_S,
    20028: RATE_S,
    20029: RATE_S,
    31002: RATE_S,
    40003: 60.0,
    40004: BARRED_S,
    40062: RATE_S,
    110001: RATE_S,
    130000: RATE_S,
}
"""Discord's own "later": slow mode, write limits, too many direct conversations, overload."""

_KIT = "Give the app access there, or name another channel in the brand kit."
_RIGHTS = (
    "Give its role View Channel, Send Messages, Attach Files and Read Message History there "
    "(in threads also Send Messages in Threads); `housestyle doctor` says which one is missing."
)
_DMS = "In the server's privacy settings allow direct messages, or write to the app first."
_ADMIN = "Report this as a fault."

REFUSALS: Mapping[int, tuple[str, str]] = {
    UNKNOWN_CHANNEL: (
        "Discord has no channel {place} any more.",
        "Correct the channel's id in the brand kit, or make the channel anew.",
    ),
    10004: ("Discord has no such server, or the app is not in it.", "Invite the app there."),
    UNKNOWN_MEMBER: ("That person is not in the server.", "Ask them to join it."),
    UNKNOWN_MESSAGE: ("The message is gone.", "Ask again for a new one."),
    UNKNOWN_USER: ("Discord knows no such person.", "Check who is linked."),
    UNKNOWN_EMOJI: ("Discord has no such emoji.", "Correct it in the settings."),
    UNKNOWN_WEBHOOK: ("The private answer came too late.", "Ask again."),
    UNKNOWN_INTERACTION: ("The private answer came too late.", "Ask again."),
    TOKEN_OVER: ("The private answer came too late.", "Ask again."),
    20009: (
        "Discord takes the picture for one that may not be shown there.",
        "Mark the channel as age-restricted, or use another picture.",
    ),
    20022: ("Too many changes in an announcement channel.", "Wait an hour."),
    30003: ("The channel has as many pins as it may.", "Unpin some."),
    TOO_MANY_REACTIONS: ("The message has as many emoji as it may.", "Vote with its buttons."),
    30032: ("The app has more commands than Discord takes.", _ADMIN),
    30033: ("The thread has as many people as it may.", "Start a new one."),
    30034: ("Too many commands were registered today.", "They are registered again tomorrow."),
    TOO_MANY_OLD_EDITS: (
        "The message is older than an hour and was changed too often since.",
        "Ask again for a new one.",
    ),
    TOO_LARGE: (
        "The file is larger than Discord takes in that server.",
        "Let the kit publish a smaller rendition, as jpeg-1080, or boost the server.",
    ),
    40001: ("Discord doesn't let the app do that.", _RIGHTS),
    40058: ("{place} is a forum: it takes posts only.", "Name a text channel in the brand kit."),
    40060: ("That was answered already.", "Press it again."),
    NO_ACCESS: ("The app can't see the channel {place}.", _RIGHTS),
    50003: ("Discord does that in no direct conversation.", "Ask in a channel."),
    NOT_OURS: ("That message is not the app's own.", "Ask again for a new one."),
    50006: ("The message has no text.", _ADMIN),
    NO_DMS: ("That person takes no direct messages from the app.", _DMS),
    NO_SHARED_GUILD: ("That person shares no server with the app.", "Invite the app there."),
    50008: ("{place} is no text channel.", "Name a text channel in the brand kit."),
    50009: ("The channel's verification level keeps the app out.", _KIT),
    NO_PERMISSION: ("The app lacks a permission in the channel {place}.", _RIGHTS),
    50019: ("That message stands in another channel.", _ADMIN),
    50021: ("Discord's own messages can't be changed.", "Ask again for a new one."),
    50024: ("Discord does that in no channel of this kind: {place}.", _KIT),
    INVALID_BODY: ("Discord doesn't take the message's layout.", _ADMIN),
    50045: ("The file is larger than Discord takes.", "Let the kit publish a smaller rendition."),
    ARCHIVED: ("The thread is archived.", "Open it again, or ask in the channel."),
    THREAD_LOCKED: ("The thread is locked.", "Start a new one, or ask in the channel."),
    REACTION_BLOCKED: ("Somebody here has blocked the app.", "Vote with the card's buttons."),
    160002: ("The app may not read the channel's history: {place}.", _RIGHTS),
    160004: ("There is a thread for that message already.", "Go on in that one."),
    160006: ("The server has as many open threads as it may.", "Close some."),
    AUTOMOD: (
        "The server's AutoMod blocks these words in {place}.",
        "Word it differently, or exempt the app's role from that AutoMod rule.",
    ),
    AUTOMOD_TITLE: ("The server's AutoMod blocks that title.", "Word it differently."),
}
"""Discord's number -> what it means, and the way out; `{place}` is what the channel is called."""

_LOGIN = (
    "Copy the bot's token anew from the developer portal into HOUSESTYLE_DISCORD_TOKEN and "
    "restart; `housestyle doctor` checks it."
)


def meaning(exc: Exception, *, posts: bool = False, place: str = "") -> ChatError | None:
    """What this failure of a call means, or None where it is none of Discord or the network."""
    if isinstance(exc, RateLimited):
        return _later(exc.retry_after)
    if isinstance(exc, UNHEARD):
        # Not what else they say: an address has tokens in it.
        where = f"{exc.host}:{exc.port}" if isinstance(exc, aiohttp.ClientConnectorError) else ""
        why = where or type(exc).__name__
        return ChatUnavailable(f"Discord can't be reached: {why}", retry_after_s=BROKEN_S)
    if isinstance(exc, HTTPException):
        return _answered(exc, posts=posts, place=place)
    if isinstance(exc, LOST):
        return in_doubt("Discord's answer was lost.", posts=posts)
    if isinstance(exc, GARBLED):
        return in_doubt("Discord's answer can't be read.", posts=posts)
    return None


def in_doubt(why: str, *, posts: bool) -> ChatError:
    """The end of this call is unknown: it may stand there if it posts, else it is made again."""
    return ChatAmbiguous(why) if posts else ChatUnavailable(why, retry_after_s=BROKEN_S)


def token_refused() -> DiscordRefused:
    """Discord doesn't know the bot's token."""
    message = "Discord doesn't take the bot's token."
    return DiscordRefused(message, status=UNAUTHORISED, fix=_LOGIN)


def refusal(code: int, status: int, *, place: str = "") -> DiscordRefused:
    """Discord's no in words that a person can act on."""
    if code == 0 and status == FORBIDDEN:
        code, given = NO_PERMISSION, 0
    else:
        given = code
    message, fix = REFUSALS.get(
        code,
        (
            f"Discord refuses that: {given or status}.",
            "docs.discord.com lists its numbers under JSON error codes.",
        ),
    )
    said = message.replace("{place}", place or "in question")
    return DiscordRefused(said, error=given, status=status, fix=fix)


def _later(seconds: float) -> ChatUnavailable:
    wait = turn_in(seconds)
    return ChatUnavailable(
        f"Discord takes no more of that for {wait:.0f} s.", retry_after_s=wait, queued=True
    )


def _answered(exc: HTTPException, *, posts: bool, place: str) -> ChatError:
    status, code = exc.status, exc.code
    if status == TOO_MANY and code != TOO_MANY_OLD_EDITS:
        return _later(retry_after(exc.response.headers))
    if status >= BROKEN:
        return in_doubt(f"Discord is broken just now ({status}).", posts=posts)
    if code in BUSY:
        return ChatUnavailable("Discord asks us to wait.", retry_after_s=BUSY[code], queued=True)
    if code or status in (MISSING, FORBIDDEN):
        if code == 0 and not _is_json(exc):
            return _barred(status)
        return refusal(code, status, place=place)
    if status == UNAUTHORISED:
        return token_refused()
    if _is_json(exc):
        return refusal(code, status, place=place)
    return _barred(status)


def _is_json(exc: HTTPException) -> bool:
    return exc.response.headers.get("Content-Type", "").startswith("application/json")


def _barred(status: int) -> ChatUnavailable:
    why = f"Something on the way to Discord answers {status}; check `discord.api_base_url`."
    return ChatUnavailable(why, retry_after_s=BARRED_S)
