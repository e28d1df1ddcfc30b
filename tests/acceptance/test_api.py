"""The clients that people already have, against the real product."""

import asyncio
import base64
import io
import sys
from pathlib import Path

import httpx
import openai
import pytest
import requests  # noqa: TID251  (what webuiapi itself calls with)
import webuiapi
from PIL import Image

from tests.acceptance.product import Product, demo, free_port, until

WORDS = "a teal mug in front of diagonal orange and white stripes"


async def key_of(folder: Path) -> str:
    """A key of the owner's, made at the terminal beside the running product."""
    made = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bot", "--data-dir", str(folder)),
        *("people", "keys", "create", "clients", "--scope", "submit", "--scope", "read"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await made.communicate()
    assert made.returncode == 0, err
    return out.decode().strip()


async def test_the_openai_and_webui_clients_get_pictures_from_the_real_product(
    tmp_path: Path,
) -> None:
    port = free_port()
    async with demo(tmp_path, port, "--engine", "drawn") as product:
        await until(product.served, "the portal")
        key = await key_of(tmp_path)
        size = await _openai(product, port, key)
        await asyncio.to_thread(_webui, port, key, size)
        assert await product.stop() == 0


async def _openai(product: Product, port: int, key: str) -> tuple[int, int]:
    """Pictures by the openai package; their size."""
    base = f"http://127.0.0.1:{port}/v1"
    async with openai.AsyncOpenAI(base_url=base, api_key=key, max_retries=0) as client:
        models = [model.id async for model in client.models.list()]
        assert "northwind" in models
        made = await client.images.generate(prompt=WORDS, n=2, extra_body={"seed": 7})
        assert made.data is not None
        assert len(made.data) + (made.model_extra or {})["discarded"] == 2
        first = base64.b64decode(made.data[0].b64_json or "")
        edited = await client.images.edit(image=first, prompt=WORDS)
        assert edited.data is not None
    picture = (made.data[0].model_extra or {})["id"]
    await product.enter()
    assert await product.shows(f"/pictures/{picture}", "teal mug")
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {key}"}) as plain:
        answer = await plain.get(f"{base}/jobs")
    assert [job["state"] for job in answer.json()["data"]] == ["done", "done"]
    with Image.open(io.BytesIO(first)) as image:
        return image.size


def _webui(port: int, key: str, size: tuple[int, int]) -> None:
    client = webuiapi.WebUIApi(host="127.0.0.1", port=port, username="anybody", password=key)
    sampler = "DPM++ 2M Karras"
    assert sampler in client.util_get_sampler_names()
    width, height = size
    got = client.txt2img(
        prompt=WORDS, sampler_name=sampler, steps=5, seed=7, width=width, height=height
    )
    assert got.image.size == size
    assert got.info["all_seeds"] == [7]
    told = client.png_info(got.image)
    assert told.info == got.info["infotexts"][0], "read back from the published file's own label"
    assert client.png_info(got.image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)).info == ""
    _webui_settings(client)


def _webui_settings(client: webuiapi.WebUIApi) -> None:
    """What can't be set or done raises in the client, large pictures or not."""
    current = client.util_get_current_model()
    client.util_set_model(current)
    another = next(name for name in client.util_get_model_names() if "/" in name)
    with pytest.raises(requests.JSONDecodeError):
        client.util_set_model(another)
    assert client.util_get_current_model() == current
    noise = Image.effect_noise((1024, 1024), 90).convert("RGB")
    for call in (client.extra_single_image, client.interrogate):
        with pytest.raises(RuntimeError, match="not_supported"):
            call(noise)
    assert client.controlnet_module_list() == ["none", *client.controlnet_model_list()]
