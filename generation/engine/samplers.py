"""Samplers by name: which diffusers scheduler and which of its options.

The model's own scheduler configuration (betas, prediction type, spacing) is kept; only what makes
the sampler is set, always in full, so that a model's saved choice never leaks into another one.
"""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import diffusers
from diffusers import SchedulerMixin

from brand.spec import SpecInvalid


@dataclass(frozen=True, kw_only=True)
class Sampler:
    """A scheduler class of diffusers with the options that make this sampler."""

    scheduler: str
    options: Mapping[str, Any] = field(default_factory=dict)


_PLAIN = {
    "use_karras_sigmas": False,
    "use_exponential_sigmas": False,
    "use_beta_sigmas": False,
}
_KARRAS = {**_PLAIN, "use_karras_sigmas": True}
_DPM_2M = {"algorithm_type": "dpmsolver++", "solver_order": 2, "solver_type": "midpoint"}
_DPM_2M_SDE = {**_DPM_2M, "algorithm_type": "sde-dpmsolver++"}
_DPM_3M = {**_DPM_2M, "solver_order": 3}

SAMPLERS: Mapping[str, Sampler] = {
    "euler": Sampler(scheduler="EulerDiscreteScheduler", options=_PLAIN),
    "euler_karras": Sampler(scheduler="EulerDiscreteScheduler", options=_KARRAS),
    "euler_a": Sampler(scheduler="EulerAncestralDiscreteScheduler"),
    "dpmpp_2m": Sampler(scheduler="DPMSolverMultistepScheduler", options=_PLAIN | _DPM_2M),
    "dpmpp_2m_karras": Sampler(scheduler="DPMSolverMultistepScheduler", options=_KARRAS | _DPM_2M),
    "dpmpp_2m_sde": Sampler(scheduler="DPMSolverMultistepScheduler", options=_PLAIN | _DPM_2M_SDE),
    "dpmpp_2m_sde_karras": Sampler(
        scheduler="DPMSolverMultistepScheduler", options=_KARRAS | _DPM_2M_SDE
    ),
    "dpmpp_3m": Sampler(scheduler="DPMSolverMultistepScheduler", options=_PLAIN | _DPM_3M),
    "ddim": Sampler(scheduler="DDIMScheduler", options={"clip_sample": False}),
    "pndm": Sampler(scheduler="PNDMScheduler", options={"skip_prk_steps": True}),
    "heun": Sampler(scheduler="HeunDiscreteScheduler", options=_PLAIN),
    "heun_karras": Sampler(scheduler="HeunDiscreteScheduler", options=_KARRAS),
    "kdpm2": Sampler(scheduler="KDPM2DiscreteScheduler", options=_PLAIN),
    "lms": Sampler(scheduler="LMSDiscreteScheduler", options=_PLAIN),
    "lms_karras": Sampler(scheduler="LMSDiscreteScheduler", options=_KARRAS),
    "deis": Sampler(
        scheduler="DEISMultistepScheduler",
        options=_PLAIN | {"algorithm_type": "deis", "solver_type": "logrho", "solver_order": 2},
    ),
    "unipc": Sampler(
        scheduler="UniPCMultistepScheduler",
        options=_PLAIN | {"solver_type": "bh2", "solver_order": 2},
    ),
    "lcm": Sampler(scheduler="LCMScheduler", options={"clip_sample": False}),
}


def check_sampler(name: str) -> None:
    """Raises SpecInvalid, naming the known ones."""
    if name not in SAMPLERS:
        raise SpecInvalid(f"there is no sampler {name!r}; known are {', '.join(SAMPLERS)}")


def new_scheduler(name: str, config: Mapping[str, Any]) -> SchedulerMixin:
    """A fresh scheduler of this name on the model's scheduler configuration."""
    sampler = SAMPLERS[name]
    kind = getattr(diffusers, sampler.scheduler)
    takes = inspect.signature(kind.__init__).parameters
    return kind.from_config(config, **{k: v for k, v in sampler.options.items() if k in takes})
