"""Masks, leading pictures and second passes over HTTP become the same Brief that a chat makes."""

import base64
import io

import openai
import pytest
import webuiapi
from PIL import Image, ImageDraw

from bot.core.jobs import Job
from brand.spec import HighRes
from tests.fakes.api import Served, make_api

SIZE = (64, 64)


def picture(mode: str = "RGB", color: object = "red", size: tuple[int, int] = SIZE) -> Image.Image:
    """A flat picture."""
    return Image.new(mode, size, color)  # type: ignore[arg-type]


def png(image: Image.Image) -> bytes:
    """Its file."""
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def half_clear() -> Image.Image:
    """Transparent on the left."""
    image = picture("RGBA", (0, 0, 0, 255))
    ImageDraw.Draw(image).rectangle((0, 0, 31, 63), fill=(0, 0, 0, 0))
    return image


async def _newest(api: Served) -> Job:
    async with api.api.portal.town.house.store.read() as tx:
        return (await tx.jobs.recent(limit=1))[0]


def newest(api: Served) -> Job:
    """The job that was asked for last."""
    return api.call(_newest(api))


def blob(api: Served, sha256: str) -> Image.Image:
    """A kept picture."""
    return Image.open(io.BytesIO(api.call(api.api.portal.town.house.blobs.get(sha256))))


async def test_every_way_of_a_brief_is_taken_over_http() -> None:
    api = await make_api()
    async with api.client() as client:
        kept = await client.put(
            "/v1/inputs", content=png(picture()), headers={"content-type": "image/png"}
        )
        sha256 = kept.json()["sha256"]
        assert (kept.json()["width"], kept.json()["height"]) == SIZE
        control = {"kind": "canny", "picture": sha256, "weight": 0.7, "start": 0.1, "end": 0.9}
        body = {
            "words": "a mug",
            "reference": sha256,
            "mask": sha256,
            "invert": True,
            "controls": [control],
            "like": sha256,
            "like_weight": 0.5,
            "highres": 2.0,
            "highres_strength": 0.3,
            "highres_steps": 7,
        }
        answer = await client.post("/v1/jobs", json=body)
        assert answer.status_code == 202, answer.text
        wide = {"words": "a mug", "reference": sha256, "outpaint": {"left": 16}}
        assert (await client.post("/v1/jobs", json=wide)).status_code == 202
        for bad, said in (
            ({"words": "a mug", "mask": sha256}, "Attach one"),
            ({"words": "a mug", "reference": "0" * 64}, "Attach"),
            ({**wide, "outpaint": {}}, "side"),
            ({**wide, "highres_steps": 7}, "second pass"),
            ({**wide, "highres": 2.0, "highres_steps": 900}, "highres_steps"),
            ({"words": "m", "controls": [{"kind": "pose", "picture": sha256}]}, "canny"),
        ):
            refused = await client.post("/v1/jobs", json=bad)
            assert refused.status_code in (404, 422), bad
            assert said in refused.json()["detail"], refused.text
    async with api.portal.town.house.store.read() as tx:
        spec = (await tx.jobs.get(answer.json()["id"])).items[0].spec
    assert spec.init is not None
    assert spec.mask is not None
    assert (spec.init.sha256, spec.mask.invert) == (sha256, True)
    assert [(use.kind, use.weight, use.start) for use in spec.controls] == [("canny", 0.7, 0.1)]
    assert spec.highres == HighRes(scale=2.0, strength=0.3, steps=7)
    assert spec.image_prompt is not None


def test_a_mask_of_the_openai_client_is_painted_where_it_is_transparent(api: Served) -> None:
    with openai.OpenAI(base_url=f"{api.url}/v1", api_key=api.key, max_retries=0) as client:
        client.images.edit(image=png(picture()), mask=png(half_clear()), prompt="a cup")
        spec = newest(api).items[0].spec
        assert spec.mask is not None
        mask = blob(api, spec.mask.sha256).convert("L")
        assert (mask.getpixel((5, 5)), mask.getpixel((60, 5))) == (255, 0)
        with pytest.raises(openai.UnprocessableEntityError, match="transparent"):
            client.images.edit(image=png(picture()), mask=png(picture()), prompt="a cup")
        other = picture("RGBA", (0, 0, 0, 0), (32, 32))
        with pytest.raises(openai.UnprocessableEntityError, match="equal"):
            client.images.edit(image=png(picture()), mask=png(other), prompt="a cup")


# `alwayson_scripts={}`: the client keeps units in a default argument that all calls share.
def test_masks_units_and_second_passes_of_webui_clients_are_taken_over(api: Served) -> None:
    client = webuiapi.WebUIApi(
        host=api.host, port=api.port, username="x", password=api.key, steps=4
    )
    plain = {"prompt": "a cup", "width": 64, "height": 64}
    got = client.img2img(
        images=[picture()], mask_image=picture("L", 255), inpainting_mask_invert=1, **plain
    )
    spec = newest(api).items[0].spec
    assert spec.mask is not None
    assert spec.mask.invert
    assert any("inpaint_full_res" in note for note in got.info["housestyle"]["notes"])
    unit = webuiapi.ControlNetUnit(
        image=picture(), module="canny", model="control_v11p_sd15_canny", weight=0.5
    )
    led = client.txt2img(controlnet_units=[unit], alwayson_scripts={}, **plain)
    [use] = newest(api).items[0].spec.controls
    assert (use.kind, use.weight, use.ready) == ("canny", 0.5, False)
    assert any("threshold" in note for note in led.info["housestyle"]["notes"])
    ready = webuiapi.ControlNetUnit(image=picture(), module="none", model="t2i_depth_v2")
    client.txt2img(controlnet_units=[ready], alwayson_scripts={}, **plain)
    [use] = newest(api).items[0].spec.controls
    assert (use.kind, use.ready) == ("depth", True)
    for bad, said in (
        (webuiapi.ControlNetUnit(image=picture(), module="ip-adapter_face_id"), "ip-adapter"),
        (webuiapi.ControlNetUnit(image=picture(), module="canny", control_mode=2), "control_mode"),
        (webuiapi.ControlNetUnit(image=picture(), module="openpose"), "canny"),
        (webuiapi.ControlNetUnit(module="canny"), "no picture"),
    ):
        with pytest.raises(RuntimeError, match=said):
            client.txt2img(controlnet_units=[bad], alwayson_scripts={}, **plain)
    client.txt2img(enable_hr=True, hr_scale=2.0, alwayson_scripts={}, **plain)
    # That client always says denoising_strength 0.7, and 0 for as many steps as in the first pass.
    assert newest(api).items[0].spec.highres == HighRes(scale=2.0, strength=0.7)
    second = {"hr_second_pass_steps": 6, "denoising_strength": 0.35}
    client.txt2img(enable_hr=True, hr_scale=1.5, alwayson_scripts={}, **second, **plain)
    assert newest(api).items[0].spec.highres == HighRes(scale=1.5, strength=0.35, steps=6)
    least = client.txt2img(enable_hr=True, denoising_strength=0, alwayson_scripts={}, **plain)
    assert newest(api).items[0].spec.highres == HighRes(scale=2.0, strength=0.05)
    assert any("denoising_strength" in note for note in least.info["housestyle"]["notes"])


@pytest.mark.parametrize("kinds", [["canny"] * 5, ["canny", "depth", "openpose"]])
async def test_no_unit_is_read_before_all_of_them_are_allowed(kinds: list[str]) -> None:
    api = await make_api()
    stored: list[bytes] = []
    put = api.portal.town.house.blobs.put

    async def noted(data: bytes) -> str:
        stored.append(data)
        return await put(data)

    api.portal.town.house.blobs.put = noted  # type: ignore[method-assign]
    units = [
        {"image": webuiapi.raw_b64_img(picture(color=(n, 0, 0))), "module": kind}
        for n, kind in enumerate(kinds)
    ]
    wanted = {"prompt": "a cup", "alwayson_scripts": {"ControlNet": {"args": units}}}
    async with api.client() as client:
        answer = await client.post("/sdapi/v1/txt2img", json=wanted)
    assert answer.status_code == 422, answer.text
    assert "ControlNet" in answer.text
    assert stored == []


def test_base64_with_spaces_or_of_other_things_is_refused(api: Served) -> None:
    client = webuiapi.WebUIApi(host=api.host, port=api.port, username="x", password=api.key)
    plain = {"prompt": "a cup", "width": 64, "height": 64, "steps": 4}
    for text in ("not base64", "data:image/png,raw", base64.b64encode(b"<svg/>").decode(), ""):
        answer = client.session.post(
            f"{client.baseurl}/img2img", json={**plain, "init_images": [text]}, timeout=30
        )
        assert answer.status_code == 422, text
