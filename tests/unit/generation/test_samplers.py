"""Samplers are rows of one table; a wrong name is answered with the right ones."""

import inspect

import diffusers
import pytest

from brand.spec import SpecInvalid
from generation.engine.sampling.courses import flow_mu, flux_sigmas, prepared
from generation.engine.sampling.samplers import (
    SAMPLERS,
    check_sampler,
    new_scheduler,
    samplers_for,
)
from tests.unit.generation.sampler_oracle import (
    DYNAMIC_FLOW_MODEL,
    FLOW_MODEL,
    NOISE_MODEL,
    course,
)

pytestmark = pytest.mark.model

NOISE_SAMPLERS = (
    "euler", "euler_a", "dpmpp_2m", "dpmpp_2m_sde", "dpmpp_3m", "heun", "lms", "ddim", "pndm",
    "deis", "unipc", "lcm", "kdpm2",
)  # fmt: skip


def test_every_sampler_has_the_spacings_that_its_stock_scheduler_has() -> None:
    for name in (*NOISE_SAMPLERS, "flow_euler", "flow_heun"):
        takes = inspect.signature(getattr(diffusers, SAMPLERS[name].scheduler).__init__).parameters
        for spacing in ("karras", "exponential", "beta"):
            has = f"use_{spacing}_sigmas" in takes
            assert (f"{name}_{spacing}" in SAMPLERS) == has, (name, spacing)
    assert {"dpmpp_3m_beta", "lms_exponential", "unipc_karras"} <= set(SAMPLERS)
    assert "euler_a_karras" not in SAMPLERS


def test_a_spacing_is_switched_on_alone() -> None:
    config = new_scheduler("heun_exponential", {**NOISE_MODEL, "use_karras_sigmas": True}).config
    assert (config.use_exponential_sigmas, config.use_karras_sigmas) == (True, False)


def test_a_model_whose_file_asks_for_clipping_is_clipped() -> None:
    asked = {**NOISE_MODEL, "_class_name": "EulerDiscreteScheduler", "clip_sample": True}
    for sampler in ("ddim", "lcm", "heun"):
        assert new_scheduler(sampler, asked).config.clip_sample, sampler
    assert not new_scheduler("ddim", NOISE_MODEL).config.clip_sample


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("dpmpp2m_karas", "dpmpp_2m_karras"), ("Euler a", "euler_a"), ("uni_pc", "unipc")],
)
def test_a_misspelt_sampler_is_answered_with_the_nearest(wrong: str, right: str) -> None:
    with pytest.raises(SpecInvalid, match=f"there is no sampler '{wrong}'; .*{right}"):
        check_sampler(wrong)


def test_a_name_like_no_other_is_answered_with_all_plain_names() -> None:
    with pytest.raises(SpecInvalid, match=r"known are euler, .*many also with _karras") as caught:
        check_sampler("zzzzz")
    assert all(name in str(caught.value) for name in NOISE_SAMPLERS)


def test_a_flow_model_takes_flow_samplers_and_those_that_know_flow_sigmas() -> None:
    assert {"flow_euler", "flow_heun", "flow_euler_karras", "dpmpp_2m", "unipc"} <= set(
        samplers_for(FLOW_MODEL)
    )
    assert not {"ddim", "euler_a", "dpmpp_2m_karras", "lms"} & set(samplers_for(FLOW_MODEL))
    assert not {"flow_euler", "flow_heun"} & set(samplers_for(NOISE_MODEL))


def test_on_a_flow_model_euler_and_heun_mean_the_flow_samplers() -> None:
    made = new_scheduler("euler_beta", FLOW_MODEL)
    assert made.config["_class_name"] == "FlowMatchEulerDiscreteScheduler"
    assert made.config.use_beta_sigmas
    heun = new_scheduler("heun", FLOW_MODEL)
    assert heun.config["_class_name"] == "FlowMatchHeunDiscreteScheduler"
    assert heun.config.shift == FLOW_MODEL["shift"]


def test_a_sampler_with_flow_sigmas_keeps_the_models_shift() -> None:
    config = new_scheduler("dpmpp_2m", FLOW_MODEL).config
    assert (config.use_flow_sigmas, config.prediction_type) == (True, "flow_prediction")
    assert config.flow_shift == FLOW_MODEL["shift"]


@pytest.mark.parametrize(
    ("sampler", "config", "instead"),
    [
        ("dpmpp_2m_karras", FLOW_MODEL, "flow-matching.*dpmpp_2m"),
        ("ddim", FLOW_MODEL, "flow-matching.*known are euler"),
        ("flow_euler", NOISE_MODEL, "predicts noise.*nearest are .*euler"),
        ("unipc", {**FLOW_MODEL, "time_shift_type": "linear"}, "exponential.*flow_euler"),
    ],
)
def test_a_sampler_that_does_not_fit_the_model_is_refused_with_those_that_do(
    sampler: str, config: dict[str, object], instead: str
) -> None:
    with pytest.raises(SpecInvalid, match=instead):
        new_scheduler(sampler, config)


def test_a_dynamic_shift_reaches_the_noise_levels() -> None:
    mu = flow_mu(DYNAMIC_FLOW_MODEL, 4096)
    assert mu == pytest.approx(1.15)
    assert flow_mu(FLOW_MODEL, 4096) is None
    sigmas = flux_sigmas(4)
    assert sigmas == (1.0, 0.75, 0.5, 0.25)
    stock = diffusers.FlowMatchEulerDiscreteScheduler.from_config(DYNAMIC_FLOW_MODEL)
    stock.set_timesteps(4, sigmas=list(sigmas), mu=mu)
    way = course("flow_euler", 4, config=DYNAMIC_FLOW_MODEL, mu=mu, sigmas=sigmas)
    assert prepared(way)[1].tolist() == stock.timesteps.tolist()
    few = course("flow_euler", 4, config=DYNAMIC_FLOW_MODEL, mu=flow_mu(DYNAMIC_FLOW_MODEL, 256))
    assert prepared(few)[1].tolist() != stock.timesteps.tolist()


@pytest.mark.parametrize("changed", [{"mu": 1.0}, {"config": FLOW_MODEL, "sigmas": (1.0, 0.5)}])
def test_a_sampler_that_cannot_take_a_models_noise_levels_is_refused(
    changed: dict[str, object],
) -> None:
    way = course("flow_heun", 2, **{"config": DYNAMIC_FLOW_MODEL, **changed})
    with pytest.raises(SpecInvalid, match="choose flow_euler"):
        prepared(way)


@pytest.mark.parametrize(("steps", "first"), [(0, 0), (5, 5), (5, -1)])
def test_a_course_without_steps_is_refused(steps: int, first: int) -> None:
    with pytest.raises(SpecInvalid, match="steps must be at least 1"):
        prepared(course("euler", steps, first=first))


def test_what_the_stock_scheduler_cannot_take_is_refused_with_its_reason() -> None:
    with pytest.raises(SpecInvalid, match=r"'lcm' cannot take 60 steps .*choose other steps"):
        prepared(course("lcm", 60))
