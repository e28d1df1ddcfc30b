"""The samplers as somebody writes them down who has only diffusers: what ours are held against."""

import inspect
from collections.abc import Mapping
from typing import Any

import diffusers

_DPM = "DPMSolverMultistepScheduler"
CLASSES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "euler": ("EulerDiscreteScheduler", {}),
    "euler_a": ("EulerAncestralDiscreteScheduler", {}),
    "dpmpp_2m": (_DPM, {"algorithm_type": "dpmsolver++", "solver_order": 2}),
    "dpmpp_2m_sde": (_DPM, {"algorithm_type": "sde-dpmsolver++", "solver_order": 2}),
    "dpmpp_3m": (_DPM, {"algorithm_type": "dpmsolver++", "solver_order": 3}),
    "ddim": ("DDIMScheduler", {}),
    "pndm": ("PNDMScheduler", {}),
    "heun": ("HeunDiscreteScheduler", {}),
    "kdpm2": ("KDPM2DiscreteScheduler", {}),
    "lms": ("LMSDiscreteScheduler", {}),
    "deis": ("DEISMultistepScheduler", {"algorithm_type": "deis", "solver_type": "logrho"}),
    "unipc": ("UniPCMultistepScheduler", {"solver_type": "bh2"}),
    "lcm": ("LCMScheduler", {}),
}
"""Diffusers' class of every sampler for models that predict noise, and what is asked of it."""
_SPACINGS = ("karras", "exponential", "beta")


def stock_scheduler(name: str, config: Mapping[str, Any]) -> Any:  # noqa: ANN401  # untyped
    """`X.from_config(pipe.scheduler.config, ...)` for a model that predicts noise."""
    plain, _, last = name.rpartition("_")
    spacing = last if last in _SPACINGS else ""
    kind, asked = CLASSES[plain if spacing else name]
    made = getattr(diffusers, kind)
    takes = inspect.signature(made.__init__).parameters
    spaced = {f"use_{each}_sigmas": each == spacing for each in _SPACINGS}
    known = {option: on for option, on in spaced.items() if option in takes}
    return made.from_config(config, **asked, **known)
