"""The Assets port."""

from dataclasses import replace

import pytest

from bot.core.assets import Asset, AssetQuery
from bot.core.errors import Conflict, NotFound, StaleState
from bot.core.lives import AssetState
from bot.core.ports import UsageRow
from storage.database import OpenStore
from tests.contract.values import NOW, later, make_asset, make_rendition, make_spec


async def put(store: OpenStore, *assets: Asset) -> None:
    """Store assets in this order."""
    async with store.write() as tx:
        for asset in assets:
            await tx.assets.add(asset)


async def found(store: OpenStore, **query: object) -> list[Asset]:
    """What a search finds."""
    async with store.read() as tx:
        return list(await tx.assets.find(AssetQuery(**query)))  # type: ignore[arg-type]


def with_files(asset: Asset) -> Asset:
    """The asset with a master (its own file) and a labelled copy."""
    master = make_rendition(asset.id, file_hash=asset.file_hash)
    return replace(asset, renditions=(master, make_rendition(asset.id, "labelled-png")))


async def test_assets_are_found_by_the_file_of_their_master_or_a_rendition(
    store: OpenStore,
) -> None:
    old = with_files(make_asset(created_at=later(1)))
    new = make_asset(created_at=later(2), brand="other", file_hash=old.file_hash)
    await put(store, old, new, make_asset(file_hash="e" * 64))
    labelled = old.rendition("labelled-png")
    assert labelled is not None
    async with store.read() as tx:
        assert await tx.assets.with_file(old.file_hash) == [new, old]
        assert await tx.assets.with_file(labelled.file_hash) == [old]
        assert await tx.assets.with_file("f" * 64) == []


async def test_assets_of_the_same_recipe_are_told_by_brand(store: OpenStore) -> None:
    spec = make_spec(seed=5)
    old = make_asset(spec=spec, created_at=later(1))
    new = make_asset(spec=spec, created_at=later(2))
    other = make_asset(spec=spec, brand="other")
    await put(store, old, new, other, make_asset(spec=make_spec(seed=6)))
    async with store.read() as tx:
        assert await tx.assets.of_spec("acme", spec.hash) == [new.id, old.id]
        assert await tx.assets.of_spec("other", spec.hash) == [other.id]
        assert await tx.assets.of_spec("acme", "f" * 64) == []


async def test_an_asset_comes_back_with_its_evidence_and_renditions(store: OpenStore) -> None:
    asset = with_files(make_asset(spec=make_spec(seed=2**63 - 1, guidance=7.123456), seconds=0.5))
    await put(store, asset)
    async with store.read() as tx:
        assert await tx.assets.get(asset.id) == asset
        with pytest.raises(NotFound):
            await tx.assets.get("nothing")


async def test_an_asset_and_its_files_are_stored_once(store: OpenStore) -> None:
    asset = with_files(make_asset())
    await put(store, asset)
    twice = make_asset()
    twice = replace(twice, renditions=(make_rendition(twice.id), make_rendition(twice.id)))
    async with store.write() as tx:
        with pytest.raises(Conflict):
            await tx.assets.add(asset)
        with pytest.raises(Conflict):
            await tx.assets.add(twice)
        with pytest.raises(Conflict):
            await tx.assets.add_rendition(make_rendition(asset.id, "master"))
        with pytest.raises(NotFound):
            await tx.assets.add_rendition(make_rendition("nothing"))
    async with store.read() as tx:
        with pytest.raises(NotFound):
            await tx.assets.get(twice.id)


async def test_an_update_leaves_the_renditions_as_they_are(store: OpenStore) -> None:
    asset = with_files(make_asset())
    jpeg = make_rendition(asset.id, "jpeg-1080")
    await put(store, asset)
    async with store.write() as tx:
        await tx.assets.add_rendition(jpeg)
        new = replace(asset, state=AssetState.IN_REVIEW, renditions=())
        updated = await tx.assets.update(new, was=asset)
    expected = replace(
        asset, state=AssetState.IN_REVIEW, version=1, renditions=(*asset.renditions, jpeg)
    )
    assert updated == expected
    async with store.read() as tx:
        assert await tx.assets.get(asset.id) == expected


async def test_an_asset_that_changed_meanwhile_is_not_overwritten(store: OpenStore) -> None:
    asset = make_asset(state=AssetState.IN_REVIEW)
    await put(store, asset)
    async with store.write() as tx:
        await tx.assets.update(replace(asset, state=AssetState.APPROVED), was=asset)
    async with store.write() as tx:
        with pytest.raises(StaleState, match="approved now"):
            await tx.assets.update(replace(asset, state=AssetState.REJECTED), was=asset)


async def test_the_assets_of_a_job_stand_by_index_then_by_age(store: OpenStore) -> None:
    retry = make_asset(job="j", index=1, created_at=later(5))
    second = make_asset(job="j", index=2, created_at=later(1))
    first = make_asset(job="j", index=1, created_at=later(0))
    await put(store, retry, second, first, make_asset(job="other"))
    async with store.read() as tx:
        assert await tx.assets.of_job("j") == [first, retry, second]


async def test_words_of_two_pictures_are_never_taken_together(store: OpenStore) -> None:
    # Of the same instant, and of the same insertion batch.
    await put(store, make_asset(words="teapot"), make_asset(words="vase"))
    assert await found(store, text="teapot vase") == []


async def test_each_field_of_a_query_restricts(store: OpenStore) -> None:
    plain = make_asset(created_at=later(0))
    special = make_asset(
        created_at=later(10),
        brand="other",
        requester="ola",
        template="hero",
        job="j2",
        state=AssetState.APPROVED,
    )
    await put(store, plain, special)
    only_special: list[dict[str, object]] = [
        {"brand": "other"},
        {"requester": "ola"},
        {"template": "hero"},
        {"job": "j2"},
        {"states": (AssetState.APPROVED,)},
        {"since": later(1)},
        {"text": "hero"},
        {"text": "red", "states": (AssetState.APPROVED,)},
        {"text": "red", "since": later(1)},
    ]
    for query in only_special:
        assert await found(store, **query) == [special], query
    assert await found(store, until=later(10)) == [plain]
    assert await found(store, text="red", until=later(10)) == [plain]
    assert await found(store) == [special, plain]
    assert await found(store, states=(AssetState.APPROVED, AssetState.CANDIDATE)) == [
        special,
        plain,
    ]


async def test_text_finds_words_of_the_brief_the_prompt_and_the_template(store: OpenStore) -> None:
    mug = make_asset(words="A Mug, crème", spec=make_spec(prompt="studio photo of a mug"))
    mugs = make_asset(words="two mugs", template="HERO-shot", created_at=later(1))
    japanese = make_asset(words="赤いマグ", spec=make_spec(prompt="赤"), created_at=later(2))
    await put(store, mug, mugs, japanese)
    assert await found(store, text="mug") == [mugs, mug]
    assert await found(store, text="MUGS creme") == [mug]
    assert await found(store, text="photo mug") == [mug]
    assert await found(store, text="hero shot") == [mugs]
    assert await found(store, text="マグ") == [japanese]
    assert await found(store, text="mu") == []
    assert await found(store, text="mug teapot") == []
    assert await found(store, text="  ") == [japanese, mugs, mug]
    assert await found(store, text="%_'\"") == []


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"brand": "acme"},
        {"text": "mug"},
        {"text": "red mug", "brand": "acme"},
        {"states": (AssetState.CANDIDATE, AssetState.IN_REVIEW, AssetState.APPROVED)},
        {"states": (AssetState.IN_REVIEW, AssetState.CANDIDATE), "brand": "acme"},
    ],
    ids=str,
)
async def test_pages_follow_each_other_without_gap_or_repetition(
    store: OpenStore, query: dict[str, object]
) -> None:
    states = (AssetState.CANDIDATE, AssetState.IN_REVIEW)
    # Several of the same instant: the later added one is the newer one.
    assets = [make_asset(created_at=later(n // 3), state=states[n % 2]) for n in range(11)]
    await put(store, *assets)
    seen: list[Asset] = []
    while page := await found(store, **query, limit=4, before=seen[-1].id if seen else ""):
        seen += page
    assert seen == assets[::-1]


async def test_a_page_follows_an_asset_that_no_longer_meets_the_query(store: OpenStore) -> None:
    old, middle = make_asset(created_at=later(0)), make_asset(created_at=later(1))
    await put(store, old, middle)
    async with store.write() as tx:
        await tx.assets.update(replace(middle, state=AssetState.DISCARDED), was=middle)
    assert await found(store, states=(AssetState.CANDIDATE,), before=middle.id) == [old]
    with pytest.raises(NotFound):
        await found(store, before="nothing")


async def test_fingerprints_are_of_pictures_that_may_be_published(store: OpenStore) -> None:
    wanted = [
        make_asset(state=AssetState.APPROVED, created_at=later(0), fingerprint="a" * 16),
        make_asset(state=AssetState.IN_REVIEW, created_at=later(1), fingerprint="b" * 16),
    ]
    others = [make_asset(), make_asset(state=AssetState.REJECTED), make_asset(brand="other")]
    await put(store, *wanted, *others)
    async with store.read() as tx:
        expected = [(asset.id, asset.fingerprint) for asset in wanted[::-1]]
        assert await tx.assets.fingerprints("acme") == expected
        assert await tx.assets.fingerprints("acme", limit=1) == expected[:1]


async def test_the_newest_asset_of_exactly_this_recipe_is_found(store: OpenStore) -> None:
    spec = make_spec(seed=11)
    old, new = make_asset(spec=spec), make_asset(spec=spec, created_at=later(1))
    await put(store, new, old, make_asset(), make_asset(spec=spec, brand="other"))
    async with store.read() as tx:
        assert await tx.assets.by_spec("acme", spec.hash) == new
        assert await tx.assets.by_spec("acme", make_spec(seed=12).hash) is None


async def test_a_withdrawn_picture_and_an_erased_one_serve_no_other(store: OpenStore) -> None:
    spec = make_spec(seed=11)
    kept = make_asset(spec=spec)
    withdrawn = make_asset(spec=spec, created_at=later(1), state=AssetState.WITHDRAWN)
    erased = make_asset(spec=spec, created_at=later(2), file_hash="")
    await put(store, kept, withdrawn, erased)
    async with store.read() as tx:
        assert await tx.assets.by_spec("acme", spec.hash) == kept


async def test_every_file_of_the_archive_is_named_once(store: OpenStore) -> None:
    assets = [with_files(make_asset()) for _ in range(3)]
    bare = make_asset()
    await put(store, *assets, bare)
    expected = {(a.id, r.file_hash) for a in assets for r in a.renditions}
    async with store.read() as tx:
        files = [pair async for pair in tx.assets.file_hashes()]
    assert len(files) == len(set(files)) == 7
    assert set(files) == expected | {(bare.id, bare.file_hash)}


async def test_usage_counts_every_rendered_picture_of_a_period(store: OpenStore) -> None:
    await put(
        store,
        make_asset(seconds=1.5, state=AssetState.APPROVED),
        make_asset(seconds=2.25, state=AssetState.DISCARDED),
        make_asset(seconds=4.0, requester="ola"),
        make_asset(seconds=8.0, created_at=later(3600)),
        make_asset(seconds=8.0, created_at=later(-1)),
        make_asset(seconds=8.0, brand="other"),
    )
    async with store.read() as tx:
        rows = await tx.assets.usage("acme", since=NOW, until=later(3600))
    assert rows == [
        UsageRow(person="mia", pictures=2, seconds=3.75, approved=1),
        UsageRow(person="ola", pictures=1, seconds=4.0, approved=0),
    ]
