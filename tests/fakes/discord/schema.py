"""Discord's OpenAPI description, and what it has to say of a request or a reply.

Validators are compiled when they are first needed, once for a process.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import jsonschema_rs

from tests.fakes.discord.state import Json

SPEC = Path(__file__).with_name("openapi.json")
SHOWN = 300
"""Characters of a complaint that are told."""


@cache
def _spec() -> Json:
    spec: Json = json.loads(SPEC.read_text(encoding="utf-8"))
    return spec


@cache
def known(method: str, route: str) -> bool:
    """Whether Discord has this operation."""
    return method.lower() in _spec()["paths"].get(route, {})


@cache
def _body_validator(method: str, route: str, kind: str) -> jsonschema_rs.Validator | None:
    bodies = _spec()["paths"][route][method.lower()].get("requestBody")
    if bodies is None:
        return None
    return _compiled(bodies["content"].get(kind, {}).get("schema", False))


@cache
def _reply_validator(method: str, route: str, status: int) -> jsonschema_rs.Validator | None:
    replies = _spec()["paths"][route][method.lower()]["responses"]
    reply = replies.get(str(status)) or replies.get(f"{status // 100}XX")
    if reply is None:
        return _compiled(False)
    if "$ref" in reply:
        reply = _spec()["components"]["responses"][reply["$ref"].rsplit("/", 1)[1]]
    content = reply.get("content")
    return _compiled(content["application/json"]["schema"]) if content else None


@cache
def _query_validators(method: str, route: str) -> dict[str, tuple[str, jsonschema_rs.Validator]]:
    return {
        given["name"]: (_type_of(given["schema"]), _compiled(given["schema"]))
        for given in _spec()["paths"][route][method.lower()].get("parameters", ())
        if given["in"] == "query"
    }


def _type_of(schema: Json) -> str:
    """As the schema says itself, or the one that it refers to."""
    if "$ref" in schema:
        schema = _spec()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return str(schema.get("type", ""))


def _compiled(schema: Json | bool) -> jsonschema_rs.Validator:
    whole = {"not": {}} if schema is False else schema
    assert isinstance(whole, dict)
    return jsonschema_rs.Draft202012Validator(
        {**whole, "components": _spec()["components"]},
        validate_formats=True,
        ignore_unknown_formats=True,
    )


def complaints_of_request(
    method: str, route: str, body: object, query: Mapping[str, str], *, multipart: bool = False
) -> list[str]:
    """What is wrong with a request's body and query, by path."""
    found = [
        *_query_complaints(method, route, query),
    ]
    kind = "multipart/form-data" if multipart else "application/json"
    validator = _body_validator(method, route, kind)
    if validator is None:
        return [*found, "no body is taken here"] if body is not None else found
    return found + _complaints(validator, lenient(body))


def complaints_of_reply(method: str, route: str, status: int, body: object) -> list[str]:
    """What is wrong with one of our own replies."""
    validator = _reply_validator(method, route, status)
    if validator is None:
        return [] if body is None else ["no body is given here"]
    return _complaints(validator, body)


def _query_complaints(method: str, route: str, query: Mapping[str, str]) -> list[str]:
    found = []
    validators = _query_validators(method, route)
    for name, text in query.items():
        if name not in validators:
            found.append(f"?{name}: Discord knows no such parameter")
            continue
        kind, validator = validators[name]
        value: object = text
        if kind == "integer" and text.lstrip("-").isdigit():
            value = int(text)
        if kind == "boolean" and text.lower() in ("true", "false", "0", "1"):
            value = text.lower() in ("true", "1")
        found += [f"?{name}: {error.message}" for error in validator.iter_errors(value)]
    return found


def _complaints(validator: jsonschema_rs.Validator, value: object) -> list[str]:
    if validator.is_valid(value):
        return []
    return [
        f"{'/'.join(str(step) for step in error.instance_path)}: {error.message}"[:SHOWN]
        for error in validator.iter_errors(value)
    ]


def lenient(body: object) -> object:
    """The body with its snowflakes as texts: discord.py sends some as numbers, which Discord takes.

    They are `attachments[].id`, `recipient_id`, and the ids in `message_reference` and in
    `allowed_mentions`.
    """
    if not isinstance(body, dict):
        return body
    read = dict(body)
    for name in ("data", "message_reference"):
        if isinstance(read.get(name), dict):
            read[name] = lenient(read[name])
    for name in ("recipient_id", "message_id", "channel_id", "guild_id"):
        if name in read:
            read[name] = _text(read[name])
    if isinstance(read.get("attachments"), list):
        read["attachments"] = [
            {**given, "id": _text(given["id"])}
            if isinstance(given, dict) and "id" in given
            else given
            for given in read["attachments"]
        ]
    if isinstance(read.get("allowed_mentions"), dict):
        read["allowed_mentions"] = {
            name: [_text(one) for one in value] if isinstance(value, list) else value
            for name, value in read["allowed_mentions"].items()
        }
    return read


def _text(value: object) -> object:
    return str(value) if type(value) is int else value
