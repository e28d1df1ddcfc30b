"""Brand kits: the demo kit is right, and what a kit says is read."""

import re
from dataclasses import replace
from pathlib import Path

from brand.demo import DEMO_BRAND, demo_kit
from brand.kit import PaletteColor, Stage, WayPolicy
from brand.kit_loader import lint_kit, load_kit, parse_kit
from tests.unit.brand.kit_texts import (
    LORA,
    LORA_RULE,
    SMALL,
    SOURCE,
    WAYS,
    changed,
)


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


def test_a_colour_without_a_key_is_no_key_colour() -> None:
    assert not PaletteColor(name="x", hex="#000000").key
    navy = demo_kit().color("navy")
    assert navy is not None
    assert (navy.key, navy.min_share, navy.rgb) == (False, 0.0, (27, 42, 73))


def test_a_warning_does_not_keep_a_kit_from_loading(tmp_path: Path) -> None:
    path = tmp_path / "kit.toml"
    path.write_text(SMALL, encoding="utf-8")
    assert {problem.severity for problem in lint_kit(path)} == {"warning"}
    assert load_kit(path).id == "small"


def test_an_approved_lora_is_read_with_its_limits() -> None:
    text = SOURCE.replace(LORA_RULE, 'required = true\ndefault = "look"')
    kit = parse_kit(text + LORA.format("a" * 64, 0.9) + f'dataset_sha256 = "{"d" * 64}"\n')
    lora = kit.lora.find("look")
    assert lora is not None
    assert lora is kit.lora.find("look@1")
    assert (lora.weight, lora.max_weight) == (0.9, 1.5)
    assert lora.dataset_sha256 == "d" * 64


def test_ways_and_recipes_are_read() -> None:
    kit = parse_kit(SMALL + WAYS)
    assert kit.ways == WayPolicy(inpaint=True, controls=("canny", "depth"), highres=1.5)
    recipe = kit.recipe("TWO")
    assert recipe is not None
    assert recipe.stages[1] == Stage(name="part", mask="inside", box=(0.1, 0.1, 0.5, 0.9))
    assert parse_kit(SMALL).ways == WayPolicy()


def in_workspace(team: str) -> str:
    return (
        SMALL
        + f"""
[[channels]]
name = "#social"
audience = "public"
platform = "slack"
id = "C1"
team = "{team}"
"""
    )


def test_a_channel_may_name_its_workspace() -> None:
    [channel] = parse_kit(in_workspace("E1/T1")).channels
    assert (channel.channel_id, channel.team) == ("C1", "E1/T1")


def test_a_kit_that_names_no_workspace_keeps_the_hash_it_had_before_there_were_any() -> None:
    none = parse_kit(in_workspace(""))
    assert none.hash == "d0729d36cc0b8ebe795804b8e3dd80ce9ed1a1e5e56c4e115ed16aa1d1785e4d"
    assert parse_kit(in_workspace("T1")).hash != none.hash


def test_one_channel_id_may_stand_for_two_workspaces() -> None:
    second = in_workspace("T2").removeprefix(SMALL).replace("#social", "#other")
    assert len(parse_kit(in_workspace("T1") + second).channels) == 2
