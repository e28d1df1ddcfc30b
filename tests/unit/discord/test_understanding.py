"""What people type in Discord: one command each, its answer where it belongs."""

import asyncio
from dataclasses import replace

import pytest

from bot.chat.discord_chat.heard import Did
from bot.chat.discord_chat.understanding.replying import REPEATED_AFTER_S
from bot.chat.discord_chat.understanding.standing import actor_of
from bot.core.assets import AssetQuery
from bot.core.commands import Help, LinkAccount
from bot.core.errors import ChatUnavailable, Unavailable
from bot.core.jobs import Job
from bot.core.messages import ChannelRef
from brand.kit import Aspect, Template, Variable
from tests.fakes.discord_folk import (
    ACCOUNTS,
    ACME,
    DRAFTS,
    GUILD,
    SOCIAL,
    THREAD,
    DiscordFolk,
    make_folk,
)
from tests.fakes.uploads import png
from tests.fakes.waiting import until

WORDS = "a red mug on a table"
DIRECT = "9101"
WIDE = replace(
    ACME,
    generation=replace(
        ACME.generation,
        aspects=(*ACME.generation.aspects, Aspect(name="16:9", width=128, height=72)),
    ),
    templates=(
        Template(
            name="product",
            text="[THING] on white, [WORDS]",
            variables=(Variable(name="THING", values=("mug", "cup")),),
        ),
    ),
)


async def jobs(folk: DiscordFolk, brand: str = "acme") -> list[Job]:
    """All jobs that gave a picture."""
    async with folk.town.house.store.read() as tx:
        assets = await tx.assets.find(AssetQuery(brand=brand))
        return [await tx.jobs.get(key) for key in {asset.job for asset in assets}]


async def only_job(folk: DiscordFolk) -> Job:
    """The one job there is."""
    [job] = await jobs(folk)
    return job


async def test_a_command_is_answered_in_its_acknowledgement_and_by_its_card() -> None:
    folk = await make_folk()
    heard = await folk.type("imagine", prompt=WORDS)
    assert (await only_job(folk)).brief.words == WORDS
    assert folk.chat.cards[folk.message("job")].state == "done"
    [answer] = folk.answers()
    assert answer.reply_to == heard.token
    assert answer.card.title.startswith("Queued, next in line")
    assert answer.card.lines == ("The card is in this channel.",)


async def test_options_and_flags_among_the_words_make_the_same_brief() -> None:
    typed, chosen = await make_folk(WIDE), await make_folk(WIDE)
    await typed.type("imagine", prompt=f"{WORDS} --ar 16:9 --n 2 --seed 7 --private --no text")
    await chosen.type(
        "imagine",
        prompt=WORDS,
        aspect="16:9",
        count="2",
        seed="7",
        private="true",
        negative="text",
    )
    assert (await only_job(chosen)).brief == (await only_job(typed)).brief


async def test_a_template_is_chosen_and_filled_in_by_the_words() -> None:
    folk = await make_folk(WIDE)
    await folk.type("imagine", template="product", prompt="THING=cup in the sun")
    brief = (await only_job(folk)).brief
    assert (brief.template, brief.variables) == ("product", (("THING", "cup"),))
    assert brief.words == "in the sun"


async def test_an_option_and_a_flag_that_say_the_same_are_a_mistake_in_clear_words() -> None:
    folk = await make_folk(WIDE)
    await folk.type("imagine", prompt=f"{WORDS} --ar 16:9", aspect="1:1")
    [answer] = folk.answers()
    assert answer.card.kind == "error"
    assert answer.card.lines[0].startswith("`--ar` is said twice. Keep one.")
    assert await jobs(folk) == []


async def test_an_unknown_flag_is_explained_privately_and_the_line_given_back() -> None:
    folk = await make_folk()
    await folk.type("imagine", prompt=f"{WORDS} --sede 7")
    [answer] = folk.answers()
    assert answer.card.kind == "error"
    assert "`--sede` isn't a flag" in answer.card.lines[0]
    assert "--seed" in " ".join(answer.card.lines)
    assert answer.card.lines[-1] == f"What you asked for: `/imagine {WORDS} --sede 7`"
    assert [one.only_for for one in folk.chat.sent] == [ACCOUNTS["mia"]]


async def test_an_attached_picture_is_the_reference() -> None:
    folk = await make_folk()
    url = "https://cdn.discordapp.com/ephemeral-attachments/1/2/mug.png?ex=1"
    folk.rest.files[url] = png()
    heard = folk.heard(Did.COMMAND, command="imagine", options=(("prompt", WORDS),), files=(url,))
    await folk.work(heard)
    assert (await only_job(folk)).brief.reference


@pytest.mark.parametrize(
    ("command", "options", "title"),
    [
        ("queue", {}, "The queue is empty"),
        ("find", {"words": "teal"}, "Nothing found for “teal”"),
        ("show", {"id": "0123456789ABCDEFGHIJab"}, ""),
        ("usage", {"brand": "acme"}, ""),
        ("help", {"about": "vary"}, "/vary ID [strong]"),
        ("brand", {"brand": "acme"}, ""),
        ("housestyle", {"line": "queue"}, "The queue is empty"),
        ("housestyle", {"line": "/find teal"}, "Nothing found for “teal”"),
        ("schedule", {"rule": "every Monday 09:00"}, ""),
        ("link", {}, "Your code: "),
    ],
)
async def test_every_command_has_one_private_answer(
    command: str, options: dict[str, str], title: str
) -> None:
    folk = await make_folk()
    heard = await folk.type(command, **options)
    [answer] = folk.answers()
    assert answer.reply_to == heard.token
    assert answer.target == ChannelRef(platform="discord", channel=DRAFTS)
    assert answer.card.title.startswith(title)


@pytest.mark.parametrize(
    ("command", "options", "wanted"),
    [
        (
            "schedule",
            {"rule": f"every Monday 09:00 Berlin theme tea in <#{DRAFTS}>"},
            {"theme": "tea", "channel": "#drafts"},
        ),
        (
            "housestyle",
            {"line": f"send 0123456789ABCDEFGHIJab <#{DRAFTS}> Hello"},
            {"channel": "#drafts", "caption": "Hello"},
        ),
        ("housestyle", {"line": "role <@!101> approver"}, {"person": "discord:101"}),
        (
            "housestyle",
            {"line": "invite Mo --account <@106411111111111111>"},
            {"account": "discord:106411111111111111"},
        ),
        ("housestyle", {"line": "budget role <@&77> --pictures 5"}, {"key": "discord:77"}),
    ],
)
async def test_whom_and_what_one_chose_while_typing_is_what_is_meant(
    command: str, options: dict[str, str], wanted: dict[str, str]
) -> None:
    folk = await make_folk()
    await folk.type(command, "ana", **options)
    [(done, _)] = folk.doorman.told
    assert {name: getattr(done, name) for name in wanted} == wanted


async def test_a_channel_that_the_kit_does_not_list_is_no_part_of_a_theme() -> None:
    folk = await make_folk()
    await folk.type("schedule", "ida", rule="every Monday 09:00 Berlin theme tea in <#777>")
    assert "`#777` isn't a channel of Acme" in folk.answers("ida")[0].card.lines[0]
    assert folk.doorman.told == []


async def test_a_brand_tells_of_itself_where_another_ones_channel_is() -> None:
    other = replace(WIDE, id="zeta", name="Zeta", channels=())
    folk = await make_folk(ACME, other)
    await folk.type("brand", brand="zeta")
    assert "product" in str(folk.answers()[0].card)


async def test_help_asks_nobody_of_several_brands_which_one_is_meant() -> None:
    other = replace(WIDE, id="zeta", name="Zeta", channels=())
    folk = await make_folk(ACME, other)
    for command, options in (("help", {}), ("help", {"about": "vary"}), ("brand", {})):
        folk.chat.sent.clear()
        await folk.type(command, channel=DIRECT, **options)
        assert folk.answers()[0].card.kind in ("list", "reply"), (command, options)


async def test_drafts_asked_for_in_public_stand_in_the_direct_messages() -> None:
    folk = await make_folk()
    for channel, name in ((SOCIAL, "social"), ("777", "random")):
        folk.chat.sent.clear()
        heard = folk.heard(Did.COMMAND, "mia", channel, command="imagine", channel_name="random")
        await folk.work(replace(heard, options=(("prompt", WORDS),)))
        [answer] = folk.answers()
        assert answer.card.lines == (f"Drafts stay out of #{name}, which is public.",)
        assert answer.card.fix.startswith("Follow it in our direct messages, or in the portal")
        drafts = {one.target.channel for one in folk.chat.sent if one.card.kind == "job"}
        assert drafts == {f"@{ACCOUNTS['mia']}"}


async def test_what_is_asked_in_a_thread_stands_in_the_thread() -> None:
    folk = await make_folk()
    heard = folk.heard(Did.COMMAND, command="imagine", thread=THREAD)
    await folk.work(replace(heard, options=(("prompt", WORDS),)))
    assert {(one.channel, one.thread) for one in folk.targets()} == {(DRAFTS, THREAD)}


async def test_in_the_direct_messages_all_stands_there() -> None:
    folk = await make_folk()
    heard = await folk.type("imagine", channel=DIRECT, prompt=WORDS)
    assert {one.channel for one in folk.targets()} == {f"@{ACCOUNTS['mia']}"}
    [answer] = folk.answers()
    assert answer.reply_to == heard.token
    assert answer.card.lines[0].startswith("The card is in our direct messages, or in the portal")


async def test_what_is_delivered_twice_is_done_and_answered_once() -> None:
    folk = await make_folk()
    heard = await folk.type("imagine", prompt=WORDS)
    again = asyncio.create_task(folk.understanding.work(heard))
    await until(lambda: folk.town.clock.sleeping)
    await folk.town.clock.advance(REPEATED_AFTER_S)
    await again
    await folk.town.settle()
    assert len(await jobs(folk)) == 1
    assert len(folk.answers()) == 1


async def test_what_was_done_before_a_crash_without_an_answer_is_answered_after_it() -> None:
    folk = await make_folk()
    heard = folk.heard(Did.COMMAND, command="link")
    await folk.doorman.door.dispatch(LinkAccount(), actor_of(heard))
    again = asyncio.create_task(folk.understanding.work(heard))
    await until(lambda: folk.town.clock.sleeping)
    await folk.town.clock.advance(REPEATED_AFTER_S)
    await again
    await folk.town.settle()
    assert [one.card.title for one in folk.answers()] == ["Already on it"]


async def test_a_stranger_is_told_how_to_come_in_and_may_only_link() -> None:
    folk = await make_folk()
    await folk.type("imagine", "eve", prompt="cheap mugs")
    await folk.type("link", "eve", code="ABCD-EFGH")
    refused = folk.answers("eve")[0]
    assert "I don't know you yet" in refused.card.lines[0]
    assert refused.card.lines[1:] == ("What you asked for: `/imagine cheap mugs`",)
    assert "cheap" not in str(replace(refused.card, lines=refused.card.lines[:1]))
    assert [type(command) for command, _ in folk.doorman.told] == [Help, LinkAccount]


async def test_a_members_groups_and_guild_go_to_the_door() -> None:
    folk = await make_folk()
    heard = folk.heard(Did.COMMAND, command="queue", roles=("7", "8"))
    actor = actor_of(heard)
    assert actor.groups == {"discord:7", "discord:8"}
    assert actor.place == f"discord:{GUILD}"
    assert actor_of(folk.heard(Did.COMMAND, channel=DIRECT)).place == ""


async def test_what_the_house_cannot_do_now_is_tried_again_without_a_word() -> None:
    folk = await make_folk()
    folk.doorman.errors = [
        Unavailable("The database is away."),
        ChatUnavailable("Later.", retry_after_s=1),
    ]
    heard = folk.heard(Did.COMMAND, command="queue")
    for _ in range(2):
        with pytest.raises(Unavailable):
            await folk.understanding.work(heard)
    await folk.work(heard)
    assert [one.card.title for one in folk.answers()] == ["The queue is empty"]


async def test_a_bug_of_ours_is_told_with_its_reference() -> None:
    folk = await make_folk()
    folk.doorman.errors = [ZeroDivisionError()]
    await folk.type("queue")
    [answer] = folk.answers()
    assert answer.card.reference
    assert answer.card.reference in answer.card.fix
