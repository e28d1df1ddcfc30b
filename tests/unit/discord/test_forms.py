"""Forms in Discord: opened from memory, within its limits, read as the line one would type."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bot.chat.discord_chat.forms.asking import ask_form
from bot.chat.discord_chat.forms.lines import imagine_line
from bot.chat.discord_chat.forms.reading import answer_of, line_of
from bot.chat.discord_chat.heard import Did, Heard
from bot.chat.discord_chat.surfaces import APPROVE, USE_AS_REFERENCE
from bot.core.assets import Asset, AssetQuery
from bot.core.commands import Imagine
from bot.core.errors import Mistake
from bot.core.grammar import Vocabulary, parse
from bot.core.ids import new_id
from brand.kit import Template, Variable
from brand.templates import Brief
from tests.fakes.discord_forms import (
    ACME,
    BOLT,
    MESSAGE,
    FormDesk,
    form_desk,
    heard,
    imagine,
    inputs_of,
)
from tests.fakes.waiting import until


@pytest.fixture
async def desk() -> AsyncIterator[FormDesk]:
    """One brand."""
    async with form_desk() as running:
        yield running


async def picture_of(desk: FormDesk, words: str = "a red mug") -> Asset:
    """Mia's finished picture."""
    await desk.town.say(Imagine(brief=Brief(words=words)))
    await desk.town.settle()
    async with desk.town.house.store.read() as tx:
        return (await tx.assets.find(AssetQuery()))[0]


def sent_off(action: str, **fields: str) -> Heard:
    """Mia's form."""
    said = next(iter(fields.values())) if len(fields) == 1 else ""
    return heard(Did.SUBMIT, action=action, options=tuple(fields.items()), said=said)


def brief_in(line: str) -> Brief:
    command = parse(line, vocabulary=Vocabulary.of(ACME))
    assert isinstance(command, Imagine)
    return command.brief


# ------------------------------------------------------------------------- a button's question


@pytest.mark.parametrize(("verb", "title"), [("reject", "Reject"), ("change", "Ask for a change")])
async def test_a_button_asks_for_the_reason_and_the_form_gives_it_back(
    desk: FormDesk, verb: str, title: str
) -> None:
    action = f"{verb}:{new_id()}"
    form = desk.forms.form(f"ask:reason:{action}", heard(Did.ACTION))
    assert form is not None
    assert form["title"] == title
    assert inputs_of(form)["said"]["required"] is True
    sent = sent_off(form["custom_id"].removeprefix("form:"), said="too dark")
    assert answer_of(sent) == (action, "too dark")


async def test_words_stand_in_their_form_soon_after_the_picture_is_done(desk: FormDesk) -> None:
    asset = await picture_of(desk)

    def words() -> str | None:
        form = desk.forms.form(f"ask:words:edit:{asset.id}", heard(Did.ACTION))
        value: str | None = inputs_of(form)["said"].get("value")
        return value

    await until(lambda: words() is not None)
    assert words() == "a red mug"


async def test_who_may_not_go_on_with_a_picture_sees_no_words_of_it() -> None:
    async with form_desk() as desk:
        asset = await picture_of(desk)
        async with desk.forms.refreshing():
            mine = desk.forms.form(f"ask:words:edit:{asset.id}", heard(Did.ACTION))
            strange = desk.forms.form(f"ask:words:edit:{asset.id}", heard(Did.ACTION, who="eve"))
            approver = desk.forms.form(f"ask:words:edit:{asset.id}", heard(Did.ACTION, who="ben"))
    assert "value" in inputs_of(mine)["said"]
    assert "value" not in inputs_of(strange)["said"]
    assert "value" not in inputs_of(approver)["said"]


def test_long_words_with_their_flags_stand_in_their_form_whole() -> None:
    words = f"{'a red mug ' * 199}--ar 4:5 --cfg 7 --no text"
    form = ask_form("words", f"edit:{new_id()}", said=words)
    assert inputs_of(form)["said"]["value"] == words


async def test_a_picture_of_ours_opens_the_form_for_one_that_starts_from_it(
    desk: FormDesk,
) -> None:
    asset = new_id()
    form = desk.forms.form(f"ask:reference:reference:{asset}", heard(Did.ACTION))
    assert form is not None
    assert list(inputs_of(form)) == ["prompt", "aspect", "count", "negative"]
    sent = sent_off(form["custom_id"].removeprefix("form:"), prompt="at night", count="2")
    assert line_of(sent) == f"/imagine --n 2 --ref {asset} at night"


@pytest.mark.parametrize(
    "custom_id",
    ["ask:", "ask:reason", "ask:nonsense:edit:x", "do:approve:x", "", f"ask:reason:{'x' * 94}"],
)
async def test_what_asks_nothing_opens_no_form(desk: FormDesk, custom_id: str) -> None:
    assert desk.forms.form(custom_id, heard(Did.ACTION)) is None


@pytest.mark.parametrize("action", ["", "reason", "nonsense:edit:x", "imagine"])
def test_a_form_that_is_not_ours_is_told_so(action: str) -> None:
    with pytest.raises(Mistake, match="isn't one of ours"):
        answer_of(sent_off(action, said="x"))


# --------------------------------------------------------------------------------- /imagine


async def test_imagine_with_nothing_opens_the_form_for_a_picture(desk: FormDesk) -> None:
    form = desk.forms.form_for(imagine(seed="7", count="2"))
    fields = inputs_of(form)
    assert list(fields) == ["prompt", "aspect", "count", "negative", "reference"]
    assert fields["prompt"]["value"] == "--seed 7"
    assert [one["value"] for one in fields["count"]["options"] if one.get("default")] == ["2"]
    sent = sent_off("imagine", prompt="--seed 7 a mug", aspect="4:5", count="2", negative="text")
    brief = brief_in(line_of(sent))
    assert (brief.words, brief.seed, brief.aspect, brief.n) == ("a mug", 7, "4:5", 2)
    assert brief.negative == "text"


async def test_a_count_that_the_brand_does_not_make_is_not_lost_in_the_form(desk: FormDesk) -> None:
    too_many = str(desk.town.kit.generation.max_count + 1)
    fields = inputs_of(desk.forms.form_for(imagine(count=too_many)))
    assert fields["prompt"]["value"] == f"--n {too_many}"


async def test_imagine_with_words_opens_none(desk: FormDesk) -> None:
    assert desk.forms.form_for(imagine(prompt="a red mug")) is None
    assert desk.forms.form_for(imagine(prompt="template:plain")) is None
    assert desk.forms.form_for(imagine(template="nonsense")) is None


async def test_a_template_asks_for_what_it_lacks(desk: FormDesk) -> None:
    form = desk.forms.form_for(imagine(template="product", prompt="in snow", count="2"))
    assert form is not None
    assert form["title"] == "New picture: product"
    fields = inputs_of(form)
    assert list(fields) == ["var:COLOR", "var:THING", "var:PLACE", "prompt"]
    assert [one["value"] for one in fields["var:COLOR"]["options"]] == ["red", "green", "blue"]
    assert fields["var:THING"]["required"] is True
    assert fields["var:PLACE"]["required"] is False
    words = fields["prompt"]["value"]
    sent = sent_off(
        "imagine", **{"var:COLOR": "red", "var:THING": "tea cup", "var:PLACE": "", "prompt": words}
    )
    brief = brief_in(line_of(sent))
    assert (brief.template, brief.words, brief.n) == ("product", "in snow", 2)
    assert brief.variables == (("COLOR", "red"), ("THING", "tea cup"))


async def test_what_is_typed_already_is_not_asked_for(desk: FormDesk) -> None:
    typed = imagine(prompt='template:product color=red THING="tea cup"')
    assert desk.forms.form_for(typed) is None
    form = desk.forms.form_for(imagine(prompt="template:product color=red"))
    assert list(inputs_of(form)) == ["var:THING", "var:PLACE", "prompt"]


async def test_what_has_no_room_in_the_form_is_asked_for_in_words() -> None:
    many = Template(
        name="many", text="[A] [B] [C] [D] [E]", variables=tuple(Variable(name=n) for n in "ABCDE")
    )
    async with form_desk(replace(ACME, templates=(many,))) as desk:
        form = desk.forms.form_for(imagine(template="many"))
    assert list(inputs_of(form)) == ["var:A", "var:B", "var:C", "var:D", "prompt"]
    assert form is not None
    assert form["components"][-1]["description"] == "Also needed, as NAME=value: E."


async def test_an_attached_picture_opens_no_form_for_it_could_not_come_along(
    desk: FormDesk,
) -> None:
    assert desk.forms.form_for(imagine(template="product", files=("https://x/y.png",))) is None


async def test_a_stranger_gets_no_form_but_the_door_s_answer(desk: FormDesk) -> None:
    assert desk.forms.form_for(imagine(who="eve")) is None
    assert desk.forms.form_for(imagine(who="ben")) is None


# ------------------------------------------------------------------------------------- menus


async def test_a_message_s_picture_opens_the_form_that_knows_the_message(desk: FormDesk) -> None:
    chosen = heard(
        Did.MENU, command=USE_AS_REFERENCE, message=MESSAGE, files=("https://cdn/x.png",)
    )
    form = desk.forms.form_for(chosen)
    assert form is not None
    assert form["custom_id"] == f"form:imagine:{MESSAGE}"
    assert "reference" not in inputs_of(form)


async def test_a_message_without_a_picture_opens_a_form_with_a_place_for_one(
    desk: FormDesk,
) -> None:
    form = desk.forms.form_for(heard(Did.MENU, command=USE_AS_REFERENCE, message=MESSAGE))
    assert form is not None
    assert form["custom_id"] == "form:imagine"
    assert "no picture" in form["components"][0]["description"]
    assert "reference" in inputs_of(form)


async def test_the_other_menus_open_none(desk: FormDesk) -> None:
    assert desk.forms.form_for(heard(Did.MENU, command=APPROVE, message=MESSAGE)) is None


async def test_of_several_brands_the_picture_s_own_stands_in_its_form() -> None:
    async with form_desk(BOLT) as desk:
        form = desk.forms.form(f"ask:reference:reference:{new_id()}", heard(Did.ACTION))
    assert inputs_of(form)["prompt"]["value"] == "--brand acme"


# ------------------------------------------------------------------------------------- lines


def test_what_was_chosen_stands_before_words_that_may_hold_anything() -> None:
    options = {
        "prompt": "queue of people --no hats",
        "template": "",
        "negative": "text, hands",
        "private": "true",
        "lora": "acme",
        "seed": "7",
    }
    brief = brief_in(imagine_line(options))
    assert (brief.words, brief.negative) == ("queue of people", "text, hands, hats")
    assert (brief.private, brief.lora, brief.seed) == (True, "acme", 7)


def test_no_is_no_flag() -> None:
    assert imagine_line({"prompt": "a mug", "private": "false"}) == "/imagine a mug"


@pytest.mark.parametrize("value", ["tea cup", 'a "big" cup', "--n 9", "-x", "it's,"])
def test_a_variable_s_value_stays_a_value(value: str) -> None:
    line = imagine_line({"template": "product", "var:COLOR": "red", "var:THING": value})
    assert brief_in(line).variables == (("COLOR", "red"), ("THING", value))
