"""Arguments of the shell, read by the same grammar as a line in a chat."""

from dataclasses import replace

import pytest

from bot.cli.console import CommandFailed
from bot.cli.wording import read_words
from brand.kit import Template, Variable
from brand.templates import Brief
from tests.fakes.town import KIT

POSTER = Template(
    name="poster",
    text="a poster that says [HEADLINE] in [COLOR]",
    variables=(Variable(name="HEADLINE"), Variable(name="COLOR", values=("red",), default="red")),
)
ACME = replace(KIT, templates=(POSTER,))


def brief(*words: str, **flags: object) -> Brief:
    return read_words(words, ACME, flags).brief


def test_words_may_come_as_one_argument_or_as_many() -> None:
    assert brief("a red mug") == brief("a", "red", "mug") == Brief(words="a red mug")


def test_a_value_with_blanks_needs_no_second_quotation_marks() -> None:
    read = brief("template:poster", "HEADLINE=Tea for two", "at night")
    assert read.variables == (("HEADLINE", "Tea for two"),)
    assert read.words == "at night"


def test_a_whole_line_from_a_chat_may_be_one_argument() -> None:
    read = brief('template:poster HEADLINE="Tea for two" COLOR=red --n 2 Negative: dark')
    assert read.variables == (("HEADLINE", "Tea for two"), ("COLOR", "red"))
    assert (read.n, read.negative) == (2, "dark")


def test_an_equals_sign_among_words_is_only_a_word() -> None:
    assert brief("e=mc2 on a blackboard").words == "e=mc2 on a blackboard"


@pytest.mark.parametrize("words", ["queue", "help", "usage", "imagine all the people"])
def test_words_that_are_verbs_elsewhere_are_words_here(words: str) -> None:
    assert brief(words).words == words


def test_flags_that_were_not_given_say_nothing() -> None:
    assert brief("a mug", seed=None, private=False) == Brief(words="a mug")
    assert brief("a mug", seed="0", private=True) == Brief(words="a mug", seed=0, private=True)


def test_what_must_not_be_in_it_may_hold_commas_and_dashes() -> None:
    assert brief("a mug", no="cars, --people").negative == "cars, --people"


def test_no_words_at_all_are_asked_for() -> None:
    with pytest.raises(CommandFailed, match="Say what the picture shows"):
        brief("")
