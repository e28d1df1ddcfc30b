"""What Discord's own client makes of what people type, and what it does not let them send."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.fakes.discord.interactions import ClientRefused, Modal
from tests.fakes.discord.payloads import attachment_json
from tests.fakes.discord.state import Attachment, Json, World

TEXT, WHOLE, YES, NUMBER, FILE = 3, 4, 5, 10, 11
INPUT, SELECT, UPLOAD, LABEL = 4, 3, 19, 18
TYPES: dict[int, type | tuple[type, ...]] = {
    TEXT: str,
    WHOLE: int,
    YES: bool,
    NUMBER: (int, float),
    FILE: Attachment,
}
LONGEST_OPTION, LONGEST_INPUT = 6000, 4000


def command(world: World, registered: Json, options: Mapping[str, Any]) -> Json:
    """Data of a slash command."""
    known = {option["name"]: option for option in registered.get("options", ())}
    missing = [n for n, o in known.items() if o.get("required") and n not in options]
    if missing:
        raise ClientRefused(f"/{registered['name']} needs {', '.join(missing)}")
    return _data(world, registered, [_option(known, n, v) for n, v in options.items()], options)


def partly(
    world: World, registered: Json, options: Mapping[str, Any], name: str, text: str
) -> Json:
    """Data of an autocomplete: what was typed so far may be anything."""
    known = {option["name"]: option for option in registered.get("options", ())}
    if not known.get(name, {}).get("autocomplete"):
        raise ClientRefused(f"{name} of /{registered['name']} suggests nothing")
    given = [_option(known, n, v) for n, v in options.items()]
    given.append({"name": name, "type": known[name]["type"], "value": text, "focused": True})
    return _data(world, registered, given, options)


def chosen(part: Json, wanted: Sequence[str]) -> list[str]:
    """Values of a select's options, by their labels or values."""
    by_name = {option["label"]: option["value"] for option in part["options"]}
    values = {option["value"] for option in part["options"]}
    found = [by_name.get(name, name) for name in wanted]
    if unknown := [value for value in found if value not in values]:
        raise ClientRefused(f"{unknown} can't be chosen; there are {list(by_name)}")
    least, most = part.get("min_values", 1), part.get("max_values", 1)
    if not least <= len(found) <= most:
        raise ClientRefused(f"{least} to {most} are to be chosen")
    return found


def submission(world: World, modal: Modal, values: Mapping[str, Any]) -> Json:
    """Data of a form that is sent off."""
    fields = modal.fields()
    names = {field["label"].lower(): custom_id for custom_id, field in fields.items()}
    given = {names.get(name.lower(), name): value for name, value in values.items()}
    if unknown := [name for name in given if name not in fields]:
        raise ClientRefused(f"the form asks for no {unknown}; it asks for {names}")
    filled = {custom_id: _filled(f, given.get(custom_id)) for custom_id, f in fields.items()}
    data: Json = {
        "custom_id": modal.custom_id,
        "components": [_sent(part, filled) for part in modal.components],
    }
    files = [value for value in given.values() if isinstance(value, Attachment)]
    if files:
        data["resolved"] = _resolved(world, files)
    return data


def _data(world: World, registered: Json, given: list[Json], options: Mapping[str, Any]) -> Json:
    data: Json = {"id": registered["id"], "name": registered["name"], "type": 1}
    if registered.get("guild_id"):
        data["guild_id"] = registered["guild_id"]
    if given:
        data["options"] = given
    files = [value for value in options.values() if isinstance(value, Attachment)]
    if files:
        data["resolved"] = _resolved(world, files)
    return data


def _resolved(world: World, files: list[Attachment]) -> Json:
    return {"attachments": {file.id: attachment_json(world, file) for file in files}}


def _option(known: Mapping[str, Json], name: str, value: object) -> Json:
    option = known.get(name)
    if option is None:
        raise ClientRefused(f"there is no option {name}; there are {list(known)}")
    kind = option["type"]
    if not isinstance(value, TYPES[kind]) or (kind != YES and isinstance(value, bool)):
        raise ClientRefused(f"{name} takes no {value!r}")
    _within(option, name, value)
    told = value.id if isinstance(value, Attachment) else value
    return {"name": name, "type": kind, "value": told}


def _within(option: Json, name: str, value: object) -> None:
    """Refuse what is too long, too large or no choice."""
    if isinstance(value, str):
        longest = option.get("max_length", LONGEST_OPTION)
        if not option.get("min_length", 0) <= len(value) <= longest:
            raise ClientRefused(f"{name} may have {longest} characters")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        low, high = option.get("min_value", -(2**53)), option.get("max_value", 2**53)
        if not low <= value <= high:
            raise ClientRefused(f"{name} is {low} to {high}")
    fixed = [choice["value"] for choice in option.get("choices", ())]
    if fixed and value not in fixed:
        raise ClientRefused(f"{name} is one of {fixed}")


def _filled(field: Json, value: object) -> Json:
    """One field with what was typed into it, as it is sent."""
    told: Json = {"type": field["type"], "custom_id": field["custom_id"], "id": field.get("id", 0)}
    required = field.get("required", True)
    if field["type"] == INPUT:
        text = field.get("value", "") if value is None else str(value)
        longest = field.get("max_length", LONGEST_INPUT)
        if (required and not text) or len(text) > longest:
            raise ClientRefused(f"{field['label']}: 1 to {longest} characters, not {len(text)}")
        if text and len(text) < field.get("min_length", 0):
            raise ClientRefused(f"{field['label']}: at least {field['min_length']} characters")
        return told | {"value": text}
    if field["type"] == UPLOAD:
        values = [value.id] if isinstance(value, Attachment) else []
    elif value is None:
        values = [option["value"] for option in field["options"] if option.get("default")]
    else:
        values = chosen(field, [str(value)])
    if required and not values:
        raise ClientRefused(f"{field['label']} is needed")
    return told | {"values": values}


def _sent(part: Json, filled: Mapping[str, Json]) -> Json:
    """A row or label of the form, with its fields as they are sent."""
    told: Json = {"type": part["type"], "id": part.get("id", 0)}
    if "component" in part:
        return told | {"component": filled[part["component"]["custom_id"]]}
    if "components" in part:
        inner = [filled[field["custom_id"]] for field in part["components"]]
        return told | {"components": inner}
    return told
