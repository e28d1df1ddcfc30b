"""What travels between the service and its client comes out as it went in, or is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brand.spec import (
    RENDER_ERRORS,
    InitImage,
    LoraUse,
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
from generation.wire import (
    PictureFacts,
    error_from_json,
    error_to_json,
    event_from_parts,
    event_to_text,
    health_from_json,
    health_to_json,
    request_from_json,
    request_to_json,
)

CLASS = ReproductionClass(
    weights="0" * 64, engine="e/1", dtype="float32", device="cpu", capability="AVX2", threads=2
)
SPEC = RenderSpec(
    prompt="a red mug",
    model="demo",
    seed=7,
    loras=(LoraUse(sha256="1" * 64, weight=0.5, name="teal"),),
    init=InitImage(sha256="2" * 64, strength=0.25),
)
REQUEST = RenderRequest(
    render_id="abc.1", brand="Müller & Söhne", spec=SPEC, priority=10, preview_every=2
)


def parsed(event: bytes) -> object:
    kind, data = event.decode().removesuffix("\n\n").split("\n")
    return event_from_parts(kind.removeprefix("event: "), data.removeprefix("data: "))


def test_a_request_comes_out_as_it_went_in() -> None:
    assert request_from_json(json.loads(json.dumps(request_to_json(REQUEST)))) == REQUEST


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"render_id": ""}, "render_id"),
        ({"render_id": "../../etc/passwd"}, "render_id"),
        ({"render_id": "a" * 101}, "render_id"),
        ({"render_id": 7}, "render_id"),
        ({"brand": ""}, "brand"),
        ({"brand": None}, "brand"),
        ({"priority": 1.5}, "priority"),
        ({"priority": True}, "priority"),
        ({"priority": 10**9}, "priority"),
        ({"preview_every": -1}, "preview_every"),
        ({"spec": []}, "spec"),
        ({"spec": {"prompt": "x", "model": "demo", "seed": "7"}}, "seed"),
        ({"callback": "http://203.0.113.1/"}, "callback"),
    ],
)
def test_a_malformed_request_is_refused_by_name(change: dict[str, object], named: str) -> None:
    with pytest.raises(SpecInvalid, match=named):
        request_from_json(request_to_json(REQUEST) | change)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_any_json_is_a_request_or_a_clear_refusal(raw: object) -> None:
    with pytest.raises(SpecInvalid):
        request_from_json(raw)


def test_progress_carries_its_preview() -> None:
    progress = Progress(done=3, total=20, place=0, eta_s=1.5, preview=bytes(range(256)))
    assert parsed(event_to_text(progress)) == progress


def test_a_picture_is_told_without_its_bytes_and_checked_when_they_come() -> None:
    picture = Picture(png=b"pixels", width=8, height=8, reproduction=CLASS, seconds=1.5)
    facts = parsed(event_to_text(PictureFacts.of(picture)))
    assert isinstance(facts, PictureFacts)
    assert facts.sha256 == sha256_hex(b"pixels")
    assert facts.with_bytes(b"pixels") == picture
    with pytest.raises(RenderUnavailable, match="damaged"):
        facts.with_bytes(b"pixelz")


@pytest.mark.parametrize("kind", RENDER_ERRORS.values())
def test_every_error_keeps_its_kind_and_its_words(kind: type[RenderError]) -> None:
    out = parsed(event_to_text(kind("what to do")))
    assert type(out) is kind
    assert str(out) == "what to do"


def test_busy_keeps_when_to_come_back() -> None:
    out = error_from_json(error_to_json(RenderBusy("full", retry_after_s=12.5)))
    assert isinstance(out, RenderBusy)
    assert out.retry_after_s == 12.5


@pytest.mark.parametrize("raw", [None, [], {}, {"code": "from-the-future", "detail": 5}])
def test_an_unknown_error_is_a_failure(raw: object) -> None:
    assert type(error_from_json(raw)) is RenderFailed


@pytest.mark.parametrize(
    "data", ["", "[]", "{}", '{"done": "x"}', '{"done":1,"total":2,"place":0,"eta_s":0}', "\x00"]
)
@pytest.mark.parametrize("kind", ["progress", "done"])
def test_an_unreadable_event_counts_as_a_broken_connection(kind: str, data: str) -> None:
    with pytest.raises(RenderUnavailable, match="unreadable"):
        event_from_parts(kind, data)


def test_events_of_later_versions_are_passed_over() -> None:
    assert event_from_parts("stopping", "{}") is None
    assert event_from_parts("weather", "sunny") is None


def test_health_comes_out_as_it_went_in() -> None:
    model = ModelInfo(
        name="demo", sha256="3" * 64, layout="sd1", width=128, height=128,
        side_step=16, samplers=("euler", "heun"),
    )  # fmt: skip
    health = RendererHealth(
        ready=False, device="", engine="e", queued=1, running=0, models=(model,), detail="loading"
    )
    assert health_from_json(json.loads(json.dumps(health_to_json(health)))) == health
    with pytest.raises(RenderUnavailable):
        health_from_json([])
