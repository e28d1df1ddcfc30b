"""What a person does with a finished picture: share it with others, or take its file away.

To share is to publish what is approved and to ask for approval of what is not (DESIGN, rule 3):
there is no third way out of the house.
"""

from dataclasses import replace

from bot.core.assets import Asset
from bot.core.caller import Caller
from bot.core.captions import posted_words
from bot.core.cards import channel_word, picture_ref, post_words, posted_rendition, reply_card
from bot.core.commands import SendToApproval, Share, Use
from bot.core.errors import Conflict
from bot.core.house import House
from bot.core.lives import AssetState, PublicationState
from bot.core.messages import Card
from bot.core.places import settled
from bot.core.planning_slots import slot_of, slot_time
from bot.core.policy import may_handle
from bot.core.ports import Transaction
from bot.core.publications import Publication
from bot.core.receipts import event_of, record, wake
from bot.core.reviewing import post_for, publish_target, send_to_approval
from bot.core.reviews import Answer, Review
from bot.core.seeing import Sight
from brand.kit import BrandKit


async def share(house: House, caller: Caller, command: Share) -> Card:
    """Post an approved picture where it was approved for; ask for approval of any other one."""
    async with house.store.read() as tx:
        asset = await tx.assets.get(command.asset)
        kit = await tx.kits.current(asset.brand)
        may_handle(kit, caller.person, asset.requester)
        if asset.state is AssetState.APPROVED:
            review = await _approval(tx, kit, asset, command)
            failed = await _failed(tx, kit, review)
    if asset.state is not AssetState.APPROVED:
        wish = SendToApproval(asset=asset.id, channel=command.channel, caption=command.caption)
        return await send_to_approval(house, caller, wish)
    if failed is not None:
        # Whatever made its failure certain or doubtful still holds: a doubt is looked up first.
        pending, doubt = PublicationState.PENDING, failed.check_at
        post = await record(house, failed, pending, check_at=doubt, actor=caller.person.id)
    else:
        post = await _first_post(house, caller, kit, asset, review)
    return reply_card("Shared", post_words(post, channel_word(kit, post.target)))


async def use(house: House, caller: Caller, command: Use) -> Card:
    """The labelled file, for this person alone; marked as a draft unless it is approved."""
    async with house.store.read() as tx:
        asset = await tx.assets.get(command.asset)
        kit = await tx.kits.current(asset.brand)
        await Sight(tx, caller.person).check(asset)
        reviews = await tx.reviews.of_asset(asset.id)
    draft = asset.state is not AssetState.APPROVED
    ref = picture_ref(asset, kit, reviews[0] if reviews else None)
    return Card(
        kind="file",
        title=asset.words or "A picture",
        lines=("A draft, not approved: not for publication.",) if draft else (),
        status=f"{kit.name} · {asset.width} × {asset.height} px",
        pictures=(replace(ref, buttons=(), fields=()),),
        draft=draft,
        private=True,
    )


async def _approval(tx: Transaction, kit: BrandKit, asset: Asset, command: Share) -> Review:
    """The decision that lets it out. Raises Conflict where it was approved for another place, or
    where the calendar posts it."""
    review = (await tx.reviews.of_asset(asset.id))[0]
    if review.target is None or review.outcome is not Answer.APPROVE:
        raise Conflict("This picture was approved for the archive, not for a channel.")
    where = channel_word(kit, review.target)
    words = posted_words(review, asset)
    if command.caption and command.caption != words:
        raise Conflict(
            f"This picture was approved with “{words}”, so that is what goes out with it.",
            fix="Share it without a caption, or re-roll it and send that to approval.",
        )
    meant = settled(kit.channels, review.target)
    if command.channel and publish_target(kit, command.channel) not in (review.target, meant):
        raise Conflict(
            f"This picture was approved for {where} only.",
            fix="Re-roll it with the same seed, and send that picture to approval.",
        )
    slot = await slot_of(tx, asset)
    if slot is not None and (slot.review == review.id or await slot_time(tx, asset)):
        at = await slot_time(tx, asset)
        raise Conflict(
            f"The calendar posts it to {where} on {at}." if at else "It belongs to the calendar.",
            fix="`/move ID` or `/skip ID` change the calendar's entry.",
        )
    return review


async def _failed(tx: Transaction, kit: BrandKit, review: Review) -> Publication | None:
    """Its post that failed, or None before the first. Raises Conflict where it is on its way, in
    doubt or there."""
    posts = [p for p in await tx.publications.of_asset(review.asset) if p.review == review.id]
    for post in posts:
        if post.state is not PublicationState.FAILED or post.slot:
            raise Conflict(post_words(post, channel_word(kit, post.target)))
    return posts[0] if posts else None


async def _first_post(
    house: House, caller: Caller, kit: BrandKit, asset: Asset, review: Review
) -> Publication:
    """For what the calendar let go. Raises Conflict if somebody else was faster."""
    rendition, now = posted_rendition(review, asset, kit), house.clock.now()
    if rendition is None or review.target is None:
        raise Conflict("This picture has no file for a channel.", fix="Re-roll it.")
    target = settled(kit.channels, review.target)
    post = post_for(review, asset, rendition, target, caller.person.id, now)
    async with house.store.write() as tx:
        await tx.publications.add(post)
        event = event_of(post, "publication.pending", now, actor=caller.person.id)
        await tx.ledger.append(event)
    wake(house)
    return post
