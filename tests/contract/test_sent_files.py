"""The SentFiles port."""

from dataclasses import replace

from bot.core.ports import PASSING, SentFile
from storage.database import OpenStore
from tests.contract.values import NOW, digest, later

MUG = SentFile(platform="slack", team="T1", key=digest("mug"), file="F1", ready=False, at=NOW)


async def test_a_file_is_found_by_its_contents_and_by_its_name_in_its_own_workspace(
    store: OpenStore,
) -> None:
    other = replace(MUG, team="E1/T2", file="F2", ready=True)
    async with store.write() as tx:
        await tx.sent_files.put(MUG)
        await tx.sent_files.put(other)
    async with store.read() as tx:
        assert await tx.sent_files.get("slack", "T1", MUG.key) == MUG
        assert await tx.sent_files.get("slack", "E1/T2", MUG.key) == other
        assert await tx.sent_files.get("slack", "T3", MUG.key) is None
        assert await tx.sent_files.get("discord", "T1", MUG.key) is None
        assert await tx.sent_files.by_file("slack", "T1", "F1") == MUG
        assert await tx.sent_files.by_file("slack", "T1", "F2") is None
        assert await tx.sent_files.by_file("discord", "T1", "F1") is None


async def test_a_new_upload_takes_the_place_of_the_earlier_one(store: OpenStore) -> None:
    async with store.write() as tx:
        await tx.sent_files.put(MUG)
        again = replace(MUG, file="F9", ready=True, at=later(5))
        await tx.sent_files.put(again)
        assert await tx.sent_files.get("slack", "T1", MUG.key) == again
        assert await tx.sent_files.by_file("slack", "T1", "F1") is None


async def test_a_forgotten_file_is_gone_in_its_workspace_alone(store: OpenStore) -> None:
    other = replace(MUG, team="T2")
    async with store.write() as tx:
        await tx.sent_files.put(MUG)
        await tx.sent_files.put(other)
        await tx.sent_files.drop("slack", "T1", MUG.key)
        await tx.sent_files.drop("slack", "T1", MUG.key)
        assert await tx.sent_files.get("slack", "T1", MUG.key) is None
        assert await tx.sent_files.get("slack", "T2", MUG.key) == other


async def test_passing_files_are_found_when_they_have_stood_long(store: OpenStore) -> None:
    passing = [replace(MUG, key=f"{PASSING}F{n}", file=f"F{n}", at=later(n)) for n in (7, 5, 6, 9)]
    async with store.write() as tx:
        for sent in (MUG, *passing, replace(passing[0], platform="discord")):
            await tx.sent_files.put(sent)
        found = await tx.sent_files.passing("slack", before=later(9), limit=2)
        assert [sent.file for sent in found] == ["F5", "F6"]
        await tx.sent_files.drop("slack", "T1", found[0].key)
        found = await tx.sent_files.passing("slack", before=later(9), limit=9)
        assert [sent.file for sent in found] == ["F6", "F7"]


async def test_old_ones_are_forgotten(store: OpenStore) -> None:
    new = replace(MUG, key=digest("new"), file="F2", at=later(9))
    async with store.write() as tx:
        await tx.sent_files.put(MUG)
        await tx.sent_files.put(new)
        assert await tx.sent_files.purge(later(9)) == 1
        assert await tx.sent_files.get("slack", "T1", MUG.key) is None
        assert await tx.sent_files.get("slack", "T1", new.key) == new


async def test_a_copy_elsewhere_keeps_no_file_here(store: OpenStore) -> None:
    async with store.write() as tx:
        await tx.sent_files.put(MUG)
        assert await tx.pruning.unnamed([MUG.key]) == {MUG.key}
