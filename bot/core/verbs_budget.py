"""The verb that sets a budget. It counts only with a slash."""

import re

from bot.core import commands
from bot.core.budget import Scope
from bot.core.errors import Mistake
from bot.core.grammar_cursor import joined
from bot.core.grammar_mistakes import NOTHING_DONE, mistake, shown, unknown
from bot.core.verb_args import Args, Verb, words_and_flags, wrong
from brand.words import clean

NO_LIMIT = "none"
DAY, MONTH = "day", "month"
_SCOPES = tuple(scope.value for scope in Scope)
_PICTURES = re.compile(r"\d{1,7}")
_COST = re.compile(r"\d{1,9}(?:[.,]\d{1,2})?")


def _set_budget(args: Args) -> commands.SetBudget:
    words, flags = words_and_flags(args, ("brand",), free=("pictures", "cost", "per"))
    if not words:
        raise wrong(args, f"Say whose budget: {', '.join(_SCOPES)}, as in `{_example(args)}`.")
    scope = words[0].text.casefold()
    if scope not in _SCOPES:
        raise unknown(
            f"`{shown(scope)}` has no budget.",
            args.typed.of(words[0]),
            typed=scope,
            allowed=_SCOPES,
            field="scope",
            ending=NOTHING_DONE,
        )
    key = clean(joined(words[1:]))
    if not key and scope != Scope.BRAND.value:
        raise wrong(args, f"Say which {scope}, as in `{_example(args)}`.", len(args.tokens))
    if not flags.keys() & {"pictures", "cost"}:
        raise wrong(
            args,
            f"Say a limit, as in `{_example(args)}`, or `none` for no limit.",
            len(args.tokens),
        )
    return commands.SetBudget(
        scope=scope,
        key=key,
        brand=flags.get("brand", ""),
        pictures=_whole(args, flags.get("pictures", NO_LIMIT)),
        cost=_money(args, flags.get("cost", NO_LIMIT)),
        daily=_daily(args, flags.get("per", MONTH)),
    )


def _daily(args: Args, text: str) -> bool:
    if text.casefold() not in (DAY, MONTH):
        raise _no_number(args, "per", text, f"`{DAY}`, `{MONTH}`")
    return text.casefold() == DAY


def _whole(args: Args, text: str) -> int | None:
    if text.casefold() == NO_LIMIT:
        return None
    plain = text.replace(",", "").replace("_", "")
    if not _PICTURES.fullmatch(plain):
        raise _no_number(args, "pictures", text, "a whole number of pictures")
    return int(plain)


def _money(args: Args, text: str) -> float | None:
    if text.casefold() == NO_LIMIT:
        return None
    if not _COST.fullmatch(text):
        raise _no_number(args, "cost", text, "an amount, as in 12.50")
    return float(text.replace(",", "."))


def _no_number(args: Args, flag: str, text: str, what: str) -> Mistake:
    # Where the value stands is no longer known here; the flag's name says it as well.
    end = len(args.typed.seen)
    return mistake(
        f"`--{flag}` takes {what} or `none`, not `{shown(text)}`.",
        args.typed.position(end, end),
        field=flag,
        ending=NOTHING_DONE,
    )


def _example(args: Args) -> str:
    return f"/{args.verb} team design --pictures 200 --cost 50"


BUDGET_VERBS = (
    Verb(
        name="budget",
        takes="person|team|brand|role|place NAME [--pictures N] [--cost X] [--per day] "
        "[--brand BRAND]",
        about="limits of a month or a day",
        read=_set_budget,
        slashed=True,
    ),
)
