"""The one re-render after a failed gate: a changed recipe that says what was changed and why."""

from dataclasses import replace

from brand.kit import BrandKit
from brand.spec import LoraUse, RenderSpec, sha256_hex
from brand.verdicts import Evidence

MORE_STEPS = 1.5
MORE_LORA = 1.25
MAX_PROMPT = 8000


def changed_recipe(
    spec: RenderSpec, evidence: Evidence, attempt: int, kit: BrandKit
) -> tuple[RenderSpec, str]:
    """The recipe for render number `attempt` (2 for the first retry), and what changed, in words.

    Deterministic. The seed is always new; beside it each failed gate changes what may help it:
    sharpness the steps, palette and motif the LoRA's weight (inside the kit's policy) and the
    brand's words. Raises ValueError when no gate failed: there is nothing to change then.
    """
    if not evidence.failed:
        raise ValueError("every gate passed; there is no reason for another render")
    failed = {verdict.name for verdict in evidence.failed}
    changes: list[str] = []
    changed = replace(spec, seed=_new_seed(spec, attempt))
    if "sharpness" in failed:
        changed = _more_steps(changed, kit, changes)
    if failed & {"palette", "motif"}:
        changed = replace(changed, loras=tuple(_heavier(u, kit, changes) for u in changed.loras))
    if "motif" in failed and kit.gates.motif:
        changed = _with_words(changed, kit.gates.motif.words, changes)
    elif "palette" in failed:
        changed = _with_words(changed, _palette_words(kit), changes)
    why = "; ".join(verdict.summary for verdict in evidence.failed)
    return changed, f"{why} → {', '.join((*changes, 'new seed'))}"


def _new_seed(spec: RenderSpec, attempt: int) -> int:
    digest = sha256_hex(f"{spec.hash}|{attempt}".encode())
    seed = int(digest[:8], 16)  # below 2**32, as people know seeds and can type them
    return seed if seed != spec.seed else seed + 1


def _more_steps(spec: RenderSpec, kit: BrandKit, changes: list[str]) -> RenderSpec:
    steps = max(spec.steps, min(round(spec.steps * MORE_STEPS), kit.generation.max_steps))
    if steps > spec.steps:
        changes.append(f"steps {spec.steps} → {steps}")
    return replace(spec, steps=steps)


def _heavier(use: LoraUse, kit: BrandKit, changes: list[str]) -> LoraUse:
    policy = next((lora for lora in kit.lora.approved if lora.sha256 == use.sha256), None)
    if policy is None:
        return use
    weight = round(min(use.weight * MORE_LORA, policy.max_weight), 4)
    if weight <= use.weight:
        return use
    changes.append(f"LoRA weight {use.weight:g} → {weight:g}")
    return replace(use, weight=weight)


def _palette_words(kit: BrandKit) -> str:
    names = [color.name for color in kit.palette if color.key]
    return f"{' and '.join(names)} colors" if names else ""


def _with_words(spec: RenderSpec, words: str, changes: list[str]) -> RenderSpec:
    """The recipe with the words at its prompt's end, unless it has them or no room for them."""
    prompt = f"{spec.prompt}, {words}"
    if not words or words.casefold() in spec.prompt.casefold() or len(prompt) > MAX_PROMPT:
        return spec
    changes.append(f"'{words}' added")
    return replace(spec, prompt=prompt)
