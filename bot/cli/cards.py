"""Cards on the terminal: the same words, in the same order of facts, as everywhere."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bot.cli.console import Terminal
from bot.cli.owner import at_terminal, run_async
from bot.core.messages import Card, Field, PictureRef

if TYPE_CHECKING:
    from bot.core.commands import Command
    from bot.settings import Settings

_MARKS = {True: "✓", False: "✗", None: "·"}


def say(settings: "Settings", command: "Command", *, as_json: bool) -> None:
    """Give a command as the owner and print the card that answers it."""

    async def work() -> None:
        async with at_terminal(settings) as here:
            print_card(Terminal(as_json=as_json), await here.say(command))

    run_async(work)


def print_card(terminal: Terminal, card: Card) -> None:
    """The card on stdout: as text, or as JSON."""
    if card.rows and not terminal.as_json:
        terminal.table(card.columns, card.rows, None)
        return
    terminal.result(text_of(card), facts_of(card))


def facts_of(card: Card) -> dict[str, Any]:
    """The card as plain JSON types."""
    return asdict(card)


def text_of(card: Card) -> str:
    """The card as lines."""
    lines = [card.title, *card.lines, card.status, *(field_line(f) for f in card.fields)]
    for picture in card.pictures:
        lines += _picture_lines(picture, facts=not card.fields)
    lines += [card.stamp, card.footer, card.fix]
    if card.hint:
        lines.append(f"Try: housestyle {card.hint.removeprefix('/')}")
    return "\n".join(line for line in lines if line)


def field_line(field: Field) -> str:
    """One fact: a mark, its name, its value. The mark's word stands in the value too."""
    named = field.value.startswith(field.label)
    return f"  {_MARKS[field.ok]} {field.value if named else f'{field.label}: {field.value}'}"


def _picture_lines(picture: PictureRef, *, facts: bool) -> list[str]:
    draft = " (draft)" if picture.draft else ""
    first = f"{picture.number}. {picture.asset}{draft}  {picture.width}×{picture.height}"
    fields = picture.fields if facts else ()  # where the card says them, once is enough
    return [first, f"   {picture.caption}", *(field_line(field) for field in fields)]
