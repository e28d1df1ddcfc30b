"""What may be typed, for the composer's suggestions: verbs, templates with values, flags."""

from collections.abc import Iterator, Sequence
from typing import Any

from bot.core.grammar_flags import FLAGS
from bot.core.verbs import VERBS
from brand.kit import BrandKit


def suggestions(kit: BrandKit, kits: Sequence[BrandKit]) -> dict[str, Any]:
    """Plain JSON: each entry has what is inserted and one line about it."""
    defaults = kit.generation
    values = {
        "ar": [aspect.name for aspect in defaults.aspects],
        "sampler": list(defaults.samplers),
        "n": [str(count) for count in range(1, defaults.max_count + 1)],
        "lora": [*dict.fromkeys(lora.name for lora in kit.lora.approved)]
        + ([] if kit.lora.required else ["none"]),
        "channel": [channel.name for channel in kit.channels],
        "brand": [item.id for item in kits],
        "control": list(kit.ways.controls),
        "recipe": [recipe.name for recipe in kit.recipes],
    }
    return {
        "verbs": [
            {"insert": f"/{verb.name}", "takes": verb.takes, "about": verb.about} for verb in VERBS
        ],
        "templates": [
            {
                "insert": f"template:{template.name}",
                "about": template.description or template.text,
                "variables": [
                    {
                        "insert": f"{variable.name}=",
                        "about": variable.description
                        or ("default " + variable.default if variable.default else "needed"),
                        "values": list(variable.values),
                    }
                    for variable in template.variables
                ],
            }
            for template in kit.templates
        ],
        "flags": [
            {
                "insert": f"--{flag.name}",
                "takes": flag.takes,
                "about": flag.about,
                "values": values.get(flag.name, []),
            }
            for flag in FLAGS
            if flag.name not in _closed(kit)
        ],
        "ways": [{"insert": text, "about": about} for text, about in _ways(kit)],
    }


def _closed(kit: BrandKit) -> frozenset[str]:
    """Flags of ways that the kit doesn't allow: they would only be refused."""
    ways = kit.ways
    closed = {
        "ref": not ways.image,
        "strength": not ways.image,
        "iw": not ways.image,
        "stylize": not kit.lora.approved,
        "mask": not ways.inpaint,
        "invert": not ways.inpaint,
        "outpaint": not ways.outpaint,
        "control": not ways.controls,
        "like": not ways.image_prompt,
        "highres": not ways.highres,
        "recipe": not kit.recipes,
    }
    return frozenset(name for name, is_closed in closed.items() if is_closed)


def _ways(kit: BrandKit) -> Iterator[tuple[str, str]]:
    """What is written like a template: what is put in, and one line about it."""
    for kind in kit.ways.controls:
        yield f"control:{kind}", "led by an attached picture"
    if kit.ways.highres:
        yield f"highres:{kit.ways.highres:g}", "a second pass at a larger size"
    if kit.ways.outpaint:
        yield "outpaint:left=64,right=64", "go on over the reference's edges, in pixels"
    for recipe in kit.recipes:
        yield f"recipe:{recipe.name}", recipe.description or "several stages, one after the other"
