"""Tokens that end are renewed in time, by one process, and no workspace is lost silently."""

import asyncio
import gzip
import logging
import tarfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.chat.slack_chat.installing.rotating import EARLY, LEASE, PAUSE, Rotator
from bot.chat.slack_chat.methods import Method
from bot.chat.slack_chat.outgoing.webs import SlackWebs
from bot.chat.slack_chat.web import SlackRefused
from bot.core.errors import ChatRejected, ChatUnavailable
from bot.core.ports import Install, Store, Transaction
from storage.backup import Place, back_up
from storage.database import open_store
from storage.errors import StoreUnavailable
from storage.memory_blobs import MemoryBlobs
from tests.fakes.slack_installs import LIFE, Installed, installed_house
from tests.fakes.waiting import until

SOON = (LIFE - EARLY).total_seconds() + 1
"""Seconds after which a token is due, and still good."""
ENOUGH_S = 5.0
"""For whatever another task does: only a failure takes so long."""
LATE = LIFE.total_seconds() + 1


@pytest.fixture
async def here() -> AsyncIterator[Installed]:
    async with installed_house() as made:
        yield made


async def works(here: Installed, token: str) -> bool:
    """Whether Slack takes this token."""
    try:
        await here.caller.call(Method.AUTH_TEST, token, {})
    except SlackRefused:
        return False
    return True


async def settled(rotator: Rotator, install: Install) -> tuple[Install, str]:
    """What is valid once the renewal that `fresh` has begun is over."""
    await rotator.fresh(install)
    await rotator.finish()
    return await rotator.fresh(install)


class Gate:
    """Calls that stop before Slack is asked, or once it has answered."""

    def __init__(self, here: Installed) -> None:
        self._here = here
        self.answered, self.go_on = asyncio.Event(), asyncio.Event()

    async def call(self, method: Method, token: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """As the caller's."""
        answer = await self._here.caller.call(method, token, arguments)
        self.answered.set()
        async with asyncio.timeout(ENOUGH_S):
            await self.go_on.wait()
        return answer


class Failing:
    """A store whose database goes away when told to."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.away = self.read_only = False

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        """See the port."""
        if self.away or self.read_only:
            raise StoreUnavailable("The database does not answer.")
        async with self._store.write() as tx:
            yield tx

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Transaction]:
        """See the port."""
        if self.away:
            raise StoreUnavailable("The database does not answer.")
        async with self._store.read() as tx:
            yield tx


async def test_a_token_far_from_its_end_is_used_without_asking_anybody(here: Installed) -> None:
    install = await here.install()
    calls = len(here.fake.calls)
    here.clock.jump(SOON - 2)
    found, token = await here.rotator().fresh(install)
    assert (found, len(here.fake.calls)) == (install, calls)
    assert await works(here, token)


async def test_a_token_is_renewed_hours_before_its_end_and_the_new_one_is_kept(
    here: Installed,
) -> None:
    install, rotator = await here.install(), here.rotator()
    old = await here.pair()
    here.clock.jump(SOON)
    found, token = await settled(rotator, install)
    assert token != old.token
    assert await here.row() == found
    assert found.expires_at == here.clock.now() + LIFE
    assert (await here.pair()).token == token
    assert (await here.pair()).refresh not in ("", old.refresh)
    assert (found.rotating_until, found.rotating_by) == (None, "")
    assert await works(here, token)
    assert await works(here, old.token)
    assert await rotator.fresh(install) == (found, token)
    assert here.renewed() == 1


async def test_a_post_long_after_the_token_s_end_goes_out_with_a_new_one(here: Installed) -> None:
    install = await here.install()
    old = await here.pair()
    here.clock.jump(5 * LATE)
    assert not await works(here, old.token)
    _, token = await here.rotator().fresh(install)
    assert await works(here, token)


async def test_messages_go_out_with_new_tokens_day_after_day(here: Installed) -> None:
    await here.install()
    rotator = here.rotator()
    webs = SlackWebs(here.options, store=here.store, clock=here.clock, tokens=rotator)
    async with webs:
        for day in range(3):
            web = await webs.web("T1")
            await web.call(Method.CHAT_POST_MESSAGE, channel="C0SOCIAL", text=f"day {day}")
            here.clock.jump(24 * 3600)
        # Slack's clock may be ahead of ours, or an administrator ends a token early.
        here.fake.world.tokens[(await here.pair()).token].expires_at = 0.0
        await web.call(Method.CHAT_POST_MESSAGE, channel="C0SOCIAL", text="day 3")
    assert [m.text for m in here.fake.messages("C0SOCIAL")] == [f"day {n}" for n in range(4)]
    assert here.renewed() == 3


async def test_of_many_processes_that_need_a_new_token_at_once_one_renews(
    tmp_path: Path,
) -> None:
    stores = [await open_store(f"sqlite:///{tmp_path / 'house.db'}") for _ in range(3)]
    async with installed_house(stores[0]) as here:
        install = await here.install()
        here.clock.jump(LATE)
        rotators = [here.rotator(store=store) for store in stores for _ in range(2)]
        asked = [asyncio.create_task(each.fresh(install)) for each in rotators]
        while not all(task.done() for task in asked):
            await until(lambda: here.clock.sleeping or all(task.done() for task in asked))
            await here.clock.advance(0.5)
        found = {task.result()[1] for task in asked}
        assert len(found) == 1
        assert await works(here, found.pop())
        assert here.renewed() == 1
    for store in stores:
        await store.close()


async def test_without_a_lease_the_second_process_would_lose_the_workspace(
    here: Installed,
) -> None:
    await here.install()
    pair = await here.pair()
    naive = {
        "client_id": here.options.client_id,
        "client_secret": here.options.client_secret,
        "grant_type": "refresh_token",
        "refresh_token": pair.refresh,
    }
    await here.caller.call(Method.OAUTH_ACCESS, "", naive)
    with pytest.raises(SlackRefused) as refused:
        await here.caller.call(Method.OAUTH_ACCESS, "", naive)
    assert refused.value.error == "invalid_refresh_token"


async def test_while_one_process_renews_the_others_go_on_with_the_old_token(
    here: Installed,
) -> None:
    install, gate = await here.install(), Gate(here)
    old = await here.pair()
    here.clock.jump(SOON)
    first = here.rotator(calls=gate)
    assert (await first.fresh(install))[1] == old.token
    await gate.answered.wait()
    _, token = await here.rotator().fresh(install)
    assert token == old.token
    gate.go_on.set()
    await first.finish()
    _, new = await first.fresh(install)
    assert (await here.pair()).token == new != old.token
    assert here.renewed() == 1


async def test_a_token_that_slack_refuses_is_renewed_whatever_the_clock_says(
    here: Installed,
) -> None:
    install, rotator = await here.install(), here.rotator()
    old = await here.pair()
    here.fake.world.tokens[old.token].expires_at = 0.0
    _, token = await rotator.after_refusal(install, old.token)
    assert await works(here, token)
    assert await rotator.after_refusal(install, old.token) == (await here.row(), token)
    assert here.renewed() == 1


async def test_a_token_without_an_end_has_no_other(here: Installed) -> None:
    here.fake.consents.rotating = False
    install, rotator = await here.install(), here.rotator()
    here.clock.jump(100 * LATE)
    _, token = await rotator.fresh(install)
    assert await rotator.after_refusal(install, token) == (install, token)
    assert here.renewed() == 0


@pytest.mark.parametrize("kind", ["429", "500", "html502", "cut", "garbled"])
async def test_while_slack_is_away_the_old_token_goes_on_and_nobody_hammers(
    here: Installed, kind: str
) -> None:
    install, rotator = await here.install(), here.rotator()
    old = await here.pair()
    here.fake.troubles.add("oauth.v2.access", kind)
    here.clock.jump(SOON)
    for _ in range(3):
        assert (await settled(rotator, install))[1] == old.token
    asked = [call for call in here.fake.calls if call.method == "oauth.v2.access"]
    assert len(asked) == 1
    here.clock.jump(PAUSE.total_seconds() + 1)
    _, token = await settled(rotator, install)
    assert token != old.token
    assert here.renewed() == 1


async def test_once_the_old_token_has_ended_what_is_to_be_sent_waits(here: Installed) -> None:
    install, rotator = await here.install(), here.rotator()
    here.fake.troubles.add("oauth.v2.access", "500", times=2)
    here.clock.jump(LATE)
    for _ in range(2):
        with pytest.raises(ChatUnavailable) as later:
            await rotator.fresh(install)
        assert 0 < later.value.retry_after_s <= PAUSE.total_seconds()
    here.clock.jump(PAUSE.total_seconds() + 1)
    with pytest.raises(ChatUnavailable):
        await rotator.fresh(install)
    here.clock.jump(PAUSE.total_seconds() + 1)
    assert await works(here, (await rotator.fresh(install))[1])


async def test_a_wrong_client_secret_costs_no_refresh_token(here: Installed) -> None:
    install = await here.install()
    before = await here.pair()
    here.fake.world.client_secret = "changed"
    here.clock.jump(LATE)
    with pytest.raises(ChatUnavailable, match="bad_client_secret"):
        await here.rotator().fresh(install)
    assert await here.pair() == before


async def test_a_process_that_dies_after_slack_s_answer_is_noticed_in_time(
    here: Installed, caplog: pytest.LogCaptureFixture
) -> None:
    await here.admin()
    install = await here.install()
    old = await here.pair()
    here.clock.jump(SOON)
    gate = Gate(here)
    await here.rotator(calls=gate).fresh(install)
    await gate.answered.wait()  # Slack has renewed, and this process never says so

    other = here.rotator()
    assert (await other.fresh(install))[1] == old.token
    assert await here.told() == []
    here.clock.jump(LEASE.total_seconds() + 1)
    found, token = await settled(other, install)
    assert token == old.token
    assert await works(here, token)
    assert (await here.pair()).why == "invalid_refresh_token"
    assert await here.told() == ["Install the app in Acme again"]
    assert "install it again" in caplog.text
    assert (await other.fresh(found))[1] == old.token
    assert await here.told() == []

    here.clock.jump(LATE)
    with pytest.raises(ChatRejected, match="ran out and can't be renewed") as ended:
        await other.fresh(found)
    assert "/slack/install" in ended.value.fix
    gate.go_on.set()


async def test_a_process_that_wakes_up_late_still_saves_what_it_alone_knows(
    here: Installed,
) -> None:
    await here.admin()
    install, gate = await here.install(), Gate(here)
    here.clock.jump(SOON)
    late = here.rotator(calls=gate)
    await late.fresh(install)
    await gate.answered.wait()
    here.clock.jump(LEASE.total_seconds() + 1)
    await settled(here.rotator(), install)
    assert (await here.pair()).why == "invalid_refresh_token"
    gate.go_on.set()
    await late.finish()
    _, token = await late.fresh(install)
    assert (await here.pair()).token == token
    assert (await here.pair()).why == ""
    assert await works(here, token)


async def test_while_a_token_is_good_nobody_waits_for_the_next(here: Installed) -> None:
    install, gate = await here.install(), Gate(here)
    old = await here.pair()
    here.clock.jump(SOON)
    rotator = here.rotator(calls=gate)
    async with asyncio.timeout(ENOUGH_S):
        for _ in range(3):
            assert (await rotator.fresh(install))[1] == old.token
    gate.go_on.set()
    await rotator.finish()
    found, token = await rotator.fresh(install)
    assert token != old.token
    assert (found, here.renewed()) == (await here.row(), 1)


async def test_a_caller_that_gives_up_does_not_lose_what_slack_answered(here: Installed) -> None:
    install, gate = await here.install(), Gate(here)
    here.clock.jump(LATE)
    rotator = here.rotator(calls=gate)
    caller = asyncio.create_task(rotator.fresh(install))
    await gate.answered.wait()
    caller.cancel()
    gate.go_on.set()
    await rotator.finish()
    assert caller.cancelled()
    assert await works(here, (await here.pair()).token)
    assert (await here.row()).expires_at == here.clock.now() + LIFE


async def test_a_new_token_waits_in_memory_while_the_database_is_away(here: Installed) -> None:
    install, store, gate = await here.install(), Failing(here.store), Gate(here)
    old = await here.pair()
    here.clock.jump(LATE)
    rotator = here.rotator(store=store, calls=gate)  # type: ignore[arg-type]
    asked = asyncio.create_task(rotator.fresh(install))
    await gate.answered.wait()
    store.read_only = True
    gate.go_on.set()
    while not asked.done():
        await until(lambda: here.clock.sleeping or asked.done())
        await here.clock.advance(1)
    _, token = asked.result()
    assert await works(here, token)
    assert (await here.pair()) == old
    store.away = True
    assert (await rotator.fresh(install))[1] == token
    store.away = store.read_only = False
    found, same = await rotator.fresh(install)
    assert same == token
    assert await here.row() == found
    assert (await here.pair()).token == token
    assert here.renewed() == 1


async def test_a_token_that_is_due_goes_on_while_the_database_is_away(here: Installed) -> None:
    install, store = await here.install(), Failing(here.store)
    rotator = here.rotator(store=store)  # type: ignore[arg-type]
    store.away = True
    here.clock.jump(SOON)
    _, token = await rotator.fresh(install)
    assert await works(here, token)
    here.clock.jump(LATE)
    with pytest.raises(StoreUnavailable):
        await rotator.fresh(install)


async def meanwhile(
    here: Installed, install: Install, change: Callable[[], Awaitable[object]]
) -> asyncio.Task[Any]:
    """A renewal during which something else happens to the row."""
    gate = Gate(here)
    here.clock.jump(LATE)
    task = asyncio.create_task(here.rotator(calls=gate).fresh(install))
    await gate.answered.wait()
    await change()
    gate.go_on.set()
    await asyncio.wait([task])
    return task


async def test_who_installs_again_meanwhile_wins(here: Installed) -> None:
    anew = []

    async def again() -> None:
        await here.install()
        anew.append(await here.pair())

    task = await meanwhile(here, await here.install(), again)
    found, token = task.result()
    assert found == await here.row()
    assert [await here.pair()] == anew
    assert token == anew[0].token
    assert await works(here, token)


async def test_a_change_beside_the_tokens_does_not_lose_them(here: Installed) -> None:
    async def erase() -> None:
        row = await here.row()
        async with here.store.write() as tx:
            await tx.installs.update(replace(row, installed_by=""), was=row)

    task = await meanwhile(here, await here.install(), erase)
    found, token = task.result()
    assert found == await here.row()
    assert found.installed_by == ""
    assert (await here.pair()).token == token


async def test_a_workspace_that_leaves_meanwhile_stays_out(here: Installed) -> None:
    async def leave() -> None:
        row = await here.row()
        gone = replace(row, sealed="", gone_at=here.clock.now())
        async with here.store.write() as tx:
            await tx.installs.update(gone, was=row)

    install = await here.install()
    task = await meanwhile(here, install, leave)
    assert isinstance(task.exception(), ChatRejected)
    assert (await here.row()).sealed == ""
    with pytest.raises(ChatRejected, match="any more"):
        await here.rotator().fresh(install)


async def test_an_answer_without_a_token_renews_nothing(here: Installed) -> None:
    class Odd:
        async def call(self, *_: object) -> dict[str, Any]:
            return {"ok": True, "token_type": "user", "access_token": "xoxp-1"}

    install = await here.install()
    before = await here.pair()
    here.clock.jump(SOON)
    _, token = await settled(here.rotator(calls=Odd()), install)
    assert token == before.token
    assert await here.pair() == before


def contents(folder: Path) -> dict[str, bytes]:
    """The database's files, and what the backup says of the table."""
    found = {path.name: path.read_bytes() for path in folder.glob("house.db*")}
    with tarfile.open(folder / "backup.tar") as tar:
        for member in tar.getmembers():
            part = tar.extractfile(member)
            if part is not None:
                held = part.read()
                found[Path(member.name).stem.partition(".")[0]] = (
                    gzip.decompress(held) if member.name.endswith(".gz") else held
                )
    return found


async def test_no_token_is_in_the_database_a_backup_or_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = f"sqlite:///{tmp_path / 'house.db'}"
    store = await open_store(url)
    async with installed_house(store) as here:
        install = await here.install()
        here.fake.troubles.add("oauth.v2.access", "500")
        here.clock.jump(SOON)
        await settled(here.rotator(), install)
        here.clock.jump(PAUSE.total_seconds() + 1)
        await settled(here.rotator(), install)
        secrets = [*here.fake.world.tokens, *here.fake.consents.refresh, *here.options.token_keys]
        place = Place(
            database_url=url,
            blobs=MemoryBlobs(),
            brands=tmp_path / "brands",
            inbox=tmp_path / "inbox",
        )
        await back_up(place, tmp_path / "backup.tar", here.clock.now())
        files = contents(tmp_path)
    await store.close()
    secrets.append(here.options.client_secret)
    assert len(secrets) > 4
    assert b"https://acme.slack.com/" in files["installs"]
    for secret in secrets:
        assert [name for name, held in files.items() if secret.encode() in held] == []
        assert secret not in caplog.text


async def test_a_row_that_was_moved_to_another_workspace_gives_no_token(here: Installed) -> None:
    first = await here.install("T1")
    here.fake.add_team("T2", "other")
    second = await here.install("T2")
    moved = replace(second, sealed=first.sealed)
    with pytest.raises(ChatRejected, match="moved from another workspace"):
        await here.rotator().fresh(moved)
