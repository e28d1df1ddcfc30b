"""What every Renderer must do, run on each engine and each way of reaching it."""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from brand.spec import (
    InitImage,
    InputMissing,
    LoraRefused,
    LoraUse,
    ModelMissing,
    Picture,
    Progress,
    RenderCancelled,
    RenderRequest,
    RenderSpec,
    RenderUnavailable,
    SpecInvalid,
)
from generation.client import RendererClient
from generation.drawn_engine import DrawnEngine
from generation.engines import Engine
from tests.fakes.generation_service import running_service, tcp_settings, unix_settings

pytestmark = pytest.mark.filterwarnings("ignore:__array")
STEPS = 3


@pytest.fixture(scope="session")
def tiny_engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    from generation.engine.engine import EngineOptions, InFlightEngine
    from tests.fakes.tiny_models import build_sd1

    folder = tmp_path_factory.mktemp("models")
    build_sd1(folder / "drawn")
    options = EngineOptions(
        shipped=folder / "none",
        state_dir=folder,
        models_dir=folder,
        warm="drawn",
        threads=1,
        max_rows=4,
        take_profile=False,
    )
    return InFlightEngine(options)


@pytest.fixture(
    params=[
        "drawn over a UNIX socket",
        "drawn over TCP",
        pytest.param("diffusers over a UNIX socket", marks=pytest.mark.model),
    ]
)
async def renderer(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RendererClient]:
    kind = str(request.param)
    tiny = kind.startswith("diffusers")
    # Slow enough that what is asked for meanwhile comes before the end.
    drawn = DrawnEngine(step_seconds=0.002)
    engine = request.getfixturevalue("tiny_engine") if tiny else drawn
    settings = tcp_settings(tmp_path) if kind.endswith("TCP") else unix_settings(tmp_path)
    async with running_service(engine, settings) as running, running.client() as client:
        yield client


def wanted(render_id: str = "r1", **changes: object) -> RenderRequest:
    spec = RenderSpec(
        prompt="a red mug on a wooden table",
        model="drawn",
        seed=7,
        width=64,
        height=64,
        steps=STEPS,
    )
    return RenderRequest(
        render_id=render_id, brand="acme", spec=replace(spec, **changes), preview_every=1
    )


async def told(renderer: RendererClient, request: RenderRequest) -> list[Progress | Picture]:
    return [item async for item in renderer.render(request)]


async def picture_of(renderer: RendererClient, request: RenderRequest) -> Picture:
    last = (await told(renderer, request))[-1]
    assert isinstance(last, Picture)
    return last


def pixels(picture: Picture) -> Image.Image:
    with Image.open(io.BytesIO(picture.png)) as image:
        image.load()
        return image


async def test_a_render_ends_with_its_picture(renderer: RendererClient) -> None:
    picture = await picture_of(renderer, wanted())
    image = pixels(picture)
    assert (image.format, image.mode, image.size) == ("PNG", "RGB", (64, 64))
    assert (picture.width, picture.height) == (64, 64)
    assert not image.info
    assert picture.seconds > 0


async def test_progress_counts_up_to_the_total(renderer: RendererClient) -> None:
    *progress, _ = await told(renderer, wanted(sampler="ddim"))
    counted = [item.done for item in progress if isinstance(item, Progress)]
    assert counted == sorted(counted)
    assert isinstance(progress[-1], Progress)
    assert (progress[-1].done, progress[-1].total) == (STEPS, STEPS)


async def test_a_preview_is_a_small_jpeg(renderer: RendererClient) -> None:
    *progress, _ = await told(renderer, wanted(steps=20))
    previews = [item.preview for item in progress if isinstance(item, Progress) and item.preview]
    with Image.open(io.BytesIO(previews[-1])) as image:
        assert image.format == "JPEG"
        assert max(image.size) <= 256


async def test_the_same_recipe_gives_the_same_bytes(renderer: RendererClient) -> None:
    first = await picture_of(renderer, wanted("a"))
    second = await picture_of(renderer, wanted("b"))
    assert first.png == second.png
    assert first.reproduction == second.reproduction


async def test_seed_and_words_change_the_picture(renderer: RendererClient) -> None:
    made = [
        await picture_of(renderer, wanted("a")),
        await picture_of(renderer, wanted("b", seed=8)),
        await picture_of(renderer, wanted("c", prompt="a blue chair in a forest")),
    ]
    assert len({picture.png for picture in made}) == 3


async def test_the_same_render_id_is_one_render(renderer: RendererClient) -> None:
    first, second = await asyncio.gather(
        picture_of(renderer, wanted()), picture_of(renderer, wanted())
    )
    assert first == second


async def test_a_render_id_cannot_name_two_recipes(renderer: RendererClient) -> None:
    await picture_of(renderer, wanted())
    with pytest.raises(SpecInvalid, match="another recipe"):
        await picture_of(renderer, wanted(seed=8))


async def test_a_finished_render_can_be_asked_for_again(renderer: RendererClient) -> None:
    first = await picture_of(renderer, wanted())
    assert await picture_of(renderer, wanted()) == first  # to the measured seconds


async def test_a_cancelled_render_says_so(renderer: RendererClient) -> None:
    async def cancel_at_the_first_sign() -> None:
        async for _ in renderer.render(wanted(steps=100)):
            await renderer.cancel("r1")

    with pytest.raises(RenderCancelled):
        await cancel_at_the_first_sign()


async def test_a_paused_render_waits_and_goes_on_to_the_same_picture(
    renderer: RendererClient,
) -> None:
    plain = await picture_of(renderer, wanted("plain", steps=100))
    seen: list[Progress] = []
    async for event in renderer.render(wanted(steps=100)):
        if isinstance(event, Picture):
            assert event.png == plain.png
        elif not seen:
            await renderer.pause("r1")
            seen.append(event)
        elif event.paused:
            seen.append(event)
            assert event.eta_s is None
            await renderer.resume("r1")
    assert len(seen) > 1


async def test_pausing_the_unknown_or_finished_is_no_error(renderer: RendererClient) -> None:
    await renderer.pause("never-heard-of")
    await picture_of(renderer, wanted())
    await renderer.pause("r1")
    await renderer.resume("r1")
    assert await picture_of(renderer, wanted())


async def test_cancelling_the_unknown_or_finished_is_no_error(renderer: RendererClient) -> None:
    await renderer.cancel("never-heard-of")
    await picture_of(renderer, wanted())
    await renderer.cancel("r1")
    assert await picture_of(renderer, wanted())


async def test_a_missing_model_is_named(renderer: RendererClient) -> None:
    with pytest.raises(ModelMissing, match="'sdxxl'"):
        await told(renderer, wanted(model="sdxxl"))


async def test_pinned_weights_must_be_the_ones_here(renderer: RendererClient) -> None:
    with pytest.raises(ModelMissing, match="pins"):
        await told(renderer, wanted(model_sha256="0" * 64))
    known = next(model for model in await renderer.models() if model.name == "drawn")
    assert await picture_of(renderer, wanted("r2", model_sha256=known.sha256))


async def test_a_reference_picture_must_be_uploaded_first(renderer: RendererClient) -> None:
    with pytest.raises(InputMissing):
        await told(renderer, wanted(init=InitImage(sha256="0" * 64)))


async def test_strength_zero_keeps_the_reference_picture(renderer: RendererClient) -> None:
    reference = Image.linear_gradient("L").resize((64, 64)).convert("RGB")
    sha256 = await renderer.put_blob(as_png(reference))
    kept = await picture_of(renderer, wanted(init=InitImage(sha256=sha256, strength=0)))
    assert pixels(kept).tobytes() == reference.tobytes()


async def test_strength_moves_away_from_the_reference(renderer: RendererClient) -> None:
    sha256 = await renderer.put_blob(as_png(Image.new("RGB", (64, 64), (200, 30, 30))))
    weak = await picture_of(renderer, wanted("a", init=InitImage(sha256=sha256, strength=0.35)))
    strong = await picture_of(renderer, wanted("b", init=InitImage(sha256=sha256, strength=1)))
    assert weak.png != strong.png


async def test_a_reference_that_is_no_picture_is_refused(renderer: RendererClient) -> None:
    sha256 = await renderer.put_blob(b"<svg onload='alert(1)'/>")
    with pytest.raises(SpecInvalid, match="no readable PNG"):
        await told(renderer, wanted(init=InitImage(sha256=sha256)))


async def test_a_blob_is_named_by_its_hash(renderer: RendererClient) -> None:
    data = b"some bytes"
    assert await renderer.put_blob(data) == hashlib.sha256(data).hexdigest()
    assert await renderer.put_blob(data) == hashlib.sha256(data).hexdigest()


async def test_upscaling_gives_the_whole_factor(renderer: RendererClient) -> None:
    small = await picture_of(renderer, wanted("a"))
    large = await picture_of(renderer, wanted("b", upscale=3))
    assert (large.width, large.height) == pixels(large).size == (192, 192)
    enlarged = pixels(small).resize((192, 192), Image.Resampling.LANCZOS)
    assert pixels(large).tobytes() == enlarged.tobytes()


async def test_a_lora_off_the_brands_list_is_refused(renderer: RendererClient) -> None:
    sha256 = await renderer.put_blob(b"weights")
    await renderer.allow_loras("globex", [sha256])
    with pytest.raises(LoraRefused, match=r"'teal' .* not on the approved list"):
        await told(renderer, wanted(loras=(LoraUse(sha256=sha256, name="teal"),)))


async def test_a_lora_taken_off_the_list_serves_no_more(renderer: RendererClient) -> None:
    sha256 = await renderer.put_blob(b"weights")
    await renderer.allow_loras("acme", [sha256])
    await renderer.allow_loras("acme", [])
    with pytest.raises(LoraRefused):
        await told(renderer, wanted(loras=(LoraUse(sha256=sha256),)))


async def test_models_and_health_tell_what_is_here(renderer: RendererClient) -> None:
    models = await renderer.models()
    health = await renderer.health()
    assert "drawn" in {model.name for model in models if model.loaded}
    assert health.ready
    assert (health.queued, health.running) == (0, 0)
    assert health.device.startswith("cpu")
    assert tuple(models) == health.models


async def test_a_service_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    async with RendererClient(socket=tmp_path / "none.sock", tries=1) as client:
        for call in (told(client, wanted()), client.models(), client.health(), client.cancel("r")):
            with pytest.raises(RenderUnavailable):
                await call


def as_png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
