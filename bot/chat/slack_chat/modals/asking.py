"""The small forms: what a button asks first, what stands there until a form is ready, and a
refusal in place of a form."""

import json
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import SectionBlock
from slack_sdk.models.views import View

from bot.chat.slack_chat.modals import fields
from bot.chat.slack_chat.modals.imagine import TITLE
from bot.chat.slack_chat.modals.reading import Origin, entries_of, said_of
from bot.chat.slack_chat.rendering.commands import in_mistake
from bot.chat.slack_chat.rendering.text import mrk, plain
from bot.chat.slack_chat.surfaces import VIEW_ASK
from bot.core.errors import HousestyleError
from bot.core.reviews import MAX_REASON

ANSWER = "said"
"""Block id of the answer."""
MAX_WORDS = 2000
REASON, NEW_WORDS = "reason", "words"
ASKS = (REASON, NEW_WORDS)
"""What a card's button may ask in a form of its own."""


@dataclass(frozen=True, kw_only=True)
class _Form:
    title: str
    submit: str
    label: str
    hint: str


_FORMS = {
    "reject": _Form(
        title="Reject",
        submit="Reject",
        label="Why?",
        hint="The one who asked for the picture reads it.",
    ),
    "change": _Form(
        title="Ask for a change",
        submit="Ask",
        label="What should change?",
        hint="The one who asked for the picture reads it.",
    ),
    "edit": _Form(
        title="Edit words",
        submit="Make it",
        label="New words",
        hint="The seed stays, so that only what you change changes.",
    ),
}
_ANY = _Form(title="One more thing", submit="Send", label="Reason", hint="")


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked before a button's command is given."""

    action: str
    """The button's action."""
    asks: str
    origin: Origin
    brand: str = ""
    """Of the picture concerned, where it is known."""
    team: str = ""
    """Key of the workspace in which it is asked."""


def ask_view(question: Question, *, said: str = "") -> View:
    """The form for one answer; `said` stands in it already."""
    form = _FORMS.get(question.action.partition(":")[0], _ANY)
    block = fields.text(
        ANSWER,
        form.label,
        said=said,
        hint=form.hint,
        limit=MAX_WORDS if question.asks == NEW_WORDS else MAX_REASON,
        lines=True,
        optional=False,
    )
    kept = {
        "a": question.action,
        "q": question.asks,
        "b": question.brand,
        "w": question.team,
        "o": question.origin.packed(),
    }
    return View(
        type="modal",
        callback_id=VIEW_ASK,
        title=plain(form.title, TITLE),
        submit=plain(form.submit, TITLE),
        close=plain("Cancel", TITLE),
        blocks=[block],
        private_metadata=json.dumps(kept, ensure_ascii=False, separators=(",", ":")),
    )


def question_of(metadata: str) -> Question:
    """The question of a form by its `private_metadata`."""
    kept = said_of(metadata)
    return Question(
        action=kept.text("a"),
        asks=kept.text("q"),
        brand=kept.text("b"),
        team=kept.text("w"),
        origin=Origin.of(kept.texts("o")),
    )


def answer_in(state: dict[str, Any]) -> str:
    """What was answered, by a view's `state.values`."""
    return next((entry.value for block, entry in entries_of(state) if block == ANSWER), "")


def loading_view(title: str = "New picture") -> View:
    """What stands there while something is read, or for good where the process died over it."""
    return _told(title, "One moment… If nothing comes, close this and try again.")


def refusal_view(error: HousestyleError) -> View:
    """Why there is no form, and what to do."""
    return _told(error.title, in_mistake(f"{error.message}\n{error.fix}".strip()))


def _told(title: str, words: str) -> View:
    return View(
        type="modal",
        callback_id=VIEW_ASK,
        title=plain(title, TITLE),
        close=plain("Close", TITLE),
        blocks=[SectionBlock(text=mrk(words))],
    )
