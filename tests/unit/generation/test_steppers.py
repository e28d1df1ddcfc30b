"""Steppers end where diffusers' own loops end, with every sampler and from every start."""

import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from brand.spec import SpecInvalid
from generation.engine.sampling.courses import Course, first_step
from generation.engine.sampling.impulses import NotLinear
from generation.engine.sampling.plan import evaluations, plan_for
from generation.engine.sampling.samplers import SAMPLERS, samplers_for
from generation.engine.sampling.steppers import LinearStepper, Start, StockStepper, new_stepper
from tests.unit.generation.sampler_oracle import (
    CPU,
    DYNAMIC_FLOW_MODEL,
    FLOW_MODEL,
    NOISE_MODEL,
    SHAPE,
    VELOCITY_MODEL,
    apart,
    course,
    dice,
    flown,
    from_image,
    from_noise,
    model,
    picture,
    stock_from_image,
    stock_from_noise,
)

pytestmark = [pytest.mark.model, pytest.mark.filterwarnings("ignore:__array")]

ROUNDING = 2e-5
"""Relative; both sides add up float32 numbers, in different orders."""
FLOW_ROUNDING = 2e-4
"""DEIS subtracts nearly equal numbers at flow noise levels."""
NOISY = ("euler_a", "dpmpp_2m_sde", "dpmpp_2m_sde_karras", "lcm")
NOISE_NAMES = samplers_for(NOISE_MODEL)
FLOW_NAMES = samplers_for(FLOW_MODEL)


@pytest.mark.parametrize("steps", [7, 12])
@pytest.mark.parametrize("sampler", NOISE_NAMES)
def test_a_sampler_ends_where_the_stock_scheduler_ends(sampler: str, steps: int) -> None:
    for config in (NOISE_MODEL, VELOCITY_MODEL):
        way = course(sampler, steps, config=config)
        stepper = from_noise(way)
        assert isinstance(stepper, LinearStepper)
        assert apart(flown(stepper), stock_from_noise(way)) < ROUNDING


@pytest.mark.parametrize("sampler", FLOW_NAMES)
def test_a_flow_sampler_ends_where_the_stock_scheduler_ends(sampler: str) -> None:
    way = course(sampler, 8, config=FLOW_MODEL)
    stepper = from_noise(way)
    assert isinstance(stepper, LinearStepper)
    assert apart(flown(stepper), stock_from_noise(way)) < FLOW_ROUNDING


@pytest.mark.parametrize("sampler", ["flow_euler", "dpmpp_2m", "unipc"])
def test_a_dynamically_shifted_flow_ends_where_the_stock_scheduler_ends(sampler: str) -> None:
    way = course(sampler, 8, config=DYNAMIC_FLOW_MODEL, mu=0.8)
    assert apart(flown(from_noise(way)), stock_from_noise(way)) < FLOW_ROUNDING


@pytest.mark.parametrize("sampler", [*NOISE_NAMES, "flow_euler"])
def test_image_to_image_begins_where_diffusers_begins(sampler: str) -> None:
    way = course(sampler, 9, first=first_step(9, 0.6))
    stepper = from_image(way, picture())
    assert stepper.total < from_noise(course(sampler, 9)).total
    assert apart(flown(stepper), stock_from_image(way, picture())) < ROUNDING


@pytest.mark.parametrize("sampler", [*NOISE_NAMES, "flow_euler"])
def test_latents_held_to_a_picture_between_steps_end_as_in_diffusers_inpainting(
    sampler: str,
) -> None:
    def blend(old: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
        anew = torch.zeros(SHAPE)
        anew[:, :, : SHAPE[2] // 2] = 1
        return (1 - anew) * old + anew * made

    def after(i: int, made: torch.Tensor) -> torch.Tensor:
        assert stepper.noise is not None
        return blend(stepper.renoised(i, picture(), stepper.noise), made)

    way = course(sampler, 13, first=2)
    stepper = from_image(way, picture())
    assert apart(flown(stepper, after), stock_from_image(way, picture(), blend=blend)) < ROUNDING
    assert torch.equal(stepper.latents[:, :, -1], picture()[:, :, -1])


@given(
    sampler=st.sampled_from(NOISE_NAMES),
    steps=st.integers(1, 40),
    left_out=st.floats(0, 1, exclude_max=True),
    spacing=st.sampled_from(["leading", "trailing", "linspace"]),
    changed=st.fixed_dictionaries(
        {},
        optional={
            "prediction_type": st.just("v_prediction"),
            "set_alpha_to_one": st.just(True),
            "steps_offset": st.integers(0, 1),
            "final_sigmas_type": st.just("sigma_min"),
            "beta_schedule": st.just("squaredcos_cap_v2"),
            "rescale_betas_zero_snr": st.just(True),
        },
    ),
)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_the_steps_and_the_models_options_it_ends_where_the_stock_scheduler_ends(
    sampler: str, steps: int, left_out: float, spacing: str, changed: dict[str, object]
) -> None:
    # Cosine betas leave a hundred-thousandth of the picture at the first step: a velocity is then
    # turned into a picture by a difference that float32 cannot hold, in the stock loop as here.
    assume({"prediction_type", "beta_schedule"} - set(changed))
    config = {**NOISE_MODEL, "timestep_spacing": spacing, **changed}
    way = course(sampler, steps, first=int(steps * left_out), config=config)
    try:
        stepper = from_image(way, picture())
    except SpecInvalid:
        assert _stock_fails(way)
        return
    largest = float(stepper.latents.abs().max())
    ended = flown(stepper)
    stock = stock_from_image(way, picture())
    assume(stock.abs().max() < 1e4)
    # Where the noise is thousands of times the picture, float32 leaves the stock loop less of it.
    assert float((ended - stock).abs().max()) < 10 * ROUNDING * stock.abs().max() + 5e-7 * largest


def _stock_fails(way: Course) -> bool:
    try:
        return not bool(stock_from_image(way, picture()).isfinite().all())
    except (ArithmeticError, AssertionError, IndexError, RuntimeError, SpecInvalid, ValueError):
        return True


@pytest.mark.parametrize("sampler", NOISE_NAMES)
def test_residuals_are_rounding_and_nothing_looks_back_far(sampler: str) -> None:
    plan = plan_for(course(sampler, 30))
    assert plan.residual < 1e-6
    assert plan.noise.any() == sampler.startswith(("euler_a", "dpmpp_2m_sde", "lcm"))
    if not sampler.startswith("unipc"):
        assert not plan.previous.any()


@pytest.mark.parametrize("sampler", ["dpmpp_2m", "unipc", "pndm", "heun", "lms", *NOISY])
def test_a_restart_goes_the_same_way_once_more(sampler: str) -> None:
    stepper = from_noise(course(sampler, 6))
    for _ in range(3):
        stepper.answer(model(*stepper.question()))
    stepper.restart()
    assert stepper.done == 0
    first = flown(stepper).clone()
    stepper.restart()
    assert torch.equal(flown(stepper), first)
    assert torch.equal(flown(from_noise(course(sampler, 6))), first)


@pytest.mark.parametrize("config", [NOISE_MODEL, VELOCITY_MODEL, FLOW_MODEL])
def test_the_guess_is_the_picture_where_the_model_knows_it(config: dict[str, object]) -> None:
    """With the noise and the picture known, every sampler must point at the picture."""
    for sampler in samplers_for(config):
        stepper = from_image(course(sampler, 8, config=config, first=2), picture())
        noise = stepper.noise
        assert noise is not None
        level = [float((stepper.renoised(-1, *pair)).flatten()[0]) for pair in _units()]
        norm = (level[0] ** 2 + level[1] ** 2) ** 0.5
        velocity = (level[0] * noise - level[1] * picture()) / norm
        known = {"epsilon": noise, "v_prediction": velocity}
        stepper.answer(known.get(str(config.get("prediction_type")), noise - picture()))
        assert apart(stepper.guess(), picture()) < 1e-4, sampler


def test_every_guess_on_the_straight_way_is_the_picture() -> None:
    """A model that always finds the same noise leads there, between the levels too."""
    for sampler in NOISE_NAMES:
        # From the middle diffusers' PNDM and LMS leave the way: they count on steps not taken.
        first = 0 if sampler.startswith(("pndm", "lms")) else 2
        stepper = from_image(course(sampler, 8, first=first), picture())
        noise = stepper.noise
        assert noise is not None
        while stepper.done < stepper.total:
            stepper.answer(noise)
            if not sampler.startswith(NOISY):
                assert apart(stepper.guess(), picture()) < 1e-3, sampler


def _units() -> list[tuple[torch.Tensor, torch.Tensor]]:
    return [(torch.ones(SHAPE), torch.zeros(SHAPE)), (torch.zeros(SHAPE), torch.ones(SHAPE))]


def test_the_last_guess_is_what_a_sampler_without_memory_ends_with() -> None:
    for sampler in ("euler", "ddim", "lcm", "dpmpp_2m_karras", "flow_euler"):
        changed = {**NOISE_MODEL, "set_alpha_to_one": True}
        way = course(sampler, 9, **({} if sampler == "flow_euler" else {"config": changed}))
        stepper = from_noise(way)
        ended = flown(stepper)
        assert apart(stepper.guess(), ended) < (0.2 if sampler == "ddim" else 1e-4), sampler


@pytest.mark.parametrize(
    ("sampler", "option"),
    [
        ("ddim", "thresholding"),
        ("ddim", "clip_sample"),
        ("lcm", "clip_sample"),
        ("heun_karras", "clip_sample"),
    ],
)
def test_clipping_samplers_are_run_by_the_stock_scheduler(sampler: str, option: str) -> None:
    way = course(sampler, 7, config={**NOISE_MODEL, option: True})
    with pytest.raises(NotLinear, match=option):
        plan_for(way)
    stepper = from_noise(way)
    assert isinstance(stepper, StockStepper)
    assert torch.equal(flown(stepper), stock_from_noise(way))
    assert stepper.guess().isfinite().all()
    stepper.restart()
    assert torch.equal(flown(stepper), stock_from_noise(way))


def test_runge_kutta_steps_that_a_model_asks_for_are_the_stock_schedulers() -> None:
    way = course("pndm", 7, config={**NOISE_MODEL, "skip_prk_steps": False})
    assert evaluations(way) > evaluations(course("pndm", 7))
    for steps in (7, 12, 13):
        with pytest.raises(NotLinear, match="looks back more than 5"):
            plan_for(course("pndm", steps, config=way.config))
    assert apart(flown(from_noise(way)), stock_from_noise(way)) < ROUNDING


def test_the_stock_stepper_goes_the_same_way_as_the_sums() -> None:
    for sampler in ("euler_a", "kdpm2", "unipc", "pndm", "flow_euler"):
        way = course(sampler, 7, first=2)
        start = Start(generator=dice(), device=CPU, image=picture())
        stock, linear = StockStepper(way, start), from_image(way, picture())
        assert stock.noise is not None
        assert linear.noise is not None
        for i in range(stock.total):
            assert apart(stock.question()[0], linear.question()[0]) < ROUNDING
            assert stock.question()[1] == linear.question()[1]
            for stepper in (stock, linear):
                stepper.answer(model(*stepper.question()))
            assert apart(stock.guess(), linear.guess()) < 1e-4
            renoised = [s.renoised(i, picture(), stock.noise) for s in (stock, linear)]
            assert apart(*renoised) < ROUNDING
        assert apart(stock.latents, linear.latents) < ROUNDING
        assert torch.equal(stock.latents, flown(stock))


def test_a_clipped_step_that_no_option_names_is_seen_by_its_residual() -> None:
    from generation.engine.sampling.courses import prepared
    from generation.engine.sampling.impulses import answers, sums

    scheduler, timesteps = prepared(course("ddim", 5))
    scheduler.register_to_config(clip_sample=True)
    with pytest.raises(NotLinear, match="miss their weighted sums"):
        sums(answers(scheduler, timesteps), 6)


def test_numbers_that_overflow_are_refused() -> None:
    config = {**NOISE_MODEL, "rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    with pytest.raises(SpecInvalid, match=r"'ddim' cannot take 5 steps .*overflow"):
        from_noise(course("ddim", 5, config=config))


def test_given_noise_and_given_latents_are_taken_as_they_are() -> None:
    way = course("euler", 5)
    noise = torch.randn((1, *SHAPE), generator=dice())[0]
    given = new_stepper(way, Start(generator=dice(8), device=CPU, noise=noise))
    assert torch.equal(given.latents, from_noise(way).latents)
    latents = new_stepper(way, Start(generator=dice(8), device=CPU, latents=noise))
    assert torch.equal(latents.latents, noise)
    assert latents.noise is None


@pytest.mark.parametrize("parts", [{}, {"shape": SHAPE, "image": picture()}])
def test_a_start_has_one_beginning(parts: dict[str, object]) -> None:
    with pytest.raises(SpecInvalid, match="name one"):
        Start(generator=dice(), device=CPU, **parts)  # type: ignore[arg-type]


def test_an_answer_of_another_type_is_taken_in_float32() -> None:
    stepper = from_noise(course("euler", 3))
    stepper.answer(model(*stepper.question()).to(torch.bfloat16))
    assert stepper.latents.dtype == torch.float32


@pytest.mark.parametrize(("strength", "first"), [(1.0, 0), (0.6, 4), (0.01, 8), (0.0, 8)])
def test_a_strength_leaves_out_steps_as_diffusers_counts(strength: float, first: int) -> None:
    assert first_step(9, strength) == first


@pytest.mark.parametrize(
    ("sampler", "first", "asked"),
    [("euler", 0, 9), ("pndm", 0, 10), ("heun", 0, 17), ("heun", 3, 11), ("kdpm2", 3, 11)],
)
def test_evaluations_are_counted_before_anything_is_computed(
    sampler: str, first: int, asked: int
) -> None:
    assert evaluations(course(sampler, 9, first=first)) == asked
    clipped = {**NOISE_MODEL, "clip_sample": True}
    assert evaluations(course(sampler, 9, first=first, config=clipped)) == asked


def test_every_name_is_flown_somewhere() -> None:
    assert set(NOISE_NAMES) | set(FLOW_NAMES) == set(SAMPLERS)
