"""The pages: their links lead somewhere, their commands exist, their words are the code's words."""

import importlib
import re
import subprocess
from enum import StrEnum
from importlib import resources
from pathlib import Path

import pytest

from bot.core import lives
from bot.core.grammar import NotACommand, parse
from bot.core.vocabulary import Vocabulary
from brand.kit_loader import parse_kit

DESIGN_WORDS = (
    "Brand", "BrandKit", "Template", "Brief", "RenderSpec", "Job", "Asset", "Rendition", "Verdict",
    "Evidence", "Review", "Vote", "Decision", "Schedule", "Slot", "Publication", "Audience",
    "Ledger", "LoRA", "Reproduction class",
)  # fmt: skip
LINK = re.compile(r"!?\[[^\]\n]*\]\(([^)\s]+)\)")
CODE_BLOCK = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted(
    path
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
    if not path.name.startswith(".")
)
STATES = {
    "Job": lives.JobState,
    "Asset": lives.AssetState,
    "Review": lives.ReviewState,
    "Publication": lives.PublicationState,
    "Slot": lives.SlotState,
    "Schedule": lives.ScheduleState,
}


def anchors(page: Path) -> set[str]:
    """The fragments that a page's headings can be reached by."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for target in LINK.findall(CODE_BLOCK.sub("", page.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, fragment = target.partition("#")
        goal = (page.parent / path).resolve() if path else page
        assert goal.is_relative_to(ROOT)
        assert goal.exists(), f"{target} leads nowhere"
        if fragment:
            assert fragment in anchors(goal), f"{target}: no such heading"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_make_command_on_a_page_exists(root: Path, page: Path) -> None:
    for target in re.findall(r"\bmake ([a-z][a-z-]*)\b", "\n".join(
        CODE_BLOCK.findall(page.read_text())
    )):  # fmt: skip
        command = ["make", "--dry-run", "--no-print-directory", target]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr


def test_the_readme_promises_the_two_commands(root: Path) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", (root / "README.md").read_text(), re.DOTALL)
    commands = [line for block in blocks for line in block.splitlines()]
    assert "make demo" in commands
    assert "make test" in commands


def test_every_chat_command_of_the_readme_is_understood_with_the_demo_brand(root: Path) -> None:
    kit = parse_kit(resources.files("brand.demo").joinpath("northwind.toml").read_text())
    vocabulary = Vocabulary.of(kit)
    typed = re.findall(
        r"^(/.+)$|`(/(?!imagine`)[a-z].*?)`", (root / "README.md").read_text(), re.MULTILINE
    )
    assert len(typed) > 3
    for block, inline in typed:
        text = block or inline
        assert not isinstance(parse(text, vocabulary=vocabulary), NotACommand), text


def test_the_glossary_explains_every_word_of_the_design(root: Path) -> None:
    glossary = (root / "docs/glossary.md").read_text()
    explained = set(re.findall(r"^\| \*\*(.+?)\*\* \| \S", glossary, re.MULTILINE))
    assert set(DESIGN_WORDS) <= explained


def test_the_glossary_names_code_that_exists(root: Path) -> None:
    rows = re.findall(
        r"\| `([a-z_.]+?)(?:\.([A-Z]\w+))?` \|$", (root / "docs/glossary.md").read_text(), re.M
    )
    assert len(rows) > 15
    for module, name in rows:
        found = importlib.import_module(module)
        assert not name or hasattr(found, name), f"{module} has no {name}"


@pytest.mark.parametrize(("thing", "states"), STATES.items(), ids=STATES)
def test_the_glossary_lists_exactly_the_states_of_a_life(
    root: Path, thing: str, states: type[StrEnum]
) -> None:
    (row,) = re.findall(
        rf"^\| {thing} \| (`.*`) \|$", (root / "docs/glossary.md").read_text(), re.M
    )
    assert re.findall(r"`(\w+)`", row) == [state.value for state in states]
