"""What a form that was sent off means.

A form's custom id is `form:WHAT:ACTION` for a button's question, and `form:imagine` or
`form:imagine:MESSAGE` for a new picture, where MESSAGE is the message whose picture it starts
from.
"""

from bot.chat.discord_chat.forms.lines import imagine_line
from bot.chat.discord_chat.heard import Did, Heard
from bot.chat.discord_chat.surfaces import ASKS, IMAGINE, USE_AS_REFERENCE
from bot.core.actions import REFERENCE
from bot.core.errors import Mistake
from bot.core.ids import is_id

NEW = "imagine"
"""WHAT of the form for a new picture."""


def is_for_picture(heard: Heard) -> bool:
    """Whether it asks for a new picture: the command, or one of its forms."""
    if heard.did is Did.COMMAND:
        return heard.command == IMAGINE
    return heard.did is Did.SUBMIT and _what(heard) in (NEW, REFERENCE)


def line_of(heard: Heard) -> str:
    """What asks for a new picture as the line that one would type. Its attached picture is left
    to be brought. Raises Mistake for a form that is not ours."""
    if not is_for_picture(heard):
        raise _not_ours()
    return imagine_line(dict(heard.options), reference=asset_of(heard))


def answer_of(heard: Heard) -> tuple[str, str]:
    """(the button's action, what was answered) of a button's question. Raises Mistake for a form
    that is not ours."""
    what, _, action = heard.action.partition(":")
    if what not in ASKS or not action:
        raise _not_ours()
    said = heard.said or next((value for _name, value in heard.options if value.strip()), "")
    return action, said


def asset_of(heard: Heard) -> str:
    """The picture of ours from which a form's picture starts; empty where it starts from none."""
    if _what(heard) != REFERENCE:
        return ""
    asset = heard.action.rpartition(":")[2]
    return asset if is_id(asset) else ""


def message_of(heard: Heard) -> str:
    """The message whose picture is meant: that of the menu, or of the form that it opened."""
    if heard.did is Did.MENU:
        return heard.message if heard.command == USE_AS_REFERENCE else ""
    return heard.action.partition(":")[2] if _what(heard) == NEW else ""


def _what(heard: Heard) -> str:
    return heard.action.partition(":")[0] if heard.did is Did.SUBMIT else ""


def _not_ours() -> Mistake:
    return Mistake("This form isn't one of ours.", fix="Open it again from the newest card.")
