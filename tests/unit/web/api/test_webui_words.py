"""Samplers, spacings, `eta` and extra networks of AUTOMATIC1111's clients: nothing is dropped."""

from dataclasses import replace

import pytest
import webuiapi

from bot.web.api.failures import ApiFailure
from bot.web.api.webui.networks import none_in, taken_out
from bot.web.api.webui.samplers import sampler_of, spacings_of
from bot.web.api.webui.shapes import TextIn
from brand.kit import BrandKit
from tests.fakes.api import API_KIT, Served, make_api

EVERY = ("dpmpp_2m_karras", "dpmpp_2m", "dpmpp_2m_sde_exponential", "ddim", "euler_a", "euler")


def kit_of(*samplers: str) -> BrandKit:
    """A kit with these samplers, the first its own."""
    generation = replace(API_KIT.generation, sampler=samplers[0], samplers=samplers)
    return replace(API_KIT, generation=generation)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ""),
        ({"scheduler": "Automatic"}, ""),
        ({"scheduler": "Karras"}, "dpmpp_2m_karras"),
        ({"sampler_name": "DPM++ 2M"}, "dpmpp_2m"),
        ({"sampler_name": "DPM++ 2M", "scheduler": "Karras"}, "dpmpp_2m_karras"),
        ({"sampler_name": "DPM++ 2M Karras", "scheduler": "karras"}, "dpmpp_2m_karras"),
        ({"sampler_name": "dpmpp 2m karras"}, "dpmpp_2m_karras"),
        (
            {"sampler_name": "DPM++ 2M SDE", "scheduler": "Exponential"},
            "dpmpp_2m_sde_exponential",
        ),
        ({"sampler_name": "DPM++ 2M SDE Exponential"}, "dpmpp_2m_sde_exponential"),
        ({"sampler_name": "dpmpp_2m_sde", "eta": 1.0}, "dpmpp_2m_sde_exponential"),
        ({"sampler_index": "Euler a", "eta": 1.0}, "euler_a"),
        ({"sampler_name": "DDIM", "eta": 0.0}, "ddim"),
    ],
)
def test_a_sampler_is_found_by_its_name_and_spacing(asked: dict[str, object], found: str) -> None:
    assert sampler_of(kit_of(*EVERY), TextIn(**asked), []) == found


@pytest.mark.parametrize(
    ("own", "asked", "param"),
    [
        ("dpmpp_2m_karras", {"scheduler": "nonsense"}, "scheduler"),
        ("dpmpp_2m_karras", {"scheduler": "Beta"}, "scheduler"),
        ("euler_a", {"eta": 0.5}, "eta"),
        ("ddim", {"eta": 0.5}, "eta"),
        ("euler", {"sampler_name": "Euler", "scheduler": "Simple"}, "scheduler"),
        ("euler", {"sampler_name": "Euler", "scheduler": "uniform"}, "scheduler"),
        ("euler", {"sampler_name": "DPM++ 2M Karras", "scheduler": "exponential"}, "scheduler"),
        ("euler", {"sampler_name": "dpmpp_2m_sde_exponential", "eta": 0.5}, "eta"),
        ("euler", {"sampler_name": "DPM++ 2M SDE", "scheduler": "exponential", "eta": 0}, "eta"),
        ("euler", {"sampler_name": "Heun"}, "sampler_name"),
    ],
)
def test_what_no_sampler_of_the_kit_does_is_refused_by_its_field(
    own: str, asked: dict[str, object], param: str
) -> None:
    kit = kit_of(own, *(name for name in EVERY if name != own))
    with pytest.raises(ApiFailure) as refused:
        sampler_of(kit, TextIn(**asked), [])
    assert (refused.value.status, refused.value.param) == (422, param)


def test_an_eta_without_effect_is_noted_unless_clients_send_it_by_habit() -> None:
    notes: list[str] = []
    sampler_of(kit_of(*EVERY), TextIn(eta=1.0), notes)
    assert notes == []
    sampler_of(kit_of(*EVERY), TextIn(eta=0.5), notes)
    assert notes == ["eta: DPM++ 2M Karras puts no noise in, so it has no effect"]


def test_the_spacings_that_are_listed_are_those_of_the_kits() -> None:
    assert spacings_of([kit_of(*EVERY)]) == ["karras", "exponential"]
    assert spacings_of([kit_of("euler")]) == []


@pytest.mark.parametrize(
    ("prompt", "words", "lora"),
    [
        ("a mug", "a mug", ""),
        ("a <lora:x> b", "a b", "x"),
        ("a <lora:x:0.8> b <LORA: y@2 : .5e0 >", "a b", "x:0.8+y@2:0.5"),
        ("<lora:x:-1>", "", "x:-1"),
        ("5 < 6 and 7 > 6, <3", "5 < 6 and 7 > 6, <3", ""),
        ("a  mug <token> of [x:y:0.5]", "a  mug <token> of [x:y:0.5]", ""),
    ],
)
def test_loras_are_taken_out_of_the_words(prompt: str, words: str, lora: str) -> None:
    assert taken_out(prompt) == (words, lora)


@pytest.mark.parametrize(
    "prompt",
    [
        "a <lora:stripes:0.8:0.5> b",
        "a <lora:stripes:te=0.8:unet=1> b",
        "a <lora:x:heavy> b",
        "a <lora:x:1e999> b",
        "a <lora:> b",
        "a <lora:a+b:1> b",
        "a <hypernet:x:1> b",
        "a <lyco:x:1> b",
        "a <lora:x:1",
        "a <lora:<lora:x:1>:1>",
    ],
)
def test_no_extra_network_stays_among_the_words(prompt: str) -> None:
    with pytest.raises(ApiFailure) as refused:
        taken_out(prompt)
    assert refused.value.param == "prompt"
    with pytest.raises(ApiFailure) as unwanted:
        none_in(prompt, "negative_prompt")
    assert unwanted.value.param == "negative_prompt"


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"prompt": "a mug <lora:stripes:0.8:0.5>"}, "stripes"),
        ({"prompt": "a mug <hypernet:anime:1>"}, "hypernet"),
        ({"prompt": "a mug", "negative_prompt": "<lora:stripes:1>"}, "negative_prompt"),
        ({"prompt": "a mug", "sampler_name": "Euler", "scheduler": "Simple"}, "simple"),
        (
            {
                "prompt": "a mug",
                "styles": ["product"],
                "override_settings": {"sd_model_checkpoint": "acme/other"},
            },
            "acme/other",
        ),
    ],
)
def test_the_client_raises_for_what_would_be_dropped(
    api: Served, fields: dict[str, object], named: str
) -> None:
    client = webuiapi.WebUIApi(host=api.host, port=api.port, username="x", password=api.key)
    with pytest.raises(RuntimeError, match=named):
        client.txt2img(width=64, height=64, steps=4, **fields)


async def test_a_request_that_names_no_sampler_is_held_against_the_kits_own() -> None:
    api = await make_api(kit_of("euler_a", "euler"))
    async with api.working(), api.client() as client:
        for extra, field in (({"scheduler": "nonsense"}, "nonsense"), ({"eta": 0.5}, "eta")):
            answer = await client.post("/sdapi/v1/txt2img", json={"prompt": "a mug", **extra})
            assert (answer.status_code, field in answer.json()["detail"]) == (422, True)
    async with api.portal.town.house.store.read() as tx:
        assert list(await tx.jobs.recent(limit=1)) == []


async def test_a_style_and_a_checkpoint_of_another_template_are_refused() -> None:
    [product] = API_KIT.templates
    api = await make_api(replace(API_KIT, templates=(product, replace(product, name="scene"))))
    async with api.working(), api.client() as client:
        answer = await client.post(
            "/sdapi/v1/txt2img",
            json={
                "prompt": "a mug",
                "styles": ["scene"],
                "override_settings": {"sd_model_checkpoint": "acme/product"},
            },
        )
    assert (answer.status_code, "one template" in answer.text) == (422, True)
