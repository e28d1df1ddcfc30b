"""Buttons and reactions as commands: `approve:ID` and a ✅ on the same card mean the same."""

from collections.abc import Callable
from datetime import datetime

from bot.core.commands import (
    Approve,
    AskChange,
    Cancel,
    Command,
    ConfirmLink,
    EditWords,
    EndSchedule,
    ErasePerson,
    Extend,
    MoveSlot,
    PauseJob,
    PauseSchedule,
    Recipe,
    Reject,
    Reroll,
    RerollSlot,
    RestoreSlot,
    ResumeJob,
    ResumeSchedule,
    SendToApproval,
    Settle,
    Share,
    Show,
    SkipSlot,
    TakeBack,
    Upscale,
    Use,
    Vary,
    Withdraw,
)
from bot.core.errors import Mistake
from bot.core.ids import is_id

MAX_ACTION = 100  # Discord's custom_id; Slack's is longer
REFERENCE = "reference"
"""The verb of a button that opens the form for a new picture: there is nothing to carry out."""

_ACTIONS: dict[str, Callable[[str, str, str], Command]] = {
    "approve": lambda key, _extra, _said: Approve(review=key),
    "reject": lambda key, _extra, said: Reject(review=key, reason=said),
    "change": lambda key, _extra, said: AskChange(review=key, reason=said),
    "take_back": lambda key, _extra, _said: TakeBack(review=key),
    "cancel": lambda key, _extra, _said: Cancel(job=key),
    "pause_job": lambda key, _extra, _said: PauseJob(job=key),
    "resume_job": lambda key, _extra, _said: ResumeJob(job=key),
    "vary": lambda key, extra, _said: Vary(asset=key, strong=extra == "strong"),
    "reroll": lambda key, _extra, _said: Reroll(target=key),
    "upscale": lambda key, extra, _said: Upscale(asset=key, factor=int(extra or "2")),
    "extend": lambda key, _extra, _said: Extend(asset=key),
    "edit": lambda key, _extra, said: EditWords(asset=key, text=said),
    "send": lambda key, extra, said: SendToApproval(asset=key, channel=extra, caption=said),
    "share": lambda key, extra, said: Share(asset=key, channel=extra, caption=said),
    "use": lambda key, _extra, _said: Use(asset=key),
    "withdraw": lambda key, _extra, _said: Withdraw(asset=key),
    "show": lambda key, _extra, _said: Show(target=key),
    "recipe": lambda key, _extra, _said: Recipe(target=key),
    "link": lambda key, extra, _said: ConfirmLink(key=key, yes=extra == "yes"),
    "erase": lambda key, extra, _said: ErasePerson(person=key, sure=extra == "yes"),
    "settle": lambda key, extra, _said: Settle(publication=key, sent=extra == "sent"),
    "skip": lambda key, _extra, said: SkipSlot(slot=key, reason=said),
    "restore": lambda key, _extra, _said: RestoreSlot(slot=key),
    "reroll_slot": lambda key, _extra, _said: RerollSlot(slot=key),
    "move": lambda key, extra, _said: _move(key, extra),
    "pause": lambda key, _extra, _said: PauseSchedule(schedule=key),
    "resume": lambda key, _extra, _said: ResumeSchedule(schedule=key),
    "end": lambda key, _extra, _said: EndSchedule(schedule=key),
}

REACTIONS = {
    "white_check_mark": "approve",
    "heavy_check_mark": "approve",
    "✅": "approve",
    "✔️": "approve",
    "+1": "approve",
    "👍": "approve",
    "x": "reject",
    "❌": "reject",
    "no_entry_sign": "reject",
    "🚫": "reject",
}


def _move(key: str, extra: str) -> MoveSlot:
    try:
        to = datetime.strptime(extra, "%Y-%m-%dT%H:%M")  # noqa: DTZ007  (a wall-clock time)
    except ValueError as exc:
        raise Mistake(
            f"`{extra[:40]}` isn't a day with a time.", fix="Write it as 2026-03-09T09:00."
        ) from exc
    return MoveSlot(slot=key, day=to.date(), at=to.time())


def action(verb: str, key: str, extra: str = "") -> str:
    """The action text of a button."""
    return f"{verb}:{key}:{extra}" if extra else f"{verb}:{key}"


def parse_action(text: str, said: str = "") -> Command:
    """A button's action as a command; `said` is what the person was asked for (reason, words).

    Raises Mistake for anything that is not one of our actions.
    """
    verb, _, rest = text.partition(":")
    key, _, extra = rest.partition(":")
    if verb == REFERENCE and is_id(key):
        raise Mistake(
            "This button opens the form for a new picture.",
            fix=f"Open it once more, or type `/imagine WORDS --ref {key}`.",
        )
    make = _ACTIONS.get(verb)
    if make is None or not is_id(key) or len(text) > MAX_ACTION:
        raise Mistake("This button isn't one of ours.", fix="Open the newest card and try again.")
    if verb == "upscale" and extra not in ("", "2", "4"):
        raise Mistake("Pictures can be enlarged by 2 or 4.", allowed=("2", "4"))
    return make(key, extra, said)


def command_for_reaction(subject: str, emoji: str) -> Command | None:
    """What a reaction on a card with this subject means; None if it means nothing."""
    kind, _, key = subject.partition(":")
    verb = REACTIONS.get(emoji.strip(":"))
    if kind != "review" or verb is None or not is_id(key):
        return None
    return Approve(review=key) if verb == "approve" else Reject(review=key)
