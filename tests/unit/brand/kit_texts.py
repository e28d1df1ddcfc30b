"""Texts of brand kits, whole and small, changed and linted."""

from pathlib import Path
from tempfile import TemporaryDirectory

from brand.demo import demo_kit_source
from brand.errors import KitInvalid, KitProblem
from brand.kit_loader import lint_kit, parse_kit

SOURCE = demo_kit_source()
SMALL = """\
[brand]
id = "small"
name = "Small"
version = "1"
owner = "@me"

[generation]
model = "demo"

[generation.aspects]
"1:1" = [64, 64]
"""


def problems_of(text: str) -> tuple[KitProblem, ...]:
    """What the linter says about a text."""
    try:
        parse_kit(text)
    except KitInvalid as exc:
        return exc.problems
    return ()


def lint_text(text: str) -> list[KitProblem]:
    """The problems of a text as a file, warnings too."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "kit.toml"
        path.write_text(text, encoding="utf-8")
        return lint_kit(path)


def changed(old: str, new: str, source: str = SOURCE) -> str:
    """The source with its first `old` replaced; `old` must be there."""
    assert old in source
    return source.replace(old, new, 1)


def line_of(text: str, part: str) -> int:
    """The line on which `part` first stands."""
    return text[: text.index(part)].count("\n") + 1


LORA_RULE = 'default = "northwind-stripes"\nrequired = false'
LORA = '\n[[lora.approved]]\nname = "look"\nversion = "1"\nsha256 = "{}"\nweight = {}\n'


WAYS = """
[ways]
inpaint = true
controls = ["Canny", "depth"]
highres = 1.5

[[recipes]]
name = "two"
[[recipes.stages]]
name = "base"
[[recipes.stages]]
name = "part"
mask = "inside"
box = [0.1, 0.1, 0.5, 0.9]
"""
