"""Brand kits: the demo kit is right, and every mistake is explained by file and line."""

import re
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brand.demo import DEMO_BRAND, demo_kit, demo_kit_source
from brand.errors import KitInvalid, KitProblem
from brand.kit import PaletteColor, Stage, WayPolicy
from brand.kit_loader import MAX_BYTES, lint_kit, load_kit, parse_kit

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


def test_the_demo_kit_has_no_mistake_and_no_warning(tmp_path: Path) -> None:
    path = tmp_path / "kit.toml"
    path.write_text(SOURCE, encoding="utf-8")
    assert lint_kit(path) == []
    assert load_kit(path) == demo_kit()


def test_the_demo_kit_is_a_whole_kit() -> None:
    kit = demo_kit()
    assert kit.id == DEMO_BRAND
    assert kit.accent == "#0f7c7c"
    assert {color.name for color in kit.palette if color.key} == {"teal", "orange"}
    assert len(kit.templates) >= 4
    assert [channel.name for channel in kit.publish_channels] == ["#social"]
    assert [channel.name for channel in kit.working_channels] == ["#brand-drafts"]
    assert not kit.label.prompt_in_published_file
    assert kit.review.four_eyes
    assert kit.gates.motif is not None


def test_the_smallest_kit_has_defaults_for_the_rest() -> None:
    kit = parse_kit(SMALL)
    assert kit.palette == ()
    assert kit.generation.samplers == ("dpmpp_2m_karras",)
    assert kit.review.may_approve == ("role:approver",)


def test_the_hash_names_the_content_and_nothing_else() -> None:
    kit = demo_kit()
    spaced = SOURCE.replace("\n\n", "\n\n# a comment\n\n")
    assert parse_kit(spaced, path=Path("elsewhere.toml")).hash == kit.hash
    assert parse_kit(changed('version = "1.0"', 'version = "1.1"')).hash != kit.hash
    assert replace(kit, name="Other").hash != kit.hash
    assert re.fullmatch(r"[0-9a-f]{64}", kit.hash)


def test_a_channel_is_found_with_or_without_its_sign() -> None:
    kit = demo_kit()
    assert kit.channel("social") == kit.channel("#social") is not None
    assert kit.channel("#nowhere") is None
    assert kit.publish_channels[0].channel_id == "social"


def test_roles_and_people_may_do_what_the_kit_says() -> None:
    policy = replace(demo_kit().review, may_approve=("role:approver", "person:p7"))
    assert policy.allows_approval("p1", frozenset({"approver"}))
    assert policy.allows_approval("p7", frozenset())
    assert not policy.allows_approval("p1", frozenset({"requester"}))
    assert not policy.allows_approval("", frozenset())
    assert policy.allows_request("p1", frozenset({"requester"}))
    assert not policy.allows_request("p1", frozenset({"auditor"}))


LORA_RULE = 'default = "northwind-stripes"\nrequired = false'
MISTAKES = [
    ('owner = "@brand"', 'ownr = "@brand"', "`ownr` isn't a key of [brand]", "`owner`"),
    ('id = "northwind"', 'id = "../etc"', "`id` can't be", "small letters"),
    ('id = "northwind"', "id = 5", "`id` is 5", "a text in quotes"),
    ('accent = "teal"', 'accent = "mauve"', "neither a palette colour", "teal, orange"),
    ('hex = "#f08a3c"', 'hex = "orange"', "`hex` can't be", "#rrggbb"),
    ('role = "accent"', 'role = "acent"', "`role` can't be", "`accent`"),
    ("min_share = 0.12", "min_share = 12", "`min_share` is 12", "from 0 to 1"),
    ("min_share = 0.12", "min_share = 0.99", "quotas of the key colours add up", "Lower"),
    ("key = true", 'key = "yes"', "`key` is", "without quotes"),
    ('name = "orange"', 'name = "teal"', "stands in [palette] twice", "its own name"),
    ("max_delta_e = 12", "max_delta_e = nan", "`max_delta_e` is nan", "a number"),
    ("[gates.motif]", "[gates.motiv]", "`motiv` isn't a key of [gates]", "`motif`"),
    ("number = 2", "number = 1", "two tone rules 1", "apart"),
    ("rule = 4", "rule = 9", "no tone rule 9", "1, 2, 3, 4"),
    ('alternative = "affordable"', 'alternative = "a cure"', "is itself banned", "another"),
    ('reason = "we talk', 'raison = "we talk', "[banned] needs `reason`", "Add"),
    ('quality = ["blurry"', 'qualty = ["blurry"', "`qualty` isn't", "`quality`"),
    ('["blurry", "low quality"]', '["blurry", 7]', "item 2 of `quality`", "quotes"),
    ('base = ""', 'subject = "tea"', "subject is what the brief asks for", "`base`"),
    ('base = ""', 'base = "a [COLOR] cup"', "[COLOR] can only stand in a template", "part"),
    ('base = ""', 'base = "a cheap cup"', "the kit itself bans 'cheap'", "affordable"),
    ("[FIRST] and", "[FRIST] and", "[FRIST] is not defined", "[FIRST]"),
    ('default = "umbrella"', 'default = "umbrela"', "is not among the values", "`umbrella`"),
    ('"red", "orange", "yellow"', '"red", "RED", "yellow"', "only in case", "Delete"),
    ("[templates.variables.LIGHT]", "[templates.variables.light]", "can't name a variable", "cap"),
    ("[templates.variables.LIGHT]", "[templates.variables.WORDS]", "own words", "cap"),
    ('composition = "neg', 'compositon = "neg', "`compositon` isn't a key", "`composition`"),
    ('composition = "negative space"', 'aspect = "2:1"', 'no aspect "2:1"', "1:1, 4:5"),
    (LORA_RULE, 'default = "look"', "not on the approved list", "[[lora.approved]]"),
    (LORA_RULE, "required = true", "but there is no default", "default"),
    ("steps = 20", "steps = 20.5", "`steps` is 20.5", "a whole number"),
    ("steps = 20", "steps = true", "`steps` is true", "a whole number"),
    ("steps = 20", "steps = 60", "`steps` is 60, above max_steps", "Lower it"),
    ('sampler = "dpmpp', 'sampler = "dmpp', "not among `samplers`", "ddim"),
    ('"4:5" = [128, 160]', '"4:5" = [128, 161]', "isn't two sides", "multiple of 8"),
    ('model = "demo"', 'model = ""', "`model` can't be", "generation service"),
    ('"role:brand_manager"]\nq', '"role:brandmanager"]\nq', "no role", "`role:brand_manager`"),
    ('"role:brand_manager"]\nq', '"anna"]\nq', '"anna" names neither', "person:ID"),
    ("quorum = 1", "quorum = 0", "`quorum` is 0", "from 1 to 10"),
    ('name = "#brand-drafts"', 'name = "#social"', "stands in [channels] twice", "own"),
    ('audience = "working"', 'audience = "private"', "`audience` can't be", "public, working"),
    ('renditions = ["png", "jpeg"]', 'renditions = ["gif"]', "`renditions` can't be", "webp"),
    ("[label]", "[lable]", "`lable` isn't a key of a kit", "`label`"),
]


@pytest.mark.parametrize(("old", "new", "message", "fix"), MISTAKES)
def test_a_mistake_is_explained_at_its_line(old: str, new: str, message: str, fix: str) -> None:
    text = changed(old, new)
    problems = problems_of(text)
    found = [problem for problem in problems if message in problem.message]
    assert found, [str(problem) for problem in problems]
    assert fix in found[0].fix


ELSEWHERE = {
    "quotas of the key colours add up": line_of(SOURCE, "[[palette]]"),
}


@pytest.mark.parametrize(("old", "new", "message", "fix"), MISTAKES)
def test_a_mistake_is_placed_near_what_was_changed(
    old: str, new: str, message: str, fix: str
) -> None:
    text = changed(old, new)
    (first, *_) = [problem for problem in problems_of(text) if message in problem.message]
    start = SOURCE.index(old)
    here = text[:start].count("\n") + 1
    tables = [n for n, line in enumerate(text.split("\n"), 1) if line.startswith("[") and n <= here]
    assert first.line in (here, here + new.count("\n"), tables[-1], ELSEWHERE.get(message))


def test_a_word_that_stands_in_a_list_twice_is_a_warning() -> None:
    text = changed('["blurry", "low quality"]', '["blurry", "low quality", " blurry "]')
    kit = parse_kit(text)
    assert kit.negatives.quality == ("blurry", "low quality")
    (warning,) = lint_text(text)
    assert (warning.severity, warning.line) == ("warning", line_of(text, '" blurry "'))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("key = true\nmin_share = 0.12\n", "key = true\n", 'key colour "teal" has no quota'),
        ("key = true\nmin_share = 0.12\n", "min_share = 0.12\n", "is no key colour"),
        ('audience = "public"', 'audience = "working"', "no public channel"),
        ('lighting = "[LIGHT]"', "", "the variable LIGHT stands nowhere"),
    ],
)
def test_what_is_odd_but_not_wrong_is_a_warning(old: str, new: str, message: str) -> None:
    text = changed(old, new)
    assert parse_kit(text).id == DEMO_BRAND
    (warning,) = lint_text(text)
    assert warning.severity == "warning"
    assert message in warning.message


def test_a_colour_without_a_key_is_no_key_colour() -> None:
    assert not PaletteColor(name="x", hex="#000000").key
    navy = demo_kit().color("navy")
    assert navy is not None
    assert (navy.key, navy.min_share, navy.rgb) == (False, 0.0, (27, 42, 73))


def test_a_mistake_stands_exactly_where_it_was_made() -> None:
    text = changed('"red", "orange", "yellow"', '"red", "orange", 3, "yellow"')
    (problem,) = problems_of(text)
    assert (problem.line, problem.column) == (line_of(text, '3, "yellow"'), 22)
    assert str(problem).startswith(f"kit.toml:{problem.line}:22: error: item 3 of `values`")


def test_a_mistake_in_the_second_of_two_tables_is_placed_there() -> None:
    text = SOURCE.replace("version = 2", 'version = "two"')
    (problem,) = problems_of(text)
    assert problem.line == line_of(text, 'version = "two"')


def test_a_missing_key_is_placed_at_its_table() -> None:
    text = SOURCE.replace('hex = "#1b2a49"\n', "")
    (problem,) = problems_of(text)
    assert problem.message == "[palette] needs `hex`"
    assert problem.line == line_of(text, 'name = "navy"') - 1


def test_every_mistake_is_reported_and_not_only_the_first() -> None:
    text = SOURCE
    for old, new in (
        ('owner = "@brand"', 'ownr = "@brand"'),
        ('hex = "#f08a3c"', 'hex = "orange"'),
        ("steps = 20", "steps = 60"),
        ("quorum = 1", "quorum = 0"),
    ):
        text = changed(old, new, text)
    problems = problems_of(text)
    assert [problem.line for problem in problems] == sorted(problem.line for problem in problems)
    messages = " | ".join(problem.message for problem in problems)
    for part in ("`ownr`", "needs `owner`", "`hex`", "`steps` is 60", "`quorum`"):
        assert part in messages


def test_a_warning_does_not_keep_a_kit_from_loading(tmp_path: Path) -> None:
    path = tmp_path / "kit.toml"
    path.write_text(SMALL, encoding="utf-8")
    assert {problem.severity for problem in lint_kit(path)} == {"warning"}
    assert load_kit(path).id == "small"


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


def test_the_only_approver_cannot_be_the_only_requester_under_four_eyes() -> None:
    text = re.sub(r"may_(request|approve) = .*", r'may_\1 = ["person:p1"]', SOURCE)
    (problem,) = problems_of(text)
    assert "four eyes" in problem.fix
    two = text.replace("quorum = 1", "quorum = 2")
    assert any("only 1 may approve" in problem.message for problem in problems_of(two))


LORA = '\n[[lora.approved]]\nname = "look"\nversion = "1"\nsha256 = "{}"\nweight = {}\n'


def test_an_approved_lora_is_read_with_its_limits() -> None:
    text = SOURCE.replace(LORA_RULE, 'required = true\ndefault = "look"')
    kit = parse_kit(text + LORA.format("a" * 64, 0.9) + f'dataset_sha256 = "{"d" * 64}"\n')
    lora = kit.lora.find("look")
    assert lora is not None
    assert lora is kit.lora.find("look@1")
    assert (lora.weight, lora.max_weight) == (0.9, 1.5)
    assert lora.dataset_sha256 == "d" * 64


def test_an_approved_list_with_mistakes_is_refused() -> None:
    heavy = problems_of(SOURCE + LORA.format("a" * 64, 2.0))
    assert "the weight 2 is outside 0 to 1.5" in heavy[0].message
    twice = problems_of(SOURCE + LORA.format("a" * 64, 1) * 2)
    assert {problem.fix for problem in twice} == {
        "Give each its own version.",
        "Give each its own sha256.",
    }
    short = problems_of(SOURCE + LORA.format("A" * 64, 1))
    assert "SHA-256" in short[0].fix


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


def test_ways_and_recipes_are_read() -> None:
    kit = parse_kit(SMALL + WAYS)
    assert kit.ways == WayPolicy(inpaint=True, controls=("canny", "depth"), highres=1.5)
    recipe = kit.recipe("TWO")
    assert recipe is not None
    assert recipe.stages[1] == Stage(name="part", mask="inside", box=(0.1, 0.1, 0.5, 0.9))
    assert parse_kit(SMALL).ways == WayPolicy()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"Canny"', '"cany"', "Did you mean `canny`"),
        ("highres = 1.5", "highres = 9", "highres"),
        ("inpaint = true\n", "", "inpaint = true"),
        ("box = [0.1, 0.1, 0.5, 0.9]", "box = [0.6, 0.1, 0.5, 0.9]", "left, top, right, bottom"),
        ("box = [0.1, 0.1, 0.5, 0.9]", "", "`box` goes with a mask"),
        ('mask = "inside"', 'mask = "insid"', "Did you mean `inside`"),
        ('[[recipes.stages]]\nname = "base"\n', "", "at least two stages"),
        ('name = "base"', 'name = "base"\nmask = "upload"', "no picture yet"),
        ("inpaint = true", "inpant = true", "Did you mean `inpaint`"),
    ],
)
def test_mistakes_in_ways_and_recipes_are_explained(old: str, new: str, says: str) -> None:
    found = problems_of(changed(old, new, SMALL + WAYS))
    assert says in " ".join(str(problem) for problem in found)
