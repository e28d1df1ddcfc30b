"""Mistakes in a brand kit: each is explained by line, with the way to put it right."""

import re

import pytest

from brand.demo import DEMO_BRAND
from brand.kit_access import AccessRule, Limits
from brand.kit_loader import parse_kit
from tests.unit.brand.kit_texts import (
    LORA,
    LORA_RULE,
    SMALL,
    SOURCE,
    WAYS,
    changed,
    line_of,
    lint_text,
    problems_of,
)

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
    ('name = "#social"', 'name = "#social"\nteam = "my team"', "`team` can't be", "T0123456789"),
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


def test_the_only_approver_cannot_be_the_only_requester_under_four_eyes() -> None:
    text = re.sub(r"may_(request|approve) = .*", r'may_\1 = ["person:p1"]', SOURCE)
    (problem,) = problems_of(text)
    assert "four eyes" in problem.fix
    two = text.replace("quorum = 1", "quorum = 2")
    assert any("only 1 may approve" in problem.message for problem in problems_of(two))


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


ACCESS = """
[limits]
open_jobs_person = 3

[[channels]]
name = "#social"
audience = "public"
platform = "discord"
id = "778"

[[access]]
name = "designers ask"
platform = "discord"
place = "100"
channels = ["#social", "777"]
roles = ["201"]
may = ["request", "approve"]
"""

SLACK_RULE = 'name = "designers ask"\nplatform = "slack"'


def test_rules_about_platform_roles_are_read_and_leave_other_kits_as_they_were() -> None:
    kit = parse_kit(SMALL + ACCESS)
    assert kit.limits == Limits(open_jobs_person=3)
    assert kit.access[0] == AccessRule(
        name="designers ask",
        platform="discord",
        place="100",
        channels=("#social", "777"),
        roles=("201",),
        may=("request", "approve"),
    )
    bare = parse_kit(SMALL)
    assert (bare.access, bare.limits) == ((), Limits())


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('platform = "discord"', 'platform = "discrod"', "Did you mean `discord`"),
        ('"#social", "777"', '"#socail"', "There it has #social"),
        ('"#social", "777"', '"social"', "or its name in the kit"),
        ('platform = "discord"\nid', 'platform = "slack"\nid', "no channel of this kit on Discord"),
        ('place = "100"', 'place = "Acme"', "the server's id"),
        ('roles = ["201"]', 'roles = ["Designers"]', "the role's id"),
        ('name = "designers ask"\nplatform = "discord"', SLACK_RULE, "Slack tells nobody's roles"),
        ('name = "designers ask"\nplatform = "discord"', SLACK_RULE, '"100" is no id of Slack'),
        ('["request", "approve"]', '["aprove"]', "Did you mean `approve`"),
        ('["request", "approve"]', "[]", "about nothing"),
        ('name = "designers ask"\n', "", "name"),
        ("open_jobs_person = 3", "open_jobs_person = -1", "open_jobs_person"),
        ("open_jobs_person", "open_job_person", "Did you mean `open_jobs_person`"),
    ],
)
def test_mistakes_in_rules_are_explained(old: str, new: str, says: str) -> None:
    found = problems_of(changed(old, new, SMALL + ACCESS))
    assert says in " ".join(str(problem) for problem in found)
