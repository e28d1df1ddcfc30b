"""Which conversation of Slack's a target is."""

from collections import OrderedDict

from bot.chat.slack_chat.methods import Method
from bot.chat.slack_chat.places import PLATFORM
from bot.chat.slack_chat.web import Web
from bot.core.errors import ChatRejected
from bot.core.messages import ChannelRef, MessageRef

KEPT = 10_000
"""Direct conversations remembered; Slack gives the same one each time."""


class Conversations:
    """Direct lines by person, asked for once each."""

    def __init__(self) -> None:
        self._direct: OrderedDict[tuple[str, str], str] = OrderedDict()

    async def of(self, web: Web, channel: str) -> str:
        """Slack's id of a channel; the direct conversation with U for `@U`. Raises as a call."""
        if not channel.startswith("@"):
            return channel
        user = channel.removeprefix("@")
        known = self._direct.get((web.team, user))
        if known is None:
            answer = await web.call(Method.CONVERSATIONS_OPEN, users=user)
            known = str(answer["channel"]["id"])
            self._direct[web.team, user] = known
            if len(self._direct) > KEPT:
                self._direct.popitem(last=False)
        return known


def check_platform(target: ChannelRef) -> None:
    """Raises ChatRejected for another platform's place."""
    if target.platform != PLATFORM:
        raise ChatRejected(f"{target} is no place in Slack.", fix="Correct the brand kit.")


def ref_of(web: Web, channel: str, ts: str, *, thread: str = "") -> MessageRef:
    """A message in Slack's own ids, with the address that people open."""
    link = f"{web.url.rstrip('/')}/archives/{channel}/p{ts.replace('.', '')}" if web.url else ""
    if link and thread and thread != ts:
        link += f"?thread_ts={thread}&cid={channel}"
    return MessageRef(platform=PLATFORM, channel=channel, message=ts, team=web.team, link=link)
