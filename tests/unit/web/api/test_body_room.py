"""Room for large bodies: so many bytes at once, in turn, and never lost."""

import asyncio

import pytest

from bot.web.api.room import BodyRoom, NoRoom


async def hold(room: BodyRoom, size: int, may_go: asyncio.Event, said: list[int]) -> None:
    async with room.holding(size):
        said.append(size)
        await may_go.wait()


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_bodies_wait_in_turn_until_there_is_room() -> None:
    room, said = BodyRoom(100), list[int]()
    ends = [asyncio.Event() for _ in range(4)]
    sizes = (60, 30, 90, 10)
    tasks = [
        asyncio.create_task(hold(room, size, end, said))
        for size, end in zip(sizes, ends, strict=True)
    ]
    await settled()
    assert said == [60, 30], "the small one does not go before the large one that came first"
    assert room.held == 90
    ends[0].set()
    await settled()
    assert said == [60, 30]
    ends[1].set()
    await settled()
    assert said == [60, 30, 90, 10]
    for end in ends:
        end.set()
    await asyncio.gather(*tasks)
    assert room.held == 0


async def test_a_body_that_was_smaller_gives_back_what_it_did_not_need() -> None:
    room, said, may_go = BodyRoom(100), list[int](), asyncio.Event()
    async with room.holding(100) as held:
        other = asyncio.create_task(hold(room, 70, may_go, said))
        await settled()
        assert not said
        held.shrink(30)
        held.shrink(50)
        await settled()
        assert said == [70]
        assert room.held == 100
    assert room.held == 70
    may_go.set()
    await other
    assert room.held == 0


async def test_who_waits_too_long_is_told_to_come_again() -> None:
    room = BodyRoom(100, wait_s=0.01)
    async with room.holding(80):
        with pytest.raises(NoRoom) as refused:
            async with room.holding(30):
                raise AssertionError("there is no room")
        assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "5"})
        assert "uploads.memory_mib" in refused.value.detail
        async with room.holding(20):
            assert room.held == 100
    assert room.held == 0


async def test_only_so_many_wait() -> None:
    room, said, may_go = BodyRoom(10, most=1), list[int](), asyncio.Event()
    async with room.holding(10):
        waiting = asyncio.create_task(hold(room, 10, may_go, said))
        await settled()
        with pytest.raises(NoRoom):
            async with room.holding(1):
                raise AssertionError("there is no room")
    may_go.set()
    await waiting


async def test_one_that_hangs_up_leaves_its_turn_to_the_next() -> None:
    room, said, may_go = BodyRoom(100), list[int](), asyncio.Event()
    async with room.holding(50):
        large = asyncio.create_task(hold(room, 90, may_go, said))
        small = asyncio.create_task(hold(room, 40, may_go, said))
        await settled()
        large.cancel()
        await settled()
        assert said == [40]
    may_go.set()
    await small
    assert room.held == 0


async def test_a_turn_that_comes_while_its_request_hangs_up_is_not_lost() -> None:
    room, said, may_go = BodyRoom(100), list[int](), asyncio.Event()
    async with room.holding(100):
        first = asyncio.create_task(hold(room, 100, may_go, said))
        second = asyncio.create_task(hold(room, 100, may_go, said))
        await settled()
    first.cancel()  # its turn was given this very moment
    await settled()
    assert said == [100]
    may_go.set()
    await asyncio.gather(first, second, return_exceptions=True)
    assert room.held == 0


async def test_a_body_larger_than_all_room_has_it_alone() -> None:
    room = BodyRoom(100)
    async with room.holding(1000):
        assert room.held == 100
    assert room.held == 0
