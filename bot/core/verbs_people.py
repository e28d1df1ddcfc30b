"""The verbs about people: members, roles, teams, joined accounts. They count only with a slash."""

from bot.core import commands
from bot.core.grammar_cursor import Cursor, joined, value_of
from bot.core.grammar_flags import read_brand, read_dashed
from bot.core.grammar_mistakes import NOTHING_DONE, mistake, shown, unknown
from bot.core.grammar_text import LONG_DASHES, Token
from bot.core.grammar_values import Value
from bot.core.people import Role
from bot.core.verb_args import Args, Verb, brand_only, nothing_more, wrong
from brand.words import clean

_ROLES = tuple(role.value for role in Role)
_SWITCH = {"on": True, "off": False}
NO_TEAM = "none"
_BLOCKS = {"block": True, "unblock": False}


def _split(args: Args, flags: tuple[str, ...]) -> tuple[list[Token], dict[str, list[str]]]:
    """Plain words and what each flag of this verb says, in order."""
    cursor = Cursor(args.typed, args.first, args.vocabulary)
    words: list[Token] = []
    found: dict[str, list[str]] = {}
    while cursor.more:
        token = cursor.take()
        dashed = None if token.quoted else read_dashed(_as_typed(token.text, flags))
        if dashed is None:
            words.append(token)
            continue
        name = dashed.name.casefold()
        if name not in flags:
            raise unknown(
                f"`/{args.verb}` has no flag `--{shown(dashed.name)}`.",
                args.typed.of(token),
                typed=f"--{dashed.name}",
                allowed=tuple(f"--{item}" for item in flags),
                field=name,
                ending=NOTHING_DONE,
            )
        if name in found and name != "role":
            raise cursor.twice(f"--{name}", token, field=name)
        if dashed.inline is None and cursor.more:
            token = cursor.take()
        found.setdefault(name, []).append(_value(args, name, token, dashed.inline))
    return words, found


def _as_typed(text: str, flags: tuple[str, ...]) -> str:
    """Phones make one long dash of `--`."""
    name = text[1:].partition("=")[0].casefold()
    return f"--{text[1:]}" if text[0] in LONG_DASHES and name in flags else text


def _value(args: Args, name: str, token: Token, inline: str | None) -> str:
    text = value_of(token.text if inline is None else inline)
    position = args.typed.of(token)
    if not text or text.startswith("--"):
        raise mistake(f"`--{name}` needs a value.", position, field=name, ending=NOTHING_DONE)
    if name == "brand":
        return read_brand(Value(flag=name, text=text, position=position), args.vocabulary)
    return _role(args, token, text) if name == "role" else clean(text)


def _role(args: Args, token: Token, text: str) -> str:
    word = text.casefold().replace("-", "_").replace(" ", "_")
    if word not in _ROLES:
        raise unknown(
            f"`{shown(text)}` isn't a role.",
            args.typed.of(token),
            typed=word,
            allowed=_ROLES,
            field="role",
            ending=NOTHING_DONE,
        )
    return word


def _name(args: Args, tokens: list[Token], what: str = "a member's name") -> str:
    name = clean(joined(tokens))
    if not name:
        raise wrong(args, f"`/{args.verb}` needs {what}.", len(args.tokens))
    return name


def _invite(args: Args) -> commands.Invite:
    words, flags = _split(args, ("role", "brand", "team", "account"))
    return commands.Invite(
        name=_name(args, words, "the name of whom you invite"),
        roles=tuple(dict.fromkeys(flags.get("role", ["requester"]))),
        brand=_first(flags, "brand"),
        team=_first(flags, "team"),
        account=_first(flags, "account"),
    )


def _set_role(args: Args) -> commands.SetRole:
    words, flags = _split(args, ("brand",))
    on = True
    if len(words) > 1 and not words[-1].quoted and words[-1].text.casefold() in _SWITCH:
        on = _SWITCH[words.pop().text.casefold()]
    if len(words) < 2:
        raise wrong(args, f"Say a name and a role, as in `/{args.verb} Mia approver`.", len(words))
    role = words.pop()
    return commands.SetRole(
        person=_name(args, words),
        role=_role(args, role, value_of(role.text)),
        on=on,
        brand=_first(flags, "brand"),
    )


def _set_team(args: Args) -> commands.SetTeam:
    words, _ = _split(args, ())
    team = clean(joined(words[1:]))
    if not team:
        raise wrong(args, f"Say a name and a team, as in `/{args.verb} Mia design`.", len(words))
    return commands.SetTeam(
        person=_name(args, words[:1]), team="" if team.casefold() == NO_TEAM else team
    )


def _people(args: Args) -> commands.ListPeople | commands.BlockPerson:
    """The list, or who gets onto the block list and off it."""
    first = args.tokens[0] if args.tokens else None
    said = first.text.casefold() if first is not None and not first.quoted else ""
    if said not in _BLOCKS:
        return commands.ListPeople(brand=brand_only(args))
    words, _ = _split(args, ())
    blocked = _BLOCKS[said]
    if len(words) < 2:
        raise wrong(args, f"Say whom, as in `/{args.verb} {said} Mia`.", len(args.tokens))
    return commands.BlockPerson(
        person=_name(args, words[1:2] if blocked else words[1:]),
        blocked=blocked,
        reason=clean(joined(words[2:])) if blocked else "",
    )


def _someone(args: Args) -> str:
    words, _ = _split(args, ())
    return _name(args, words)


def _link(args: Args) -> commands.LinkAccount:
    words, _ = _split(args, ())
    nothing_more(args, 2)  # "K7QM 2XPD" is as good as "K7QM-2XPD"
    return commands.LinkAccount(code=clean(joined(words)))


def _unlink(args: Args) -> commands.UnlinkAccount:
    words, _ = _split(args, ())
    if not words:
        raise wrong(args, f"Say which account, as in `/{args.verb} slack`.")
    platform = clean(joined(words[:1]))
    if not platform:
        raise wrong(args, f"Say which account, as in `/{args.verb} slack`.")
    return commands.UnlinkAccount(platform=platform, person=clean(joined(words[1:])))


def _first(flags: dict[str, list[str]], name: str) -> str:
    return next(iter(flags.get(name, ())), "")


PEOPLE_VERBS = (
    Verb(
        name="people",
        takes="[block|unblock NAME [REASON]]",
        about="who is here, with roles and accounts; the block list",
        read=_people,
        slashed=True,
    ),
    Verb(
        name="invite",
        takes="NAME [--role ROLE] [--brand BRAND] [--account ACCOUNT]",
        about="a new member",
        read=_invite,
        slashed=True,
    ),
    Verb(
        name="role",
        takes="NAME ROLE [on|off] [--brand BRAND]",
        about="give a role or take it away",
        read=_set_role,
        slashed=True,
    ),
    Verb(
        name="team",
        takes="NAME TEAM|none",
        about="put a member into a team",
        read=_set_team,
        slashed=True,
    ),
    Verb(
        name="deactivate",
        takes="NAME",
        about="let a member who left no longer in",
        read=lambda a: commands.SetActive(person=_someone(a), active=False),
        slashed=True,
    ),
    Verb(
        name="reactivate",
        takes="NAME",
        about="let a member in again",
        read=lambda a: commands.SetActive(person=_someone(a), active=True),
        slashed=True,
    ),
    Verb(
        name="erase",
        takes="NAME",
        about="take a person's name and words out of all records",
        read=lambda a: commands.ErasePerson(person=_someone(a)),
        slashed=True,
    ),
    Verb(
        name="link",
        takes="[CODE]",
        about="join your accounts on two platforms",
        read=_link,
        slashed=True,
    ),
    Verb(
        name="unlink",
        takes="PLATFORM [NAME]",
        about="take an account off again",
        read=_unlink,
        slashed=True,
    ),
)
