"""Key positions: every key of every TOML form is found on its own line."""

import string
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brand.toml_lines import KeyPath, Position, Positions

EVERY_FORM = '''\
# a comment with [a.table] and key = 1
title = "x # not a comment" # comment
"quoted key" = 'literal [x]'
site."dot.ted".name = 1

[owner]
born = 1979-05-27 07:32:00
text = """
[not.a.table]
key = "no"
"""
lit = \'\'\'
[[no]]
\'\'\'
tail = """ends with quotes"""""
list = [
    1, # one
    [2, 3],
    { a = 1, b.c = 2 },
]
inline = { x = 1, y = { z = [ { q = 1 } ] } }

[[fruit]]
name = "apple"

[fruit.physical]
color = "red"

[[fruit.variety]]
name = "red delicious"

[[fruit.variety]]
name = "granny"

[[fruit]]
name = "banana"

[[fruit.variety]]
name = "plantain"
  [ fruit . "extra" ]
  deep = true
tight=[1,[2,3],{a=1,b=2}]
'''


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("title",), (2, 1)),
        (("quoted key",), (3, 1)),
        (("site",), (4, 1)),
        (("site", "dot.ted", "name"), (4, 1)),
        (("owner",), (6, 1)),
        (("owner", "born"), (7, 1)),
        (("owner", "text"), (8, 1)),
        (("owner", "lit"), (12, 1)),
        (("owner", "tail"), (15, 1)),
        (("owner", "list"), (16, 1)),
        (("owner", "list", 0), (17, 5)),
        (("owner", "list", 1), (18, 5)),
        (("owner", "list", 1, 1), (18, 9)),
        (("owner", "list", 2, "b", "c"), (19, 14)),
        (("owner", "inline", "y", "z", 0, "q"), (21, 33)),
        (("fruit",), (23, 1)),
        (("fruit", 0), (23, 1)),
        (("fruit", 0, "name"), (24, 1)),
        (("fruit", 0, "physical", "color"), (27, 1)),
        (("fruit", 0, "variety", 1), (32, 1)),
        (("fruit", 0, "variety", 1, "name"), (33, 1)),
        (("fruit", 1, "name"), (36, 1)),
        (("fruit", 1, "variety", 0, "name"), (39, 1)),
        (("fruit", 1, "extra"), (40, 3)),
        (("fruit", 1, "extra", "deep"), (41, 3)),
        (("fruit", 1, "extra", "tight", 1, 1), (42, 13)),
        (("fruit", 1, "extra", "tight", 2, "b"), (42, 21)),
    ],
)
def test_a_key_is_found_in_every_form(path: KeyPath, place: tuple[int, int]) -> None:
    value: Any = tomllib.loads(EVERY_FORM)
    for key in path:
        value = value[key]
    assert Positions(EVERY_FORM).of(path) == Position(*place)


def test_a_missing_key_is_placed_at_the_table_around_it() -> None:
    positions = Positions(EVERY_FORM)
    assert positions.of(("fruit", 1, "weight")) == Position(35, 1)
    assert positions.of(("nowhere", "at", "all")) == Position(1, 1)


def test_windows_line_ends_keep_the_lines() -> None:
    positions = Positions(EVERY_FORM.replace("\n", "\r\n"))
    assert positions.of(("fruit", 1, "extra", "deep")) == Position(41, 3)


keys = st.one_of(
    st.text(string.ascii_letters + "-_", min_size=1, max_size=6),
    st.text(st.sampled_from("a.b \"[]=#{},\\é'\t"), min_size=1, max_size=6),
)
texts = st.text(st.sampled_from("ab[]{}=#,.\"'\\\n \u00e9"), max_size=12)
documents = st.recursive(
    st.one_of(st.integers(0, 9), texts, st.booleans()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)),
    max_leaves=12,
)


def quoted(text: str) -> str:
    """A basic string."""
    escaped = "".join(
        {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}.get(char, char) for char in text
    )
    return f'"{escaped}"'


def key_text(key: str) -> str:
    """A key, bare where it may be."""
    bare = key and all(char in string.ascii_letters + "-_" for char in key)
    return key if bare else quoted(key)


def inline(value: object) -> str:
    """A value on one line (arrays over several, with comments)."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, list):
        return "[" + "".join(f"\n # ], [x]\n {inline(item)},\n" for item in value) + "]"
    if isinstance(value, dict):
        pairs = (f"{key_text(key)} = {inline(item)}" for key, item in value.items())
        return "{ " + ", ".join(pairs) + " }"
    return str(value)


def written(table: dict[str, Any], prefix: str = "") -> str:
    """The table as TOML: plain keys first, then tables, then arrays of tables."""
    lines, after = [], []
    for key, value in table.items():
        name = f"{prefix}.{key_text(key)}" if prefix else key_text(key)
        if isinstance(value, dict) and len(key) % 2:
            after.append(f"[{name}] # table\n" + written(value, name))
        elif isinstance(value, list) and value and all(isinstance(v, dict) for v in value):
            after += [f"[[ {name} ]]\n" + written(item, name) for item in value]
        else:
            lines.append(f"  {key_text(key)} = {inline(value)}\n")
    return "".join(lines + after)


def walked(value: object, path: KeyPath = ()) -> list[tuple[KeyPath, object]]:
    """Every path of the document with its value."""
    found: list[tuple[KeyPath, object]] = [(path, value)] if path else []
    if isinstance(value, dict):
        for key, item in value.items():
            found += walked(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found += walked(item, (*path, index))
    return found


@given(st.dictionaries(keys, documents, max_size=4))
def test_every_key_of_any_document_is_found_where_it_is_written(document: dict[str, Any]) -> None:
    text = written(document)
    assert tomllib.loads(text) == document
    positions = Positions(text)
    for path, value in walked(document):
        line, column = positions.of(path)
        here = text.split("\n")[line - 1][column - 1 :]
        last = path[-1]
        if here.startswith("["):
            names = [key_text(key) for key in path if isinstance(key, str)]
            assert ".".join(names) in here or isinstance(last, int)
        elif isinstance(last, str):
            assert here.startswith(key_text(last))
        else:
            assert here.startswith(inline(value).split("\n")[0])


def test_deep_nesting_is_a_recursion_error_and_nothing_worse() -> None:
    with pytest.raises(RecursionError):
        Positions("a = " + "[" * 50_000 + "]" * 50_000)
