"""Forms, suggestions and pictures that people bring, from the keyboard to the card."""

from collections.abc import Callable

from bot.core.assets import Asset
from bot.core.jobs import Job
from tests.fakes.discord.interactions import Modal
from tests.fakes.discord.looking import anywhere, button_of, pictured, posted
from tests.fakes.discord.state import Message
from tests.fakes.discord_town import DRAFTS, TALK, Running
from tests.fakes.uploads import png
from tests.fakes.waiting import until


async def job_where(house: Running, test: Callable[[Job], bool]) -> Job:
    """Wait for a job like this."""
    found: list[Job] = []

    async def there() -> bool:
        found[:] = [job for job in await house.town.jobs() if test(job)]
        return bool(found)

    await until(there)
    return found[0]


async def finished(house: Running) -> tuple[Message, Asset]:
    """Mia's finished picture."""
    await house.person("mia").command("imagine", prompt="a red mug", channel=DRAFTS)
    card = await posted(house.discord, DRAFTS, pictured)
    return card, await house.town.newest_asset()


async def test_a_template_is_suggested_and_its_form_asks_for_the_rest(
    discord_house: Running,
) -> None:
    mia = discord_house.person("mia")
    typed = await mia.type("imagine", "template", "prod", channel=DRAFTS)
    assert list(typed.choices.values()) == ["product"]
    assert (await mia.type("imagine", "lora", channel=DRAFTS)).acked
    opened = await mia.command("imagine", template="product", count=2, channel=DRAFTS)
    assert opened.modal is not None
    values = {"var:PRODUCT": "mug", "var:COLOR": "deep teal", "var:PLACE": "on the beach"}
    sent = await mia.submit(opened.modal, **values)
    assert "Queued" in (await sent.answer()).text
    job = await job_where(discord_house, lambda job: job.brief.template == "product")
    assert dict(job.brief.variables) | values_of(values) == dict(job.brief.variables)
    assert job.brief.n == 2


def values_of(fields: dict[str, str]) -> dict[str, str]:
    return {name.removeprefix("var:"): value for name, value in fields.items()}


async def test_a_message_s_picture_becomes_the_reference_of_the_form_s_picture(
    discord_house: Running,
) -> None:
    mia, ana = discord_house.person("mia"), discord_house.person("ana")
    said = ana.say("look", channel=TALK, files=(ana.attach(png(), channel=TALK),))
    opened = await mia.menu("Use as reference", said)
    sent = await mia.submit(opened.modal, prompt="like this, at night")
    assert sent.acked
    job = await job_where(discord_house, lambda job: bool(job.brief.reference))
    assert job.brief.words == "like this, at night"


async def test_an_attached_picture_and_a_form_s_file_are_references(
    discord_house: Running,
) -> None:
    mia = discord_house.person("mia")
    await mia.command(
        "imagine", prompt="by option", reference=mia.attach(png(), channel=DRAFTS), channel=DRAFTS
    )
    job = await job_where(discord_house, lambda job: job.brief.words == "by option")
    assert job.brief.reference
    opened = await mia.command("imagine", channel=DRAFTS)
    await mia.submit(
        opened.modal, prompt="by form", reference=mia.attach(png("blue"), channel=DRAFTS)
    )
    other = await job_where(discord_house, lambda job: job.brief.words == "by form")
    assert other.brief.reference not in ("", job.brief.reference)


async def test_a_picture_of_ours_is_begun_from_by_its_master(discord_house: Running) -> None:
    card, asset = await finished(discord_house)
    mia = discord_house.person("mia")
    opened = await mia.menu("Use as reference", card)
    await mia.submit(opened.modal, prompt="once more")
    job = await job_where(discord_house, lambda job: job.brief.words == "once more")
    assert job.brief.reference == asset.file_hash


async def test_words_are_changed_in_a_form_that_has_them(discord_house: Running) -> None:
    card, _asset = await finished(discord_house)
    mia = discord_house.person("mia")
    opened = []

    async def has_words() -> bool:
        opened[:] = [await mia.click(card, button_of(card, "ask:words:"))]
        return words_in(opened[0].modal) == "a red mug"

    await until(has_words)
    await mia.submit(opened[0].modal, said="a blue mug")
    await job_where(discord_house, lambda job: job.brief.words == "a blue mug")


def words_in(form: Modal | None) -> str:
    assert form is not None
    return str(form.fields()["said"].get("value", ""))


async def test_a_rejection_s_reason_reaches_who_asked(discord_house: Running) -> None:
    card, _asset = await finished(discord_house)
    mia, rob = discord_house.person("mia"), discord_house.person("rob")
    await mia.click(card, button_of(card, "do:send:"))
    review = await anywhere(
        discord_house.discord, lambda message: bool(button_of(message, "do:approve:"))
    )
    opened = await rob.click(review, button_of(review, "ask:reason:reject:"))
    await rob.submit(opened.modal, said="too dark")
    await until(lambda: "too dark" in review.text)
    assert not button_of(review, "do:approve:")
