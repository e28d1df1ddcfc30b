"""People's words: cleaned, compared with what they may have meant, held against the banned list."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brand.demo import demo_kit
from brand.errors import BannedWord
from brand.words import clean, find_banned, nearest, one_of, refuse_banned

KIT = demo_kit()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  a  red\n mug ", "a red mug"),
        ("a\x00red\x07mug", "aredmug"),
        ("safe\u202etxt.exe", "safetxt.exe"),
        ("mu\u200bg\ufeff", "mug"),
        ("cafe\u0301", "caf\u00e9"),
        ("\ud800 mug", "mug"),
        ("\u3000mug\u00a0", "mug"),
    ],
)
def test_unseen_characters_and_odd_spaces_go(text: str, expected: str) -> None:
    assert clean(text) == expected


@given(st.text(alphabet=st.characters()))
def test_any_text_becomes_clean_storable_text_once_and_for_all(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert unicodedata.is_normalized("NFC", cleaned)
    cleaned.encode("utf-8")
    assert not {"Cc", "Cf", "Cs"} & {unicodedata.category(char) for char in cleaned}


@pytest.mark.parametrize(
    ("word", "meant"),
    [("prodct", "product"), ("PRODUCT", "product"), ("stripe", "stripes"), ("xyzzy", ""), ("", "")],
)
def test_the_nearest_right_word_is_found_or_none(word: str, meant: str) -> None:
    assert nearest(word, ("product", "stripes", "mood")) == meant


def test_a_huge_word_is_compared_in_no_time() -> None:
    start = time.process_time()
    nearest("x" * 1_000_000, ["product"] * 50)
    assert time.process_time() - start < 0.5


def test_a_long_list_of_choices_is_cut() -> None:
    assert one_of(["a", "b", "c", "d"], limit=2) == "a, b and 2 more"
    assert one_of(["a", "b"], limit=2) == "a, b"
    assert one_of(["a", "b", "c"], limit=2) == "a, b and 1 more"


@pytest.mark.parametrize(
    "text",
    [
        "a cheap mug",
        "CHEAP!",
        "a (cheap:1.3) mug",
        "a ch(ea)p mug",
        "a che\u200bap mug",
        "a ｃｈｅａｐ mug",
        "low\n price",
        "a [[low]] price mug",
        "Hurry",
    ],
)
def test_a_banned_word_is_found_however_it_is_dressed(text: str) -> None:
    assert find_banned(text, KIT) is not None


@pytest.mark.parametrize("text", ["a mug in Cheapside", "cheaper", "a curette", "low-price", ""])
def test_a_word_that_only_holds_a_banned_one_is_fine(text: str) -> None:
    assert find_banned(text, KIT) is None


def test_of_two_banned_phrases_the_longer_one_is_named() -> None:
    found = find_banned("dirt cheap", KIT)
    assert found is not None
    assert found[0] == "dirt cheap"


def test_a_refusal_names_the_rule_its_owner_and_an_alternative() -> None:
    with pytest.raises(BannedWord) as caught:
        refuse_banned("a cheap mug", KIT, field="words")
    assert str(caught.value) == (
        "Northwind Tea's kit doesn't allow the word 'cheap' (tone rule 4): we talk of worth, not "
        "of price. Ask @brand to change it, or try 'affordable'."
    )
    refused = caught.value
    assert (refused.word, refused.rule, refused.owner) == ("cheap", 4, "@brand")
    assert refused.alternative == "affordable"
