"""Controls, masks, larger frames, passes and recipes as people type them."""

import pytest

from bot.core.commands import Find, Imagine
from bot.core.errors import Mistake
from bot.core.grammar import Attached, parse, render_command
from brand.brief import Brief, ControlWish
from brand.spec import Outpaint
from tests.fakes.vocabulary import ID, OTHER_ID, VOCABULARY

ONE, TWO, THREE = ("1" * 64, "2" * 64, "3" * 64)


def brief(text: str, *pictures: str, **fields: str) -> Brief:
    """What `/imagine TEXT` asks for, with these pictures attached."""
    attached = Attached(pictures=pictures, **fields)
    command = parse(f"/imagine {text}", vocabulary=VOCABULARY, attached=attached)
    assert isinstance(command, Imagine)
    again = render_command(command, vocabulary=VOCABULARY)
    assert parse(again, vocabulary=VOCABULARY) == command
    return command.brief


def mistake(text: str, *pictures: str) -> Mistake:
    with pytest.raises(Mistake) as found:
        brief(text, *pictures)
    return found.value


def test_a_control_leads_with_its_weight_and_share() -> None:
    said = brief(f"a mug control:canny@0.8:{ID} --control depth@1.5@0.1-0.6!:{OTHER_ID}")
    assert said.words == "a mug"
    assert said.controls == (
        ControlWish(kind="canny", weight=0.8, picture=ID),
        ControlWish(kind="depth", weight=1.5, start=0.1, end=0.6, ready=True, picture=OTHER_ID),
    )


def test_one_picture_and_a_control_is_a_picture_led_by_it() -> None:
    said = brief("a mug control:canny", ONE)
    assert (said.reference, said.controls[0].picture) == ("", ONE)
    both = brief("a mug control:canny control:depth", ONE)
    assert [use.picture for use in both.controls] == [ONE, ONE]


def test_with_a_strength_the_first_picture_is_the_reference() -> None:
    assert "--control" in mistake("a mug control:canny --strength 0.5", ONE).message
    said = brief("a mug control:canny --strength 0.5", ONE, TWO)
    assert (said.reference, said.controls[0].picture) == (ONE, TWO)


def test_further_pictures_go_in_the_order_of_the_words() -> None:
    said = brief("a mug --like control:canny", ONE, TWO, THREE)
    assert (said.reference, said.like, said.controls[0].picture) == (ONE, TWO, THREE)
    said = brief("a mug control:canny --like @0.4", ONE, TWO, THREE)
    assert (said.like, said.like_weight, said.controls[0].picture) == (THREE, 0.4, TWO)


def test_the_forms_first_picture_leads_where_the_words_say_no_more() -> None:
    said = brief("a mug control:canny", reference=ONE)
    assert (said.reference, said.controls[0].picture) == ("", ONE)
    said = brief("a mug control:canny", reference=ONE, control=TWO)
    assert (said.reference, said.controls[0].picture) == (ONE, TWO)


def test_the_right_name_of_a_lora_leaves_its_weight_alone() -> None:
    line = "/imagine a mug lora:skech:0.5"
    with pytest.raises(Mistake) as found:
        parse(line, vocabulary=VOCABULARY)
    assert found.value.position is not None
    start, end = found.value.position.start, found.value.position.end
    assert line[:start] + found.value.nearest + line[end:] == "/imagine a mug lora:sketch:0.5"


def test_turning_a_mask_round_needs_a_mask() -> None:
    assert "`--invert` turns a mask round" in mistake("a sky --invert", ONE).message


@pytest.mark.parametrize("typed", ["highres:abc", "highres:big"])
def test_a_second_pass_without_a_number_is_a_mistake_and_no_words(typed: str) -> None:
    assert "takes a number" in mistake(f"a mug {typed}").message


def test_a_mask_goes_with_a_reference() -> None:
    said = brief("a blue sky --mask --invert", ONE, TWO)
    assert (said.reference, said.mask, said.invert) == (ONE, TWO, True)
    said = brief(f"a blue sky --ref {ID} --mask", TWO)
    assert (said.reference, said.mask) == (ID, TWO)
    assert "after the one that it belongs to" in mistake("a sky --mask", ONE).message
    assert "reference" in mistake(f"a sky mask:{ID}").message


def test_a_forms_fields_say_what_each_picture_is_for() -> None:
    said = brief(
        "a mug control:canny --mask --like", reference=ONE, mask=TWO, control=THREE, like=ONE
    )
    assert (said.reference, said.mask, said.like) == (ONE, TWO, ONE)
    assert said.controls[0].picture == THREE
    said = brief("a mug", reference=ONE, mask=TWO, like=THREE)
    assert (said.mask, said.like) == (TWO, THREE)


def test_pictures_that_nothing_is_said_of_are_a_mistake() -> None:
    found = mistake("a mug", ONE, TWO)
    assert "2 pictures" in found.message
    assert "Nothing was queued" in found.message


def test_a_form_that_says_canny_without_a_word_is_led_by_it() -> None:
    assert brief("a mug", control=ONE).controls == (ControlWish(kind="canny", picture=ONE),)


@pytest.mark.parametrize(
    ("typed", "sides"),
    [
        ("outpaint:left=128", Outpaint(left=128)),
        ("--outpaint left=128,top=65", Outpaint(left=128, top=64)),
        ("outpaint:64", Outpaint(left=64, right=64, top=64, bottom=64)),
    ],
)
def test_outpainting_names_sides_and_pixels(typed: str, sides: Outpaint) -> None:
    assert brief(f"a beach {typed}", ONE).outpaint == sides


def test_a_second_pass_a_recipe_and_a_fresh_render() -> None:
    said = brief("a mug highres:1.5 recipe:Scene --fresh")
    assert (said.highres, said.recipe, said.fresh, said.words) == (1.5, "scene", True, "a mug")
    assert brief("a mug --highres 2x").highres == 2.0


@pytest.mark.parametrize(
    ("typed", "second"),
    [
        ("highres:2", (2.0, None, None)),
        ("highres:2x@0.4", (2.0, 0.4, None)),
        ("--highres 1,5@0,4@12", (1.5, 0.4, 12)),
        ("highres:2@@12", (2.0, None, 12)),
    ],
)
def test_a_second_pass_has_a_strength_and_steps_of_its_own(
    typed: str, second: tuple[float, float | None, int | None]
) -> None:
    said = brief(f"a mug {typed}")
    assert (said.highres, said.highres_strength, said.highres_steps) == second


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("control:cany", "canny"),
        ("recipe:scen", "scene"),
        ("--controll canny", "--control"),
        ("--hires 2", "--highres"),
    ],
)
def test_a_misspelt_way_is_answered_with_the_nearest_word(typed: str, meant: str) -> None:
    assert mistake(f"a mug {typed}", ONE).nearest == meant


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("control:canny@9", "from 0 to 2"),
        ("control:canny@1@0.6-0.2", "before it ends"),
        ("--control canny@@", "control:canny@0.8"),
        ("--outpaint far", "outpaint:left=128"),
        ("outpaint:0", "doesn't say how far"),
        ("highres:9", "from 1 to 4"),
        ("highres:2@0", "from 0.05 to 1"),
        ("highres:2@", "from 0.05 to 1"),
        ("highres:2@0.4@0", "a whole number from 1 to 50"),
        ("highres:2@0.4@", "a whole number from 1 to 50"),
        ("highres:1 --strength 0.4", "reference"),
        ("outpaint:left=8", "reference"),
    ],
)
def test_a_way_that_makes_no_sense_says_what_does(typed: str, says: str) -> None:
    assert says in mistake(f"a mug {typed}").message


@pytest.mark.parametrize("talk", ["mask: a red one", "like: new", "control: total", "highres: yes"])
def test_words_with_colons_stay_words(talk: str) -> None:
    assert brief(talk).words == talk


def test_other_verbs_take_such_words_as_words() -> None:
    command = parse("/find control:canny lora:acme", vocabulary=VOCABULARY)
    assert command == Find(text="control:canny lora:acme")


def test_several_loras_come_with_their_weights() -> None:
    said = brief("a mug lora:ACME:0.6+sketch@1:0,4")
    assert (said.lora, said.lora_weight) == ("acme:0.6+sketch@1:0.4", None)
    assert brief("a mug lora:acme:0.6").lora_weight == 0.6
    assert mistake("a mug lora:acme:0.6+sketsh").nearest == "sketch"
    assert "from 0.2 to 1.2" in mistake("a mug lora:acme:9+sketch").message
    assert "can't be read" in mistake("a mug lora:acme+").message


def test_the_flags_that_hands_know_from_midjourney_are_read() -> None:
    said = brief("a mug --stylize 250 --iw 1.5 --tile", ONE)
    assert (said.stylize, said.image_weight, said.tile) == (250, 1.5, True)
    assert said.reference == ONE
    assert brief("a mug --s 0").stylize == 0


def test_an_image_weight_makes_the_first_picture_the_reference() -> None:
    said = brief("a mug control:canny --iw 2", ONE, TWO)
    assert (said.reference, said.controls[0].picture) == (ONE, TWO)
    assert "`--ref ID`" in mistake("a mug --iw 2").message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a mug --stylize 1001", "from 0 to 1,000"),
        ("a mug --stylize strong", "whole number"),
        (f"a mug --ref {ID} --iw 3.5", "from 0 to 3"),
        (f"a mug --ref {ID} --iw 1 --strength 0.5", "leave `--strength` or `--iw` out"),
        ("a mug lora:acme:0.8 --stylize 200", "leave `--lora` or `--stylize` out"),
        ("a mug --tile=yes", "takes no value"),
    ],
)
def test_what_they_do_not_take_is_said_at_its_place(text: str, says: str) -> None:
    assert says in mistake(text).message
