"""What was typed into a form that was refused after Slack had closed it: given back to its writer
as a line to copy, and for a while as the same form again."""

from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.chat.slack_chat.incoming.heard import Heard
from bot.chat.slack_chat.modals.wish import Wish
from bot.core.commands import Imagine
from bot.core.erring import asked_for
from bot.core.grammar import Vocabulary, render_command
from bot.core.messages import Button, Card
from bot.core.ports import Clock
from brand.kit import BrandKit

KEPT_FOR = timedelta(hours=1)
MAX_KEPT = 1_000
"""Forms of which this process has the inputs; the line to copy holds for longer, and anywhere."""
AGAIN = "again"
FORM = "form"
"""What the button asks for: a form, and so it opens one."""
ADD_FILE = "Add your file once more: Slack lets nobody put it in for you."
NOT_HERE = "What you had typed isn't here any more. The message with the button has it as a line."


@dataclass(frozen=True, kw_only=True)
class _Kept:
    wish: Wish
    at: datetime


class Keeping:
    """Wishes by the delivery of their form, in this process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def keep(self, key: str, wish: Wish) -> None:
        """Have it for a while."""
        self._kept[key] = _Kept(wish=wish, at=self._clock.now())
        self._kept.move_to_end(key)
        while len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)

    def wish_for(self, heard: Heard) -> Wish | None:
        """The wish whose button was pressed, for its own writer alone; None where it is gone."""
        kept = self._kept.get(heard.action.removeprefix(f"{AGAIN}:"))
        if kept is None or self._clock.now() - kept.at > KEPT_FOR:
            return None
        wish = kept.wish
        return wish if (wish.team, wish.user) == (heard.team, heard.user) else None


def wants_again(heard: Heard) -> bool:
    """Whether the button of a refused form was pressed."""
    return heard.text == FORM and heard.action.startswith(f"{AGAIN}:")


def without_file(wish: Wish) -> tuple[Wish, tuple[str, ...]]:
    """The wish as a form can show it, and what to say above it."""
    return replace(wish, files=()), (ADD_FILE,) if wish.files else ()


def given_back(card: Card, key: str, line: str) -> Card:
    """The refusal with what was typed: `line`, where it could be read, and the form again."""
    button = Button(label="Open the form again", action=f"{AGAIN}:{key}", asks=FORM)
    return asked_for(replace(card, buttons=(*card.buttons, button)), line)


def line_of(command: Imagine, kit: BrandKit) -> str:
    """The form as one would type it; the picture it starts from can't be typed."""
    return render_command(command, vocabulary=Vocabulary.of(kit))
