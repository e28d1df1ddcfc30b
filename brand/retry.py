"""The one re-render after a failed gate: a changed recipe that says what was changed and why."""

from dataclasses import replace

from brand.kit import BrandKit
from brand.spec import MAX_SEED, LoraUse, RenderSpec, sha256_hex
from brand.verdicts import Evidence

MORE_STEPS = 1.5
MORE_LORA = 1.25
MAX_PROMPT = 8000

_SOFT = "soft, low detail, blurry"


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
    changes: list[str] = []
    changed = replace(spec, seed=_new_seed(spec, attempt))
    for verdict in evidence.failed:
        if verdict.name == "sharpness":
            changed = _more_steps(changed, kit, changes)
        elif verdict.name in ("palette", "motif"):
            changed = _more_brand(changed, kit, verdict.name, changes)
    why = "; ".join(verdict.summary for verdict in evidence.failed)
    what = ", ".join((*dict.fromkeys(changes), "new seed"))
    return changed, f"{why} → {what}"


def _new_seed(spec: RenderSpec, attempt: int) -> int:
    digest = sha256_hex(f"{spec.hash}|{attempt}".encode())
    seed = int(digest[:15], 16) % (MAX_SEED + 1)
    return seed if seed != spec.seed else seed + 1


def _more_steps(spec: RenderSpec, kit: BrandKit, changes: list[str]) -> RenderSpec:
    steps = max(spec.steps, min(round(spec.steps * MORE_STEPS), kit.generation.max_steps))
    if steps > spec.steps:
        changes.append(f"steps {spec.steps} → {steps}")
    negative = _with_words(spec.negative, _SOFT)
    if negative != spec.negative:
        changes.append(f"'{_SOFT}' unwanted")
    return replace(spec, steps=steps, negative=negative)


def _more_brand(spec: RenderSpec, kit: BrandKit, gate: str, changes: list[str]) -> RenderSpec:
    loras = tuple(_heavier(use, kit, changes) for use in spec.loras)
    motif = kit.gates.motif
    words = motif.words if gate == "motif" and motif else _palette_words(kit)
    prompt = _with_words(spec.prompt, words)
    if prompt != spec.prompt:
        changes.append(f"'{words}' added")
    return replace(spec, loras=loras, prompt=prompt)


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


def _with_words(text: str, words: str) -> str:
    """The text with the words at its end, unless it has them or would become too long."""
    if not words or words.casefold() in text.casefold():
        return text
    joined = f"{text}, {words}" if text else words
    return joined if len(joined) <= MAX_PROMPT else text
