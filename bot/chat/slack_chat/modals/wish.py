"""Wish: what stands in the form for a picture, between Slack's view state and a Brief.

Slack tells the values of the blocks that a view shows. What a person typed before into blocks
that are gone (variables of another template, choices of another brand) travels along in the
view's `private_metadata`, so that it is there again when they come back.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bot.chat.slack_chat.modals.choices import chosen_of
from bot.chat.slack_chat.modals.reading import Origin, Reference, entries_of, said_of
from bot.core.commands import Imagine
from bot.core.errors import Mistake
from bot.core.places import place_of
from brand.kit import BrandKit, Template
from brand.templates import Brief
from brand.words import clean

BRAND, TEMPLATE, WORDS, NEGATIVE = "brand", "template", "words", "negative"
SIZE, COUNT, SEED, FILE, CHANNEL = "size", "n", "seed", "file", "channel"
VAR = "var:"
NO_TEMPLATE = "-"
"""Value of the choice that says: no template."""
MARK = "~"
"""What follows it in a block's id names the block's choices."""
MAX_METADATA = 3000
"""Characters of a view's `private_metadata` (docs.slack.dev/surfaces/modals)."""
SOME_PICTURE = "0" * 64
"""Stands for a picture that is not here yet where only the rules are looked at."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """One state of the form. Keys of the values are block ids without what follows MARK."""

    brand: str
    """Id of the brand whose form it is."""
    shown: str = ""
    """The template whose variables the form shows."""
    values: Mapping[str, str] = field(default_factory=dict)
    """What the form's blocks hold; of a select, the option's value."""
    carried: Mapping[str, str] = field(default_factory=dict)
    """What was said before and has no place in the form now, the latest first."""
    files: tuple[str, ...] = ()
    """Ids of files that were put into the form."""
    reference: Reference = field(default_factory=Reference)
    """The picture that the form was opened with."""
    origin: Origin = field(default_factory=Origin)
    team: str = ""
    """Key of the workspace, and the person there whose form it is."""
    user: str = ""

    def said(self, key: str) -> str:
        """What the form holds there, else what was said there before."""
        return self.values.get(key) or self.carried.get(key, "")

    def template_in(self, kit: BrandKit) -> Template | None:
        """The template that is chosen, where this brand has it."""
        key = self.said(TEMPLATE)
        return kit.template(chosen_of(key, (item.name for item in kit.templates))) if key else None

    @property
    def has_picture(self) -> bool:
        """Whether it begins from a picture."""
        return bool(self.files) or bool(self.reference)

    def metadata(self, placed: frozenset[str]) -> str:
        """As the `private_metadata` of a view that has a place for the `placed` keys."""
        kept = {
            key: value
            for key, value in {**self.values, **self.carried}.items()
            if key not in placed and value
        }
        fixed = {
            "b": self.brand,
            "t": self.shown,
            "w": self.team,
            "u": self.user,
            "o": self.origin.packed(),
            "r": self.reference.packed(),
        }
        carried: dict[str, str] = {}
        for key, value in kept.items():
            grown = {**carried, key: value}
            if _length(_packed({**fixed, "v": grown})) <= MAX_METADATA:
                carried = grown
        return _packed({**fixed, "v": carried})


def wish_of(metadata: str, state: Mapping[str, Any]) -> Wish:
    """The wish of a view by its `private_metadata` and `state.values`. What is not readable in
    them counts as not said."""
    kept = said_of(metadata)
    values: dict[str, str] = {}
    files: tuple[str, ...] = ()
    for block, entry in entries_of(state):
        key = block.partition(MARK)[0]
        if key == FILE:
            files = entry.files
        elif entry.value:
            values[key] = entry.value
    carried = kept.texts("v")
    return Wish(
        brand=values.pop(BRAND, "") or kept.text("b"),
        shown=kept.text("t"),
        values=values,
        carried={key: value for key, value in carried.items() if key not in values},
        files=files,
        reference=Reference.of(kept.texts("r")),
        origin=Origin.of(kept.texts("o")),
        team=kept.text("w"),
        user=kept.text("u"),
    )


def unchosen(wish: Wish) -> Wish:
    """The wish without its template; what was typed for one travels along."""
    values, carried = (
        {key: value for key, value in some.items() if key != TEMPLATE}
        for some in (wish.values, wish.carried)
    )
    return replace(wish, shown="", values=values, carried=carried)


def brief_of(wish: Wish, kit: BrandKit) -> Brief:
    """The brief of a form that was sent off, its picture left out. Raises Mistake."""
    template = _template(wish, kit)
    return Brief(
        words=clean(wish.values.get(WORDS, "")),
        template=template.name if template else "",
        variables=tuple(_variables(wish, template)) if template else (),
        negative=clean(wish.values.get(NEGATIVE, "")),
        aspect=wish.values.get(SIZE, ""),
        n=_whole(wish, COUNT, "How many pictures") or kit.generation.count,
        seed=_whole(wish, SEED, "The seed"),
    )


def imagine_of(wish: Wish, kit: BrandKit) -> Imagine:
    """The command of a form that was sent off, its picture left out. Raises Mistake."""
    name = wish.values.get(CHANNEL, "")
    channel = kit.channel(chosen_of(name, (c.name for c in kit.publish_channels))) if name else None
    if name and channel not in kit.publish_channels:
        raise Mistake(
            f"`{clean(name)[:80]}` isn't a channel that {kit.name} posts to. Nothing was queued.",
            allowed=tuple(item.name for item in kit.publish_channels),
            field=CHANNEL,
        )
    target = place_of(channel) if channel else None
    return Imagine(brief=brief_of(wish, kit), brand=kit.id, target=target)


def _template(wish: Wish, kit: BrandKit) -> Template | None:
    key = wish.values.get(TEMPLATE, "")
    if key in ("", NO_TEMPLATE):
        return None
    names = tuple(item.name for item in kit.templates)
    found = kit.template(chosen_of(key, names))
    if found is None:
        raise Mistake(
            f"That isn't a template of {kit.name} any more. Choose another one. "
            "Nothing was queued.",
            allowed=names,
            field=TEMPLATE,
        )
    return found


def _variables(wish: Wish, template: Template) -> list[tuple[str, str]]:
    given = ((item, wish.values.get(f"{VAR}{item.name}", "")) for item in template.variables)
    return [(item.name, clean(chosen_of(value, item.values))) for item, value in given if value]


def _whole(wish: Wish, key: str, what: str) -> int | None:
    text = wish.values.get(key, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.removeprefix("-").isdigit() and len(text) < 20):
        raise Mistake(f"{what} is a whole number. Nothing was queued.", field=key)
    return int(text)


def _packed(said: Mapping[str, Any]) -> str:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def _length(text: str) -> int:
    """In UTF-16 units, the stricter way to count characters."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
