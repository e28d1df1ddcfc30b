"""How the generation service and its client write values on the wire: plain JSON, base64 pictures.

Events of `GET /renders/{id}/events` (server-sent events, WHATWG HTML section 9.2):

progress   done, total, place, eta_s, preview, paused   the latest state; older ones are left out
done       width, height, reproduction, seconds, sha256 of the PNG at /renders/{id}/picture
error      code, detail, and the device seconds that were used, if any
stopping   the service goes down; attach again, and submit again if it has forgotten the render
"""

import base64
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from brand.spec import (
    RENDER_ERRORS,
    ModelInfo,
    Picture,
    Progress,
    RenderBusy,
    RendererHealth,
    RenderError,
    RenderFailed,
    RenderRequest,
    RenderSpec,
    RenderUnavailable,
    ReproductionClass,
    SpecInvalid,
    sha256_hex,
)

MAX_BRAND_CHARACTERS = 100
MAX_PRIORITY = 1000
DEFAULT_RETRY_AFTER_S = 5.0
_RENDER_ID = re.compile(r"[A-Za-z0-9_.:-]{1,100}")


@dataclass(frozen=True, kw_only=True)
class PictureFacts:
    """A finished picture without its bytes."""

    width: int
    height: int
    reproduction: ReproductionClass
    seconds: float
    sha256: str
    """Of the PNG bytes."""

    @classmethod
    def of(cls, picture: Picture) -> "PictureFacts":
        """The facts of this picture."""
        return cls(
            width=picture.width,
            height=picture.height,
            reproduction=picture.reproduction,
            seconds=picture.seconds,
            sha256=sha256_hex(picture.png),
        )

    def with_bytes(self, png: bytes) -> Picture:
        """The picture. Raises RenderUnavailable if these are not its bytes."""
        if sha256_hex(png) != self.sha256:
            raise RenderUnavailable("The picture arrived damaged; it is fetched again.")
        return Picture(
            png=png,
            width=self.width,
            height=self.height,
            reproduction=self.reproduction,
            seconds=self.seconds,
        )


Event = Progress | PictureFacts | RenderError


def request_to_json(request: RenderRequest) -> dict[str, Any]:
    """The body of `POST /renders`."""
    return {
        "render_id": request.render_id,
        "brand": request.brand,
        "spec": request.spec.to_dict(),
        "priority": request.priority,
        "preview_every": request.preview_every,
        "team": request.team,
    }


def request_from_json(raw: object) -> RenderRequest:
    """Read the body of `POST /renders`. Raises SpecInvalid naming the field."""
    if not isinstance(raw, Mapping):
        raise SpecInvalid("a render is an object with render_id, brand and spec")
    unknown = set(raw) - {"render_id", "brand", "spec", "priority", "preview_every", "team"}
    if unknown:
        raise SpecInvalid(f"unknown field {min(map(str, unknown))!r} in the render")
    render_id, brand, spec = raw.get("render_id"), raw.get("brand"), raw.get("spec")
    if not isinstance(render_id, str) or not is_render_id(render_id):
        raise SpecInvalid("render_id must be 1 to 100 letters, digits or any of _ . : -")
    if not isinstance(brand, str) or not 1 <= len(brand) <= MAX_BRAND_CHARACTERS:
        raise SpecInvalid(f"brand must be text of 1 to {MAX_BRAND_CHARACTERS} characters")
    if not isinstance(spec, Mapping):
        raise SpecInvalid("spec must be an object")
    return RenderRequest(
        render_id=render_id,
        brand=brand,
        spec=RenderSpec.from_dict(spec),
        priority=_whole(raw, "priority", -MAX_PRIORITY, MAX_PRIORITY, default=0),
        preview_every=_whole(raw, "preview_every", 0, 1000, default=4),
        team=_team(raw),
    )


def _team(raw: Mapping[str, Any]) -> str:
    team = raw.get("team", "")
    if not isinstance(team, str) or len(team) > MAX_BRAND_CHARACTERS:
        raise SpecInvalid(f"team must be text of at most {MAX_BRAND_CHARACTERS} characters")
    return team


def is_render_id(text: str) -> bool:
    """Whether this can name a render."""
    return _RENDER_ID.fullmatch(text) is not None


def _whole(raw: Mapping[str, Any], name: str, low: int, high: int, *, default: int) -> int:
    value = raw.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise SpecInvalid(f"{name} must be a whole number between {low} and {high}")
    return value


def event_to_text(event: Event) -> bytes:
    """One server-sent event."""
    kind, data = _event_parts(event)
    return f"event: {kind}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


def _event_parts(event: Event) -> tuple[str, dict[str, Any]]:
    if isinstance(event, Progress):
        preview = base64.b64encode(event.preview).decode()
        return "progress", {
            "done": event.done,
            "total": event.total,
            "place": event.place,
            "eta_s": event.eta_s,
            "preview": preview,
            "paused": event.paused,
        }
    if isinstance(event, PictureFacts):
        return "done", {
            "width": event.width,
            "height": event.height,
            "reproduction": event.reproduction.to_dict(),
            "seconds": event.seconds,
            "sha256": event.sha256,
        }
    return "error", error_to_json(event)


def event_from_parts(kind: str, data: str) -> Event | None:
    """Read one event; None for kinds that say nothing of the render (such as `stopping`).

    Raises RenderUnavailable if it cannot be read.
    """
    if kind not in {"progress", "done", "error"}:
        return None
    try:
        raw = json.loads(data)
        if kind == "progress":
            return Progress(
                done=int(raw["done"]),
                total=int(raw["total"]),
                place=int(raw["place"]),
                eta_s=None if raw["eta_s"] is None else float(raw["eta_s"]),
                preview=base64.b64decode(raw["preview"], validate=True),
                paused=bool(raw.get("paused", False)),
            )
        if kind == "done":
            return PictureFacts(
                width=int(raw["width"]),
                height=int(raw["height"]),
                reproduction=ReproductionClass.from_dict(raw["reproduction"]),
                seconds=float(raw["seconds"]),
                sha256=str(raw["sha256"]),
            )
        return error_from_json(raw)
    except (ValueError, KeyError, TypeError, SpecInvalid) as exc:
        raise RenderUnavailable(f"The generation service sent an unreadable {kind}.") from exc


def error_to_json(error: RenderError) -> dict[str, Any]:
    """Code and message, and when to try again where that is known."""
    out: dict[str, Any] = {"code": error.code, "detail": str(error)}
    if isinstance(error, RenderBusy):
        out["retry_after_s"] = error.retry_after_s
    if error.seconds:
        out["seconds"] = error.seconds
    return out


def error_from_json(raw: object) -> RenderError:
    """The error that `error_to_json` or a problem document tells of; unknown codes are failures."""
    data = raw if isinstance(raw, Mapping) else {}
    code, detail = str(data.get("code", "")), str(data.get("detail", "")) or "no reason was given"
    if code == RenderBusy.code:
        wait = data.get("retry_after_s", DEFAULT_RETRY_AFTER_S)
        valid = isinstance(wait, int | float) and math.isfinite(wait) and wait >= 0
        return RenderBusy(detail, retry_after_s=float(wait) if valid else DEFAULT_RETRY_AFTER_S)
    error = RENDER_ERRORS.get(code, RenderFailed)(detail)
    error.seconds = _seconds(data.get("seconds", 0.0))
    return error


def _seconds(value: object) -> float:
    if isinstance(value, int | float) and math.isfinite(value) and value >= 0:
        return float(value)
    return 0.0


def model_to_json(model: ModelInfo) -> dict[str, Any]:
    """One entry of `GET /models`."""
    return {
        "name": model.name,
        "sha256": model.sha256,
        "layout": model.layout,
        "width": model.width,
        "height": model.height,
        "loaded": model.loaded,
        "inpaints": model.inpaints,
        "dtype": model.dtype,
        "device": model.device,
        "bytes": model.bytes,
        "beside_bytes": model.beside_bytes,
        "side_step": model.side_step,
        "samplers": list(model.samplers),
    }


def model_from_json(raw: object) -> ModelInfo:
    """Read one entry of `GET /models`. Raises RenderUnavailable."""
    data = cast("dict[str, Any]", raw)
    try:
        return ModelInfo(
            name=str(data["name"]),
            sha256=str(data["sha256"]),
            layout=str(data["layout"]),
            width=int(data["width"]),
            height=int(data["height"]),
            loaded=bool(data["loaded"]),
            inpaints=bool(data.get("inpaints", False)),
            dtype=str(data.get("dtype", "")),
            device=str(data.get("device", "")),
            bytes=int(data.get("bytes", 0)),
            beside_bytes=int(data.get("beside_bytes", 0)),
            side_step=max(1, int(data.get("side_step", 8))),
            samplers=tuple(str(name) for name in data.get("samplers", ())),
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise RenderUnavailable("The generation service sent an unreadable list.") from exc


def health_to_json(health: RendererHealth) -> dict[str, Any]:
    """The body of `GET /health`."""
    return {
        "ready": health.ready,
        "device": health.device,
        "engine": health.engine,
        "queued": health.queued,
        "running": health.running,
        "models": [model_to_json(model) for model in health.models],
        "detail": health.detail,
    }


def health_from_json(raw: object) -> RendererHealth:
    """Read `GET /health`. Raises RenderUnavailable."""
    data = cast("dict[str, Any]", raw)
    try:
        return RendererHealth(
            ready=bool(data["ready"]),
            device=str(data["device"]),
            engine=str(data["engine"]),
            queued=int(data["queued"]),
            running=int(data["running"]),
            models=tuple(model_from_json(model) for model in data["models"]),
            detail=str(data["detail"]),
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise RenderUnavailable("The generation service sent an unreadable health.") from exc
