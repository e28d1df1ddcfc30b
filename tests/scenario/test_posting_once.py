"""A post stands once: every way in which a process or an answer can be lost, and its repair."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.actions import parse_action
from bot.core.assets import AssetQuery
from bot.core.commands import Approve
from bot.core.errors import ChatAmbiguous, ChatRejected, ChatUnavailable
from bot.core.lives import PublicationState
from bot.core.messages import Card
from bot.core.publications import Publication
from bot.core.publishing import MAX_WAIT, Publisher
from bot.core.receipts import ask_for_a_look
from tests.fakes.chat import Killed
from tests.fakes.studio import FakeStudio
from tests.fakes.town import Town, make_town
from tests.scenario.conftest import in_review

LEASE_S = 15.0


@pytest.fixture
async def town() -> Town:
    """A house whose platform has no idempotency key, with an approved picture to be posted."""
    town = await make_town()
    review = await in_review(town)
    await town.say(Approve(review=review.id), "ana")
    town.chat.once = False
    return town


def publisher(town: Town, name: str = "p1") -> Publisher:
    """A process that posts."""
    return Publisher(town.house, name)


async def the_post(town: Town) -> Publication:
    """The one publication as the records have it."""
    async with town.house.store.read() as tx:
        (asset,) = await tx.assets.find(AssetQuery())
        (publication,) = await tx.publications.of_asset(asset.id)
    return publication


async def work(town: Town, name: str = "p2") -> None:
    """Another process does all it finds."""
    other = publisher(town, name)
    while await other.run_one():
        pass


async def lease_over(town: Town) -> None:
    """Long enough for a lease to run out, while nobody works."""
    town.clock.jump(LEASE_S + 1)


async def actions(town: Town, publication: Publication) -> list[str]:
    """What the ledger says of it, oldest first."""
    async with town.house.store.read() as tx:
        events = await tx.ledger.recent(subject=f"publication:{publication.id}")
    return [event.action.removeprefix("publication.") for event in events][::-1]


async def question(town: Town) -> Card | None:
    """What a person is asked now."""
    await town.settle()
    cards = [c for c in town.chat.shown("@ana") if c.subject.startswith("publication:")]
    assert len(cards) <= 1
    return cards[0] if cards and cards[0].buttons else None


async def answer(town: Town, label: str) -> None:
    """Press a button of the question."""
    asked = await question(town)
    assert asked is not None
    (button,) = (button for button in asked.buttons if button.label == label)
    await town.say(parse_action(button.action), "ana")


class Frozen(FakeStudio):
    """A studio that is held up, while something else happens, when it hashes pixels."""

    def __init__(self, meanwhile: Callable[[], Awaitable[object]]) -> None:
        super().__init__()
        self._meanwhile = meanwhile

    async def pixel_hash(self, data: bytes) -> str:
        """After the freeze."""
        await self._meanwhile()
        return await super().pixel_hash(data)


async def test_a_process_that_died_before_its_attempt_has_posted_nothing_and_nobody_is_asked(
    town: Town,
) -> None:
    async with town.house.store.write() as tx:
        lease = timedelta(seconds=LEASE_S)
        assert await tx.publications.claim("dead", now=town.clock.now(), lease=lease)
    await lease_over(town)
    await work(town)
    post = await the_post(town)
    assert (post.state, town.chat.looks, town.chat.sends) == (PublicationState.SENT, 0, 1)
    assert await question(town) is None


async def test_a_process_that_died_after_its_post_is_found_out_by_one_look(town: Town) -> None:
    town.chat.killed = {"post"}
    with pytest.raises(Killed):
        await publisher(town).run_one()
    await work(town)
    assert (await the_post(town)).state is PublicationState.SENDING, "its lease still runs"
    await lease_over(town)
    await work(town)
    post = await the_post(town)
    assert post.state is PublicationState.SENT
    assert post.receipt is not None
    assert town.chat.copies(post.id) == [post.receipt.message]
    assert (town.chat.sends, town.chat.looks) == (1, 1)
    assert await question(town) is None


async def test_what_is_not_found_is_put_to_a_person_and_sent_again_on_their_word(
    town: Town,
) -> None:
    town.chat.before = [ChatAmbiguous("The line broke.")]
    await work(town)
    assert (await the_post(town)).state is PublicationState.AMBIGUOUS
    assert town.chat.looks == 1
    await answer(town, "Send it again")
    await work(town)
    post = await the_post(town)
    assert post.state is PublicationState.SENT
    assert len(town.chat.copies(post.id)) == 1
    assert await question(town) is None


async def test_a_person_who_found_it_gives_it_its_receipt(town: Town) -> None:
    town.chat.after = [ChatAmbiguous("The line broke.")]
    town.chat.look_ups = [ChatRejected("This app may not read the history.")]
    await work(town)
    await answer(town, "It is there")
    await work(town)
    post = await the_post(town)
    assert post.receipt is not None
    assert town.chat.copies(post.id) == [post.receipt.message]


@pytest.mark.parametrize("dies", ["before the look-up", "between look-up and question"])
async def test_a_crash_on_the_way_to_the_question_does_not_keep_it_from_being_asked(
    town: Town, dies: str
) -> None:
    town.chat.before = [ChatAmbiguous("The line broke.")]
    if dies == "before the look-up":
        town.chat.look_ups = [Killed()]  # type: ignore[list-item]
    else:
        town.chat.killed = {"look_up"}
    with pytest.raises(Killed):
        await publisher(town).run_one()
    assert await question(town) is None
    await lease_over(town)
    await work(town)
    assert await question(town) is not None


async def test_a_look_that_fails_for_now_is_no_look_and_is_made_later(town: Town) -> None:
    town.chat.after = [ChatAmbiguous("The line broke.")]
    town.chat.look_ups = [ChatUnavailable("Slow down.", retry_after_s=40)]
    await work(town)
    assert (await the_post(town)).state is PublicationState.AMBIGUOUS
    assert await question(town) is None
    town.clock.jump(LEASE_S + 1)
    await work(town)
    assert town.chat.looks == 1, "it asked for 40 s"
    town.clock.jump(25)
    await work(town)
    assert (await the_post(town)).state is PublicationState.SENT
    assert town.chat.sends == 1


async def test_being_asked_for_patience_leaves_no_doubt(town: Town) -> None:
    town.chat.before = [ChatUnavailable("Slow down.", retry_after_s=5)]
    await work(town)
    town.clock.jump(6)
    await work(town)
    post = await the_post(town)
    assert (post.state, post.check_at) == (PublicationState.SENT, None)
    assert town.chat.looks == 0


async def test_who_lost_the_lease_before_the_post_posts_nothing(town: Town) -> None:
    async def others_take_over() -> None:
        town.clock.jump(LEASE_S + 1)
        await work(town)

    frozen = replace(town.house, studio=Frozen(others_take_over))
    assert await Publisher(frozen, "p1").run_one()
    post = await the_post(town)
    assert post.state is PublicationState.SENT
    assert (town.chat.sends, len(town.chat.copies(post.id))) == (1, 1)


async def test_a_slow_upload_keeps_its_lease(town: Town) -> None:
    async def the_upload_takes_its_time() -> None:
        await town.clock.advance(3 * LEASE_S)
        await work(town)

    town.chat.meanwhile = [the_upload_takes_its_time]
    assert await publisher(town).run_one()
    assert await actions(town, await the_post(town)) == ["sent"]
    assert (town.chat.sends, town.chat.looks) == (1, 0)


async def freeze_until_sent_again(town: Town) -> None:
    """The freeze that the lease can't help against: between the last look at it and the post."""
    town.clock.jump(LEASE_S + 1)
    await work(town)
    await answer(town, "Send it again")
    await work(town)
    assert (await the_post(town)).state is PublicationState.SENT


async def test_after_a_freeze_the_second_copy_is_deleted_and_the_receipts_stays(
    town: Town,
) -> None:
    town.chat.meanwhile = [lambda: freeze_until_sent_again(town)]
    assert await publisher(town).run_one()
    post = await the_post(town)
    assert len(town.chat.copies(post.id)) == 2, "the thawed process has posted it too"
    await work(town)
    post = await the_post(town)
    assert post.receipt is not None
    assert town.chat.copies(post.id) == [post.receipt.message]
    told = await actions(town, post)
    assert told[-3:] == ["sent", "doubled", "repaired"]


async def test_the_second_copy_is_deleted_soon_also_if_its_poster_got_no_answer(
    town: Town,
) -> None:
    async def freeze() -> None:
        await freeze_until_sent_again(town)
        town.chat.after = [ChatAmbiguous("The connection broke.")]

    town.chat.meanwhile = [freeze]
    assert await publisher(town).run_one()
    post = await the_post(town)
    assert len(town.chat.copies(post.id)) == 2
    await work(town)
    post = await the_post(town)
    assert post.receipt is not None
    assert town.chat.copies(post.id) == [post.receipt.message]


async def test_the_second_copy_is_found_also_if_its_poster_dies_before_it_says_a_word(
    town: Town,
) -> None:
    async def freeze() -> None:
        await freeze_until_sent_again(town)
        town.chat.killed = {"post"}

    town.chat.meanwhile = [freeze]
    with pytest.raises(Killed):
        await publisher(town).run_one()
    post = await the_post(town)
    assert len(town.chat.copies(post.id)) == 2
    town.clock.jump(2 * LEASE_S)
    await work(town)
    post = await the_post(town)
    assert post.receipt is not None
    assert town.chat.copies(post.id) == [post.receipt.message]


async def test_a_post_that_arrives_while_a_person_is_asked_settles_the_question(
    town: Town,
) -> None:
    async def freeze() -> None:
        town.clock.jump(LEASE_S + 1)
        await work(town)
        assert await question(town) is not None

    town.chat.meanwhile = [freeze]
    assert await publisher(town).run_one()
    await work(town)
    post = await the_post(town)
    assert post.state is PublicationState.SENT
    assert len(town.chat.copies(post.id)) == 1
    assert await question(town) is None


async def test_the_receipts_copy_stays_also_where_the_other_is_older(town: Town) -> None:
    town.chat.meanwhile = [lambda: freeze_until_sent_again(town)]
    assert await publisher(town).run_one()
    post = await the_post(town)
    town.chat.by_outgoing[post.id].reverse()
    await work(town)
    assert post.receipt is not None
    assert town.chat.copies(post.id) == [post.receipt.message]
    assert (await the_post(town)).receipt == post.receipt


async def test_a_post_that_arrived_while_a_person_was_asked_is_not_sent_again_on_their_word(
    town: Town,
) -> None:
    async def freeze() -> None:
        town.clock.jump(LEASE_S + 1)
        await work(town)
        assert await question(town) is not None
        town.chat.killed = {"post"}

    town.chat.meanwhile = [freeze]
    with pytest.raises(Killed):
        await publisher(town).run_one()
    await answer(town, "Send it again")
    await work(town)
    post = await the_post(town)
    assert post.state is PublicationState.SENT
    assert (town.chat.sends, len(town.chat.copies(post.id))) == (1, 1)


async def test_a_look_that_is_asked_for_during_a_post_is_not_forgotten_over_its_receipt(
    town: Town,
) -> None:
    post = await the_post(town)
    town.chat.meanwhile = [lambda: ask_for_a_look(town.house, post.id)]
    assert await publisher(town).run_one()
    assert (await the_post(town)).state is PublicationState.SENT
    town.clock.jump(1)
    await work(town)
    assert town.chat.looks == 1


async def test_a_copy_that_the_platform_lets_nobody_delete_is_told_to_a_person(
    town: Town,
) -> None:
    town.chat.meanwhile = [lambda: freeze_until_sent_again(town)]
    town.chat.deletions = [ChatRejected("Only admins delete here.")]
    assert await publisher(town).run_one()
    await work(town)
    await town.settle()
    post = await the_post(town)
    assert "copies_stand" in await actions(town, post)
    assert any("more than once" in card.title for card in town.chat.shown("@ana"))


async def test_a_deletion_that_fails_for_now_is_made_later(town: Town) -> None:
    town.chat.meanwhile = [lambda: freeze_until_sent_again(town)]
    town.chat.deletions = [ChatUnavailable("Slow down.", retry_after_s=5)]
    assert await publisher(town).run_one()
    await work(town)
    post = await the_post(town)
    assert len(town.chat.copies(post.id)) == 2
    await lease_over(town)
    await work(town)
    assert len(town.chat.copies(post.id)) == 1


async def test_a_late_copy_of_a_post_that_failed_is_taken_away(town: Town) -> None:
    async def freeze() -> None:
        town.clock.jump(LEASE_S + 1)
        await work(town)
        await answer(town, "Send it again")
        town.chat.gone.add("social")
        await work(town)
        assert (await the_post(town)).state is PublicationState.FAILED
        town.chat.gone.clear()

    town.chat.meanwhile = [freeze]
    assert await publisher(town).run_one()
    await work(town)
    assert town.chat.copies((await the_post(town)).id) == []


async def test_a_doubtful_post_is_looked_at_less_and_less_often_and_then_not_any_more(
    town: Town,
) -> None:
    town.chat.after = [ChatAmbiguous("The line broke.")]
    await work(town)
    looks = [town.chat.looks]
    for _ in range(12):
        town.clock.jump(1200)
        await work(town)
        looks.append(town.chat.looks)
    assert looks[-1] < 8
    assert looks[-1] == looks[-3]
    assert (await the_post(town)).check_at is None


async def test_a_bug_in_an_adapter_holds_up_no_other_post(town: Town) -> None:
    town.chat.before = [KeyError("oops")]  # type: ignore[list-item]
    await work(town)
    assert (await the_post(town)).state is PublicationState.AMBIGUOUS
    assert await question(town) is not None


async def test_a_post_that_has_to_wait_for_its_turn_is_not_tried_before(town: Town) -> None:
    town.chat.before = [ChatUnavailable("Slow down.", retry_after_s=1800, queued=True)]
    assert await Publisher(town.house, "p1").run_one()
    assert (await the_post(town)).due_at == town.clock.now() + timedelta(seconds=1800)
    town.chat.before = [ChatUnavailable("Out of order.", retry_after_s=1800)]
    town.clock.jump(1800)
    assert await Publisher(town.house, "p1").run_one()
    assert (await the_post(town)).due_at == town.clock.now() + MAX_WAIT
