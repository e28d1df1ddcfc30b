"""What is offered while somebody types an option: what they may choose, best first, at most 25.

A choice has a name and a value of 1 to 100 characters each (docs.discord.com, application command
option choice).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bot.chat.discord_chat.surfaces import BRAND, LORA, TEMPLATE
from bot.core.ranking import ranked
from brand.kit import BrandKit
from brand.lora_rules import NO_LORA

MAX_CHOICES = 25
MAX_TEXT = 100
ASPECT = "aspect"


@dataclass(frozen=True, kw_only=True)
class _Offer:
    value: str
    label: str
    about: str = ""


def choices_for(
    focused: str, typed: str, kits: Sequence[BrandKit], kit: BrandKit
) -> list[tuple[str, str]]:
    """(name, value) for the option that is being typed: `kits` may be chosen, `kit` is the one in
    force."""
    offers = _brands(kits) if focused == BRAND else _FOR.get(focused, _nothing)(kit)
    order = ranked(typed, [(offer.label, offer.about) for offer in offers])
    fitting = [offers[at] for at in order if 0 < len(offers[at].value) <= MAX_TEXT]
    return [(_name(offer), offer.value) for offer in fitting[:MAX_CHOICES]]


def kit_in_force(kits: Sequence[BrandKit], options: Mapping[str, str], here: BrandKit) -> BrandKit:
    """The brand that the options typed so far name, by its id or name, else the place's."""
    said = options.get(BRAND, "").strip().casefold()
    return next((kit for kit in kits if said in (kit.id.casefold(), kit.name.casefold())), here)


def _brands(kits: Sequence[BrandKit]) -> list[_Offer]:
    """Two brands of one name are told apart by their ids."""
    names = [kit.name for kit in kits]
    return [
        _Offer(value=kit.id, label=kit.name, about=kit.id if names.count(kit.name) > 1 else "")
        for kit in kits
    ]


def _templates(kit: BrandKit) -> list[_Offer]:
    return [
        _Offer(value=item.name, label=item.name, about=item.description or item.text)
        for item in kit.templates
    ]


def _loras(kit: BrandKit) -> list[_Offer]:
    names = dict.fromkeys(item.name for item in kit.lora.approved)
    offers = [
        _Offer(value=name, label=name, about="the usual look" if name == kit.lora.default else "")
        for name in names
    ]
    none = _Offer(value=NO_LORA, label=NO_LORA, about="the model's own look")
    return offers if kit.lora.required else [*offers, none]


def _aspects(kit: BrandKit) -> list[_Offer]:
    return [
        _Offer(value=item.name, label=item.name, about=f"{item.width} × {item.height} pixels")
        for item in kit.generation.aspects
    ]


def _nothing(_kit: BrandKit) -> list[_Offer]:
    return []


_FOR: dict[str, Callable[[BrandKit], list[_Offer]]] = {
    TEMPLATE: _templates,
    LORA: _loras,
    ASPECT: _aspects,
}


def _name(offer: _Offer) -> str:
    text = f"{offer.label}: {offer.about}" if offer.about.strip() else offer.label
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"
