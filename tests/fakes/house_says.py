"""What the house itself says: its card for each command and topic, and what a picture leaves."""

from bot.core.commands import Approve, Find, Queue, Show
from bot.core.grammar import parse
from bot.core.help import example_of, help_card
from bot.core.messages import Card
from bot.core.verbs import BY_NAME, TOPICS, VERBS
from bot.core.vocabulary import Vocabulary
from tests.fakes.town import make_town
from tests.scenario.conftest import candidate, in_review


async def all_it_says(vocabulary: Vocabulary) -> list[Card]:
    """The answers of a town of this vocabulary's brand to everybody's every command, all of its
    help, and the cards of a picture from its job to its approval."""
    town = await make_town()
    cards = []
    for verb in VERBS:
        command = parse(example_of(verb.name, vocabulary), vocabulary=vocabulary)
        cards += [await town.say(command, who) for who in ("mia", "ana", "ida")]
    cards += [help_card(topic, vocabulary) for topic in ("", *TOPICS, *BY_NAME)]
    review = await in_review(town)
    cards.append(await town.say(Show(target=review.id), "ana"))
    cards.append(await town.say(Approve(review=review.id), "ana"))
    await town.settle()
    asset = await candidate(town)
    for command in (Show(target=asset.id), Show(target=asset.job), Find(text="mug"), Queue()):
        cards.append(await town.say(command))
    cards += [*town.chat.shown("drafts"), *town.chat.shown("@mia")]
    assert {card.kind for card in cards} >= {"job", "review", "reply", "list", "error"}
    return cards
