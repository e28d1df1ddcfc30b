"""The app's commands: what may be registered, and how Discord keeps them."""

import re

from tests.fakes.discord.access import invalid
from tests.fakes.discord.asked import Asked, Reply
from tests.fakes.discord.state import Json, Refused, World

SLASH, USER_MENU, MESSAGE_MENU = 1, 2, 3
SUB, GROUP = 1, 2
MOST = {SLASH: 100, USER_MENU: 15, MESSAGE_MENU: 15}
MOST_OPTIONS = MOST_CHOICES = 25
MOST_TEXT = 8000
NAME = re.compile(r"^[-_'\w]{1,32}$")


def listed(asked: Asked) -> Reply:
    """GET: what is registered."""
    return 200, _kept(asked)


def replaced(asked: Asked) -> Reply:
    """PUT: these and no others. Those that were there keep their ids."""
    _check(asked.items)
    before = {(one["name"], one["type"]): one for one in _kept(asked)}
    new = [one for one in asked.items if (one["name"], one.get("type") or SLASH) not in before]
    _spend(asked.world, len(new))
    _kept(asked)[:] = [_written(asked, one, before) for one in asked.items]
    return 200, _kept(asked)


def added(asked: Asked) -> Reply:
    """POST: one more, or one anew."""
    kept = _kept(asked)
    key = (asked.body["name"], asked.body.get("type") or SLASH)
    before = {(one["name"], one["type"]): one for one in kept}
    _check([asked.body, *(one for name, one in before.items() if name != key)])
    if key not in before:
        _spend(asked.world, 1)
    written = _written(asked, asked.body, before)
    kept[:] = [*(one for one in kept if (one["name"], one["type"]) != key), written]
    return (200 if key in before else 201), written


def _kept(asked: Asked) -> list[Json]:
    if asked.params["application_id"] != asked.world.app.id:
        raise Refused(403, 20012, "You are not authorized to perform this action on this app")
    if "guild_id" not in asked.params:
        return asked.world.app.commands
    guild = asked.world.guilds.get(asked.params["guild_id"])
    if guild is None or asked.world.app.id not in guild.members:
        raise Refused(403, 50001, "Missing Access")
    return guild.commands


def _spend(world: World, creates: int) -> None:
    if creates > world.creates_left:
        raise Refused(
            429, 30034, "Max number of daily application command creates has been reached"
        )
    world.creates_left -= creates


def _written(asked: Asked, given: Json, before: dict[tuple[str, int], Json]) -> Json:
    kind = given.get("type") or SLASH
    known = before.get((given["name"], kind), {})
    permissions = given.get("default_member_permissions")
    found: Json = {
        "id": known.get("id") or asked.world.new_id(),
        "application_id": asked.world.app.id,
        "version": asked.world.new_id(),
        "type": kind,
        "name": given["name"],
        "name_localizations": given.get("name_localizations"),
        "description": given.get("description") or "",
        "description_localizations": given.get("description_localizations"),
        "default_member_permissions": None if permissions is None else str(permissions),
        "integration_types": given.get("integration_types") or [0],
        "contexts": given.get("contexts"),
        "nsfw": bool(given.get("nsfw")),
    }
    if "guild_id" in asked.params:
        found["guild_id"] = asked.params["guild_id"]
    if given.get("options"):
        found["options"] = given["options"]
    same = {**found, "version": known.get("version")} == known
    return known if same else found


def _check(given: list[Json]) -> None:
    seen: set[tuple[str, int]] = set()
    counts = dict.fromkeys(MOST, 0)
    for number, one in enumerate(given):
        kind = one.get("type") or SLASH
        if kind not in MOST:
            continue
        counts[kind] += 1
        if (one["name"], kind) in seen:
            raise invalid(**{f"{number}__name": "Application command names must be unique"})
        seen.add((one["name"], kind))
        _check_one(str(number), one, kind)
    for kind, most in MOST.items():
        if counts[kind] > most:
            raise Refused(400, 30032, f"Maximum number of application commands reached ({most})")


def _check_one(path: str, one: Json, kind: int) -> None:
    if kind != SLASH:
        if one.get("description") or one.get("options"):
            raise invalid(**{f"{path}__description": "A menu has neither this nor options."})
        return
    _check_name(path, one["name"])
    if not one.get("description"):
        raise invalid(**{f"{path}__description": "This field is required"})
    options = one.get("options") or []
    _check_options(f"{path}__options", options)
    if _characters(one) > MOST_TEXT:
        raise invalid(**{path: f"Command exceeds maximum size ({MOST_TEXT})"})


def _check_options(path: str, options: list[Json]) -> None:
    if len(options) > MOST_OPTIONS:
        raise invalid(**{path: "Must be 25 or fewer in length."})
    names = [option["name"] for option in options]
    if len(set(names)) != len(names):
        raise invalid(**{path: "Option names must be unique"})
    needed = [bool(option.get("required")) for option in options]
    if needed != sorted(needed, reverse=True):
        raise invalid(**{path: "Required options must be placed before non-required options"})
    for number, option in enumerate(options):
        here = f"{path}__{number}"
        _check_name(here, option["name"])
        choices = option.get("choices") or []
        if len(choices) > MOST_CHOICES:
            raise invalid(**{f"{here}__choices": "Must be 25 or fewer in length."})
        if option.get("autocomplete") and choices:
            raise invalid(**{f"{here}__autocomplete": "Cannot be used with choices"})
        if option["type"] in (SUB, GROUP):
            _check_options(f"{here}__options", option.get("options") or [])


def _check_name(path: str, name: str) -> None:
    if not NAME.match(name) or name != name.lower():
        raise invalid(**{f"{path}__name": "String value did not match validation regex."})


def _characters(one: Json) -> int:
    texts = [one.get("name"), one.get("description")]
    texts += [str(choice["value"]) for choice in one.get("choices") or ()]
    texts += [choice["name"] for choice in one.get("choices") or ()]
    inner = sum(_characters(option) for option in one.get("options") or ())
    return inner + sum(len(text) for text in texts if text)
