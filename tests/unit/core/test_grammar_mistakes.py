"""Mistakes: where it is, what may stand there, what was probably meant, and no cost."""

import pytest

from bot.core.errors import Mistake
from bot.core.grammar import MAX_TYPED, parse
from tests.fakes.vocabulary import ID, SHA, VOCABULARY


def mistake(text: str, *, attached: str = "") -> Mistake:
    with pytest.raises(Mistake) as caught:
        parse(text, vocabulary=VOCABULARY, attached=attached)
    return caught.value


def place(text: str) -> str:
    """The part of the text that the mistake points at."""
    position = mistake(text).position
    assert position is not None
    return text[position.start : position.end]


def test_a_mistyped_template_is_answered_with_the_nearest_one() -> None:
    found = mistake("/imagine template:prodct PRODUCT=mug")
    assert found.message == (
        "`template:prodct` isn't a template of Acme. Did you mean `product`? Nothing was queued."
    )
    assert found.allowed == ("product", "poster", "plain")
    assert found.nearest == "product"
    assert found.field == "template"


def test_a_word_near_to_nothing_is_answered_with_all_there_is() -> None:
    found = mistake("/imagine template:xyz")
    assert "There is product, poster, plain." in found.message
    assert found.nearest == ""


@pytest.mark.parametrize(
    ("text", "at", "nearest"),
    [
        ("/imagin a mug", "/imagin", "/imagine"),
        ("/imagine template:prodct a mug", "template:prodct", "product"),
        ("/imagine a mug --stpes 20", "--stpes", "--steps"),
        ("/imagine a mug —smapler euler", "—smapler", "--sampler"),
        ("/imagine a mug -ar 1:1", "-ar", "--ar"),
        ("/imagine a mug --sampler eular", "eular", "euler"),
        ("/imagine a mug --sampler=eular", "eular", "euler"),
        ("/imagine a mug --ar 16:9", "16:9", "3:2"),
        ("/imagine a mug --ar 2:3", "2:3", "4:5"),
        ("/imagine a mug --lora akme", "akme", "acme"),
        ("/imagine a mug --lora akme:0.5", "akme", "acme"),
        ("/imagine a mug --channel #socail", "#socail", "#social"),
        ("/imagine a mug --brand betta", "betta", "beta"),
        ("/imagine template:product PRODCT=mug", "PRODCT", "PRODUCT"),
        ("/imagine template:product COLOR=purpel", "purpel", "purple"),
        ("/imagine COLOR=red a mug", "COLOR=red", "product"),
        (f"/send {ID} #socail", "#socail", "#social"),
        ("/find mug --state aproved", "aproved", "approved"),
        ("/find mug --stat approved", "--stat", "--state"),
        ("/help templats", "templats", "templates"),
    ],
)
def test_a_slip_is_pointed_at_and_the_right_word_offered(text: str, at: str, nearest: str) -> None:
    assert mistake(text).nearest == nearest
    assert place(text) == at
    assert mistake(text).allowed, "and everything that may stand there"


@pytest.mark.parametrize(
    ("text", "at", "says"),
    [
        ("/imagine a mug --n 9", "9", "a whole number from 1 to 8"),
        ("/imagine a mug --n 0", "0", "a whole number from 1 to 8"),
        ("/imagine a mug --n many", "many", "a whole number from 1 to 8"),
        ("/imagine a mug --n 1.5", "1.5", "a whole number from 1 to 8"),
        ("/imagine a mug --steps 51", "51", "from 1 to 50"),
        ("/imagine a mug --cfg nan", "nan", "a number from 0 to 12"),
        ("/imagine a mug --cfg 1e3", "1e3", "a number from 0 to 12"),
        ("/imagine a mug --seed -1", "-1", "leave `--seed` out"),
        ("/imagine a mug --seed 99999999999999999999", "99999999999999999999", "from 0 to"),
        (f"/imagine a mug --ref {ID} --strength 1.1", "1.1", "from 0 to 1"),
        ("/imagine a mug --lora acme:2", "acme:2", "from 0.2 to 1.2"),
        ("/imagine a mug --lora acme:", "acme:", "from 0.2 to 1.2"),
        ("/imagine a mug --lora none:1", "none:1", "no LoRA to weigh"),
        ("/imagine a mug --ref ../../etc", "../../etc", "isn't a picture's id"),
        ("/imagine a mug --private=yes", "yes", "takes no value"),
        (f"/upscale {ID} 3", "3", "enlarged by `2` or `4`"),
        (f"/vary {ID} wildly", "wildly", "takes `strong` or nothing"),
        (f"/settle {ID} maybe", "maybe", "Say `sent`"),
    ],
)
def test_a_value_outside_its_limits_is_answered_with_the_limits(
    text: str, at: str, says: str
) -> None:
    assert says in mistake(text).message
    assert place(text) == at


@pytest.mark.parametrize(
    ("text", "at", "says"),
    [
        ("/imagine a mug --ar", "--ar", "`--ar` needs a value: `1:1`, `4:5` or `3:2`."),
        ("/imagine a mug --ar --n 2", "--ar", "`--ar` needs a value"),
        ("/imagine a mug --seed=", "--seed=", "as in `--seed N`"),
        ("/imagine a mug --no", "--no", "`--no` needs a value"),
        ("/imagine template:", "template:", "needs the name of a template"),
        ("/imagine template:poster HEADLINE=", "", "`HEADLINE=` needs a value"),
        ("/imagine template:poster", "template:poster", "needs `HEADLINE=` too"),
        ("/imagine template:product", "template:product", "`mug`, `gift box` or `gift`"),
        (f"/imagine a mug --strength 0.5 {ID}", "--strength", "there is none"),
        ("/imagine", "", "Say what the picture shows"),
        ("/imagine --n 2", "", "Say what the picture shows"),
        ("/approve", "", "needs the id"),
        (f"/reject {ID}", "", "Say why"),
        (f"/edit {ID}", "", "Say the new words"),
        ("/queue --brand", "--brand", "`--brand` needs a value"),
    ],
)
def test_what_is_missing_is_asked_for(text: str, at: str, says: str) -> None:
    assert says in mistake(text).message
    assert place(text) == at


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("/imagine a mug --ar 1:1 --ar 3:2", "--ar"),
        ("/imagine a mug --ar 1:1 --aspect 3:2", "--aspect"),
        ("/imagine a mug --private --private", "--private"),
        ("/imagine template:plain template:poster", "template:poster"),
        ("/imagine template:poster HEADLINE=a headline=b", "headline=b"),
        ("/find a --state approved --state approved", "--state"),
    ],
)
def test_what_is_said_twice_is_asked_back(text: str, at: str) -> None:
    assert "is said twice" in mistake(text).message
    assert place(text) == at


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ('/imagine a "red mug', 9 + 2),
        ("/imagine a “red mug", 9 + 2),
        ('/imagine template:poster HEADLINE="Tea', 34),
        ('/imagine a mug --no "cars', 20),
        (f'/reject {ID} "too dark', 31),
    ],
)
def test_an_open_quotation_mark_is_pointed_at(text: str, at: int) -> None:
    found = mistake(text)
    assert "never closed" in found.message
    assert found.position is not None
    assert found.position.start == at


def test_positions_count_in_the_text_as_it_was_typed() -> None:
    assert place("/imagine\u200b a \u202emug\u0000  --stpes\u200b 20") == "--stpes"


def test_a_picture_attached_and_named_is_one_too_many() -> None:
    found = mistake(f"/imagine a mug --ref {ID}", attached=SHA)
    assert "Keep one" in found.message


@pytest.mark.parametrize("verb", ["approve", "show", "reroll", "cancel", "withdraw"])
@pytest.mark.parametrize("wrong", ["abc", "../../../etc/passwd", "é" * 22, ID + "x", "`" * 22])
def test_what_is_no_id_never_gets_further(verb: str, wrong: str) -> None:
    assert "isn't an id" in mistake(f"/{verb} {wrong}").message


def test_more_than_a_verb_takes_is_asked_back() -> None:
    assert place(f"/approve {ID} gladly") == "gladly"


def test_a_mistake_says_that_it_cost_nothing() -> None:
    assert mistake("/imagine a mug --n 99").message.endswith("Nothing was queued.")
    assert mistake("/approve me").message.endswith("Nothing was changed.")


def test_long_text_is_refused_before_it_is_read() -> None:
    found = mistake("/imagine " + "a " * MAX_TYPED)
    assert f"{MAX_TYPED:,}" in found.message


@pytest.mark.parametrize(
    "text",
    [
        "/imagine " + "word " * 500,
        "/imagine template:poster HEADLINE=" + "a" * 201,
        "/imagine a mug --no " + "dark " * 500,
    ],
)
def test_more_words_than_are_read_are_refused(text: str) -> None:
    assert "are read" in mistake(text).message


def test_a_sentence_holds_no_more_than_a_piece_of_what_was_typed() -> None:
    assert len(mistake("/imagine template:" + "x" * 5000).message) < 200
