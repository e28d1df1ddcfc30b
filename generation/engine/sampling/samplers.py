"""Samplers by name: which diffusers scheduler and which of its options.

The model's own scheduler configuration (betas, prediction type, spacing, clipping) is kept as the
stock pipeline hands it to another scheduler; only what the sampler's name means is set, always in
full, so that a model's saved choice of it never leaks into another one.

To add a sampler, add one row to `_ROWS`. Its `_karras`, `_exponential` and `_beta` variants come by
themselves where the stock scheduler has that option, and so do its coefficients (plan.py).

Which sampler fits which model:

- A model that predicts noise (SD 1.x, SDXL) takes every name that does not begin with `flow_`.
- A flow-matching model (SD3, Flux) takes the `flow_` names; `euler` and `heun`, with what is
  behind them, mean `flow_euler` and `flow_heun` there. A sampler whose stock scheduler knows flow
  sigmas (DPM++, DEIS, UniPC) runs with them under its plain name: they are a spacing of their own
  and leave no room for Karras and the like. The others are refused.
"""

import difflib
import functools
import inspect
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import diffusers
from diffusers import SchedulerMixin

from brand.spec import SpecInvalid

FLOW = "flow_"
SPACINGS = {
    "_karras": "use_karras_sigmas",
    "_exponential": "use_exponential_sigmas",
    "_beta": "use_beta_sigmas",
}
"""Suffix of a sampler's name and the option that it stands for."""
_FLOW_SIGMAS = "use_flow_sigmas"
_PLAIN = dict.fromkeys((*SPACINGS.values(), "use_lu_lambdas", _FLOW_SIGMAS), False)
_NEAREST = 3
_DEFAULTED = "_use_default_values"
"""Where diffusers notes what a scheduler was not told, so that the next takes its own default."""


@dataclass(frozen=True, kw_only=True)
class Sampler:
    """A scheduler class of diffusers with the options that make this sampler."""

    scheduler: str
    options: Mapping[str, Any] = field(default_factory=dict)
    flow: bool = False
    """For flow-matching models only."""
    spaced: bool = False
    """Whether one of `SPACINGS` is on."""


_DPM_2M = {"algorithm_type": "dpmsolver++", "solver_order": 2, "solver_type": "midpoint"}

_ROWS: Mapping[str, Sampler] = {
    "euler": Sampler(scheduler="EulerDiscreteScheduler"),
    "euler_a": Sampler(scheduler="EulerAncestralDiscreteScheduler"),
    "dpmpp_2m": Sampler(scheduler="DPMSolverMultistepScheduler", options=_DPM_2M),
    "dpmpp_2m_sde": Sampler(
        scheduler="DPMSolverMultistepScheduler",
        options={**_DPM_2M, "algorithm_type": "sde-dpmsolver++"},
    ),
    "dpmpp_3m": Sampler(
        scheduler="DPMSolverMultistepScheduler", options={**_DPM_2M, "solver_order": 3}
    ),
    "ddim": Sampler(scheduler="DDIMScheduler"),
    "pndm": Sampler(scheduler="PNDMScheduler"),
    "heun": Sampler(scheduler="HeunDiscreteScheduler"),
    "kdpm2": Sampler(scheduler="KDPM2DiscreteScheduler"),
    "lms": Sampler(scheduler="LMSDiscreteScheduler"),
    "deis": Sampler(
        scheduler="DEISMultistepScheduler",
        options={"algorithm_type": "deis", "solver_type": "logrho", "solver_order": 2},
    ),
    "unipc": Sampler(
        scheduler="UniPCMultistepScheduler", options={"solver_type": "bh2", "solver_order": 2}
    ),
    "lcm": Sampler(scheduler="LCMScheduler"),
    "flow_euler": Sampler(scheduler="FlowMatchEulerDiscreteScheduler", flow=True),
    "flow_heun": Sampler(scheduler="FlowMatchHeunDiscreteScheduler", flow=True),
}


@functools.cache
def _takes(scheduler: str) -> frozenset[str]:
    """What the scheduler can be configured with."""
    return frozenset(inspect.signature(getattr(diffusers, scheduler).__init__).parameters)


def _with_spacings(rows: Mapping[str, Sampler]) -> dict[str, Sampler]:
    every: dict[str, Sampler] = {}
    for name, row in rows.items():
        options = {**_PLAIN, **row.options}
        every[name] = replace(row, options=options)
        for suffix, option in SPACINGS.items():
            if option in _takes(row.scheduler):
                every[name + suffix] = replace(row, options={**options, option: True}, spaced=True)
    return every


SAMPLERS: Mapping[str, Sampler] = _with_spacings(_ROWS)
"""Every sampler by name."""


def check_sampler(name: str) -> None:
    """Raises SpecInvalid, naming the nearest ones."""
    if name not in SAMPLERS:
        raise SpecInvalid(f"there is no sampler {name!r}; {_closest(name, SAMPLERS)}")


def is_flow(config: Mapping[str, Any]) -> bool:
    """Whether a model with this scheduler configuration is a flow-matching one."""
    return (
        str(config.get("_class_name", "")).startswith("FlowMatch")
        or config.get("prediction_type") == "flow_prediction"
        or bool(config.get(_FLOW_SIGMAS))
    )


def samplers_for(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The names that a model with this scheduler configuration takes."""
    flow = is_flow(config)
    return tuple(name for name in SAMPLERS if _fitting(name, flow=flow) is not None)


def new_scheduler(name: str, config: Mapping[str, Any]) -> SchedulerMixin:
    """A fresh scheduler of this name on the model's scheduler configuration.

    `config` is what the stock pipeline has as `scheduler.config`. Raises SpecInvalid where the
    sampler does not fit the model, naming those that do.
    """
    row, made = _chosen(name, config)
    own = config.get("_class_name") == row.scheduler
    if own and all(config.get(option) == value for option, value in made.items()):
        # The model's own scheduler, which nobody would swap. The pipeline puts its outdated options
        # right in place (StableDiffusionPipeline.__init__: clip_sample, steps_offset), which
        # from_config would not see where the model's file left them out.
        config = {option: value for option, value in config.items() if option != _DEFAULTED}
    return getattr(diffusers, row.scheduler).from_config(dict(config), **made)


def _chosen(name: str, config: Mapping[str, Any]) -> tuple[Sampler, dict[str, Any]]:
    """The row of that name for this model, and the options to set. Raises SpecInvalid."""
    check_sampler(name)
    flow = is_flow(config)
    row = _fitting(name, flow=flow)
    if row is None:
        kind = "a flow-matching model" if flow else "a model that predicts noise"
        raise SpecInvalid(
            f"the sampler {name!r} is not made for {kind}; {_closest(name, samplers_for(config))}"
        )
    options = dict(row.options)
    if flow and not row.flow:
        options |= _flow_options(name, config)
    takes = _takes(row.scheduler)
    return row, {option: value for option, value in options.items() if option in takes}


def _fitting(name: str, *, flow: bool) -> Sampler | None:
    """The row that `name` stands for on a model of that kind, or None."""
    row = SAMPLERS[name]
    if not flow or row.flow:
        return row if row.flow == flow else None
    if FLOW + name in SAMPLERS:
        return SAMPLERS[FLOW + name]
    return row if _FLOW_SIGMAS in _takes(row.scheduler) and not row.spaced else None


def _flow_options(name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """What makes a scheduler for noise prediction one for flow matching."""
    if config.get("time_shift_type", "exponential") != "exponential":
        raise SpecInvalid(
            f"the sampler {name!r} knows exponential time shifts only and this model has "
            f"{config['time_shift_type']!r} ones; choose flow_euler"
        )
    return {
        _FLOW_SIGMAS: True,
        "prediction_type": "flow_prediction",
        "flow_shift": config.get("shift", config.get("flow_shift", 1.0)),
    }


def _closest(name: str, names: Iterable[str]) -> str:
    """Where to look instead: the nearest names, or the plain ones."""
    known = list(names)
    plain = name
    for suffix in SPACINGS:
        plain = plain.removesuffix(suffix)
    close = difflib.get_close_matches(name, known, n=_NEAREST)
    if plain in known:
        close = [plain, *(item for item in close if item != plain)]
    if close:
        return f"the nearest are {', '.join(close)}"
    plain_ones = [item for item in known if not SAMPLERS[item].spaced]
    return f"known are {', '.join(plain_ones)}, many also with {', '.join(SPACINGS)} at the end"


def frozen_config(config: Mapping[str, Any]) -> str:
    """A scheduler configuration as text, to be the key of a cache; `json.loads` thaws it."""
    return json.dumps(dict(config), sort_keys=True, default=str)
