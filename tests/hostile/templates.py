"""Templates: values that would like to be code, variables, weights or LoRAs, stay the text they are."""

import random
from dataclasses import replace

from brand.emphasis import parse_emphasis, plain_text
from brand.errors import BrandError
from brand.kit import BrandKit, Template, Variable
from brand.kit_loader import parse_kit
from brand.spec import RenderSpec
from brand.templates import Brief, compile_brief, substitute
from brand.words import clean
from tests.hostile.kits import shipped
from tests.hostile.prompts import PIECES, PLANTED, check_recipe
from tests.hostile.score import Score, Taken

GENERATED = 4_000
TEMPLATE = Template(
    name="open",
    text="a [FIRST] beside a [SECOND] at dawn",
    variables=(Variable(name="FIRST"), Variable(name="SECOND", default="lamp")),
)
ATTACKS = (
    "[SECOND]", "[FIRST]", "[[SECOND]]", "[SEC[FIRST]OND]", "[WORDS]", "{SECOND}", "{0}", "{{7*7}}",
    "{{config}}", "{0.__class__.__mro__}", "%(SECOND)s", "$SECOND", "\\g<0>", "\\1", "<lora:evil:1>",
    "x), (y:2.0", "x) BREAK (y", "(x:1e309)", ")" * 99, "(" * 99, "[" * 99, "]" * 99, "\\", "\\)",
)  # fmt: skip


async def run() -> Score:
    """Try every payload in every variable of an open template and of the demo kit's own."""
    score, rng = Score(), random.Random(31)
    demo = parse_kit(shipped())
    kit = replace(demo, templates=(*demo.templates, TEMPLATE))
    made = (
        "".join(rng.choice(PIECES) for _ in range(rng.randint(1, 12))) for _ in range(GENERATED)
    )
    for payload in (*ATTACKS, *PLANTED, *made):
        _try_open(score, payload, kit)
    for template in demo.templates:
        for variable in template.variables:
            for payload in (*ATTACKS, *PLANTED):
                _try_own(score, kit, template, variable, payload)
    return score


def _try_open(score: Score, payload: str, kit: BrandKit) -> None:
    with score.attempt(f"value {payload[:60]!r}", (BrandError,)):
        filled = substitute(TEMPLATE.text, {"FIRST": payload, "SECOND": "bowl"})
        if not filled.startswith("a") or filled.count("beside a bowl at dawn") < 1:
            raise Taken("the value was read again")
        brief = Brief(words="", template="open", variables=(("FIRST", payload),))
        spec = compile_brief(brief, kit, 1)
        check_recipe(spec, compile_brief(replace(brief, variables=(("FIRST", "mug"),)), kit, 1))
        _check_literal(payload, spec.prompt)


def _check_literal(payload: str, prompt: str) -> None:
    """The payload's letters all stand there, the template's own words weigh 1."""
    letters = "".join(c for c in plain_text(clean(payload)) if c.isalnum())
    if letters not in "".join(c for c in plain_text(prompt) if c.isalnum()):
        raise Taken("the payload is not the text that it was")
    for chunk in parse_emphasis(prompt):
        for span in chunk:
            if "beside a" in span.text and span.weight != 1.0:
                raise Taken(f"it weighs the template's words {span.weight}")


def _try_own(
    score: Score, kit: BrandKit, template: Template, variable: Variable, payload: str
) -> None:
    """A variable with a list takes nothing else; a free one keeps it as text."""
    what = f"{template.name}.{variable.name} = {payload[:50]!r}"
    said = clean(payload)  # where nothing is left, the variable's default stands
    listed = bool(said and variable.values) and said not in variable.values
    with score.attempt(what, (BrandError,), must_refuse=listed):
        brief = Brief(words="", template=template.name, variables=((variable.name, payload),))
        check_recipe(compile_brief(brief, kit, 1), _harmless(kit))


def _harmless(kit: BrandKit) -> RenderSpec:
    return compile_brief(Brief(words="mug"), kit, 1)
