"""Why a picture could not be rendered: the RenderError tree, and its names on the wire."""

from collections.abc import Mapping


class RenderError(Exception):
    """The picture could not be rendered."""

    code = "render_error"
    retryable = False
    seconds = 0.0
    """Device time that was used before it ended so."""


class SpecInvalid(RenderError):
    """The recipe has a value outside its limits; the message names the field and the limit."""

    code = "spec_invalid"


class ModelMissing(RenderError):
    """The generation service does not have this model; `housestyle doctor` lists what it has."""

    code = "model_missing"


class LoraRefused(RenderError):
    """The LoRA or embedding is not on the brand's approved list, or its file is another."""

    code = "lora_refused"


class InputMissing(RenderError):
    """An input file has not been uploaded: PUT /blobs/{sha256}, then submit again."""

    code = "input_missing"
    retryable = True


class RenderBusy(RenderError):
    """The generation service's queue is full; try again after `retry_after_s` seconds."""

    code = "busy"
    retryable = True

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RenderUnavailable(RenderError):
    """The generation service does not answer; it is restarted and the work submitted again."""

    code = "unavailable"
    retryable = True


class RenderCancelled(RenderError):
    """The render was cancelled on request."""

    code = "cancelled"


class RenderFailed(RenderError):
    """The model ran and failed; the message carries the reference id that the log has too."""

    code = "failed"


RENDER_ERRORS: Mapping[str, type[RenderError]] = {
    kind.code: kind
    for kind in (
        RenderError,
        SpecInvalid,
        ModelMissing,
        LoraRefused,
        InputMissing,
        RenderUnavailable,
        RenderCancelled,
        RenderFailed,
    )
}
