"""Brand kits: files that are no kits, too large, too deep, or quietly wrong."""

import random
from collections.abc import Iterator
from pathlib import Path

import brand.demo
from brand.errors import KitInvalid
from brand.kit_loader import load_kit, parse_kit
from tests.hostile.score import Score, Taken

MUTANTS = 2_000
SECTION = "[brand]\nid = 'x'\nname = 'X'\nversion = '1'\n"


def shipped() -> str:
    """The text of the demo kit."""
    return (Path(brand.demo.__file__).parent / "northwind.toml").read_text(encoding="utf-8")


async def run() -> Score:
    """Try them all."""
    score, rng, text = Score(), random.Random(5), shipped()
    sound = parse_kit(text)
    for number in range(MUTANTS):
        with score.attempt(f"mutant {number}", (KitInvalid,)):
            kit = parse_kit(mutant(text, rng))
            if not kit.id or not kit.generation.aspects:
                raise Taken("a kit without an id or a shape")
    for what, bad in _must_refuse(text):
        with score.attempt(what, (KitInvalid,), must_refuse=True):
            parse_kit(bad)
    for what, data in _files(text):
        _try_file(score, what, data)
    with score.attempt("the kit as it is, after all that"):
        if parse_kit(text).hash != sound.hash:
            raise Taken("reading others changed it")
    return score


def mutant(text: str, rng: random.Random) -> str:
    """The kit with one to four lines lost, doubled, swapped, cut or with foreign values."""
    lines = text.split("\n")
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(lines))
        match rng.randrange(5):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, lines[at])
            case 2:
                other = rng.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]
            case 3:
                lines[at] = lines[at][: rng.randint(0, len(lines[at]))]
            case _:
                name = lines[at].partition("=")[0]
                lines[at] = f"{name}= {rng.choice(VALUES)}"
    return "\n".join(lines)


VALUES = (
    "1e400", "nan", "-1", "true", "[]", "{}", "''", "'[X]'", "2026-01-01", "9999999999999999999",
    "'\\u0000'", "[[[]]]", "'a' * 9", "0x1F", "{a.b.c = 1}", "'#gggggg'", "'../../x'", "[1, 'a']",
)  # fmt: skip


def _must_refuse(text: str) -> Iterator[tuple[str, str]]:
    yield "nothing", ""
    yield "no TOML", "<kit>"
    yield "YAML", "brand:\n  id: x\n"
    yield "JSON", '{"brand": {"id": "x"}}'
    yield "10,000 brackets", "x = " + "[" * 10_000
    yield "10,000 tables", "x = " + "{a=" * 10_000
    yield "a key of 50,000 dots", "a" + ".a" * 50_000 + " = 1"
    yield "10 MB", text + "#" + "x" * 10_000_000
    yield "an unknown section", text + "\n[colours]\nred = 1\n"
    yield "an unknown key", SECTION + "owners = '@x'\n"
    yield "a key twice", SECTION + "id = 'y'\n"
    yield "an id that climbs", text.replace('id = "northwind"', 'id = "../northwind"')
    for colour in ("#12345", "#gggggg", "red", "rgb(1,2,3)", "#12345678", "url(//x)", "<svg>"):
        yield f"colour {colour}", _with(text, "hex", colour)
        yield f"accent {colour}", _with(text, "accent", colour)
    for name in ("javascript:alert(1)", "data:image/svg+xml,<svg onload=alert(1)>", "logo.svg"):
        yield f"logo {name}", text + f"\n[brand.logo]\nfile = '{name}'\n"
    yield "a hash that is none", _with(text, "sha256", "0" * 63)
    yield "a LoRA weight of infinity", _with(text, "weight", "inf", quoted=False)


def _with(text: str, key: str, value: str, *, quoted: bool = True) -> str:
    """The kit with another value at the first `key`."""
    lines = text.split("\n")
    at = next(
        (
            n
            for n, line in enumerate(lines)
            if line.split("=")[0].strip() == key or f"{key} =" in line
        ),
        None,
    )
    if at is None:
        raise LookupError(f"the demo kit has no {key}")
    said = f"'{value}'" if quoted else value
    head, _, tail = lines[at].partition(f"{key} =")
    rest = tail.partition(",")[2]
    lines[at] = f"{head}{key} = {said}" + (f", {rest}" if rest else "")
    return "\n".join(lines)


def _files(text: str) -> Iterator[tuple[str, bytes]]:
    yield "no text", b"\xff\xfe\x00\x01"
    yield "UTF-16", text.encode("utf-16")
    yield "NUL", SECTION.encode() + b"\0"
    yield "a lone surrogate", SECTION.encode() + b"voice = '\xed\xa0\x80'"
    yield "a picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 500
    yield "10 MB of file", b"#" * 10_000_000


def _try_file(score: Score, what: str, data: bytes) -> None:
    import tempfile

    with tempfile.NamedTemporaryFile(suffix=".toml") as file:
        file.write(data)
        file.flush()
        with score.attempt(f"file: {what}", (KitInvalid,), must_refuse=True):
            load_kit(Path(file.name))
