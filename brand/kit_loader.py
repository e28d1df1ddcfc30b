"""A brand kit's TOML file -> BrandKit, with every mistake explained by file and line."""

import re
import tomllib
from pathlib import Path
from typing import Any

from brand.errors import KitInvalid, KitProblem
from brand.kit import BrandKit
from brand.kit_build import build_kit
from brand.kit_checks import check_kit
from brand.kit_reader import ProblemLog, Section
from brand.toml_lines import Positions

MAX_BYTES = 1_000_000
MAX_DOTS = 60
"""In one line. Reading a key of n dotted parts takes n² steps, here and in tomllib."""

_AT = re.compile(r"(.*) \(at line (\d+), column (\d+)\)", re.DOTALL)


def load_kit(path: Path) -> BrandKit:
    """The kit in this file. Raises KitInvalid with every problem found; warnings do not stop it."""
    return _without_errors(*_read(path))


def lint_kit(path: Path) -> list[KitProblem]:
    """Every mistake and warning in this file, by line. Never raises for what the file holds."""
    return list(_read(path)[1])


def parse_kit(text: str, *, path: Path = Path("kit.toml")) -> BrandKit:
    """The kit that this TOML text describes; `path` names it in problems. Raises KitInvalid."""
    return _without_errors(*_parse(text, path))


def _without_errors(kit: BrandKit | None, problems: tuple[KitProblem, ...]) -> BrandKit:
    if kit is None or any(problem.severity == "error" for problem in problems):
        raise KitInvalid(problems)
    return kit


def _read(path: Path) -> tuple[BrandKit | None, tuple[KitProblem, ...]]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as exc:
        why = exc.strerror or type(exc).__name__
        return None, (_problem(path, f"The file can't be read: {why}.", "Check the path."),)
    if len(data) > MAX_BYTES:
        return None, (_too_large(path),)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        column = exc.start - (data.rfind(b"\n", 0, exc.start) + 1) + 1
        message = "The file isn't UTF-8 text."
        return None, (_problem(path, message, "Save it as UTF-8.", line=line, column=column),)
    return _parse(text, path)


def _parse(text: str, path: Path) -> tuple[BrandKit | None, tuple[KitProblem, ...]]:
    if len(text) > MAX_BYTES:
        return None, (_too_large(path),)
    text, repaired = _repaired(text)
    warnings = tuple(
        _problem(
            path,
            "This line was saved as UTF-8 twice; it is read as it was meant.",
            "Save the file as UTF-8 once.",
            line=line,
            severity="warning",
        )
        for line in repaired
    )
    for number, line in enumerate(text.split("\n"), start=1):
        if line.count(".") > MAX_DOTS:
            message = f"This line has more than {MAX_DOTS} dots."
            return None, (*warnings, _problem(path, message, "Shorten it.", line=number))
    try:
        raw: dict[str, Any] = tomllib.loads(text)
        log = ProblemLog(path=path, positions=Positions(text))
    except tomllib.TOMLDecodeError as exc:
        return None, (*warnings, _syntax_problem(path, text, str(exc)))
    except RecursionError:
        message = "Values are nested too deep to be a kit."
        return None, (*warnings, _problem(path, message, "Take the brackets apart."))
    kit = build_kit(Section(raw, (), log))
    check_kit(kit, log)
    return kit, (*warnings, *log.ordered)


def _too_large(path: Path) -> KitProblem:
    message = f"The file is larger than {MAX_BYTES:,} bytes."
    return _problem(path, message, "A kit is text; keep pictures elsewhere.")


def _syntax_problem(path: Path, text: str, message: str) -> KitProblem:
    match = _AT.fullmatch(message)
    what = match[1] if match else message.removesuffix(" (at end of document)")
    line, column = (int(match[2]), int(match[3])) if match else (text.count("\n") + 1, 1)
    return _problem(
        path, f"Not valid TOML: {what}.", "See https://toml.io/en/v1.0.0.", line=line, column=column
    )


def _problem(
    path: Path, message: str, fix: str, *, line: int = 1, column: int = 1, severity: str = "error"
) -> KitProblem:
    return KitProblem(
        path=path, line=line, column=column, severity=severity, message=message, fix=fix
    )


def _repaired(text: str) -> tuple[str, list[int]]:
    """Undo UTF-8 that was read as Windows-1252 and saved again; the lines where that was so."""
    lines = text.split("\n")
    repaired: list[int] = []
    for index, line in enumerate(lines):
        if line.isascii():
            continue
        try:
            meant = line.encode("cp1252").decode("utf-8")
        except UnicodeError:
            continue
        lines[index] = meant
        repaired.append(index + 1)
    return "\n".join(lines), repaired
