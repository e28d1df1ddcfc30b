"""The real `openai` package against the real server."""

import base64
import io
from collections.abc import Iterator

import httpx
import openai
import pytest
from PIL import Image

from tests.fakes.api import Served
from tests.fakes.portal import ORIGIN


@pytest.fixture
def client(api: Served) -> Iterator[openai.OpenAI]:
    """The client as its documentation makes it."""
    with openai.OpenAI(base_url=f"{api.url}/v1", api_key=api.key, max_retries=0) as made:
        yield made


def picture_of(data: str | None) -> Image.Image:
    """A base64 answer, opened."""
    assert data is not None
    return Image.open(io.BytesIO(base64.b64decode(data)))


def png(size: tuple[int, int] = (64, 64), color: str = "red") -> bytes:
    """A flat picture."""
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, "PNG")
    return out.getvalue()


def test_pictures_are_generated_and_come_as_base64(client: openai.OpenAI) -> None:
    answer = client.images.generate(
        prompt="a red mug", model="acme", n=2, size="128x64", extra_body={"seed": 7}
    )
    assert answer.data is not None
    assert [picture_of(one.b64_json).size for one in answer.data] == [(128, 64)] * 2
    assert [one.model_extra and one.model_extra["seed"] for one in answer.data] == [7, 8]
    assert answer.size == "128x64"


def test_a_template_is_a_model_and_its_prompt_comes_back(client: openai.OpenAI) -> None:
    answer = client.images.generate(
        prompt="mug", model="acme/product", extra_body={"variables": {"COLOR": "blue"}}
    )
    assert answer.data is not None
    assert answer.data[0].revised_prompt is not None
    assert answer.data[0].revised_prompt.startswith("a blue mug")


def test_a_picture_by_url_is_fetched_with_the_key_only(client: openai.OpenAI, api: Served) -> None:
    answer = client.images.generate(prompt="a red mug", response_format="url")
    assert answer.data is not None
    path = (answer.data[0].url or "").removeprefix(ORIGIN)
    key = {"authorization": f"Bearer {api.key}"}
    assert httpx.get(api.url + path, headers=key).content.startswith(b"\x89PNG")
    assert httpx.get(api.url + path).status_code == 401


def test_models_are_the_brands_and_templates(client: openai.OpenAI) -> None:
    assert {model.id for model in client.models.list()} == {"acme", "acme/product", "demo"}
    assert client.models.retrieve("acme/product").owned_by == "Acme"


def test_a_picture_is_edited(client: openai.OpenAI) -> None:
    for image in (("a.png", png()), [("a.png", png())]):
        answer = client.images.edit(image=image, prompt="make it warmer", size="64x64")
        assert answer.data is not None
        assert picture_of(answer.data[0].b64_json).size == (64, 64)


def test_failures_are_read_by_the_client(client: openai.OpenAI, api: Served) -> None:
    with pytest.raises(openai.UnprocessableEntityError, match="affordable") as refused:
        client.images.generate(prompt="a cheap mug")
    assert refused.value.code == "mistake"
    with pytest.raises(openai.NotFoundError, match="acme/product"):
        client.images.generate(prompt="a mug", model="dall-e-3")
    with pytest.raises(openai.UnprocessableEntityError, match="128x64"):
        client.images.generate(prompt="a mug", size="1024x1024")
    with pytest.raises(openai.UnprocessableEntityError):
        client.images.generate(prompt="a mug", background="transparent")
    with pytest.raises(openai.UnprocessableEntityError, match="frobnicate"):
        client.images.generate(prompt="a mug", extra_body={"frobnicate": 1})
    stranger = client.with_options(api_key="hs_x_y")
    with pytest.raises(openai.AuthenticationError, match="API key"):
        stranger.images.generate(prompt="a mug")
