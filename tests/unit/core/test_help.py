"""Help: every topic answers, and every example can be sent as it stands."""

import pytest

from bot.core.errors import NotFound
from bot.core.grammar import parse
from bot.core.help import EXAMPLE_ID, example_of, help_card, template_example
from bot.core.ids import is_id
from bot.core.verbs import TOPICS, VERBS
from bot.core.vocabulary import Vocabulary
from brand.kit_loader import load_kit
from tests.fakes.vocabulary import VOCABULARY
from tests.needs import ROOT

DEMO = Vocabulary.of(load_kit(ROOT / "brand" / "demo" / "northwind.toml"))
EMPTY = Vocabulary(brand="Bare")
VOCABULARIES = pytest.mark.parametrize(
    "vocabulary", [DEMO, VOCABULARY, EMPTY], ids=["demo", "acme", "bare"]
)


@VOCABULARIES
@pytest.mark.parametrize("topic", ["", *TOPICS, *(verb.name for verb in VERBS), "re-roll"])
def test_every_topic_has_a_card_whose_example_works(topic: str, vocabulary: Vocabulary) -> None:
    card = help_card(topic, vocabulary)
    assert card.title
    assert card.private
    assert parse(card.hint, vocabulary=vocabulary)


@VOCABULARIES
def test_every_template_has_a_card_whose_example_works(vocabulary: Vocabulary) -> None:
    for template in vocabulary.templates:
        card = help_card(template.name, vocabulary)
        assert [field.label for field in card.fields] == [f"{v.name}=" for v in template.variables]
        assert parse(template_example(template), vocabulary=vocabulary)


@VOCABULARIES
@pytest.mark.parametrize("verb", [verb.name for verb in VERBS])
def test_every_verb_has_an_example_that_is_its_own_command(
    verb: str, vocabulary: Vocabulary
) -> None:
    example = example_of(verb, vocabulary)
    assert example.split()[0] == f"/{verb}"
    assert parse(example, vocabulary=vocabulary)


def test_help_on_all_names_every_verb() -> None:
    said = {row[0].split()[0] for row in help_card("all", DEMO).rows}
    assert said == {f"/{verb.name}" for verb in VERBS}


def test_help_names_what_is_said_daily_and_where_the_rest_is() -> None:
    card = help_card("", DEMO)
    assert len(card.rows) == 7
    assert {"/imagine", "/approve", "/reject"} < {row[0].split()[0] for row in card.rows}
    assert "`/help all`" in card.lines[0]


def test_the_flags_card_names_the_brands_own_values() -> None:
    values = {row[0].split()[0]: row[2] for row in help_card("flags", DEMO).rows}
    assert values["--ar"] == "1:1, 4:5, 3:2"
    assert values["--n"] == "from 1 to 8"


def test_a_topic_that_is_none_is_not_found() -> None:
    with pytest.raises(NotFound) as caught:
        help_card("nonsense", DEMO)
    assert "/help" in caught.value.fix


def test_the_example_id_has_the_form_of_an_id() -> None:
    assert is_id(EXAMPLE_ID)


def test_the_readmes_commands_are_commands() -> None:
    lines = _readme_commands()
    assert lines
    for line in lines:
        assert parse(line, vocabulary=DEMO), line


def _readme_commands() -> list[str]:
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    in_tables = [line.split("`")[1] for line in lines if line.startswith("| `/")]
    return in_tables + [line for line in lines if line.startswith("/")]
