"""Kits as files: broken, huge, wrongly encoded, damaged at random."""

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brand.demo import demo_kit
from brand.errors import KitInvalid
from brand.kit_loader import MAX_BYTES, lint_kit, load_kit, parse_kit
from tests.unit.brand.kit_texts import SOURCE, line_of, problems_of


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("[brand\n", 1, "Not valid TOML"),
        ('[brand]\nid = "a\n', 2, "Not valid TOML"),
        ("a = 1\na = 2\n", 2, "Cannot overwrite a value"),
        ("[brand]\n[brand]\n", 2, "Cannot declare"),
        ("a = 1\nb = \n", 2, "Invalid value"),
        ("a = [", 1, "Not valid TOML"),
        ("a = \x00", 1, "Not valid TOML"),
    ],
)
def test_broken_toml_is_explained_at_its_line(text: str, line: int, message: str) -> None:
    (problem,) = problems_of(text)
    assert problem.line == line
    assert message in problem.message


def test_deep_nesting_is_a_mistake_like_any_other() -> None:
    (problem,) = problems_of("a = " + "[" * 100_000 + "]" * 100_000)
    assert "nested too deep" in problem.message
    (problem,) = problems_of("\na" + ".a" * 50_000 + " = 1")
    assert "more than 60 dots" in problem.message
    assert problem.line == 2


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(f"k{index} = 1" for index in range(20_000)),
        "[generation.aspects]\n" + "\n".join(f"k{index} = 1" for index in range(20_000)),
        "[[palette]]\n" * 20_000,
        "[[palette]]\n" * 400 + 'colour = "red"',
        "banned = [" + "{ words = ['a'] }," * 10_000 + "]",
        "[negatives]\nquality = [" + "1," * 100_000 + "]",
        "\n".join(f"[a{index}{'.a' * 55}]" for index in range(1_000)),
        "[[banned]]\nwords = [" + "".join(f"'{n}'," for n in range(500)) + "]\n",
    ],
)
def test_a_large_wrong_file_is_answered_soon(text: str) -> None:
    start = time.process_time()
    problems = problems_of(text)
    assert 1 <= len(problems) <= 300
    assert time.process_time() - start < 10


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "kit.toml"
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    (problem,) = lint_kit(path)
    assert "larger than 1,000,000 bytes" in problem.message


def test_a_file_that_is_not_there_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    (problem,) = lint_kit(tmp_path / "none.toml")
    assert "can't be read: No such file" in problem.message
    with pytest.raises(KitInvalid, match=r"none\.toml"):
        load_kit(tmp_path / "none.toml")
    (problem,) = lint_kit(tmp_path)
    assert "can't be read" in problem.message


def test_bytes_that_are_not_utf8_are_placed(tmp_path: Path) -> None:
    path = tmp_path / "kit.toml"
    path.write_bytes(b'[brand]\nname = "caf\xe9"\n')
    (problem,) = lint_kit(path)
    assert (problem.line, problem.column) == (2, 12)
    assert "UTF-8" in problem.message


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "kit.toml"
    path.write_bytes(b"\xef\xbb\xbf" + SOURCE.encode())
    assert load_kit(path).hash == demo_kit().hash


def test_text_saved_as_utf8_twice_is_repaired_and_said_so(tmp_path: Path) -> None:
    path = tmp_path / "kit.toml"
    meant = SOURCE.replace('name = "Northwind Tea"', 'name = "Nordwind Tée"', 1)
    path.write_text(
        "".join(
            line.encode().decode("cp1252") if "Tée" in line else line
            for line in meant.splitlines(keepends=True)
        ),
        encoding="utf-8",
    )
    (warning,) = lint_kit(path)
    assert (warning.severity, warning.line) == ("warning", line_of(meant, "Tée"))
    assert load_kit(path).name == "Nordwind Tée"


def test_tables_of_the_wrong_kind_are_mistakes_and_no_crash() -> None:
    for text in ("brand = 1\n", "palette = 5\n", "palette = [1]\n", "[palette]\nname = 1\n"):
        assert problems_of(text)
    assert problems_of("[[brand]]\n[[generation]]\n[generation.aspects]\n")
    assert problems_of("[templates]\n[lora]\napproved = {}\n[gates]\nmotif = 3\n[channels]\n")


lines = SOURCE.split("\n")


@given(
    st.lists(
        st.tuples(
            st.integers(0, len(lines) - 1),
            st.sampled_from(["drop", "double", "cut", "swap", "value", "key"]),
            st.sampled_from(['"x"', "-1", "[]", "{}", "true", "1e400", '[["a"]]', "nan", '"[A]"']),
        ),
        max_size=4,
    )
)
@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
def test_any_damage_to_a_kit_gives_problems_in_its_lines_or_a_kit(
    damage: list[tuple[int, str, str]],
) -> None:
    broken = list(lines)
    for at, how, value in damage:
        line = broken[at % len(broken)]
        replacement = {
            "drop": [],
            "double": [line, line],
            "cut": [line[: len(line) // 2]],
            "swap": [line[::-1]],
            "value": [line.split("=")[0] + "= " + value],
            "key": [line.replace("a", "b", 1)],
        }[how]
        broken[at % len(broken) : at % len(broken) + 1] = replacement
    text = "\n".join(broken)
    try:
        kit = parse_kit(text)
    except KitInvalid as exc:
        problems = exc.problems
    else:
        problems = ()
        assert kit.hash
    for problem in problems:
        assert 1 <= problem.line <= len(broken) + 1
        assert problem.message
