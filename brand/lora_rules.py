"""The LoRAs and learned words of a brief, held against what the kit allows."""

import math

from brand.brief import Brief
from brand.choices import chosen
from brand.encoding import as_written
from brand.errors import BriefRefused, OutOfRange
from brand.kit import ApprovedLora, BrandKit
from brand.learned_words import holds_word
from brand.spec import MAX_LORAS, EmbeddingUse, LoraUse
from brand.way_rules import within
from brand.words import clean, one_of

NO_LORA = "none"
USUAL_STYLIZE = 100
MAX_STYLIZE = 1000
"""Values of `stylize`: the kit's own weight, and the largest that a LoRA's limits allow."""
LoraChoice = tuple[str, float | None]
"""A LoRA's name (or `name@version`) and its weight; None: the kit's."""


def parse_lora_choice(text: str) -> tuple[LoraChoice, ...]:
    """What `acme`, `acme:0.8` or `acme:0.8+stripes@2:0.4` names; nothing for an empty text.

    Raises BriefRefused for what is not written so.
    """
    wanted = clean(text)
    if not wanted:
        return ()
    parts = wanted.split("+", MAX_LORAS)
    return tuple(_read_choice(part.strip(), text) for part in parts)


def lora_text(choices: tuple[LoraChoice, ...]) -> str:
    """What `parse_lora_choice` reads as these choices."""
    return "+".join(name if weight is None else f"{name}:{weight:.10g}" for name, weight in choices)


def _read_choice(part: str, text: str) -> LoraChoice:
    name, colon, number = part.partition(":")
    try:
        weight = float(number.replace(",", ".")) if colon else None
    except ValueError:
        weight = math.nan
    if not name.strip() or "+" in part or (weight is not None and not math.isfinite(weight)):
        raise BriefRefused(
            f"`lora:{clean(text)[:80]}` can't be read. Write a LoRA's name, or several with "
            "weights, like `lora:look:0.8+stripes:0.4`. Nothing was queued.",
            field="lora",
            value=text,
        )
    return name.strip(), weight


def loras_of(brief: Brief, kit: BrandKit) -> tuple[tuple[ApprovedLora, LoraUse], ...]:
    """The LoRAs of a brief's pictures with their weights. Raises the BriefRefused tree."""
    policy = kit.lora
    text = clean(brief.lora) or policy.default
    wanted = () if text == NO_LORA else parse_lora_choice(text)
    if policy.required and not wanted:
        leave = "Leave `lora:none` out" if text else f"Name one of {one_of(_names(kit))}"
        raise BriefRefused(
            f"{kit.name}'s kit asks for its LoRA in every picture. {leave}, or ask {kit.owner} to "
            "change the policy. Nothing was queued.",
            field="lora",
            value=brief.lora,
        )
    if brief.lora_weight is not None:
        wanted = (_weighed(brief.lora_weight, wanted),)
    found = tuple((_approved(name, kit), weight) for name, weight in wanted)
    if brief.stylize is not None:
        found = _stylized(brief.stylize, found)
    uses = tuple((lora, _use(lora, weight)) for lora, weight in found)
    _check_together(uses, kit)
    return uses


def _weighed(weight: float, wanted: tuple[LoraChoice, ...]) -> LoraChoice:
    """`lora_weight` belongs to the one LoRA that has none of its own."""
    if not wanted:
        raise BriefRefused(
            "`lora_weight` needs a LoRA, and this picture has none. Nothing was queued.",
            field="lora_weight",
            value=str(weight),
        )
    if len(wanted) > 1 or wanted[0][1] is not None:
        raise BriefRefused(
            "`lora_weight` weighs one LoRA; write several with their weights, like "
            "`lora:look:0.8+stripes:0.4`. Nothing was queued.",
            field="lora_weight",
            value=str(weight),
        )
    return wanted[0][0], weight


def weight_of(stylize: float, lora: ApprovedLora) -> float:
    """The weight of this LoRA that `stylize` means: 0 its least, 100 its own, 1000 its largest;
    straight lines between them."""
    if stylize <= USUAL_STYLIZE:
        weight = lora.min_weight + (lora.weight - lora.min_weight) * stylize / USUAL_STYLIZE
    else:
        share = (stylize - USUAL_STYLIZE) / (MAX_STYLIZE - USUAL_STYLIZE)
        weight = lora.weight + (lora.max_weight - lora.weight) * share
    return min(max(weight, lora.min_weight), lora.max_weight)  # sums of fractions are not exact


def _stylized(
    stylize: int, found: tuple[tuple[ApprovedLora, float | None], ...]
) -> tuple[tuple[ApprovedLora, float | None], ...]:
    """All of them with the weights that `stylize` means."""
    within("stylize", stylize, 0, MAX_STYLIZE)
    if not found:
        raise BriefRefused(
            "`stylize` says how strongly the brand's LoRA shows, and this picture has none. Name "
            "one, or leave `stylize` out. Nothing was queued.",
            field="stylize",
            value=str(stylize),
        )
    if any(weight is not None for _, weight in found):
        raise BriefRefused(
            "`stylize` and the weight of a LoRA say the same thing: leave one out. "
            "Nothing was queued.",
            field="stylize",
            value=str(stylize),
        )
    return tuple((lora, weight_of(stylize, lora)) for lora, _ in found)


def _approved(name: str, kit: BrandKit) -> ApprovedLora:
    policy, names = kit.lora, _names(kit)
    found = policy.find(name) or policy.find(chosen(name, names, "lora", kit))
    assert found is not None, "chosen() gives a name of the list"  # noqa: S101
    return found


def _names(kit: BrandKit) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item.name for item in kit.lora.approved))


def _use(lora: ApprovedLora, weight: float | None) -> LoraUse:
    number = lora.weight if weight is None else weight
    within("lora_weight", number, lora.min_weight, lora.max_weight)
    name = f"{lora.name}@{lora.version}"
    return LoraUse(sha256=lora.sha256, weight=as_written(number), name=name)


def _check_together(uses: tuple[tuple[ApprovedLora, LoraUse], ...], kit: BrandKit) -> None:
    """What the kit says of several LoRAs in one picture; one alone has its own limits."""
    if len(uses) < 2:
        return
    policy = kit.lora
    if len({use.sha256 for _, use in uses}) < len(uses):
        raise BriefRefused(
            "The same LoRA is named twice; give it one weight. Nothing was queued.", field="lora"
        )
    if len(uses) > policy.max_together:
        raise OutOfRange(
            f"{kit.name}'s kit allows {policy.max_together} in one picture, not {len(uses)} LoRAs. "
            "Nothing was queued.",
            field="lora",
            value=str(len(uses)),
        )
    total = sum(abs(use.weight) for _, use in uses)
    if total > policy.max_weight_together + 1e-9:
        raise OutOfRange(
            f"The weights of the LoRAs add up to {total:g}; {kit.name}'s kit allows "
            f"{policy.max_weight_together:g} together. Lower one. Nothing was queued.",
            field="lora_weight",
            value=f"{total:g}",
        )


def embeddings_of(prompt: str, negative: str, kit: BrandKit) -> tuple[EmbeddingUse, ...]:
    """The kit's learned words that stand in either prompt."""
    return tuple(
        EmbeddingUse(sha256=item.sha256, token=item.token, name=f"{item.name}@{item.version}")
        for item in kit.embeddings
        if holds_word(prompt, item.token) or holds_word(negative, item.token)
    )
