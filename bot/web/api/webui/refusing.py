"""What the house can't do as it was asked for."""

from bot.web.api.failures import ApiFailure


def refused(param: str, detail: str) -> ApiFailure:
    """A refusal by the field's name; `detail` says what would do."""
    return ApiFailure(status=422, code="not_supported", detail=detail, param=param)
