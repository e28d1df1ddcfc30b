"""Which of a kit's samplers a client of AUTOMATIC1111 means: by name, spacing of noise and `eta`.

What a request leaves out is held against the kit's own sampler, so that a wish for another spacing
is never dropped because no sampler was named beside it.
"""

from bot.web.api.webui.refusing import refused
from bot.web.api.webui.shapes import Common
from brand.infotext import sampler_name
from brand.kit import BrandKit

SPACINGS = ("karras", "exponential", "beta")
"""Those that a sampler's name may end with."""
_AUTOMATIC = ("", "automatic", "use same scheduler")
_NOISY = ("_a", "_sde", "lcm")
"""Endings of samplers that put noise in at every step: AUTOMATIC1111's `eta` 1."""
_HABIT = (0.0, 1.0)
"""What clients send as `eta` whatever the sampler."""


def sampler_of(kit: BrandKit, wanted: Common, notes: list[str]) -> str:
    """The kit's sampler that is meant; empty where the request leaves it to the kit.

    Raises ApiFailure, with the samplers that there are.
    """
    name = (wanted.sampler_name or wanted.sampler_index or "").strip()
    schedule = (wanted.scheduler or "").strip().casefold()
    if schedule in _AUTOMATIC:
        schedule = ""
    found = ""
    if name or schedule:
        found = _found(kit, name or kit.generation.sampler, schedule, named=bool(name))
    _check_eta(found or kit.generation.sampler, wanted.eta, notes)
    return found


def spacings_of(kits: list[BrandKit]) -> list[str]:
    """The spacings that some sampler of the kits has."""
    used = {split(name)[1] for kit in kits for name in kit.generation.samplers}
    return [spacing for spacing in SPACINGS if spacing in used]


def split(sampler: str) -> tuple[str, str]:
    """A sampler without its spacing of noise, and that spacing or an empty text."""
    for spacing in SPACINGS:
        for between in "_ ":
            bare = sampler.removesuffix(between + spacing)
            if bare != sampler:
                return bare, spacing
    return sampler, ""


def _found(kit: BrandKit, name: str, schedule: str, *, named: bool) -> str:
    bare, spacing = split(name.casefold())
    has = kit.generation.samplers
    # A spacing beside the kit's own sampler replaces that sampler's.
    if not named or not schedule or spacing in ("", schedule):
        base = _bases(kit).get(bare) or _bases(kit).get(bare.replace(" ", "_"))
        asked = schedule or spacing
        for ending in (asked,) if asked else ("", *SPACINGS):
            sampler = f"{base}_{ending}" if ending else base
            if sampler in has:
                return sampler
    have = ", ".join(sampler_name(item) for item in has)
    said = f"{sampler_name(name)} with {schedule}" if schedule else name
    raise refused(
        "scheduler" if schedule else "sampler_name",
        f"{kit.name}'s kit has no sampler {said}. It has: {have}.",
    )


def _bases(kit: BrandKit) -> dict[str, str]:
    """The kit's samplers without their spacings, by our names and by AUTOMATIC1111's."""
    bare = [split(item)[0] for item in kit.generation.samplers]
    return {sampler_name(item).casefold(): item for item in bare} | {
        item.casefold(): item for item in bare
    }


def _check_eta(sampler: str, eta: float | None, notes: list[str]) -> None:
    bare = split(sampler)[0]
    if eta is None:
        return
    if bare != "ddim" and not bare.endswith(_NOISY):
        if eta not in _HABIT:
            notes.append(f"eta: {sampler_name(sampler)} puts no noise in, so it has no effect")
        return
    own = 0.0 if bare == "ddim" else 1.0
    if eta != own:
        raise refused(
            "eta",
            f"`eta` of {sampler_name(sampler)} is {own:g} here. Send {own:g}, or leave it out.",
        )
