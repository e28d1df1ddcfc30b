"""The small forms: what a button asks before it does anything."""

from dataclasses import dataclass
from typing import Any

from bot.chat.discord_chat.forms import fields
from bot.chat.discord_chat.surfaces import FORM_PREFIX, MAX_CUSTOM_ID
from bot.core.reviews import MAX_REASON

SAID = "said"
"""Custom id of the one answer."""


@dataclass(frozen=True, kw_only=True)
class _Form:
    title: str
    label: str
    about: str = ""


_FORMS = {
    "reject": _Form(
        title="Reject", label="Why?", about="The one who asked for the picture reads it."
    ),
    "change": _Form(
        title="Ask for a change",
        label="What should change?",
        about="The one who asked for the picture reads it.",
    ),
    "edit": _Form(
        title="Edit words",
        label="New words",
        about="The seed stays, so that only what you change changes.",
    ),
}
_ANY = _Form(title="One more thing", label="Reason")
NOT_KNOWN = "In place of the words on its card."


def ask_form(asks: str, action: str, *, said: str = "") -> dict[str, Any] | None:
    """The form of a button `ask:ASKS:ACTION`; `said` stands in it already. None where its custom
    id would be longer than Discord takes."""
    custom_id = f"{FORM_PREFIX}{asks}:{action}"
    if len(custom_id) > MAX_CUSTOM_ID:
        return None
    shown = _FORMS.get(action.partition(":")[0], _ANY)
    answer = fields.text(
        SAID,
        shown.label,
        about=shown.about,
        said=said,
        example="" if said or asks != "words" else NOT_KNOWN,
        longest=fields.MAX_VALUE if asks == "words" else MAX_REASON,
        lines=True,
        required=True,
    )
    return fields.form(custom_id, shown.title, [answer])
