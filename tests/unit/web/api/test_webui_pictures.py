"""What AUTOMATIC1111's clients ask about pictures, by the real `webuiapi` package."""

import base64
import io
from dataclasses import replace

import pytest
import webuiapi
from PIL import Image, PngImagePlugin

from bot.core.people import Role
from brand.provenance import PNG_XMP_CHUNK, Label, xmp_packet
from tests.fakes.api import Served, make_api
from tests.fakes.portal import add_person
from tests.fakes.town import person

PLAIN = {"prompt": "a mug", "width": 64, "height": 64, "seed": 11}
LARGE = (512, 512)


def client_of(api: Served, who: str = "mia", scopes: tuple[str, ...] = ()) -> webuiapi.WebUIApi:
    """The client with a key of this person's."""
    key = api.call(api.api.key(who, scopes or ("read", "submit")))
    return webuiapi.WebUIApi(host=api.host, port=api.port, username="x", password=key, steps=4)


def labelled(picture: Image.Image, asset: str) -> Image.Image:
    """The picture with the label that published files carry."""
    copy = picture.copy()
    copy.info[PNG_XMP_CHUNK] = xmp_packet(Label(asset=asset)).decode()
    return copy


def noise(size: tuple[int, int] = LARGE) -> Image.Image:
    """A picture whose file is larger than a body of plain JSON may be."""
    return Image.effect_noise(size, 90).convert("RGB")


def test_png_info_tells_the_recipe_of_a_picture_of_ours(api: Served) -> None:
    client = client_of(api)
    got = client.txt2img(**PLAIN)
    [asset] = got.info["housestyle"]["pictures"]
    told = client.png_info(labelled(got.image, asset))
    assert told.info == got.info["infotexts"][0]
    assert told.json["items"]["parameters"] == told.info
    reading = client_of(api, scopes=("read",))
    assert reading.png_info(labelled(got.image, asset)).info == told.info


def test_png_info_tells_nothing_of_an_edited_picture_or_of_one_that_is_not_seen(
    api: Served,
) -> None:
    client = client_of(api)
    got = client.txt2img(**{**PLAIN, "seed": 12})
    [asset] = got.info["housestyle"]["pictures"]
    edited = got.image.convert("RGB")
    edited.putpixel((3, 3), (1, 2, 3))
    assert client.png_info(labelled(edited, asset)).info == ""
    assert client.png_info(labelled(got.image, "0" * 22)).info == ""
    zoe = replace(person("Zoe"), roles=(("beta", Role.REQUESTER),))
    api.call(add_person(api.api.portal, zoe))
    stranger = client_of(api, who="zoe")
    assert stranger.png_info(labelled(got.image, asset)).info == ""


def test_png_info_reads_what_the_file_itself_tells(api: Served) -> None:
    client, info = client_of(api), PngImagePlugin.PngInfo()
    info.add_text("parameters", "a cup\nSteps: 4, Sampler: Euler")
    out = io.BytesIO()
    noise().save(out, "PNG", pnginfo=info)
    assert client.png_info(Image.open(out)).info == "a cup\nSteps: 4, Sampler: Euler"
    assert client.png_info(noise()).info == ""


@pytest.mark.parametrize("text", ["", "####", base64.b64encode(b"<svg/>").decode()])
async def test_png_info_of_no_picture_is_refused(text: str) -> None:
    api = await make_api()
    async with api.client(scopes=("read",)) as client:
        refused = await client.post("/sdapi/v1/png-info", json={"image": text})
    assert (refused.status_code, "detail" in refused.json()) == (422, True)


def test_what_the_house_does_elsewhere_is_refused_with_the_way_to_it(api: Served) -> None:
    client = client_of(api)
    for call, said in (
        (lambda: client.extra_single_image(noise(), upscaling_resize=2), "enable_hr"),
        (lambda: client.extra_batch_images([noise(), noise()]), "/upscale ID"),
        (lambda: client.interrogate(noise()), "png-info"),
        (lambda: client.controlnet_detect([noise()], module="canny"), "alwayson|module"),
        (
            lambda: client.txt2img(
                controlnet_units=[webuiapi.ControlNetUnit(image=noise())],
                use_deprecated_controlnet=True,
                **PLAIN,
            ),
            "alwayson_scripts",
        ),
    ):
        with pytest.raises(RuntimeError, match=said) as refused:
            call()
        assert refused.value.args[0] == 422
        assert "not_supported" in refused.value.args[1]


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        ({"module": "canny", "model": "control_v11f1p_sd15_depth"}, "led by depth"),
        ({"module": "scribble_hed", "model": "control_v11p_sd15_scribble"}, "scribble_hed"),
        ({"module": "canny", "hr_option": "Low res only"}, "hr_option"),
        ({"module": "canny", "mask": Image.new("L", (8, 8))}, "mask"),
    ],
)
def test_units_that_the_house_would_read_otherwise_are_refused(
    api: Served, unit: dict[str, object], said: str
) -> None:
    led = webuiapi.ControlNetUnit(image=noise((64, 64)), **unit)
    with pytest.raises(RuntimeError, match=said):
        client_of(api).txt2img(controlnet_units=[led], alwayson_scripts={}, enable_hr=True, **PLAIN)


def test_the_lists_of_controlnet_name_what_units_may_say(api: Served) -> None:
    client = client_of(api)
    for module in client.controlnet_module_list():
        for model in client.controlnet_model_list():
            if module in ("none", model):
                unit = webuiapi.ControlNetUnit(image=noise((64, 64)), module=module, model=model)
                got = client.txt2img(controlnet_units=[unit], alwayson_scripts={}, **PLAIN)
                assert not any(": model " in note for note in got.info["housestyle"]["notes"])
    full = webuiapi.ControlNetUnit(
        image=noise((64, 64)),
        module="canny",
        model="control_v11p_sd15_canny [d14c016b]",
        low_vram=True,
        pixel_perfect=True,
        guidance_end=0.5,
        resize_mode="Just Resize",
    )
    got = client.txt2img(controlnet_units=[full], alwayson_scripts={}, **PLAIN)
    assert any("d14c016b" in note for note in got.info["housestyle"]["notes"])
