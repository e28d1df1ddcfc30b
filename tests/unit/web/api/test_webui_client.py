"""The real `webuiapi` package against the real server."""

import threading

import pytest
import requests  # noqa: TID251  (what webuiapi itself calls with)
import webuiapi
from PIL import Image

from tests.fakes.api import Served
from tests.fakes.held import endless
from tests.fakes.waiting import ENOUGH_S


@pytest.fixture
def client(api: Served) -> webuiapi.WebUIApi:
    """The client as its documentation makes it: any name, the key as the password."""
    return webuiapi.WebUIApi(
        host=api.host,
        port=api.port,
        sampler="Euler a",
        steps=4,
        username="anybody",
        password=api.key,
    )


def test_pictures_of_words_come_with_their_seeds_and_infotexts(client: webuiapi.WebUIApi) -> None:
    got = client.txt2img(
        prompt="a red mug", negative_prompt="blur", seed=7, batch_size=2, width=128, height=64
    )
    assert [image.size for image in got.images] == [(128, 64)] * 2
    assert got.info["all_seeds"] == [7, 8]
    assert got.info["sampler_name"] == "Euler a"
    assert "Steps: 4, Sampler: Euler a, CFG scale: 7, Seed: 7" in got.info["infotexts"][0]
    assert "blur" in got.info["infotexts"][0]
    assert got.info["housestyle"]["states"] == ["candidate"] * 2


def test_a_sampler_and_its_spacing_are_found_by_name(client: webuiapi.WebUIApi) -> None:
    for name, spacing in (
        ("DPM++ 2M Karras", None),
        ("DPM++ 2M", "Karras"),
        ("DPM++ 2M", "automatic"),
        ("dpmpp_2m_karras", "automatic"),
    ):
        got = client.txt2img(
            prompt="a mug", sampler_name=name, scheduler=spacing, width=64, height=64
        )
        assert got.info["sampler_name"] == "DPM++ 2M Karras", (name, spacing)
    with pytest.raises(RuntimeError, match="Euler a"):
        client.txt2img(prompt="a mug", sampler_name="Heun", width=64, height=64)


def test_a_picture_is_made_of_a_picture_with_and_without_a_prefix(
    client: webuiapi.WebUIApi, api: Served
) -> None:
    image = Image.new("RGB", (64, 64), "red")
    got = client.img2img(images=[image], prompt="warmer", width=64, height=64, seed=3)
    assert got.image.size == (64, 64)
    assert got.info["denoising_strength"] == 0.75
    bare = webuiapi.raw_b64_img(image)
    answer = requests.post(
        f"{api.url}/sdapi/v1/img2img",
        json={"init_images": [bare], "prompt": "warmer", "width": 64, "height": 64},
        headers={"authorization": f"Bearer {api.key}"},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text


def test_styles_are_templates_and_checkpoints_are_brands(client: webuiapi.WebUIApi) -> None:
    got = client.txt2img(prompt="mug", styles=["product"], width=64, height=64)
    assert got.info["prompt"].startswith("a red mug")
    other = client.txt2img(
        prompt="mug",
        override_settings={"sd_model_checkpoint": "acme/product"},
        width=64,
        height=64,
    )
    assert other.info["prompt"] == got.info["prompt"]
    assert client.util_get_model_names() == ["acme", "acme/product", "demo"]
    assert client.util_get_current_model() == "acme"


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"width": 512, "height": 512}, "64x64"),
        ({"restore_faces": True}, "restore_faces"),
        ({"tiling": True}, "tiling"),
        ({"subseed_strength": 0.3}, "subseed_strength"),
        ({"eta": 0.5}, "eta"),
        ({"script_name": "X/Y/Z plot"}, "script_name"),
        ({"alwayson_scripts": {"Never OOM": {"args": [True]}}}, "Never OOM"),
        ({"prompt": "a <lora:a:1> <lora:b:1>"}, "lora:a"),
        ({"prompt": "a <lora:a:1.2.3>"}, "weight"),
        ({"prompt": "a cheap mug"}, "affordable"),
        ({"styles": ["nothing"]}, "product"),
        ({"s_churn": 1}, "s_churn"),
    ],
)
def test_what_would_change_the_picture_is_refused_and_named(
    client: webuiapi.WebUIApi, fields: dict[str, object], named: str
) -> None:
    plain = {"prompt": "a mug", "width": 64, "height": 64}
    with pytest.raises(RuntimeError, match="422") as refused:
        client.txt2img(**{**plain, **fields})
    assert named in str(refused.value)


def test_progress_and_interrupt_are_of_the_open_request(
    client: webuiapi.WebUIApi, api: Served
) -> None:
    failed = []

    def make() -> None:
        try:
            client.txt2img(prompt="slow", width=64, height=64)
        except RuntimeError as exc:
            failed.append(exc)

    with endless(api.api.portal.town.renderer) as held:
        making = threading.Thread(target=make)
        making.start()
        assert held.begun.wait(ENOUGH_S)
        seen = client.get_progress()
        assert (seen["state"]["job_count"], seen["state"]["sampling_steps"]) == (1, 4)
        client.interrupt()
        making.join(ENOUGH_S)
        assert held.stopped.wait(ENOUGH_S)
    assert "cancelled" in str(failed[0])
    assert client.get_progress()["state"]["job_count"] == 0


def test_every_list_of_the_client_is_answered(client: webuiapi.WebUIApi) -> None:
    assert {"DPM++ 2M Karras", "Euler", "Euler a"} == set(client.util_get_sampler_names())
    for call in (
        client.get_options,
        client.get_cmd_flags,
        client.get_sd_vae,
        client.get_upscalers,
        client.get_latent_upscale_modes,
        client.get_loras,
        client.get_hypernetworks,
        client.get_face_restorers,
        client.get_prompt_styles,
        client.get_scripts,
        client.get_embeddings,
        client.get_memory,
        client.get_schedulers,
    ):
        assert "detail" not in call(), call


def test_a_stranger_gets_nothing(api: Served) -> None:
    stranger = webuiapi.WebUIApi(host=api.host, port=api.port, username="a", password="b")
    with pytest.raises(RuntimeError, match="401"):
        stranger.txt2img(prompt="a mug")
