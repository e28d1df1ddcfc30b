"""`housestyle template`: a kit's templates, and what a brief would become, without rendering."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.console import Terminal
from bot.cli.kits import chosen_kit, kits_of
from bot.cli.options import BrandId, Json, settings_of
from bot.core.errors import NotFound

if TYPE_CHECKING:
    from brand.kit import BrandKit, Template
    from brand.spec import RenderSpec

PREVIEW_SEED = 0

group = typer.Typer(help="Templates of a brand: list, show, preview.", no_args_is_help=True)


@group.command("list")
def list_(context: typer.Context, brand: BrandId = "", as_json: Json = False) -> None:
    """The brand's templates."""
    terminal = Terminal(as_json=as_json)
    _, kits = kits_of(settings_of(context), terminal)
    kit = chosen_kit(kits, brand)
    rows = [
        (item.name, item.description or item.text, ", ".join(v.name for v in item.variables))
        for item in kit.templates
    ]
    facts = kit.to_dict()["templates"]
    terminal.table(("template", "for", "variables"), rows, facts)


@group.command()
def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The template's name.")],
    brand: BrandId = "",
    as_json: Json = False,
) -> None:
    """One template with its variables and an example to type."""
    terminal = Terminal(as_json=as_json)
    _, kits = kits_of(settings_of(context), terminal)
    kit = chosen_kit(kits, brand)
    template = _named(kit, name)
    facts = next(item for item in kit.to_dict()["templates"] if item["name"] == template.name)
    terminal.result(_page(template), facts)


@group.command()
def preview(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The template's name.")],
    values: Annotated[
        list[str] | None, typer.Argument(help="NAME=value for its variables, and free words.")
    ] = None,
    brand: BrandId = "",
    as_json: Json = False,
) -> None:
    """The recipe that a template would give, without rendering it."""
    from bot.cli.wording import read_words
    from brand.templates import compile_brief

    terminal = Terminal(as_json=as_json)
    _, kits = kits_of(settings_of(context), terminal)
    kit = chosen_kit(kits, brand)
    template = _named(kit, name)
    command = read_words([f"template:{template.name}", *(values or [])], kit)
    spec = compile_brief(command.brief, kit, command.brief.seed or PREVIEW_SEED)
    terminal.result(_recipe(spec), json.loads(spec.encode()) | {"hash": spec.hash})


def _named(kit: "BrandKit", name: str) -> "Template":
    from brand.words import nearest

    for template in kit.templates:
        if template.name.casefold() == name.casefold():
            return template
    names = tuple(item.name for item in kit.templates)
    meant = nearest(name, names)
    raise NotFound(
        f"`{name}` isn't a template of {kit.name}.",
        fix=f"Did you mean `{meant}`?" if meant else f"There is {', '.join(names) or 'none'}.",
    )


def _page(template: "Template") -> str:
    from bot.core.help import template_card

    card = template_card(template)
    fields = [f"  {field.label:<12} {field.value}" for field in card.fields]
    example = card.hint.removeprefix("/")
    return "\n".join([card.title, *card.lines, *fields, f"Try: housestyle {example}"])


def _recipe(spec: "RenderSpec") -> str:
    facts: list[tuple[str, Any]] = [
        ("prompt", spec.prompt),
        ("negative", spec.negative),
        ("size", f"{spec.width}×{spec.height}"),
        ("model", spec.model),
        ("sampler", f"{spec.sampler}, {spec.steps} steps, cfg {spec.guidance:g}"),
        ("LoRA", ", ".join(f"{use.name} × {use.weight:g}" for use in spec.loras) or "none"),
        ("seed", "drawn when it is rendered" if spec.seed == PREVIEW_SEED else spec.seed),
    ]
    return "\n".join(f"{name:<9} {value}" for name, value in facts)
