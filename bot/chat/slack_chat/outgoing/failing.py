"""What a failed call to Slack means: refused, later, or in doubt; and what a person can do.

Only a call that posts can be in doubt (`posts`): anything else is simply made again. What failed
before a byte left has surely not arrived. Words of Slack: the pages of the methods under
docs.slack.dev/reference/methods.
"""

from collections.abc import Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError

from bot.chat.slack_chat.methods import Method
from bot.chat.slack_chat.web import SlackRefused
from bot.core.errors import ChatAmbiguous, ChatError, ChatUnavailable
from bot.core.patience import RATE_S, retry_after

BROKEN_S = 5.0
"""Before something is tried again that went wrong at Slack or on the way."""
TOO_MANY = 429
BROKEN = 500

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
"""What slack_sdk raises where a body with status 200 is no object of JSON."""

RATES = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded", "accesslimited"})
DOUBTS = frozenset({"fatal_error", "internal_error", "service_unavailable", "request_timeout"})
"""Slack broke in the middle: part of it may have been done."""
MOVING = frozenset({"team_added_to_org"})
"""The workspace is being moved; a while later it works."""
TOKEN_WORDS = frozenset(
    {"token_expired", "invalid_auth", "token_revoked", "not_authed", "account_inactive"}
)
"""Another token of the same workspace may do."""

_REINSTALL = "Install the app in this workspace again; `housestyle doctor` checks the token."
_INVITE = "Type `/invite @Housestyle` in that channel."
_KIT = "Name another channel in the brand kit, or ask a workspace admin to let the app post there."
_AGAIN = "Open it again and send it off once more."

REFUSALS: Mapping[str, tuple[str, str]] = {
    "channel_not_found": (
        "Slack has no channel {place}, or the app can't see it.",
        "If it is a private channel, type `/invite @Housestyle` in it; else correct the channel's "
        "id in the brand kit.",
    ),
    "not_in_channel": ("The app is not in the channel {place}.", _INVITE),
    "user_not_in_channel": ("That person is not in the channel {place}.", "Add them to it."),
    "is_archived": (
        "The channel {place} is archived.",
        "Unarchive it in Slack, or name another channel in the brand kit.",
    ),
    "restricted_action": (
        "The workspace doesn't let the app post in {place}.",
        _KIT,
    ),
    "restricted_action_read_only_channel": ("The channel {place} is read-only.", _KIT),
    "restricted_action_thread_only_channel": (
        "The channel {place} takes answers in threads only.",
        _KIT,
    ),
    "restricted_action_non_threadable_channel": (
        "The channel {place} takes no answers in threads.",
        "Ask outside a thread there.",
    ),
    "restricted_action_thread_locked": ("The thread is locked.", "Start a new one."),
    "msg_too_long": (
        "The message is too long for Slack.",
        "Shorten the words or the caption.",
    ),
    "msg_blocks_too_long": (
        "The message is too long for Slack.",
        "Shorten the words or the caption.",
    ),
    "metadata_too_large": ("The message's id is too long for Slack.", "Report this as a fault."),
    "no_text": ("The message has no text.", "Report this as a fault."),
    "invalid_blocks": ("Slack doesn't take the message's layout.", "Report this as a fault."),
    "thread_not_found": ("The thread is gone.", "Ask again in the channel."),
    "cannot_reply_to_message": (
        "Nobody can answer that message in a thread.",
        "Ask again in the channel.",
    ),
    "message_not_found": ("The message is gone.", "Ask again for a new one."),
    "cant_update_message": ("The message can't be changed any more.", "Ask again for a new one."),
    "edit_window_closed": (
        "The workspace lets messages be changed for a while only.",
        "Ask again for a new one.",
    ),
    "cant_delete_message": (
        "The app may not delete that message.",
        "Delete it in Slack; workspace admins can.",
    ),
    "user_not_found": ("Slack knows no such person in this workspace.", "Check who is linked."),
    "users_not_found": ("Slack knows no such person in this workspace.", "Check who is linked."),
    "user_not_visible": ("The app may not see that person.", "Ask a workspace admin."),
    "user_disabled": ("That person's account in Slack is switched off.", "Ask a workspace admin."),
    "cannot_dm_bot": ("A bot has no direct messages.", "Ask as a person."),
    "messages_tab_disabled": (
        "The app's direct messages are switched off.",
        "Switch on the Messages tab in the app's settings under App Home.",
    ),
    "invalid_auth": ("Slack doesn't take the app's token.", _REINSTALL),
    "not_authed": ("Slack doesn't take the app's token.", _REINSTALL),
    "token_revoked": ("The app's token was taken away.", _REINSTALL),
    "token_expired": ("The app's token ran out and could not be renewed.", _REINSTALL),
    "account_inactive": ("The app was removed from this workspace.", _REINSTALL),
    "app_not_installed": ("The app is not in this workspace.", _REINSTALL),
    "team_access_not_granted": (
        "The organisation has not given the app this workspace.",
        "Add the app to the workspace in the organisation's settings.",
    ),
    "ekm_access_denied": (
        "The organisation's keys don't let messages be posted now.",
        "Ask a workspace admin.",
    ),
    "no_permission": ("The app may not do that in this workspace.", "Ask a workspace admin."),
    "access_denied": ("The app may not do that in this workspace.", "Ask a workspace admin."),
    "not_allowed_token_type": (
        "That is the wrong kind of token.",
        "`slack.bot_token` begins with `xoxb-`, `slack.app_token` with `xapp-`.",
    ),
    "org_login_required": (
        "The workspace is being moved into an organisation.",
        "Install the app again when that is done.",
    ),
    "file_not_found": ("The file is gone from Slack.", "Upload it again."),
    "file_deleted": ("The file is gone from Slack.", "Upload it again."),
    "blocked_file_type": (
        "The workspace doesn't take files of this type.",
        "Ask a workspace admin to allow PNG and JPEG files.",
    ),
    "file_uploads_disabled": (
        "The workspace takes no files.",
        "Ask a workspace admin to allow uploads.",
    ),
    "storage_limit_reached": (
        "The workspace has no room for files.",
        "Ask a workspace admin to make room.",
    ),
    "expired_trigger_id": ("That took too long for Slack to open a form.", "Press it again."),
    "exchanged_trigger_id": ("That form was opened already.", "Press it again."),
    "invalid_trigger_id": ("Slack doesn't know that press any more.", "Press it again."),
    "push_limit_reached": ("Too many forms lie on each other.", "Close one and press again."),
    "view_too_large": ("The form is too large for Slack.", "Shorten what stands in it."),
    "hash_conflict": ("The form has changed meanwhile.", _AGAIN),
    "not_found": ("The form was closed.", _AGAIN),
}
"""Slack's word -> what it means, and the way out; `{place}` is the channel."""


def meaning(
    exc: Exception, method: Method, *, posts: bool = False, place: str = ""
) -> ChatError | None:
    """What this failure of a call means, or None where it is none of Slack or the network."""
    if isinstance(exc, UNHEARD):
        return ChatUnavailable(f"Slack can't be reached: {exc}", retry_after_s=BROKEN_S)
    if isinstance(exc, SlackApiError):
        return _answered(exc.response, method, posts=posts, place=place)
    if isinstance(exc, LOST):
        return in_doubt(f"Slack's answer to {method} was lost.", posts=posts)
    if isinstance(exc, GARBLED):
        return in_doubt(f"Slack's answer to {method} can't be read.", posts=posts)
    return None


def in_doubt(why: str, *, posts: bool) -> ChatError:
    """The end of this call is unknown: it may stand there if it posts, else it is made again."""
    return ChatAmbiguous(why) if posts else ChatUnavailable(why, retry_after_s=BROKEN_S)


def refusal(answer: Mapping[str, Any], method: Method, *, place: str = "") -> SlackRefused:
    """Slack's no in words that a person can act on."""
    word = str(answer.get("error"))
    details = _details(answer)
    if word == "missing_scope":
        needed = str(answer.get("needed", "")) or "one more"
        return SlackRefused(
            f"The app lacks the permission `{needed}` for {method}.",
            code=word,
            fix="Paste the manifest of `housestyle slack manifest` into the app's settings and "
            "install the app again.",
            details=details,
        )
    message, fix = REFUSALS.get(
        word,
        (
            f"Slack refuses {method}: `{word}`.",
            f"See https://docs.slack.dev/reference/methods/{method}.",
        ),
    )
    said = message.replace("{place}", place or "in question")
    return SlackRefused(said, code=word, fix=fix, details=details)


def _answered(response: object, method: Method, *, posts: bool, place: str) -> ChatError:
    """`response` is slack_sdk's, or aiohttp's own where its body was no JSON."""
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
    data = getattr(response, "data", None)
    answer = data if isinstance(data, dict) else {}
    word = str(answer.get("error") or "")
    if status == TOO_MANY or word in RATES:
        wait = retry_after(getattr(response, "headers", {}))
        message = f"Slack takes no more of {method} for {wait:.0f} s."
        return ChatUnavailable(message, retry_after_s=wait, queued=True)
    if status >= BROKEN or word in DOUBTS:
        return in_doubt(f"Slack is broken just now ({word or status}).", posts=posts)
    if word in MOVING:
        return ChatUnavailable("The workspace is being moved.", retry_after_s=RATE_S)
    if word:
        return refusal(answer, method, place=place)
    if status < 400:
        return in_doubt(f"Slack's answer to {method} can't be read.", posts=posts)
    why = f"Something on the way to Slack answers {status}; check `slack.api_base_url`."
    return ChatUnavailable(why, retry_after_s=RATE_S)


def _details(answer: Mapping[str, Any]) -> tuple[str, ...]:
    about = answer.get("response_metadata")
    messages = about.get("messages") if isinstance(about, dict) else None
    listed = messages if isinstance(messages, list) else []
    more = answer.get("errors")
    listed = [*listed, *(more if isinstance(more, list) else [])]
    return tuple(str(one) for one in listed)
