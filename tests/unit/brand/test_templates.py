"""Briefs become recipes: the formula, the kit's limits, and payloads that stay plain text."""

import time
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from brand.demo import demo_kit
from brand.emphasis import parse_emphasis
from brand.errors import (
    BannedWord,
    BriefRefused,
    MissingValue,
    OutOfRange,
    UnknownChoice,
)
from brand.kit import ApprovedLora, Formula, LoraPolicy, Template, Variable
from brand.spec import MAX_SEED, InitImage, LoraUse, RenderSpec
from brand.templates import Brief, compile_brief, substitute

LOOK = ApprovedLora(
    name="look", version="1", sha256="a" * 64, weight=0.8, max_weight=1.2, triggers=("nwstyle",)
)
GREETING = Template(
    name="greeting",
    text="a [COLOR] card saying [GREETING]",
    style="[MOOD] drawing",
    negative=("hands",),
    aspect="4:5",
    variables=(
        Variable(name="COLOR", values=("teal", "orange"), default="teal"),
        Variable(name="GREETING"),
        Variable(name="MOOD", values=("calm", "lively"), default="calm"),
    ),
)
KIT = replace(
    demo_kit(),
    formula=Formula(
        base="a catalogue picture",
        style="house style",
        lighting="soft light",
        composition="centered",
        quality="sharp focus",
    ),
    templates=(*demo_kit().templates, GREETING),
    lora=LoraPolicy(default="look", approved=(LOOK,)),
)


def brief(words: str = "a red mug", **changes: object) -> Brief:
    """A brief with some of its fields set."""
    return replace(Brief(words=words), **changes)


def compiled(words: str = "a red mug", **changes: object) -> RenderSpec:
    """The first recipe of a brief."""
    return compile_brief(brief(words, **changes), KIT, 42)


def test_the_prompt_is_the_formula_in_its_order() -> None:
    assert compiled().prompt == (
        "a catalogue picture, a red mug, house style, nwstyle, soft light, centered, sharp focus"
    )


def test_what_the_brief_leaves_out_is_the_kits() -> None:
    assert compiled() == RenderSpec(
        prompt=compiled().prompt,
        negative="blurry, low quality, deformed, ugly, noisy, watermark, text, cluttered",
        model="demo",
        seed=42,
        width=128,
        height=128,
        steps=20,
        guidance=4,
        sampler="dpmpp_2m_karras",
        loras=(LoraUse(sha256="a" * 64, weight=0.8, name="look@1"),),
    )


def test_what_the_brief_says_stands_in_the_recipe() -> None:
    spec = compiled(
        steps=30,
        cfg=5.5,
        sampler="ddim",
        aspect="3:2",
        negative="hands",
        reference="b" * 64,
        strength=0.3,
        lora_weight=1.1,
    )
    assert (spec.steps, spec.guidance, spec.sampler) == (30, 5.5, "ddim")
    assert (spec.width, spec.height) == (192, 128)
    assert spec.negative.endswith("cluttered, hands")
    assert spec.init == InitImage(sha256="b" * 64, strength=0.3)
    assert spec.loras[0].weight == 1.1


def test_a_template_fills_its_variables_and_replaces_its_parts() -> None:
    spec = compiled("", template="greeting", variables=(("greeting", "hello"), ("MOOD", "lively")))
    assert spec.prompt == (
        "a catalogue picture, a teal card saying hello, lively drawing, nwstyle, soft light, "
        "centered, sharp focus"
    )
    assert spec.negative.endswith("cluttered, hands")
    assert (spec.width, spec.height) == (128, 160)


def test_words_follow_the_template_or_stand_where_it_says() -> None:
    assert (
        "on a wooden table, for spring, product"
        in compile_brief(brief("for spring", template="product"), demo_kit(), 1).prompt
    )
    assert (
        "on a wooden table, for spring, product"
        in compile_brief(brief("for spring", template="gift"), demo_kit(), 1).prompt
    )


def test_an_article_follows_the_value_after_it() -> None:
    assert substitute("a [C] mug, an [C] hat", {"C": "orange"}) == "an orange mug, an orange hat"
    assert substitute("A [C] mug and a mug", {"C": "teal"}) == "A teal mug and a mug"
    assert substitute("an [C], [C]", {"C": "red"}) == "a red, red"


def test_values_are_taken_in_any_case_and_written_as_the_kit_does() -> None:
    spec = compiled("", template="PRODUCT", variables=(("color", "ORANGE"),))
    assert "an orange teapot" in spec.prompt


PAYLOADS = (
    "[COLOR]",
    "[MOOD][COLOR]",
    "{{7*7}}",
    "{0.__class__}",
    "{COLOR}",
    "%(COLOR)s",
    "${COLOR}",
    "<lora:evil:1>",
    "__import__('os')",
    "\\g<0>\\1",
)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_payload_in_a_value_stays_the_text_that_it_is(payload: str) -> None:
    spec = compiled("", template="greeting", variables=(("GREETING", payload),))
    assert f"a teal card saying {payload}, calm drawing" in spec.prompt
    assert len(spec.loras) == 1


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_payload_in_the_words_stays_the_text_that_it_is(payload: str) -> None:
    spec = compiled(payload)
    assert f"a catalogue picture, {payload}, house style" in spec.prompt
    assert len(spec.loras) == 1


def test_the_same_brief_gives_the_same_recipe() -> None:
    assert compiled().hash == compiled().hash


def test_each_picture_of_a_brief_has_the_next_seed_and_nothing_else_new() -> None:
    specs = [compile_brief(brief(n=4), KIT, 42, index) for index in range(4)]
    assert [spec.seed for spec in specs] == [42, 43, 44, 45]
    assert len({replace(spec, seed=0) for spec in specs}) == 1


def test_brackets_in_the_words_do_not_weigh_the_brands_own() -> None:
    for words in ("[[[[ mug", "mug ((((", "mug:0.1)))", "mug \\"):
        (chunk,) = parse_emphasis(compiled(words).prompt)
        weights = {span.weight for span in chunk if "house style" in span.text}
        assert weights == {1.0}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"template": "prodct"},
            "`template:prodct` isn't a template of Northwind Tea. Did you mean `product`? "
            "Choose one of product, stripes, pattern, mood, gift, greeting. Nothing was queued.",
        ),
        (
            {"template": "product", "variables": (("COLOUR", "red"),)},
            "`COLOUR` isn't a variable of the template `product`. Did you mean `COLOR`? "
            "It has PRODUCT, COLOR, PLACE. Nothing was queued.",
        ),
        (
            {"template": "stripes", "variables": (("COLOR", "orang"),)},
            "`COLOR:orang` isn't a COLOR of Northwind Tea. Did you mean `orange`? "
            "Choose one of orange, teal, white, blue. Nothing was queued.",
        ),
        (
            {"sampler": "dimm"},
            "`sampler:dimm` isn't a sampler of Northwind Tea. Did you mean `ddim`? "
            "Choose one of dpmpp_2m_karras, ddim, euler, euler_a, unipc. Nothing was queued.",
        ),
        (
            {"aspect": "1:2"},
            "`aspect:1:2` isn't an aspect of Northwind Tea. Did you mean `1:1`? "
            "Choose one of 1:1, 4:5, 3:2. Nothing was queued.",
        ),
        (
            {"lora": "lok"},
            "`lora:lok` isn't a lora of Northwind Tea. Did you mean `look`? "
            "Choose one of look. Nothing was queued.",
        ),
    ],
)
def test_a_mistake_is_answered_with_the_nearest_right_word(
    changes: dict[str, object], message: str
) -> None:
    with pytest.raises(UnknownChoice) as caught:
        compiled("", **changes) if "template" in changes else compiled(**changes)
    assert str(caught.value) == message
    assert caught.value.suggestion in message
    assert caught.value.suggestion


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"n": 0}, "n"),
        ({"n": 9}, "n"),
        ({"seed": -1}, "seed"),
        ({"seed": MAX_SEED + 1}, "seed"),
        ({"steps": 0}, "steps"),
        ({"steps": 51}, "steps"),
        ({"cfg": float("nan")}, "cfg"),
        ({"cfg": 12.5}, "cfg"),
        ({"reference": "b" * 64, "strength": 1.1}, "strength"),
        ({"lora_weight": 1.3}, "lora_weight"),
        ({"lora_weight": float("inf")}, "lora_weight"),
        ({"words": "x" * 2001}, "words"),
        ({"negative": "x" * 2001}, "negative"),
    ],
)
def test_a_number_outside_the_limits_is_refused_with_the_limits(
    changes: dict[str, object], field: str
) -> None:
    with pytest.raises(OutOfRange) as caught:
        compiled(**changes)
    assert caught.value.field == field


def test_a_picture_count_that_leads_past_the_last_seed_is_refused() -> None:
    with pytest.raises(OutOfRange, match="seed"):
        compile_brief(brief(n=2), KIT, MAX_SEED, 1)


def test_a_brief_without_anything_to_show_is_refused() -> None:
    with pytest.raises(MissingValue, match="Say what the picture shows"):
        compiled(" \u200b ")


def test_a_variable_without_value_and_default_is_asked_for() -> None:
    with pytest.raises(MissingValue, match="needs `GREETING=`") as caught:
        compiled("", template="greeting")
    assert caught.value.field == "GREETING"


def test_variables_without_a_template_are_a_mistake() -> None:
    with pytest.raises(BriefRefused, match=r"`COLOR=` needs a template.*`template:product`"):
        compiled(variables=(("COLOR", "red"),))


def test_strength_without_a_reference_is_a_mistake() -> None:
    with pytest.raises(BriefRefused, match="`strength` says how far a reference"):
        compiled(strength=0.5)


def test_a_reference_is_named_by_its_hash_and_by_nothing_else() -> None:
    with pytest.raises(BriefRefused, match="SHA-256"):
        compiled(reference="http://169.254.169.254/latest")


@pytest.mark.parametrize(
    "changes",
    [
        {"words": "a cheap mug"},
        {"words": "", "template": "greeting", "variables": (("GREETING", "buy now"),)},
        {"words": "price", "template": "greeting", "variables": (("GREETING", "x, low"),)},
    ],
)
def test_banned_words_are_refused_wherever_they_stand(changes: dict[str, object]) -> None:
    if changes["words"] == "price":
        kit = replace(KIT, templates=(replace(GREETING, text="[GREETING] [WORDS]"),))
    else:
        kit = KIT
    with pytest.raises(BannedWord, match="Ask @brand"):
        compile_brief(brief(**changes), kit, 1)


def test_a_refusal_names_the_variable_that_holds_the_banned_word() -> None:
    with pytest.raises(BannedWord) as caught:
        compiled("", template="greeting", variables=(("GREETING", "buy now"),))
    assert caught.value.field == "GREETING"


def test_a_banned_word_may_be_asked_not_to_show() -> None:
    assert compiled(negative="cheap look").negative.endswith("cheap look")


def test_a_brief_may_do_without_the_lora_where_the_kit_lets_it() -> None:
    assert compiled(lora="none").loras == ()
    assert "nwstyle" not in compiled(lora="none").prompt
    strict = replace(KIT, lora=replace(KIT.lora, required=True))
    with pytest.raises(BriefRefused, match="asks for its LoRA in every picture"):
        compile_brief(brief(lora="none"), strict, 1)


def test_a_kit_without_a_lora_renders_without_one() -> None:
    kit = replace(KIT, lora=LoraPolicy())
    assert compile_brief(brief(), kit, 1).loras == ()
    with pytest.raises(UnknownChoice, match="The kit has no lora yet"):
        compile_brief(brief(lora="look"), kit, 1)
    with pytest.raises(BriefRefused, match="needs a LoRA"):
        compile_brief(brief(lora_weight=1.0), kit, 1)


def test_a_trigger_word_is_not_said_twice() -> None:
    assert compiled("a NWstyle mug").prompt.casefold().count("nwstyle") == 1


def test_the_newest_listed_version_of_a_lora_serves_unless_one_is_named() -> None:
    newer = replace(LOOK, version="2", sha256="c" * 64)
    kit = replace(KIT, lora=LoraPolicy(default="look", approved=(LOOK, newer)))
    assert compile_brief(brief(), kit, 1).loras[0].name == "look@2"
    assert compile_brief(brief(lora="look@1"), kit, 1).loras[0].sha256 == "a" * 64


def test_a_brief_survives_its_stored_form() -> None:
    full = Brief(
        words="a mug",
        template="greeting",
        variables=(("GREETING", "hé"), ("COLOR", "teal")),
        n=2,
        seed=7,
        cfg=4.5,
        lora="none",
        private=True,
        reference="b" * 64,
        strength=1,
    )
    assert Brief.from_dict(full.to_dict()) == full
    assert Brief(words="x").to_dict() == {"words": "x"}


texts = st.text(alphabet=st.characters(), max_size=40)
numbers = st.none() | st.floats() | st.integers(-5, 100)
briefs = st.builds(
    Brief,
    words=texts,
    template=st.sampled_from(["", "product", "greeting", "gift"]) | texts,
    variables=st.lists(
        st.tuples(st.sampled_from(["COLOR", "GREETING"]) | texts, texts), max_size=3
    ).map(tuple),
    negative=texts,
    aspect=st.sampled_from(["", "1:1"]) | texts,
    n=st.integers(-1, 10),
    seed=st.none() | st.integers(-1, 2**70),
    steps=st.none() | st.integers(-1, 1000),
    cfg=numbers,
    sampler=st.sampled_from(["", "ddim"]) | texts,
    strength=numbers,
    lora=st.sampled_from(["", "none", "look"]) | texts,
    lora_weight=numbers,
    reference=st.sampled_from(["", "b" * 64]) | texts,
)


@given(briefs)
@example(Brief(words="(" * 2000))
@example(Brief(words="\ufdfa" * 2000))
@example(Brief(words="x", template="greeting", variables=(("GREETING", "[" * 200),)))
def test_any_brief_becomes_a_recipe_or_a_refusal_in_words(brief: Brief) -> None:
    refusal = ""
    try:
        spec = compile_brief(brief, KIT, 5)
    except BriefRefused as refused:
        refusal = str(refused)
    if refusal:
        assert 10 < len(refusal) < 2500
    else:
        assert RenderSpec.decode(spec.encode()) == spec


def test_a_brief_of_ten_megabytes_is_refused_at_once() -> None:
    start = time.process_time()
    with pytest.raises(OutOfRange):
        compiled("(a" * 1_000_000)
    assert time.process_time() - start < 3
