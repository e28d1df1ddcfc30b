"""`housestyle review`: what waits for a decision, and deciding it."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.cards import say
from bot.cli.console import Terminal
from bot.cli.options import BrandId, Json, settings_of
from bot.cli.owner import at_terminal, run_async

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.core.reviews import Review
    from bot.settings import Settings

group = typer.Typer(help="Reviews: list, show, approve, reject.", no_args_is_help=True)
Id = Annotated[str, typer.Argument(help="The review's id, or that of its picture.")]


@group.command("list")
def list_(context: typer.Context, brand: BrandId = "", as_json: Json = False) -> None:
    """Open reviews, oldest first."""
    terminal = Terminal(as_json=as_json)
    found = run_async(lambda: _open(settings_of(context), brand))
    rows = [(r.id, r.asset, f"{r.deadline:%a %d %b %H:%M} UTC", words) for r, words in found]
    facts = [_facts(review, words) for review, words in found]
    if not rows:
        terminal.note("Nothing waits for a decision.")
    if rows or as_json:
        terminal.table(("review", "picture", "by", "words"), rows, facts)


@group.command()
def show(context: typer.Context, review: Id, as_json: Json = False) -> None:
    """One review with its evidence."""
    from bot.core.commands import Show

    say(settings_of(context), Show(target=review), as_json=as_json)


@group.command()
def approve(context: typer.Context, review: Id, as_json: Json = False) -> None:
    """Approve a picture. Nobody approves their own request."""
    from bot.core.commands import Approve

    say(settings_of(context), Approve(review=review), as_json=as_json)


@group.command()
def reject(
    context: typer.Context,
    review: Id,
    reason: Annotated[list[str], typer.Argument(help="Why; the requester reads it.")],
    as_json: Json = False,
) -> None:
    """Reject a picture and say why."""
    from bot.core.commands import Reject

    say(settings_of(context), Reject(review=review, reason=" ".join(reason)), as_json=as_json)


async def _open(settings: "Settings", brand: str) -> "Sequence[tuple[Review, str]]":
    async with at_terminal(settings) as here, here.house.store.read() as tx:
        reviews = await tx.reviews.open(brand=brand)
        return [(review, (await tx.assets.get(review.asset)).words) for review in reviews]


def _facts(review: "Review", words: str) -> dict[str, Any]:
    return {
        "id": review.id,
        "asset": review.asset,
        "brand": review.brand,
        "state": review.state.value,
        "words": words,
        "target": str(review.target) if review.target else None,
        "opened_at": review.opened_at.isoformat(),
        "deadline": review.deadline.isoformat(),
        "votes": len(review.votes),
        "quorum": review.quorum,
    }
