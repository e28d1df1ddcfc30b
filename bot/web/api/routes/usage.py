"""Usage: pictures, device time and cost of a month, and how far the budgets are used."""

from typing import Annotated

from fastapi import APIRouter, Query

from bot.core.budget import month_of
from bot.core.usage import Use, gauge_words, month_of_use
from bot.web.api.answered import BudgetOut, UsageOut, UseOut
from bot.web.api.caller import Reading
from bot.web.api.documents import problems
from bot.web.api.failures import ApiFailure
from bot.web.api.routes.brands import kit_of
from bot.web.api.shapes import NAME
from bot.web.api.submitting import brand_for

router = APIRouter(prefix="/v1/usage", tags=["usage"])


@router.get("", response_model=UsageOut, responses=problems(404))
async def usage(
    client: Reading,
    brand: Annotated[NAME, Query(description="May be left out by members of one")] = "",
    month: Annotated[str, Query(pattern="^(20[0-9]{2}-(0[1-9]|1[0-2]))?$")] = "",
) -> UsageOut:
    """A calendar month (UTC), as far as the key's member may see it."""
    house = client.house
    wanted = await brand_for(client, brand)
    if not wanted:
        raise ApiFailure(
            status=422, code="mistake", detail="Which brand? Add `brand=`.", param="brand"
        )
    kit = await kit_of(client, wanted)
    chosen = month or month_of(house.clock.now())
    async with house.store.read() as tx:
        found = await month_of_use(tx, house, kit, client.person, chosen)
    return UsageOut(
        brand=kit.id,
        month=found.month,
        people=[_use(use) for use in found.people],
        teams=[_use(use) for use in found.teams],
        total=_use(found.total),
        budgets=[
            BudgetOut(
                name=gauge.name,
                share=round(gauge.share, 4),
                words=gauge_words(gauge.levels, house.tariff),
            )
            for gauge in found.gauges
        ],
    )


def _use(use: Use) -> UseOut:
    return UseOut(
        key=use.key,
        name=use.name,
        pictures=use.pictures,
        approved=use.approved,
        seconds=use.seconds,
        cost=str(use.cost) if use.cost else None,
    )
