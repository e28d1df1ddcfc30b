"""The form for a picture: `/imagine` without words, both shortcuts, "use as reference".

Slack keeps what was typed in a block for as long as a block with the same id stands there, and
looks at an `initial_value` only where the block is new. So an input's id says what it is for, a
select's also which choices it has (see `wish`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from slack_sdk.models.blocks import Block, InputBlock, Option
from slack_sdk.models.views import View

from bot.chat.slack_chat.modals import fields
from bot.chat.slack_chat.modals.choices import mark_of, option, written_of
from bot.chat.slack_chat.modals.wish import (
    BRAND,
    CHANNEL,
    COUNT,
    FILE,
    MARK,
    NEGATIVE,
    NO_TEMPLATE,
    SEED,
    SIZE,
    TEMPLATE,
    VAR,
    WORDS,
    Wish,
)
from bot.chat.slack_chat.rendering.text import plain
from bot.chat.slack_chat.surfaces import PICK_BRAND, PICK_TEMPLATE, VIEW_IMAGINE
from brand.kit import BrandKit, Channel, Template, Variable
from brand.pictures import MAX_BYTES
from brand.templates import MAX_VALUE, MAX_WORDS

TITLE = 24
"""Characters of a modal's title and of its two buttons."""
MAX_VARIABLES = 80
"""Inputs for variables: with the others they stay below a modal's 100 blocks."""
JUST_WORDS = "No template, just my words"


def imagine_view(
    kit: BrandKit, wish: Wish, *, brands: int, notes: Sequence[str] = (), anew: str = ""
) -> View:
    """The form as this wish has it. `brands` is how many the person may choose among; `notes`
    stand on top; a new text in `anew` makes Slack forget what was chosen in the pickers."""
    template = wish.template_in(kit)
    shown = replace(wish, shown=template.name if template else "")
    blocks = [*map(fields.note, notes), *_inputs(kit, wish, template, brands, anew)]
    return View(
        type="modal",
        callback_id=VIEW_IMAGINE,
        title=plain("New picture", TITLE),
        submit=plain("Make it", TITLE),
        close=plain("Cancel", TITLE),
        blocks=blocks,
        private_metadata=shown.metadata(_placed(blocks, wish)),
    )


def _inputs(
    kit: BrandKit, wish: Wish, template: Template | None, brands: int, anew: str
) -> Iterator[Block]:
    if wish.reference:
        yield fields.note("Starts from the picture you chose. Add a file below to take another.")
    if brands > 1:
        yield brand_field(kit, anew)
    else:
        yield fields.note(f"In {kit.name}'s look.")
    if kit.templates:
        yield _template_field(kit, wish, template, anew)
    yield _words(wish, template)
    variables = template.variables if template else ()
    for variable in variables[:MAX_VARIABLES]:
        yield _variable(variable, wish)
    if variables[MAX_VARIABLES:]:
        left = len(variables) - MAX_VARIABLES
        yield fields.note(f"{left:,} more variables keep their own values.")
    yield from _facts(kit, wish, template)


def _facts(kit: BrandKit, wish: Wish, template: Template | None) -> Iterator[Block]:
    if channels := kit.publish_channels:
        yield fields.select(
            CHANNEL,
            "Where is it meant to be posted?",
            [(item.name, _channel_label(item)) for item in channels],
            said=wish.said(CHANNEL),
            placeholder="Not decided yet",
            hint="Nothing is posted before it is approved.",
        )
    aspects = kit.generation.aspects
    own = (template.aspect if template else "") or aspects[0].name
    yield fields.select(
        SIZE,
        "Size",
        [(item.name, f"{item.name}, {item.width} × {item.height} pixels") for item in aspects],
        said=wish.said(SIZE),
        placeholder=f"{own}, unless you choose",
    )
    counts = [str(number + 1) for number in range(min(kit.generation.max_count, 100))]
    yield fields.select(
        COUNT,
        "How many?",
        [(count, f"{count} picture{'' if count == '1' else 's'}") for count in counts],
        said=wish.said(COUNT),
        placeholder=f"{kit.generation.count}, unless you choose",
    )
    yield fields.text(
        NEGATIVE,
        "What must not be in it?",
        said=wish.said(NEGATIVE),
        placeholder="text, hands, clutter",
        hint=f"On top of what {kit.name} never shows.",
        limit=MAX_WORDS,
    )
    yield fields.file(
        FILE,
        "Reference picture",
        f"PNG, JPEG or WebP, at most {MAX_BYTES // 1_000_000} MB. The new picture starts from it.",
    )
    yield fields.number(
        SEED,
        "Seed",
        said=wish.said(SEED),
        placeholder="A random one",
        hint="The same seed with the same words starts from the same noise.",
    )


def brand_field(kit: BrandKit, anew: str = "") -> InputBlock:
    """The picker of the brand."""
    return fields.searched(
        f"{BRAND}{MARK}{mark_of([anew])}" if anew else BRAND,
        "Brand",
        PICK_BRAND,
        said=option(kit.id, kit.name),
        placeholder="Choose a brand",
        optional=False,
    )


def _template_field(kit: BrandKit, wish: Wish, template: Template | None, anew: str) -> InputBlock:
    chosen = template_option(template) if template else None
    if chosen is None and wish.said(TEMPLATE) == NO_TEMPLATE:
        chosen = option(NO_TEMPLATE, JUST_WORDS)
    return fields.searched(
        f"{TEMPLATE}{MARK}{mark_of([kit.id, anew] if anew else [kit.id])}",
        "Template",
        PICK_TEMPLATE,
        said=chosen,
        placeholder="None: just your words",
        hint=template.text if template else "",
    )


def template_option(template: Template) -> Option:
    """A template in the picker."""
    return option(template.name, about=template.description or template.text)


def _words(wish: Wish, template: Template | None) -> InputBlock:
    return fields.text(
        WORDS,
        "Anything to add?" if template else "What should it show?",
        said=wish.said(WORDS),
        placeholder="in warm morning light" if template else "a red mug on a wooden table",
        limit=MAX_WORDS,
        lines=True,
        optional=template is not None,
    )


def _variable(variable: Variable, wish: Wish) -> InputBlock:
    block, label = f"{VAR}{variable.name}", variable.name.replace("_", " ").capitalize()
    values = list(dict.fromkeys(variable.values))
    said, own = wish.said(block), variable.default
    if fields.few(values):
        return fields.select(
            block,
            label,
            [(value, value) for value in values],
            said=said,
            placeholder=f"{own}, unless you choose" if own else "Choose one",
            hint=variable.description,
            optional=bool(own),
        )
    many = f"One of {len(values):,} values." if values else ""
    return fields.text(
        block,
        label,
        said=written_of(said, values),
        placeholder=f"{own}, unless you write something else" if own else "",
        hint=" ".join(part for part in (variable.description, many) if part),
        limit=MAX_VALUE,
        optional=bool(own),
    )


def _channel_label(channel: Channel) -> str:
    elsewhere = "" if channel.platform == "slack" else f" on {channel.platform.capitalize()}"
    return f"{channel.name}{elsewhere}"


def _placed(blocks: Sequence[Block], wish: Wish) -> frozenset[str]:
    """The keys whose value the form shows, or could show and has none."""
    placed = {BRAND}
    for block in blocks:
        if not isinstance(block, InputBlock):
            continue
        key = (block.block_id or "").partition(MARK)[0]
        if not wish.said(key) or _holds(block):
            placed.add(key)
    return frozenset(placed)


def _holds(block: InputBlock) -> bool:
    element = block.element
    return bool(getattr(element, "initial_option", None) or getattr(element, "initial_value", None))
