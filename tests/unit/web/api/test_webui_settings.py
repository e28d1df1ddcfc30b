"""What AUTOMATIC1111's clients set and list, by the real `webuiapi` package."""

from dataclasses import replace

import pytest
import requests  # noqa: TID251  (what webuiapi itself calls with)
import webuiapi

from tests.fakes.api import API_KIT, Api, Served, make_api

OPTIONS = "/sdapi/v1/options"


def client_of(api: Served, key: str = "") -> webuiapi.WebUIApi:
    """The client as its documentation makes it."""
    return webuiapi.WebUIApi(
        host=api.host, port=api.port, username="x", password=key or api.key, steps=4
    )


def test_setting_another_model_raises_and_the_current_one_is_true(
    api: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    client = client_of(api)
    for another in ("acme/product", "nonsense/product"):  # the client takes the nearest name
        with pytest.raises(requests.JSONDecodeError) as refused:
            client.util_set_model(another)
        assert "override_settings" in refused.value.doc
        assert "changed" not in capsys.readouterr().out
    with pytest.raises(requests.JSONDecodeError) as unknown:
        client.set_options({"sd_model_checkpoint": "nonsense"})
    assert "no model `nonsense`" in unknown.value.doc
    for same in ("acme", "demo"):  # the weights of the member's only brand mean that brand
        client.util_set_model(same)
        assert f"model changed to {same}" in capsys.readouterr().out
    assert client.util_get_current_model() == "acme"


@pytest.mark.parametrize(
    "options",
    [
        {"sd_vae": "x.safetensors"},
        {"CLIP_stop_at_last_layers": 2},
        {"CLIP_stop_at_last_layers": True},
        {"sd_model_checkpoint": None},
        {"sd_model_checkpoint": ["acme"]},
        {"samples_format": "png", "eta_noise_seed_delta": 31337},
        {},
    ],
)
def test_a_setting_that_is_not_so_already_raises_in_the_client(
    api: Served, options: dict[str, object]
) -> None:
    with pytest.raises(requests.JSONDecodeError) as refused:
        client_of(api).set_options(options)
    named = list(options)[-1] if options else "item"
    assert named in refused.value.doc


def test_settings_that_are_so_already_are_taken(api: Served) -> None:
    client = client_of(api)
    assert client.set_options(client.get_options()) == {}


def test_a_key_for_reading_alone_is_not_told_that_its_model_was_changed(api: Served) -> None:
    reading = api.call(api.api.key("mia", ("read",)))
    with pytest.raises(requests.JSONDecodeError) as refused:
        client_of(api, reading).util_set_model("acme")
    assert "submit" in refused.value.doc


async def test_a_refused_setting_has_its_status_for_clients_that_look_at_it() -> None:
    api = await make_api()
    async with api.client() as client, api.client(key="") as stranger:
        refused = await client.post(OPTIONS, json={"sd_vae": "x"})
        assert refused.status_code == 422
        assert refused.headers["content-type"].startswith("text/plain")
        assert refused.text.startswith("not_supported: The setting `sd_vae`")
        assert (await client.post(OPTIONS, json={"sd_model_checkpoint": "x"})).status_code == 404
        assert (await stranger.post(OPTIONS, json={})).status_code == 401


async def test_a_member_of_several_brands_has_no_current_model() -> None:
    api = await two_brands()
    async with api.client() as client:
        assert (await client.get(OPTIONS)).json()["sd_model_checkpoint"] == ""
        refused = await client.post(OPTIONS, json={"sd_model_checkpoint": "beta"})
        assert refused.status_code == 422
        assert "override_settings" in refused.text


async def two_brands() -> Api:
    """Mia may ask for pictures of both."""
    api = await make_api()
    async with api.portal.town.house.store.write() as tx:
        beta = replace(API_KIT, id="beta", name="Beta")
        await tx.kits.put(beta, source="", at=api.portal.town.house.clock.now())
    return api


def test_lists_of_what_is_not_there_are_empty_and_fresh(api: Served) -> None:
    client = client_of(api)
    assert client.refresh_checkpoints() == {}
    assert client.get_realesrgan_models() == []
    assert client.util_get_scheduler_names() == ["automatic", "karras"]


def test_controlnet_lists_are_what_the_kits_allow(api: Served) -> None:
    client = client_of(api)
    assert client.controlnet_version() == 2
    assert client.controlnet_model_list() == ["canny", "depth"]
    assert client.controlnet_module_list() == ["none", "canny", "depth"]


async def test_controlnet_addresses_need_a_key_and_fail_in_the_clients_shape() -> None:
    api = await make_api()
    async with api.client(key="") as stranger, api.client() as client:
        refused = await stranger.get("/controlnet/model_list")
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_api_key")
        basic = await stranger.get("/controlnet/version", auth=("x", await api.key()))
        assert basic.json() == {"version": 2}
        nothing = await client.post("/controlnet/settings", json={})
        assert (nothing.status_code, nothing.json()["error"]) == (404, "not_found")
