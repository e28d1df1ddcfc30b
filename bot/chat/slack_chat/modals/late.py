"""What a person is told where Slack does not open a form for them."""

from dataclasses import replace

from bot.chat.slack_chat.incoming.heard import Heard
from bot.chat.slack_chat.places import PLATFORM, is_direct
from bot.chat.slack_chat.surfaces import SHORTCUTS
from bot.core.answers import answer_id, answer_once
from bot.core.cards import reply_card
from bot.core.erring import noted, said_error
from bot.core.house import House
from bot.core.messages import Card, ChannelRef
from bot.core.policy import direct_line


async def tell_late(house: House, heard: Heard) -> None:
    """Ask the person to try again, once for each thing that they did. Raises Unavailable."""
    card = reply_card("That took too long, so Slack didn't open the form.", fix=_fix(heard))
    await _tell(house, heard, card)


async def tell_failed(house: House, heard: Heard, error: Exception) -> None:
    """Say that it failed, with the reference id that the log has too. Raises Unavailable."""
    card = said_error(error)
    if not card.reference:  # Slack's refusal of a form is a bug of ours too
        card = replace(card, reference=noted(error))
    await _tell(house, heard, card)


async def _tell(house: House, heard: Heard, card: Card) -> None:
    place = _place(heard)
    only_for = "" if place.channel.startswith("@") else heard.user
    await answer_once(house, answer_id(PLATFORM, heard.key, "form"), place, card, only_for=only_for)


def _place(heard: Heard) -> ChannelRef:
    if not heard.channel or is_direct(heard.channel):
        return direct_line(PLATFORM, heard.user, heard.team)
    return ChannelRef(
        platform=PLATFORM, channel=heard.channel, thread=heard.thread, team=heard.team
    )


def _fix(heard: Heard) -> str:
    if heard.action:
        return "Press the button once more."
    if heard.command in SHORTCUTS:
        return "Choose the shortcut once more."
    return "Type `/imagine` again."
