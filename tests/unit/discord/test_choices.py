"""What is offered while somebody types: at once, from memory, of what they may use."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.chat.discord_chat.forms.choices import choices_for
from brand.kit import AccessRule, Template
from tests.fakes.discord_forms import ACME, BOLT, SOCIAL, FormDesk, form_desk, imagine
from tests.fakes.town import START


@pytest.fixture
async def desk() -> AsyncIterator[FormDesk]:
    """Two brands; Mia may ask for both."""
    async with form_desk(BOLT) as running:
        yield running


def test_templates_that_fit_come_best_first(desk: FormDesk) -> None:
    assert [value for _name, value in desk.choices("template")] == ["product", "plain"]
    assert desk.choices("template", "pla")[0] == ("plain: a plain picture", "plain")
    assert [value for _name, value in desk.choices("template", "lit")] == ["product"]


def test_an_empty_input_and_an_unknown_option_never_fail(desk: FormDesk) -> None:
    assert [value for _name, value in desk.choices("lora")] == ["acme", "sketch", "none"]
    assert desk.choices("nonsense", "x") == []
    assert desk.choices("", "") == []


def test_the_brand_that_was_typed_decides_else_that_of_the_channel(desk: FormDesk) -> None:
    assert [value for _name, value in desk.choices("aspect")] == ["1:1", "4:5"]
    by_id = desk.choices("aspect", options={"brand": "bolt"}, channel=SOCIAL)
    by_name = desk.choices("aspect", options={"brand": "BOLT"}, channel=SOCIAL)
    assert by_id == by_name == [("3:2: 96 × 64 pixels", "3:2")]


def test_a_stranger_is_offered_nothing(desk: FormDesk) -> None:
    assert desk.choices("brand", who="eve") == []
    assert desk.choices("template", who="eve") == []


async def test_who_is_on_the_block_list_is_offered_nothing(desk: FormDesk) -> None:
    mia = desk.town.people["mia"]
    async with desk.town.house.store.write() as tx:
        await tx.people.update(replace(mia, blocked_at=START), was=mia)
    await desk.forms.refresh()
    assert desk.choices("template") == []
    assert desk.forms.form_for(imagine(prompt="")) is None


def test_who_may_only_approve_is_offered_no_templates_but_brands_to_look_at(
    desk: FormDesk,
) -> None:
    assert desk.choices("template", who="ben") == []
    offered = desk.choices("brand", who="ben", command="usage")
    assert offered == [("Acme", "acme"), ("Bolt", "bolt")]


def test_brands_of_one_name_are_told_apart() -> None:
    other = replace(ACME, id="acme-2")
    assert choices_for("brand", "acme", (ACME, other), ACME) == [
        ("Acme: acme", "acme"),
        ("Acme: acme-2", "acme-2"),
    ]


def test_a_look_that_a_brand_insists_on_can_t_be_left_out() -> None:
    kit = replace(ACME, lora=replace(ACME.lora, default="acme", required=True))
    assert choices_for("lora", "", (kit,), kit) == [
        ("acme: the usual look", "acme"),
        ("sketch", "sketch"),
    ]


def test_there_are_at_most_25_and_each_as_short_as_discord_wants_it() -> None:
    many = tuple(
        Template(name=f"t{n}", text="x", description="of a very long kind " * 9) for n in range(60)
    )
    unsayable = Template(name="n" * 101, text="x")
    kit = replace(ACME, templates=(unsayable, *many))
    offered = choices_for("template", "", (kit,), kit)
    assert len(offered) == 25
    assert all(0 < len(name) <= 100 and 0 < len(value) <= 100 for name, value in offered)
    assert offered[0][1] == "t0"


async def test_what_a_rule_of_the_kit_forbids_here_is_not_offered() -> None:
    rule = AccessRule(name="designers", platform="discord", channels=("#drafts",), roles=("77",))
    async with form_desk(replace(BOLT, access=(rule,), channels=ACME.channels)) as desk:
        offered = [value for _name, value in desk.choices("brand")]
        by_role = [value for _name, value in desk.choices("brand", roles=("77",))]
        elsewhere = [value for _name, value in desk.choices("brand", channel=SOCIAL)]
    assert offered == ["acme"]
    assert by_role == elsewhere == ["acme", "bolt"]
