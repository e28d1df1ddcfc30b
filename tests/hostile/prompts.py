"""Prompts and typed lines: nested, endless, invisible, and made to look like something else."""

import math
import random
from dataclasses import replace

from bot.core.commands import Command, Imagine
from bot.core.errors import Mistake
from bot.core.grammar import NotACommand, parse
from bot.core.verbs import VERBS
from bot.core.vocabulary import Vocabulary
from brand.emphasis import WEIGHT_LIMITS, parse_emphasis
from brand.errors import BrandError
from brand.kit import BrandKit
from brand.kit_loader import parse_kit
from brand.spec import RenderSpec
from brand.templates import compile_brief
from tests.hostile.kits import shipped
from tests.hostile.score import Score, Taken

GENERATED = 10_000
PLANTED = (
    "(x:1e309)", "(x:1e-309)", "(x:nan)", "(x:-5)", "(" * 10_000 + "x", "[" * 10_000, ")" * 10_000,
    "((((((((((x))))))))))" * 100, "\\(" * 5_000, "BREAK " * 2_000, "(a:1.1" * 2_000,
    "<lora:evil:1>", "<lora:../../evil:1>", "<hypernet:x:1>", "{{7*7}}", "${7*7}", "{0.__class__}",
    "%s%s%s%n", "__import__('os')", "{% for x in y %}", "#{7*7}", "<script>alert(1)</script>",
    "a\0b", "\u202ered\u202c", "\u200b" * 5_000, "e\u0301" * 2_000, "\ufeffx", "\ud800", "👩‍👩‍👧" * 500,
    "x" * 9_999, "x" * 10_001, "x " * 5_000, "\n" * 9_000, '"' * 999, "“" * 999, "'", "\\", "--" * 999,
    "--ar", "--ar 9:9999999999", "--steps 1e9", "--seed -1", "--seed 99999999999999999999", "--cfg nan",
    "--n 1000000", "--lora ../../x", "--lora evil:1", "--ref http://127.0.0.1/", "--brand ../x",
    "template:../../x", "template:__class__", "PRODUCT=[COLOR]", "Negative: (x:99)", "@everyone",
    "<!channel>", "<@U1>", "```", "=cmd|' /C calc'!A0", "' OR 1=1 --", "ＤＲＯＰ", "\x1b[31mred", "\r\nX: y",
)  # fmt: skip
PIECES = (
    *(f"/{verb.name}" for verb in VERBS), "(", ")", "[", "]", ":1.3)", ":1e309)", "\\", "BREAK", "--",
    "--ar", "--n", "--seed", "--steps", "--cfg", "--sampler", "--lora", "--ref", "--private", "=", ":",
    "template:", "product", "PRODUCT=", "COLOR=", "Negative:", '"', "“", "”", ",", " ", " ", " ", "\n",
    "\0", "\u200b", "\u202e", "\ud83d", "🙂", "é", "ß", "İ", "a red mug", "9", "-1", "1e309", "nan",
    "{{7*7}}", "<lora:x:1>", "every", "Monday", "9:00", "Europe/Berlin", "theme", "in", "#social",
)  # fmt: skip


async def run() -> Score:
    """Try them all: only Mistake and the brand's refusals may be raised."""
    score, rng = Score(), random.Random(23)
    kit = parse_kit(shipped())
    words = Vocabulary.of(kit, brands=(kit.id,))
    for planted in PLANTED:
        for line in (planted, f"/imagine {planted}", f"/imagine a mug {planted} on a table"):
            _try(score, line, kit, words)
    for _ in range(GENERATED):
        line = "".join(rng.choice(PIECES) for _ in range(rng.randint(1, 40)))
        _try(score, f"/imagine {line}" if rng.random() < 0.6 else line, kit, words)
    return score


def _try(score: Score, line: str, kit: BrandKit, words: Vocabulary) -> None:
    with score.attempt(repr(line[:80]), (Mistake, BrandError)):
        said = parse(line, vocabulary=words)
        if isinstance(said, Imagine):
            check(said, kit)


def check(said: Command | NotACommand, kit: BrandKit) -> None:
    """Raises Taken where the brand's own words would lose their say, or a LoRA came in."""
    if not isinstance(said, Imagine):
        return
    plain = compile_brief(replace(said.brief, words="mug", template="", variables=()), kit, 1)
    spec = compile_brief(said.brief, kit, 1)
    check_recipe(spec, plain)


def check_recipe(spec: RenderSpec, plain: RenderSpec) -> None:
    """Compare with the recipe of harmless words. Raises Taken."""
    if spec.loras != plain.loras:
        raise Taken(f"the words changed the LoRAs: {spec.loras}")
    low, high = WEIGHT_LIMITS
    for text in (spec.prompt, spec.negative):
        for span in (span for chunk in parse_emphasis(text) for span in chunk):
            if not (math.isfinite(span.weight) and low <= span.weight <= high):
                raise Taken(f"a weight of {span.weight}")
    if "49" in spec.prompt and "49" not in "".join(PIECES):
        raise Taken("something was computed")
