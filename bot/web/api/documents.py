"""What the OpenAPI document says of every route besides its own answer."""

from typing import Any

from pydantic.json_schema import models_json_schema

from bot.web.api.failures import PROBLEM
from bot.web.api.shapes import ImagesFailure, Problem, WebuiFailure

_SAYS = {
    400: "The request can't be read",
    401: "No valid API key",
    403: "The key lacks the scope, or the member lacks the right",
    404: "There is none, or it isn't one that this member may see",
    405: "Another method is needed",
    409: "Something was faster: it is done or decided already",
    413: "The body is too large",
    415: "The body has another media type",
    422: "The request is understood, but something in it is wrong or not allowed by the kit",
    429: "A budget is used up, or too many inputs wait",
    500: "Something broke on our side",
    503: "A part of the house is away or full for a moment",
    504: "The pictures took too long; the job goes on",
}
_ALWAYS = (400, 401, 403, 422, 500, 503)
Responses = dict[int | str, dict[str, Any]]


def problems(*statuses: int) -> Responses:
    """Failures as problem+json, those that any route may have included."""
    return failures(*statuses, media=PROBLEM, schema={"$ref": "#/components/schemas/Problem"})


def failures(*statuses: int, media: str, schema: dict[str, Any]) -> Responses:
    """The same in another shape."""
    return {
        status: {
            "description": _SAYS[status],
            "content": {media: {"schema": schema}},
            **(_RETRY if status in (429, 503, 504) else {}),
        }
        for status in sorted({*_ALWAYS, *statuses})
    }


_RETRY: dict[str, Any] = {
    "headers": {
        "Retry-After": {"description": "Seconds", "schema": {"type": "string"}, "required": False}
    }
}

AS_WEBUI: dict[str, Any] = {
    "media": "application/json",
    "schema": {"$ref": "#/components/schemas/WebuiFailure"},
}
"""How the routes of AUTOMATIC1111's shape fail."""

_FAILURES = (Problem, ImagesFailure, WebuiFailure)


def with_failures(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the schemas of failures, which no route names as its answer."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    _, found = models_json_schema(
        [(model, "serialization") for model in _FAILURES],
        ref_template="#/components/schemas/{model}",
    )
    schemas.update(found["$defs"])
    return document
