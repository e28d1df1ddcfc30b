"""Several LoRAs and learned words of one brief, within what the kit allows."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brand.demo import demo_kit
from brand.errors import BriefRefused, OutOfRange, UnknownChoice
from brand.kit import ApprovedEmbedding, ApprovedLora, BrandKit, LoraPolicy
from brand.kit_loader import parse_kit
from brand.learned_words import holds_word
from brand.lora_rules import lora_text, parse_lora_choice
from brand.spec import MAX_EMBEDDINGS, EmbeddingUse
from brand.templates import Brief, compile_brief
from tests.unit.brand.kit_texts import SMALL, line_of, lint_text, problems_of

LOOK = ApprovedLora(name="look", version="1", sha256="a" * 64, weight=0.8, triggers=("nwstyle",))
STRIPES = ApprovedLora(name="stripes", version="2", sha256="b" * 64, min_weight=-1.0)
GRAIN = ApprovedLora(name="grain", version="1", sha256="c" * 64, triggers=("grain", "NWSTYLE"))
STYLE = ApprovedEmbedding(name="style", version="3", sha256="d" * 64, token="acme-style")
UGLY = ApprovedEmbedding(name="ugly", version="1", sha256="e" * 64, token="<ugly>")
POLICY = LoraPolicy(default="look", approved=(LOOK, STRIPES, GRAIN), max_together=2)
KIT = replace(demo_kit(), lora=POLICY, embeddings=(STYLE, UGLY))


def uses(lora: str, kit: BrandKit = KIT, **changes: object) -> list[tuple[str, float]]:
    brief = replace(Brief(words="a red mug", lora=lora), **changes)
    return [(use.name, use.weight) for use in compile_brief(brief, kit, 1).loras]


def test_one_lora_or_several_with_their_weights() -> None:
    assert uses("") == [("look@1", 0.8)]
    assert uses("stripes") == [("stripes@2", 1.0)]
    assert uses("stripes:0.5") == [("stripes@2", 0.5)]
    assert uses("look:0.8+stripes:-0.4") == [("look@1", 0.8), ("stripes@2", -0.4)]
    assert uses(" look + Stripes:0,4 ") == [("look@1", 0.8), ("stripes@2", 0.4)]
    assert uses("look", lora_weight=0.3) == [("look@1", 0.3)]


def test_every_lora_brings_its_trigger_words_once() -> None:
    prompt = compile_brief(Brief(words="a red mug", lora="look+grain"), KIT, 1).prompt
    assert "nwstyle, grain" in prompt
    assert prompt.casefold().count("nwstyle") == 1


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ("look+", BriefRefused, "can't be read"),
        ("+", BriefRefused, "can't be read"),
        (":0.5", BriefRefused, "can't be read"),
        ("look:", BriefRefused, "can't be read"),
        ("look:much", BriefRefused, "can't be read"),
        ("look:nan", BriefRefused, "can't be read"),
        ("look:1e999", BriefRefused, "can't be read"),
        ("+".join(["look"] * 10), BriefRefused, "can't be read"),
        ("look:0.4+look:0.4", BriefRefused, "named twice"),
        ("look@1:0.4+look:0.4", BriefRefused, "named twice"),
        ("look+none", UnknownChoice, "Choose one of"),
        ("look+strips", UnknownChoice, "Did you mean `stripes`"),
        ("look:0.2+stripes:0.2+grain:0.2", OutOfRange, "allows 2 in one picture, not 3"),
        ("look:1.5+stripes:1", OutOfRange, "add up to 2.5"),
        ("look:1.5+stripes:-1", OutOfRange, "add up to 2.5"),
        ("look:1.6", OutOfRange, "between"),
        ("stripes:-1.5+look:0.1", OutOfRange, "between"),
    ],
)
def test_what_the_kit_does_not_allow_is_refused(
    text: str, kind: type[BriefRefused], says: str
) -> None:
    with pytest.raises(kind, match=says):
        uses(text)


@pytest.mark.parametrize("blank", ["", " ", "\t", "\u200b", " \u200b\n"])
def test_a_blank_text_is_as_if_nothing_were_said_of_loras(blank: str) -> None:
    assert uses(blank) == [("look@1", 0.8)]
    required = replace(KIT, lora=replace(POLICY, required=True))
    assert uses(blank, required) == [("look@1", 0.8)]


@pytest.mark.parametrize("said", ["none", " none", "none\u200b", ""])
def test_a_required_lora_cannot_be_left_out(said: str) -> None:
    without_default = replace(POLICY, required=True, default="")
    with pytest.raises(BriefRefused, match="in every picture") as refused:
        uses(said, replace(KIT, lora=without_default))
    assert refused.value.field == "lora"


def test_one_weight_for_several_is_refused() -> None:
    for text in ("look+stripes", "look:0.5"):
        with pytest.raises(BriefRefused, match="weighs one LoRA"):
            uses(text, lora_weight=0.5)


def test_a_single_lora_may_weigh_more_than_several_together() -> None:
    strong = replace(POLICY, approved=(replace(LOOK, max_weight=4.0),), max_weight_together=1.0)
    assert uses("look:3", replace(KIT, lora=strong)) == [("look@1", 3.0)]


names = st.from_regex(r"[a-z][a-z0-9-]{0,8}(@[0-9]{1,2})?", fullmatch=True)
weights = st.none() | st.floats(-4, 4).map(lambda number: round(number, 4))


@given(st.lists(st.tuples(names, weights), min_size=1, max_size=8))
def test_what_is_written_is_read_again(choices: list[tuple[str, float | None]]) -> None:
    assert parse_lora_choice(lora_text(tuple(choices))) == tuple(choices)


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        choices = parse_lora_choice(text)
    except BriefRefused:
        return
    assert all(name for name, _ in choices)


def embeddings(words: str, kit: BrandKit = KIT, **changes: object) -> tuple[EmbeddingUse, ...]:
    return compile_brief(replace(Brief(words=words), **changes), kit, 1).embeddings


def test_a_learned_word_comes_along_where_it_is_said() -> None:
    style = EmbeddingUse(sha256="d" * 64, token="acme-style", name="style@3")
    assert embeddings("a mug") == ()
    assert embeddings("a mug in acme-style") == (style,)
    assert embeddings("a mug in (Acme-Style:1.3)") == (style,)
    assert embeddings("a mug", negative="<ugly>")[0].token == "<ugly>"
    spoken = replace(KIT, formula=replace(KIT.formula, style="acme-style"))
    assert embeddings("a mug", spoken) == (style,)


def test_more_learned_words_than_a_picture_takes_are_refused() -> None:
    many = tuple(
        replace(STYLE, sha256=f"{number:064x}", token=f"style-{number}")
        for number in range(MAX_EMBEDDINGS + 1)
    )
    kit = replace(KIT, embeddings=many)
    words = " ".join(item.token for item in many)
    with pytest.raises(BriefRefused, match=f"At most {MAX_EMBEDDINGS} embeddings"):
        embeddings(words, kit)


@pytest.mark.parametrize(
    ("text", "word", "holds"),
    [
        ("an art fair", "art", True),
        ("a party", "art", False),
        ("Art.", "art", True),
        ("art_deco", "art", False),
        ("a<cat>b", "<cat>", True),
        ("", "art", False),
    ],
)
def test_a_learned_word_stands_alone(text: str, word: str, holds: bool) -> None:
    assert holds_word(text, word) is holds


EMBEDDING = '\n[[embeddings]]\nname = "{}"\nversion = "1"\nsha256 = "{}"\ntoken = "{}"\n'
ONE = EMBEDDING.format("style", "d" * 64, "acme-style")


def test_a_kit_lists_its_learned_words_and_its_limits() -> None:
    kit = parse_kit(f"{SMALL}\n[lora]\nmax_together = 2\nmax_weight_together = 1.2\n{ONE}")
    assert kit.embeddings == (replace(STYLE, version="1"),)
    assert (kit.lora.max_together, kit.lora.max_weight_together) == (2, 1.2)
    named = parse_kit(SMALL + ONE.replace('token = "acme-style"\n', ""))
    assert named.embeddings[0].token == "style"


def test_a_kit_without_them_keeps_its_hash() -> None:
    assert parse_kit(f"{SMALL}\n[lora]\nmax_together = 3\n").hash == parse_kit(SMALL).hash
    assert parse_kit(SMALL + ONE).hash != parse_kit(SMALL).hash


MISTAKES = {
    "the same word": (
        ONE + EMBEDDING.format("other", "f" * 64, "ACME-style"),
        "twice",
        'token = "A',
    ),
    "the same file": (ONE + EMBEDDING.format("other", "d" * 64, "other-style"), "twice", "sha256"),
    "a bracket": (EMBEDDING.format("style", "d" * 64, "acme)"), "can't be", 'token = "acme)'),
    "two words": (EMBEDDING.format("style", "d" * 64, "acme style"), "can't be", 'token = "acme '),
    "no hash": (EMBEDDING.format("style", "d" * 63, "acme-style"), "can't be", "sha256"),
    "a key too many": (ONE + "weight = 1\n", "isn't a key", "weight = 1"),
    "no room": ("\n[lora]\nmax_together = 0\n", "whole number from 1 to 8", "max_together"),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_mistake_is_explained_at_its_line(kind: str) -> None:
    addition, says, part = MISTAKES[kind]
    text = SMALL + addition
    (problem,) = (one for one in problems_of(text) if one.severity == "error")
    assert says in f"{problem.message} {problem.fix}"
    last = len(text) - text[::-1].index(part[::-1]) - len(part)
    assert problem.line == text[:last].count("\n") + 1


def test_a_common_word_as_a_learned_word_is_a_warning() -> None:
    text = SMALL + EMBEDDING.format("style", "d" * 64, "mug")
    found = [problem for problem in lint_text(text) if '"mug" is a word' in problem.message]
    assert [problem.severity for problem in found] == ["warning"]
    assert found[0].line == line_of(text, 'token = "mug"')


def test_stylize_goes_from_the_least_to_the_largest_weight_by_way_of_the_kits_own() -> None:
    assert uses("", stylize=0) == [("look@1", 0.0)]
    assert uses("", stylize=50) == [("look@1", 0.4)]
    assert uses("", stylize=100) == uses("")
    assert uses("", stylize=1000) == [("look@1", 1.5)]
    assert uses("stripes", stylize=0) == [("stripes@2", -1.0)]


@pytest.mark.parametrize("limits", [(0.0, 0.3, 0.9), (-1.0, -0.5, -0.1), (-2.0, -0.9, -0.9)])
def test_no_stylize_goes_beyond_a_loras_limits_by_a_fraction_that_is_not_exact(
    limits: tuple[float, float, float],
) -> None:
    least, usual, largest = limits
    lora = replace(STRIPES, min_weight=least, weight=usual, max_weight=largest)
    kit = replace(KIT, lora=replace(POLICY, approved=(lora,)))
    at = {n: uses("stripes", kit, stylize=n)[0][1] for n in (0, 100, 1000)}
    assert at == {0: least, 100: usual, 1000: largest}


def test_stylize_weighs_every_lora_of_the_picture() -> None:
    assert uses("look+stripes", stylize=100) == [("look@1", 0.8), ("stripes@2", 1.0)]


@pytest.mark.parametrize(
    ("lora", "changes", "says"),
    [
        ("none", {"stylize": 200}, "this picture has none"),
        ("look:0.5", {"stylize": 200}, "leave one out"),
        ("look", {"stylize": 200, "lora_weight": 0.5}, "leave one out"),
        ("look", {"stylize": 1001}, "between 0 and 1000"),
        ("look", {"stylize": -1}, "between 0 and 1000"),
    ],
)
def test_a_stylize_that_means_nothing_is_refused(
    lora: str, changes: dict[str, object], says: str
) -> None:
    with pytest.raises(BriefRefused, match=says):
        uses(lora, **changes)
