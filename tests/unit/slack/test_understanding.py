"""What people type in Slack: one command each, its answer where it belongs."""

import asyncio
from dataclasses import replace

import pytest

from bot.chat.slack_chat.incoming.heard import Heard, Kind
from bot.chat.slack_chat.understanding.replying import REPEATED_AFTER_S
from bot.chat.slack_chat.understanding.standing import actor_of
from bot.core.answers import answer_id
from bot.core.assets import AssetQuery
from bot.core.commands import LinkAccount
from bot.core.errors import ChatUnavailable, Unavailable
from bot.core.ids import is_id
from bot.core.jobs import Job
from bot.core.messages import Actor, Card
from bot.core.people import Role
from brand.kit import Channel, Template
from tests.fakes.slack_desk import ACME, DRAFTS, SOCIAL, TEAM, SlackDesk, make_desk
from tests.fakes.waiting import until

MINE = "D0MIA"


async def jobs(desk: SlackDesk) -> list[Job]:
    """All jobs that gave a picture."""
    async with desk.town.house.store.read() as tx:
        assets = await tx.assets.find(AssetQuery(brand="acme"))
        return [await tx.jobs.get(key) for key in {asset.job for asset in assets}]


async def test_a_command_in_a_working_channel_is_answered_by_its_card_there() -> None:
    desk = await make_desk()
    await desk.type("a red mug &amp; a &lt;spoon&gt;")
    [job] = await jobs(desk)
    assert job.brief.words == "a red mug & a <spoon>"
    assert desk.chat.cards[desk.message("job")].state == "done"
    assert desk.answers() == []
    assert {target.team for target in desk.targets()} == {TEAM}


async def test_what_is_delivered_twice_is_done_and_answered_once() -> None:
    desk = await make_desk()
    heard = await desk.type("a red mug")
    await desk.work(heard)
    assert len(await jobs(desk)) == 1
    listed = await desk.type("queue")
    await desk.work(listed)
    assert [card.title for card in desk.answers()] == ["The queue is empty"]


async def test_who_does_it_a_second_time_leaves_the_answer_to_the_first() -> None:
    desk = await make_desk()
    heard = await desk.type("/link")
    again = asyncio.create_task(desk.understanding.work(heard))
    await until(lambda: desk.town.clock.sleeping)
    assert not again.done()
    await desk.town.clock.advance(REPEATED_AFTER_S)
    await again
    await desk.town.settle()
    [card] = desk.answers()
    assert card.title.startswith("Your code: ")


async def test_what_was_done_before_a_crash_without_an_answer_is_answered_after_it() -> None:
    desk = await make_desk()
    heard = desk.heard(Kind.COMMAND, text="/link", command="/imagine")
    assert desk.town.house.door is not None
    await desk.town.house.door.dispatch(LinkAccount(), actor_of(heard))
    again = asyncio.create_task(desk.understanding.work(heard))
    await until(lambda: desk.town.clock.sleeping)
    await desk.town.clock.advance(REPEATED_AFTER_S)
    await again
    await desk.town.settle()
    assert [card.title for card in desk.answers()] == ["Already on it"]


async def test_drafts_asked_for_in_public_stand_in_the_direct_messages() -> None:
    desk = await make_desk()
    for channel, why in (
        (SOCIAL, "Drafts stay out of #social, which is public."),
        ("C0OTHER", "Drafts stay out of #random, which is public."),
    ):
        desk.chat.sent.clear()
        heard = desk.heard(Kind.COMMAND, channel=channel, text="a red mug")
        await desk.work(replace(heard, channel_name="random"))
        [note] = [m for m in desk.chat.sent if m.only_for]
        assert (note.target.channel, note.only_for) == (channel, "U0MIA")
        assert (note.card.lines, note.card.fix) == ((why,), "Follow it in our direct messages.")
        drafts = {m.target.channel for m in desk.chat.sent if m.card.kind == "job"}
        assert drafts == {"@U0MIA"}


async def test_a_mistake_is_told_to_the_one_who_made_it_in_the_thread() -> None:
    desk = await make_desk()
    await desk.do(Kind.MENTION, text="<@U0BOT> a mug --seed many", thread="1.1", message="1.2")
    [message] = desk.chat.sent
    assert message.card.kind == "error"
    assert (message.target.channel, message.target.thread) == (DRAFTS, "1.1")
    assert message.only_for == "U0MIA"


async def test_a_mention_in_a_thread_is_answered_in_the_thread() -> None:
    desk = await make_desk()
    await desk.do(Kind.MENTION, text="<@U0BOT> a red mug", thread="1.1", message="1.2")
    assert {(t.channel, t.thread) for t in desk.targets()} == {(DRAFTS, "1.1")}
    [job] = await jobs(desk)
    assert job.brief.words == "a red mug"


@pytest.mark.parametrize(
    "line", ["I told everybody that <@U0BOT> is great", "<@U0ANA> ask <@U0BOT> for a red mug"]
)
async def test_a_mention_in_passing_makes_no_picture(line: str) -> None:
    desk = await make_desk()
    await desk.do(Kind.MENTION, text=line, message="1.2", bot_user="U0BOT")
    [message] = desk.chat.sent
    assert (message.only_for, message.target.channel) == ("U0MIA", DRAFTS)
    assert message.card.hint.startswith("/imagine ")
    assert "Nothing was queued" in message.card.lines[0]


@pytest.mark.parametrize("line", ["<@U0BOT|housestyle> a mug", "  <@U0BOT> a mug"])
async def test_a_mention_at_the_beginning_does(line: str) -> None:
    desk = await make_desk()
    await desk.do(Kind.MENTION, text=line, message="1.2", bot_user="U0BOT")
    assert [job.brief.words for job in await jobs(desk)] == ["a mug"]


@pytest.mark.parametrize(
    "line", ["thanks, that is lovely!", "Hello there, how are you?", "nice", "so good", "danke dir"]
)
async def test_thanks_and_a_word_or_two_make_no_picture_but_can(line: str) -> None:
    desk = await make_desk()
    await desk.do(Kind.TALK, channel=MINE, text=line)
    [card] = desk.answers()
    assert card.hint == f"/imagine {line}"
    assert await jobs(desk) == []
    await desk.type(card.hint.removeprefix("/imagine "), channel=MINE)
    assert [job.brief.words for job in await jobs(desk)] == [line]


async def test_thanks_to_a_mention_make_no_picture() -> None:
    desk = await make_desk()
    await desk.do(Kind.MENTION, text="<@U0BOT> thanks a lot for this one", message="1.2")
    assert await jobs(desk) == []


async def test_few_words_with_a_flag_or_a_slash_are_meant() -> None:
    desk = await make_desk()
    await desk.do(Kind.TALK, channel=MINE, text="mug --seed=7")
    await desk.do(Kind.TALK, channel=MINE, text="/imagine cup")
    assert {job.brief.words for job in await jobs(desk)} == {"mug", "cup"}


async def test_a_mention_may_have_the_command_itself() -> None:
    desk = await make_desk()
    await desk.do(Kind.MENTION, text="<@U0BOT> /imagine a red mug", message="1.2")
    [job] = await jobs(desk)
    assert job.brief.words == "a red mug"


async def test_the_direct_messages_are_a_place_to_talk() -> None:
    desk = await make_desk()
    await desk.do(Kind.TALK, channel=MINE, text="a red mug")
    assert {(t.channel, t.team) for t in desk.targets()} == {("@U0MIA", TEAM)}
    await desk.do(Kind.TALK, channel=MINE, text="help find")
    assert desk.answers()[-1].title.startswith("/find")
    assert not any(message.only_for for message in desk.chat.sent)


async def test_what_is_said_in_a_thread_of_the_direct_messages_is_answered_there() -> None:
    desk = await make_desk()
    await desk.do(Kind.TALK, channel=MINE, text="queue", thread="1.1", message="1.2")
    await desk.do(Kind.TALK, channel=MINE, text="a red mug", thread="1.1", message="1.3")
    assert {(t.channel, t.thread) for t in desk.targets()} == {("@U0MIA", "1.1")}
    desk.chat.sent.clear()
    message = desk.message("job", "@U0MIA")
    await desk.press("Re-roll", on=message, channel=MINE, thread="1.1")
    assert {t.thread for t in desk.targets()} == {"1.1"}


async def test_under_the_message_itself_is_no_thread_yet() -> None:
    desk = await make_desk()
    await desk.do(Kind.TALK, channel=MINE, text="queue", thread="1.1", message="1.1")
    assert {t.thread for t in desk.targets()} == {""}


async def test_a_thread_of_a_talk_with_somebody_else_is_not_ours() -> None:
    desk = await make_desk()
    heard = desk.heard(Kind.COMMAND, channel="D0ANA0MIA", text="queue", thread="1.1", message="1.2")
    await desk.work(heard)
    assert {(t.channel, t.thread) for t in desk.targets()} == {("@U0MIA", "")}


async def test_a_command_from_a_talk_of_two_people_is_answered_by_us_alone() -> None:
    desk = await make_desk()
    await desk.type("queue", channel="D0ANA0MIA")
    [message] = desk.chat.sent
    assert (message.target.channel, message.only_for) == ("@U0MIA", "")


@pytest.mark.parametrize("line", ["/people", "queue", "/queue", "help templates"])
async def test_every_command_can_be_said_behind_the_slash_command(line: str) -> None:
    desk = await make_desk()
    await desk.type(line, who="ida")
    [card] = desk.answers("ida")
    assert card.kind == "list"
    assert await jobs(desk) == []


async def test_a_typed_vote_is_answered_where_it_was_typed() -> None:
    desk = await make_desk()
    await desk.type("a red mug", channel=MINE)
    asset = desk.chat.cards[desk.message("job", "@U0MIA")].pictures[0].asset
    await desk.type(f"send {asset}", channel=MINE)
    await desk.type(f"/approve {asset}", who="ana", channel="D0ANA")
    assert desk.answers("ana")[-1].title.startswith("Approved by Ana")


async def test_a_stranger_is_told_how_to_come_in_and_nothing_of_the_brands() -> None:
    desk = await make_desk()
    for line in ("a red mug", "a mug template:no-such", "queue"):
        await desk.type(line, who="eve")
    assert [card.state for card in desk.answers("eve")] == ["not_allowed"] * 3
    assert all("Allowed" not in line for card in desk.answers("eve") for line in card.lines)
    assert "/link" in desk.answers("eve")[0].fix


async def test_who_has_left_is_told_that_and_nothing_of_the_brands() -> None:
    desk = await make_desk()
    async with desk.town.house.store.write() as tx:
        mia = desk.town.people["mia"]
        await tx.people.update(replace(mia, active=False), was=mia)
    for line in ("a red mug", "a mug template:no-such", "a mug --brand globex"):
        await desk.type(line)
    titles = {(card.state, card.lines) for card in desk.answers()}
    assert titles == {
        ("not_allowed", ("You are no longer a member here, so I can't do this for you.",))
    }


async def of_acme_alone(desk: SlackDesk, *roles: tuple[str, Role]) -> None:
    """Mia, with these roles and no others."""
    async with desk.town.house.store.write() as tx:
        mia = desk.town.people["mia"]
        await tx.people.update(replace(mia, roles=roles), was=mia)


SECRET = Template(name="secret-launch", text="a launch of [WORDS]")
HERS = Channel(name="#globex", audience="working", platform="slack", id="C0GLOBEX")
GLOBEX = replace(ACME, id="globex", name="Globex", channels=(HERS,), templates=(SECRET,))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("a mug --brand nope", "acme"),
        ("template:secret-lunch --brand globex", "acme"),
        ("a mug --brand globex", "acme"),
    ],
)
async def test_brands_that_are_not_theirs_are_named_to_nobody(line: str, says: str) -> None:
    desk = await make_desk(GLOBEX)
    await of_acme_alone(desk, ("acme", Role.REQUESTER))
    await desk.type(line)
    [card] = desk.answers()
    told = " ".join((*card.lines, card.fix))
    assert says in told.casefold()
    assert "secret-launch" not in told
    assert "globex" not in told.casefold().replace("`globex`", "")


@pytest.mark.parametrize("line", ["a mug", "template:secret-lunch", "help secret-launch"])
async def test_in_another_brands_channel_its_words_are_not_told(line: str) -> None:
    desk = await make_desk(GLOBEX)
    await of_acme_alone(desk, ("acme", Role.REQUESTER))
    await desk.type(line, channel="C0GLOBEX")
    [card] = desk.answers()
    assert card.kind == "error"
    assert "a launch" not in str(card)
    assert "Did you mean" not in str(card)


@pytest.mark.parametrize("line", ["a mug", "a mug --brand globex", "queue --brand nope"])
async def test_a_member_of_nothing_hears_no_names_of_brands(line: str) -> None:
    desk = await make_desk(GLOBEX)
    await of_acme_alone(desk)
    await desk.type(line, channel=MINE)
    [card] = desk.answers()
    assert card.lines == ("You can't ask for pictures of any brand yet.",)


async def test_a_strangers_code_joins_their_account() -> None:
    desk = await make_desk()
    await desk.type("/link")
    code = desk.answers()[-1].title.removeprefix("Your code: ")
    await desk.do(Kind.TALK, "eve", "D0EVE", text=f"link {code}")
    assert desk.answers("eve")[-1].title == "One more step"


async def test_the_same_user_id_of_another_workspace_is_a_stranger() -> None:
    desk = await make_desk()
    await desk.do(Kind.COMMAND, text="a red mug", team="T2")
    [message] = desk.chat.sent
    assert (message.card.state, message.target.team) == ("not_allowed", "T2")


async def test_the_file_of_a_picture_goes_to_the_direct_messages_and_the_channel_says_so() -> None:
    desk = await make_desk()
    await desk.type("a red mug")
    desk.chat.sent.clear()
    await desk.press("Use", on=desk.message("job"))
    file, note = sorted(desk.chat.sent, key=lambda message: message.only_for)
    assert (file.card.kind, file.target.channel, file.only_for) == ("file", "@U0MIA", "")
    assert (note.target.channel, note.only_for) == (DRAFTS, "U0MIA")
    assert note.card.pictures == ()


async def test_of_several_brands_the_channels_own_holds_else_it_is_asked() -> None:
    drafts = Channel(name="#beta", audience="working", platform="slack", id="C0BETA")
    desk = await make_desk(replace(ACME, id="beta", name="Beta", channels=(drafts,)))
    await desk.type("a red mug", channel="C0BETA")
    assert desk.chat.cards[desk.message("job", "C0BETA")].lines == ("Mia · Beta",)
    await desk.type("a red mug", channel=MINE)
    [asked] = desk.answers()
    assert asked.lines[0] == "Which brand is it for?"
    await desk.type("a red mug --brand beta", channel=MINE)
    assert desk.chat.cards[desk.message("job", "@U0MIA")].lines == ("Mia · Beta",)


async def test_what_can_not_be_done_now_is_left_for_later() -> None:
    desk = await make_desk()
    desk.webs.only.errors = [ChatUnavailable("Slack is away.", retry_after_s=1)]
    heard = desk.heard(Kind.MENTION, text="<@U0BOT> like this", thread="1.1", message="1.2")
    with pytest.raises(Unavailable):
        await desk.understanding.work(heard)
    assert desk.chat.sent == []
    await desk.work(heard)
    assert len(await jobs(desk)) == 1


class BrokenDoor:
    """A door with a bug."""

    async def dispatch(self, command: object, actor: Actor) -> Card:
        """Trips."""
        raise RuntimeError("a bug of ours")


async def test_a_bug_of_ours_is_answered_with_its_reference(
    caplog: pytest.LogCaptureFixture,
) -> None:
    desk = await make_desk()
    desk.doorman.door = BrokenDoor()
    await desk.type("a red mug")
    [card] = desk.answers()
    assert card.reference
    assert card.reference in [getattr(record, "reference", "") for record in caplog.records]


async def test_home_and_leaving_go_to_who_looks_after_them() -> None:
    desk = await make_desk()
    await desk.do(Kind.HOME, channel="")
    await desk.do(Kind.LEFT, channel="", detail="app_uninstalled")
    assert [heard.kind for heard in desk.told] == [Kind.HOME, Kind.LEFT]
    with pytest.raises(ValueError, match="open"):
        await desk.do(Kind.OPEN)


def test_the_answer_to_a_delivery_has_one_id() -> None:
    one = Heard(kind=Kind.TALK, key="T1:event:1")
    assert is_id(answer_id("slack", one.key))
    assert answer_id("slack", one.key) == answer_id("slack", "T1:event:1")
    assert (
        len(
            {
                answer_id("slack", one.key),
                answer_id("slack", one.key, "note"),
                answer_id("slack", "T2:event:1"),
            }
        )
        == 3
    )


async def test_a_line_of_nothing_gets_an_example() -> None:
    desk = await make_desk()
    await desk.do(Kind.MENTION, text="<@U0BOT>")
    [card] = desk.answers()
    assert card.kind == "error"
