"""The inverse of the grammar: a command as the text that gives it, to prefill "edit words"."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from bot.core import commands
from bot.core.commands import Command
from bot.core.grammar_flags import read_dashed
from bot.core.grammar_text import QUOTES, SINGLE_QUOTES, quoted, read_typed
from bot.core.grammar_ways import SIDES
from bot.core.places import is_at
from bot.core.planning_rules import DAY_NAMES
from bot.core.verbs import BY_NAME
from bot.core.vocabulary import Vocabulary
from brand.brief import Brief, ControlWish
from brand.spec import Outpaint

_SPECIAL_STARTS = ("template:", "negative:", "negative")


def render_command(command: Command, *, vocabulary: Vocabulary | None = None) -> str:
    """The text that `parse` reads as this command, with the same vocabulary.

    Texts must be `clean`, as those of every parsed command are. `vocabulary` is used to say a
    channel by its name, and the number of pictures only where it isn't the kit's.
    """
    return _RENDER[type(command)](command, vocabulary or Vocabulary(brand=""))


def render_words(brief: Brief, *, vocabulary: Vocabulary | None = None) -> str:
    """What stands after `/imagine` for this brief: the text of an "edit words" box."""
    return " ".join(_brief_parts(brief, vocabulary or Vocabulary(brand="")))


def _imagine(command: commands.Imagine, vocabulary: Vocabulary) -> str:
    parts = ["/imagine", *_brief_parts(command.brief, vocabulary)]
    if command.target is not None:
        named = (c for c in vocabulary.channels if is_at(c, command.target))
        name = next((channel.name for channel in named), command.target.channel)
        parts.append(f"--channel {_value(name)}")
    if command.brand:
        parts.append(f"--brand {_value(command.brand)}")
    return " ".join(parts)


def _brief_parts(brief: Brief, vocabulary: Vocabulary) -> list[str]:
    parts = [f"template:{_value(brief.template)}"] if brief.template else []
    if brief.words:
        parts.append(_phrase(brief.words))
    parts += [f"{name}={_value(value)}" for name, value in brief.variables]
    parts += [f"--{name} {value}" for name, value in _flags(brief, vocabulary) if value]
    parts += [
        f"--{name}" for name in ("private", "fresh", "invert", "tile") if getattr(brief, name)
    ]
    if brief.negative:
        parts.append(f"--no {_phrase(brief.negative)}")
    return parts


def _flags(brief: Brief, vocabulary: Vocabulary) -> list[tuple[str, str]]:
    weight = f":{_number(brief.lora_weight)}" if brief.lora_weight is not None else ""
    return [
        ("ar", brief.aspect),
        ("n", str(brief.n) if brief.n != vocabulary.count else ""),
        ("seed", _number(brief.seed)),
        ("steps", _number(brief.steps)),
        ("cfg", _number(brief.cfg)),
        ("sampler", brief.sampler and _value(brief.sampler)),
        ("ref", brief.reference),
        ("strength", _number(brief.strength)),
        ("lora", f"{brief.lora}{weight}"),
        ("mask", brief.mask),
        *(("control", _control(wish)) for wish in brief.controls),
        ("outpaint", _sides(brief.outpaint)),
        ("highres", _second_pass(brief)),
        ("like", brief.like and f"{brief.like}{_at(brief.like_weight)}"),
        ("recipe", brief.recipe and _value(brief.recipe)),
        ("stylize", _number(brief.stylize)),
        ("iw", _number(brief.image_weight)),
    ]


def _control(wish: ControlWish) -> str:
    """As `canny@0.8@0-0.5:ID`."""
    partly = (wish.start, wish.end) != (0.0, 1.0)
    part = f"@{_number(wish.start)}-{_number(wish.end)}" if partly else ""
    picture = f":{wish.picture}" if wish.picture else ""
    return f"{wish.kind}{_at(wish.weight)}{part}{'!' if wish.ready else ''}{picture}"


def _second_pass(brief: Brief) -> str:
    """As `2@0.4@12`, or `2@@12` without a strength."""
    if brief.highres_steps is None:
        return f"{_number(brief.highres)}{_at(brief.highres_strength)}"
    strength, steps = _number(brief.highres_strength), _number(brief.highres_steps)
    return f"{_number(brief.highres)}@{strength}@{steps}"


def _sides(outpaint: Outpaint | None) -> str:
    if outpaint is None:
        return ""
    sides = ((side, getattr(outpaint, side)) for side in SIDES)
    return ",".join(f"{side}={pixels}" for side, pixels in sides if pixels)


def _at(weight: float | None) -> str:
    return f"@{_number(weight)}" if weight is not None else ""


def _number(value: float | None) -> str:
    """Plain digits, without an exponent; empty for None."""
    if value is None:
        return ""
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _value(text: str) -> str:
    """A value that stands as one word."""
    awkward = any(char == " " or char in QUOTES or char in SINGLE_QUOTES for char in text)
    return quoted(text) if awkward or text.endswith((",", ";")) or not text else text


def _phrase(text: str) -> str:
    """Free words as they are, or quoted where the grammar would read more into them."""
    tokens = read_typed(text).tokens
    plain = all(_is_plain(token.text) and token.unclosed < 0 for token in tokens)
    lone_phrase = len(tokens) == 1 and tokens[0].quoted
    return text if plain and not lone_phrase and not _is_verb(tokens[0].text) else quoted(text)


def _is_plain(text: str) -> bool:
    special = text.casefold().startswith(_SPECIAL_STARTS) or "=" in text
    return not special and read_dashed(text) is None


def _is_verb(text: str) -> bool:
    """Also with its slash, by which a verb is told after `/imagine`."""
    return text.casefold().removeprefix("/") in BY_NAME


def _send(command: commands.SendToApproval | commands.Share, _vocabulary: Vocabulary) -> str:
    verb = "share" if isinstance(command, commands.Share) else "send"
    channel = f" #{command.channel.removeprefix('#')}" if command.channel else ""
    caption = f" {_caption(command.caption)}" if command.caption else ""
    return f"/{verb} {command.asset}{channel}{caption}"


def _caption(text: str) -> str:
    first = text.split()[0]
    return quoted(text) if first.startswith("#") or first.casefold() == "to" else _reason(text)


def _reason(text: str) -> str:
    tokens = read_typed(text).tokens
    awkward = any(token.unclosed >= 0 for token in tokens)
    return quoted(text) if awkward or (len(tokens) == 1 and tokens[0].quoted) else text


def _find(command: commands.Find, _vocabulary: Vocabulary) -> str:
    words = f" {_phrase(command.text)}" if command.text else ""
    state = f" --state {command.state}" if command.state else ""
    return f"/find{words}{state}{_brand(command.brand)}"


def _invite(command: commands.Invite, _vocabulary: Vocabulary) -> str:
    roles = "".join(f" --role {role}" for role in command.roles)
    team = f" --team {_value(command.team)}" if command.team else ""
    account = f" --account {_value(command.account)}" if command.account else ""
    return f"/invite {quoted(command.name)}{roles}{team}{account}{_brand(command.brand)}"


def _set_role(command: commands.SetRole, _vocabulary: Vocabulary) -> str:
    switch = "" if command.on else " off"
    return f"/role {quoted(command.person)} {command.role}{switch}{_brand(command.brand)}"


def _block(command: commands.BlockPerson, _vocabulary: Vocabulary) -> str:
    verb = "block" if command.blocked else "unblock"
    return f"/people {verb} {quoted(command.person)} {_reason(command.reason)}".strip()


def _unlink(command: commands.UnlinkAccount, _vocabulary: Vocabulary) -> str:
    person = f" {quoted(command.person)}" if command.person else ""
    return f"/unlink {quoted(command.platform)}{person}"


def _budget(command: commands.SetBudget, _vocabulary: Vocabulary) -> str:
    key = f" {quoted(command.key)}" if command.key else ""
    pictures = "none" if command.pictures is None else command.pictures
    cost = "none" if command.cost is None else f"{command.cost:.2f}"
    limits = f" --pictures {pictures} --cost {cost}" + (" --per day" if command.daily else "")
    return f"/budget {command.scope}{key}{limits}{_brand(command.brand)}"


def _schedule(command: commands.AddSchedule, _vocabulary: Vocabulary) -> str:
    often = f"{command.every_weeks} weeks on " if command.every_weeks > 1 else ""
    days = ", ".join(DAY_NAMES[day] for day in command.weekdays)
    templates = ", ".join(_value(name) for name in command.templates)
    parts = (
        f"/schedule every {often}{days} {command.at:%H:%M}",
        command.zone,
        command.theme and f"theme {quoted(command.theme)}",
        templates and f"templates {templates}",
        command.channel and f"in #{command.channel.removeprefix('#')}",
        command.name and f"named {quoted(command.name)}",
        command.fallback and f"fallback {command.fallback}",
    )
    return " ".join(part for part in parts if part) + _brand(command.brand)


def _calendar(command: commands.Calendar, _vocabulary: Vocabulary) -> str:
    weeks = f" {command.weeks} weeks" if command.weeks != 1 else ""
    return f"/calendar{weeks}{_brand(command.brand)}"


def _move(command: commands.MoveSlot, _vocabulary: Vocabulary) -> str:
    at = f" {command.at:%H:%M}" if command.at is not None else ""
    return f"/move {command.slot} {command.day.isoformat()}{at}"


def _brand(brand: str) -> str:
    return f" --brand {_value(brand)}" if brand else ""


_RENDER: dict[type[Any], Callable[[Any, Vocabulary], str]] = {
    commands.Imagine: _imagine,
    commands.Vary: lambda c, _v: f"/vary {c.asset}{' strong' if c.strong else ''}",
    commands.Reroll: lambda c, _v: f"/reroll {c.target}",
    commands.Upscale: lambda c, _v: f"/upscale {c.asset} {c.factor}",
    commands.Extend: lambda c, _v: f"/extend {c.asset} {_sides(c.sides)}".strip(),
    commands.EditWords: lambda c, _v: f"/edit {c.asset} {c.text}",
    commands.SendToApproval: _send,
    commands.Share: _send,
    commands.Use: lambda c, _v: f"/use {c.asset}",
    commands.Approve: lambda c, _v: f"/approve {c.review}",
    commands.Reject: lambda c, _v: f"/reject {c.review} {_reason(c.reason)}",
    commands.AskChange: lambda c, _v: f"/change {c.review} {_reason(c.reason)}",
    commands.TakeBack: lambda c, _v: f"/take-back {c.review}",
    commands.Withdraw: lambda c, _v: f"/withdraw {c.asset}",
    commands.Cancel: lambda c, _v: f"/cancel {c.job}".strip(),
    commands.PauseJob: lambda c, _v: f"/pause-job {c.job}".strip(),
    commands.ResumeJob: lambda c, _v: f"/resume-job {c.job}".strip(),
    commands.Queue: lambda c, _v: f"/queue{_brand(c.brand)}",
    commands.Show: lambda c, _v: f"/show {c.target}",
    commands.Find: _find,
    commands.Usage: lambda c, _v: f"/usage{_brand(c.brand)}",
    commands.Settle: lambda c, _v: f"/settle {c.publication} {'sent' if c.sent else 'again'}",
    commands.AddSchedule: _schedule,
    commands.Calendar: _calendar,
    commands.PauseSchedule: lambda c, _v: f"/pause {quoted(c.schedule)}",
    commands.ResumeSchedule: lambda c, _v: f"/resume {quoted(c.schedule)}",
    commands.EndSchedule: lambda c, _v: f"/end {quoted(c.schedule)}",
    commands.SkipSlot: lambda c, _v: f"/skip {c.slot} {_reason(c.reason)}".strip(),
    commands.RestoreSlot: lambda c, _v: f"/restore {c.slot}",
    commands.MoveSlot: _move,
    commands.RerollSlot: lambda c, _v: f"/reroll-slot {c.slot}",
    commands.Invite: _invite,
    commands.ListPeople: lambda c, _v: f"/people{_brand(c.brand)}",
    commands.SetRole: _set_role,
    commands.SetTeam: lambda c, _v: f"/team {quoted(c.person)} {quoted(c.team or 'none')}",
    commands.SetActive: lambda c, _v: (
        f"/{'reactivate' if c.active else 'deactivate'} {quoted(c.person)}"
    ),
    commands.BlockPerson: _block,
    commands.ErasePerson: lambda c, _v: f"/erase {quoted(c.person)}",
    commands.LinkAccount: lambda c, _v: f"/link {quoted(c.code) if c.code else ''}".strip(),
    commands.UnlinkAccount: _unlink,
    commands.SetBudget: _budget,
    commands.Help: lambda c, _v: f"/help {c.topic}".strip(),
}
