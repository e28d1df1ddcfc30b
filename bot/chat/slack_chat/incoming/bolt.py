"""bolt: the Bolt application that routes what comes in. It asks nobody anything.

Its listeners return their answer (`process_before_response`), so there is no moment in which an
acknowledgement is given and an exception makes another answer of it. There are no lazy listeners;
work is done after the answer, out of the inbox. Signatures, shapes and our own messages are seen
to before (guard, shape) and after (hearing), so Bolt's middleware for them is off; and who may do
what is decided by the core, so authorisation only repeats whose workspace it is.
"""

import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.chat.slack_chat.options import SlackOptions
from bot.chat.slack_chat.surfaces import COMMANDS, EVENTS, PICKERS, SHORTCUTS, VIEWS

log = logging.getLogger(__name__)

Taken: TypeAlias = Callable[[dict[str, Any], AsyncBoltContext], Awaitable[BoltResponse]]
CALL_S = 10
"""The longest that opening a socket's address may take."""
LIBRARIES = ("slack_bolt", "slack_sdk")
"""They log bodies and signatures below WARNING."""


class Known(AsyncAuthorize):
    """Says what the payload says of its workspace: no call, no token, never None."""

    def __init__(self) -> None:
        """Nothing to prepare."""

    async def __call__(
        self,
        *,
        context: AsyncBoltContext,
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None,
        **_: str | None,
    ) -> AuthorizeResult:
        """See slack_bolt."""
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, user_id=user_id)


def build_bolt(options: SlackOptions, taken: Taken) -> AsyncApp:
    """The application; every surface ends in `taken`, whose answer is the platform's."""
    logger = _quiet()
    client = AsyncWebClient(
        base_url=options.api_base_url, timeout=CALL_S, logger=logger, retry_handlers=[]
    )
    client.proxy = None  # it has taken one from the environment, also for loopback
    app = AsyncApp(
        logger=logger,
        name="housestyle",
        process_before_response=True,
        raise_error_for_unhandled_request=True,
        signing_secret="",
        client=client,
        authorize=Known(),
        request_verification_enabled=False,
        ssl_check_enabled=False,
        ignoring_self_events_enabled=False,
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )
    _listen(app, taken)
    app.error(_failed)
    return app


def _listen(app: AsyncApp, taken: Taken) -> None:
    async def heard(body: dict[str, Any], context: AsyncBoltContext) -> BoltResponse:
        return await taken(body, context)

    for command in COMMANDS:
        app.command(command)(heard)
    for shortcut in SHORTCUTS:
        app.shortcut(shortcut)(heard)
    for event in sorted({name.partition(".")[0] for name in EVENTS}):
        app.event(event)(heard)
    for view in VIEWS:
        app.view(view)(heard)
    for picker in PICKERS:
        app.options({"action_id": picker})(heard)
    app.action({"action_id": _ANYTHING})(heard)


_ANYTHING = re.compile("")


async def _failed(error: Exception, body: dict[str, Any]) -> BoltResponse:
    if isinstance(error, BoltUnhandledRequestError):
        # Told "not found", Slack would deliver it again.
        log.info(
            "Slack delivered something that nothing here listens to",
            extra={"action": "slack.unknown", "type": str(body.get("type", ""))},
        )
        return BoltResponse(status=200, body="")
    log.error("A delivery of Slack tripped over a bug", exc_info=error)
    return BoltResponse(status=500, body="")


def _quiet() -> logging.Logger:
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
    return logging.getLogger(LIBRARIES[0])
