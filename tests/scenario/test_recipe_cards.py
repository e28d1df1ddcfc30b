"""The recipe of a picture, as people get it."""

from dataclasses import replace

from bot.core.commands import Imagine, Recipe, Show, Vary
from bot.core.grammar import parse
from bot.core.messages import Card
from bot.core.vocabulary import Vocabulary
from brand.kit import BannedTerm
from brand.templates import Brief
from tests.fakes.town import START, Town, make_town
from tests.scenario.conftest import candidate, in_review, newest_asset


def facts(card: Card) -> dict[str, str]:
    """Label -> value."""
    return {field.label: field.value for field in card.fields}


async def recipe(town: Town, target: str, who: str = "mia") -> Card:
    """What is said of it."""
    return await town.say(Recipe(target=target), who)


async def test_a_recipe_names_all_that_reproduces_the_picture() -> None:
    town = await make_town()
    asset = await candidate(town)
    card = await recipe(town, asset.id)
    said, spec = facts(card), asset.spec
    assert said["seed"] == str(spec.seed)
    assert said["prompt"] == spec.prompt
    assert said["size"] == f"{spec.width} × {spec.height}"
    assert said["model"].startswith(spec.model)
    assert said["recipe"] == spec.hash
    assert said["class"].startswith(asset.reproduction.id)
    for use in spec.loras:
        assert use.sha256[:12] in said["LoRA"]
    assert asset.id in card.footer
    assert card.private


async def test_its_line_asks_for_the_very_same_recipe() -> None:
    town = await make_town()
    asset = await candidate(town)
    card = await recipe(town, asset.id)
    again = parse(card.hint, vocabulary=Vocabulary.of(town.kit))
    assert isinstance(again, Imagine)
    await town.say(again)
    await town.settle()
    assert (await newest_asset(town)).spec.hash == asset.spec.hash


async def test_a_line_that_would_give_another_picture_is_not_told() -> None:
    town = await make_town()
    asset = await candidate(town)
    formula = replace(town.kit.formula, lighting="candle light")
    for changed in (
        {"formula": formula},
        {
            "banned": (
                BannedTerm(words=("mug",), reason="no mugs", rule=1, owner="brand", alternative=""),
            )
        },
    ):
        async with town.house.store.write() as tx:
            kit = replace(town.kit, version="2", **changed)
            await tx.kits.put(kit, source="", at=START)
        card = await recipe(town, asset.id)
        assert card.hint == ""
        assert f"housestyle rerender {asset.id}" in card.footer


async def test_its_line_names_the_brand_where_there_are_several() -> None:
    town = await make_town()
    asset = await candidate(town)
    async with town.house.store.write() as tx:
        other = replace(town.kit, id="zeta", name="Zeta", channels=())
        await tx.kits.put(other, source="", at=START)
    again = parse((await recipe(town, asset.id)).hint, vocabulary=Vocabulary.of(town.kit))
    assert isinstance(again, Imagine)
    assert again.brand == "acme"


async def test_a_variation_has_no_line_that_says_it() -> None:
    town = await make_town()
    asset = await candidate(town)
    await town.say(Vary(asset=asset.id))
    await town.settle()
    card = await recipe(town, (await newest_asset(town)).id)
    assert card.hint == ""
    assert "init" in facts(card)


async def test_several_pictures_say_once_what_they_share() -> None:
    town = await make_town()
    await town.say(Imagine(brief=Brief(words="a red mug", n=2)))
    await town.settle()
    card = await recipe(town, (await newest_asset(town)).job)
    said = facts(card)
    assert len(card.pictures) == 2
    assert "prompt" in said
    assert {"picture 1, seed", "picture 2, seed"} < set(said)
    assert "seed" not in said


async def test_reviews_and_pictures_are_shown_with_it_too() -> None:
    town = await make_town()
    review = await in_review(town)
    of_review = facts(await recipe(town, review.id, "ana"))
    of_asset = facts(await town.say(Show(target=review.asset)))
    assert of_review.items() <= of_asset.items()


async def test_who_may_not_see_a_picture_does_not_get_its_recipe() -> None:
    town = await make_town()
    await town.say(Imagine(brief=Brief(words="a secret mug", private=True)), "ana")
    await town.settle()
    asset = await newest_asset(town)
    card = await recipe(town, asset.id)
    assert card.kind == "error"
    assert asset.words not in str(card)
