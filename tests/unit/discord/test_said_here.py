"""Whatever the house says can be said in Discord, and what it tells to type can be typed there."""

import re

import pytest

from bot.chat.discord_chat.rendering.cards import pictures_of, rendered
from bot.chat.discord_chat.rendering.commands import typed_here
from bot.chat.discord_chat.surfaces import COMMANDS
from bot.core.commands import Approve, Find, Queue, Show
from bot.core.grammar import parse
from bot.core.help import example_of, help_card
from bot.core.verbs import BY_NAME, TOPICS, VERBS
from bot.core.vocabulary import Vocabulary
from tests.fakes.discord.components import check
from tests.fakes.discord_reading import contents
from tests.fakes.town import KIT, make_town
from tests.scenario.conftest import candidate, in_review

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
    town = await make_town()
    cards = []
    for verb in VERBS:
        command = parse(example_of(verb.name, VOCABULARY), vocabulary=VOCABULARY)
        cards += [await town.say(command, who) for who in ("mia", "ana", "ida")]
    cards += [help_card(topic, VOCABULARY) for topic in ("", *TOPICS, *BY_NAME)]
    review = await in_review(town)
    cards.append(await town.say(Show(target=review.id), "ana"))
    cards.append(await town.say(Approve(review=review.id), "ana"))
    await town.settle()
    asset = await candidate(town)
    for command in (Show(target=asset.id), Show(target=asset.job), Find(text="mug"), Queue()):
        cards.append(await town.say(command))
    cards += [*town.chat.shown("drafts"), *town.chat.shown("@mia")]
    assert {card.kind for card in cards} >= {"job", "review", "reply", "list", "error"}
    for card in cards:
        files = {blob: f"{number}.png" for number, (blob, _) in enumerate(pictures_of(card))}
        for shown in (files, {}):
            message = rendered(card, shown=shown)
            check(list(message.components), v2=True)
            assert "".join(contents(message.components)).strip("—")
