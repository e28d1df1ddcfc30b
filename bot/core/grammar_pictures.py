"""Which of the pictures that came with a line is the reference, the mask, a control, a prompt."""

from dataclasses import dataclass, replace
from typing import Any

from bot.core.errors import Position
from bot.core.grammar_mistakes import mistake
from brand.brief import ControlWish
from brand.spec import CONTROL_KINDS


@dataclass(frozen=True, kw_only=True)
class Attached:
    """The pictures that came with a line, by the SHA-256 of their files. False in a condition if
    there are none."""

    pictures: tuple[str, ...] = ()
    """In their order, where only the words say what they are for."""
    reference: str = ""
    """The first of `pictures` in all but name: with `control:canny` alone it leads."""
    mask: str = ""
    control: str = ""
    like: str = ""
    """Those that a form's field names."""

    def __bool__(self) -> bool:
        return bool(self.pictures or self.reference or self.mask or self.control or self.like)

    @classmethod
    def of(cls, pictures: "str | Attached") -> "Attached":
        """A single reference picture, or all of them as they are."""
        if isinstance(pictures, Attached):
            return pictures
        return cls(pictures=(pictures,) if pictures else ())


NOTHING = Attached()
FIRST_KIND = CONTROL_KINDS[0]
"""What a form's control picture is taken for where the words don't say."""
Flags = dict[str, Any]


def place_pictures(flags: Flags, attached: Attached, position: Position) -> Flags:
    """The flags with a picture for each that wants one. Raises Mistake.

    The first picture is the reference, further ones go to `--mask`, `--control` and `--like` in
    the order in which those were said. Without a picture left for a reference, none is: one
    picture and `control:canny` is a picture led by it, not begun from it.
    """
    flags = dict(flags)
    _from_fields(flags, attached)
    wanting = _wanting(flags)
    reference = flags.get("ref", "")
    pictures = list(attached.pictures)
    if attached.reference and not reference:
        pictures.insert(0, attached.reference)
    if pictures and not reference and (len(pictures) > len(wanting) or _needs_reference(flags)):
        reference = pictures.pop(0)
    if len(pictures) > len(wanting):
        raise _too_many(len(attached.pictures), bool(flags.get("ref")), position)
    leads = [name for name in wanting if name.startswith("control:")]
    if len(pictures) == 1 and len(leads) == len(wanting):
        pictures *= len(wanting)  # one picture leads in several ways: its edges, its depth
    if len(pictures) < len(wanting):
        raise _too_few(wanting[len(pictures)].partition(":")[0], position)
    for name, picture in zip(wanting, pictures, strict=True):
        _give(flags, name, picture)
    return flags | {"ref": reference}


def _from_fields(flags: Flags, attached: Attached) -> None:
    if attached.mask and not flags.get("mask"):
        flags["mask"] = attached.mask
    if attached.like:
        picture, weight = flags.get("like", ("", None))
        flags["like"] = (picture or attached.like, weight)
    if attached.control:
        wishes: tuple[ControlWish, ...] = flags.get("control", (ControlWish(kind=FIRST_KIND),))
        flags["control"] = tuple(
            wish if wish.picture else replace(wish, picture=attached.control) for wish in wishes
        )


def _wanting(flags: Flags) -> list[str]:
    """What was said without naming its picture, in the order in which it was said."""
    found: list[str] = []
    for name, value in flags.items():
        if name == "mask" and not value:
            found.append(name)
        if name == "like" and not value[0]:
            found.append(name)
        if name == "control":
            found += [f"control:{n}" for n, wish in enumerate(value) if not wish.picture]
    return found


def _needs_reference(flags: Flags) -> bool:
    if "recipe" in flags:  # the mask may be for a later stage
        return any(name in flags for name in ("outpaint", "strength", "iw"))
    return any(name in flags for name in ("mask", "outpaint", "strength", "iw"))


def _give(flags: Flags, name: str, picture: str) -> None:
    kind, _, number = name.partition(":")
    if kind == "mask":
        flags["mask"] = picture
    elif kind == "like":
        flags["like"] = (picture, flags["like"][1])
    else:
        wishes = list(flags["control"])
        wishes[int(number)] = replace(wishes[int(number)], picture=picture)
        flags["control"] = tuple(wishes)


def _too_many(count: int, referenced: bool, position: Position) -> Exception:
    if count == 1 and referenced:
        return mistake(
            "There is a picture attached and a `--ref`. Keep one.", position, field="ref"
        )
    return mistake(
        f"{count} pictures are attached, and the words don't say what all of them are for. The "
        "first is the reference; say `--mask`, `control:canny` or `--like` for each further one.",
        position,
        field="ref",
    )


def _too_few(name: str, position: Position) -> Exception:
    written = {"control": "control:canny:ID", "mask": "--mask ID", "like": "--like ID"}[name]
    first = " after the one that it belongs to" if name == "mask" else ""
    return mistake(
        f"`--{name}` needs a picture of its own: attach one{first}, or name it: `{written}`.",
        position,
        field=name,
    )
