"""Reviews: what waits for a decision, and votes."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from bot.core.commands import Approve, AskChange, Reject
from bot.core.errors import HousestyleError, NotFound
from bot.core.policy import may_handle
from bot.core.reviews import Answer, Review
from bot.core.seeing import Sight
from bot.web.api.answered import ReviewList, ReviewOut
from bot.web.api.asked import VoteIn
from bot.web.api.caller import Client, Reading, Reviewing
from bot.web.api.documents import problems
from bot.web.api.routes.jobs import say
from bot.web.api.shapes import ID, NAME
from bot.web.api.views import review_out

router = APIRouter(prefix="/v1/reviews", tags=["reviews"])
ReviewId = Annotated[str, Path(pattern=ID, description="A review's id")]


@router.get("", response_model=ReviewList, responses=problems())
async def list_open(
    client: Reading, brand: Annotated[NAME, Query(description="Of this brand alone")] = ""
) -> ReviewList:
    """Open reviews of pictures that the key's member may see, oldest first."""
    async with client.house.store.read() as tx:
        sight = Sight(tx, client.person)
        reviews = [
            review
            for review in await tx.reviews.open(brand=brand)
            if await sight.asset(await tx.assets.get(review.asset))
        ]
    return ReviewList(data=[review_out(review) for review in reviews])


@router.get("/{review_id}", response_model=ReviewOut, responses=problems(404))
async def look(client: Reading, review_id: ReviewId) -> ReviewOut:
    """One review with its votes."""
    return review_out(await visible_review(client, review_id))


@router.post(
    "/{review_id}/votes",
    status_code=201,
    response_model=ReviewOut,
    responses=problems(404, 409, 413, 415),
)
async def vote(client: Reviewing, review_id: ReviewId, given: VoteIn) -> ReviewOut:
    """Vote under the brand's policy: once, and nobody on their own request."""
    await visible_review(client, review_id)
    commands = {
        Answer.APPROVE: Approve(review=review_id),
        Answer.REJECT: Reject(review=review_id, reason=given.reason),
        Answer.CHANGE: AskChange(review=review_id, reason=given.reason),
    }
    await say(client, commands[given.answer])
    return review_out(await visible_review(client, review_id))


async def visible_review(client: Client, review_id: str) -> Review:
    """A review that the member may see: who may see its picture, or handle it."""
    async with client.house.store.read() as tx:
        review = await tx.reviews.get(review_id)
        asset = await tx.assets.get(review.asset)
        if await Sight(tx, client.person).asset(asset):
            return review
        try:
            may_handle(await tx.kits.current(review.brand), client.person, review.requester)
        except HousestyleError as exc:
            raise NotFound("That review isn't one that you can see.") from exc
    return review
