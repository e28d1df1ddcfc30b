"""Whatever the house says can be said in Discord, and what it tells to type can be typed there."""

import re

import pytest

from bot.chat.discord_chat.rendering.cards import pictures_of, rendered
from bot.chat.discord_chat.rendering.commands import typed_here
from bot.chat.discord_chat.surfaces import COMMANDS
from bot.core.grammar import parse
from bot.core.help import example_of
from bot.core.verbs import VERBS
from bot.core.vocabulary import Vocabulary
from tests.fakes.discord.components import check
from tests.fakes.discord_reading import contents
from tests.fakes.house_says import all_it_says
from tests.fakes.town import KIT

VOCABULARY = Vocabulary.of(KIT)
AS_OPTION = re.compile(r"^/(?P<command>[a-z]+)(?: (?P<option>[a-z]+): ?| ?$)(?P<rest>.*)$")


@pytest.mark.parametrize("verb", [verb.name for verb in VERBS])
def test_every_command_that_a_card_names_can_be_typed_in_discord(verb: str) -> None:
    example = example_of(verb, VOCABULARY)
    found = AS_OPTION.match(typed_here(example))
    assert found is not None
    command = COMMANDS[found["command"]]
    assert found["option"] in (None, *(option.name for option in command.options))
    line = f"{command.line or '/'}{' ' if command.line else ''}{found['rest']}".strip()
    assert parse(line, vocabulary=VOCABULARY) == parse(example, vocabulary=VOCABULARY)


async def test_whatever_the_house_says_can_be_said_in_discord() -> None:
    for card in await all_it_says(VOCABULARY):
        files = {blob: f"{number}.png" for number, (blob, _) in enumerate(pictures_of(card))}
        for shown in (files, {}):
            message = rendered(card, shown=shown)
            check(list(message.components), v2=True)
            assert "".join(contents(message.components)).strip("—")
