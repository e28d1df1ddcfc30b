"""The products: one function each draws its silhouette on a canvas, standing on the ground line."""

from collections.abc import Callable
from dataclasses import dataclass

from generation.illustrator.canvas import RGB, Canvas, Points, box, ellipse, lathe

DARK: RGB = (58, 56, 62)
METAL: RGB = (176, 178, 184)
PAPER: RGB = (240, 234, 220)


@dataclass(frozen=True, kw_only=True)
class Finish:
    """How the product's own surface looks."""

    color: RGB
    pattern: str
    second: RGB

    def darker(self, factor: float = 0.72) -> RGB:
        """The same colour in its own shade."""
        red, green, blue = self.color
        return (round(red * factor), round(green * factor), round(blue * factor))


def _body(canvas: Canvas, points: Points, finish: Finish, shade: str = "cylinder") -> None:
    canvas.fill(points, finish.color, shade=shade, pattern=finish.pattern, second=finish.second)


def _ring(x: float, y: float, rx: float, ry: float, thick: float) -> Points:
    return [*ellipse(x, y, rx, ry), *reversed(ellipse(x, y, rx - thick, ry - thick))]


def mug(canvas: Canvas, finish: Finish) -> None:
    """A mug with its handle on the right."""
    canvas.shadow(0.25)
    canvas.fill(_ring(0.2, 0.24, 0.17, 0.15, 0.05), finish.darker(0.85), shade="soft")
    _body(canvas, lathe([(0.2, 0.02), (0.22, 0.46)]), finish)
    canvas.fill(ellipse(0, 0.46, 0.22, 0.036), finish.color, shade="top")
    canvas.fill(ellipse(0, 0.455, 0.19, 0.027), (54, 34, 24), shade="soft")


def bottle(canvas: Canvas, finish: Finish) -> None:
    """A tall bottle with a dark cap."""
    canvas.shadow(0.17)
    profile = [(0.13, 0.02), (0.135, 0.4), (0.12, 0.47), (0.06, 0.55), (0.05, 0.64)]
    _body(canvas, lathe(profile), finish)
    canvas.fill(lathe([(0.056, 0.63), (0.056, 0.7)]), DARK)


def chair(canvas: Canvas, finish: Finish) -> None:
    """A chair seen from the front left: back, seat, four legs."""
    canvas.shadow(0.26)
    legs = finish.darker(0.6)
    for x, top, foot in (
        (-0.2, 0.26, 0.0),
        (0.15, 0.26, 0.0),
        (-0.1, 0.3, 0.05),
        (0.22, 0.3, 0.05),
    ):
        canvas.fill(box(x, foot, 0.035, top - foot), legs, shade="soft")
    _body(canvas, box(-0.13, 0.33, 0.37, 0.36, 0.05), finish, "soft")
    seat: Points = [(-0.23, 0.24), (0.21, 0.24), (0.27, 0.35), (-0.13, 0.35)]
    canvas.fill(seat, finish.color, shade="top")
    canvas.fill(box(-0.23, 0.2, 0.44, 0.045), finish.darker(0.8), shade="soft")


def lamp(canvas: Canvas, finish: Finish) -> None:
    """A table lamp: a wide shade on a thin stem."""
    canvas.shadow(0.16)
    canvas.fill(lathe([(0.13, 0.015), (0.12, 0.04)]), METAL)
    canvas.fill(box(-0.016, 0.04, 0.032, 0.34), METAL)
    canvas.fill(ellipse(0, 0.36, 0.25, 0.035), (255, 240, 190), shade="flat")
    _body(canvas, lathe([(0.26, 0.36), (0.14, 0.68)], 0.1), finish)


def shoe(canvas: Canvas, finish: Finish) -> None:
    """A low shoe from the side, toe to the right, on a pale sole."""
    canvas.shadow(0.34, depth=0.04)
    upper: Points = [
        (-0.31, 0.06), (-0.33, 0.3), (-0.26, 0.36), (-0.17, 0.31), (-0.08, 0.33), (0.03, 0.24),
        (0.16, 0.19), (0.28, 0.165), (0.335, 0.11), (0.335, 0.06),
    ]  # fmt: skip
    _body(canvas, upper, finish, "soft")
    canvas.fill(ellipse(-0.21, 0.325, 0.075, 0.03), DARK, shade="flat")
    sole = (250, 248, 240) if sum(finish.color) < 680 else (96, 96, 100)
    canvas.fill(box(-0.34, 0.0, 0.69, 0.075, 0.035), sole, shade="soft")
    for index in range(3):
        x, y = -0.045 + 0.065 * index, 0.315 - 0.045 * index
        canvas.line([(x - 0.035, y - 0.065), (x + 0.03, y - 0.005)], sole, 0.018)


def backpack(canvas: Canvas, finish: Finish) -> None:
    """A round-topped backpack with a front pocket and a loop."""
    canvas.shadow(0.25)
    canvas.fill(_ring(0, 0.6, 0.075, 0.09, 0.028), DARK, shade="soft")
    for x in (-0.26, 0.2):
        canvas.fill(box(x, 0.08, 0.06, 0.36, 0.03), finish.darker(0.6), shade="soft")
    shell: Points = [(-0.22, 0.02), (0.22, 0.02), *ellipse(0, 0.4, 0.22, 0.22, 0, 180)]
    _body(canvas, shell, finish, "soft")
    canvas.fill(box(-0.16, 0.05, 0.32, 0.22, 0.04), finish.darker(0.74), shade="soft")
    zip_color = METAL if sum(finish.color) < 560 else DARK
    canvas.line([(-0.13, 0.22), (0.13, 0.22)], zip_color, 0.016)
    canvas.line([(-0.17, 0.39), (0.17, 0.39)], zip_color, 0.016)


def book(canvas: Canvas, finish: Finish) -> None:
    """A standing book, cover to the front, pages seen from the side."""
    canvas.shadow(0.25)
    canvas.fill([(0.17, 0.0), (0.27, 0.05), (0.27, 0.6), (0.17, 0.57)], PAPER, shade="soft")
    canvas.fill([(-0.21, 0.57), (0.17, 0.57), (0.27, 0.61), (-0.11, 0.61)], PAPER, shade="top")
    _body(canvas, box(-0.22, 0.0, 0.4, 0.575), finish, "soft")
    canvas.fill(box(-0.22, 0.0, 0.06, 0.575), finish.darker(0.62), shade="soft")
    label = PAPER if sum(finish.color) < 640 else DARK
    canvas.fill(box(-0.09, 0.38, 0.2, 0.09), label, shade="flat")


def umbrella(canvas: Canvas, finish: Finish) -> None:
    """An open umbrella with a hooked handle."""
    canvas.shadow(0.16)
    canvas.line([(0.0, 0.1), (0.0, 0.68)], DARK, 0.026)
    hook = ellipse(0.05, 0.09, 0.05, 0.06, 180, 360)
    canvas.line(hook, DARK, 0.03)
    rim: Points = []
    for index in range(4):
        middle = -0.255 + 0.17 * index
        rim += [(x, y) for x, y in reversed(ellipse(middle, 0.36, 0.085, 0.04, 0, 180))]
    _body(canvas, [*ellipse(0, 0.36, 0.34, 0.3, 0, 180), *rim], finish, "sphere")
    for index in (-1, 0, 1):
        rib: Points = [(0, 0.66), (index * 0.12, 0.55), (index * 0.17, 0.385)]
        canvas.line(rib, finish.darker(0.7), 0.01)


def teapot(canvas: Canvas, finish: Finish) -> None:
    """A round teapot, spout left, handle right, with a knob."""
    canvas.shadow(0.28)
    canvas.fill(_ring(0.23, 0.25, 0.13, 0.15, 0.045), finish.darker(0.85), shade="soft")
    spout: Points = [(-0.14, 0.13), (-0.27, 0.22), (-0.36, 0.42), (-0.29, 0.43), (-0.14, 0.32)]
    canvas.fill(spout, finish.color, shade="soft")
    _body(canvas, ellipse(0, 0.22, 0.235, 0.215), finish, "sphere")
    canvas.fill(ellipse(0, 0.4, 0.13, 0.05), finish.darker(0.9), shade="top")
    canvas.fill(ellipse(0, 0.465, 0.04, 0.04), finish.darker(0.7), shade="sphere")


def hat(canvas: Canvas, finish: Finish) -> None:
    """A hat with a wide brim and a ribbon."""
    canvas.shadow(0.36, depth=0.04)
    canvas.fill(ellipse(0, 0.075, 0.37, 0.075), finish.color, shade="soft")
    crown: Points = [
        *ellipse(0, 0.1, 0.2, 0.04, 180, 360), (0.165, 0.36),
        *ellipse(0, 0.36, 0.165, 0.045, 0, 180), (-0.165, 0.36),
    ]  # fmt: skip
    _body(canvas, crown, finish)
    ribbon = DARK if sum(finish.color) > 200 else METAL
    band: Points = [
        *ellipse(0, 0.1, 0.2, 0.04, 180, 360), (0.191, 0.17),
        *reversed(ellipse(0, 0.17, 0.191, 0.04, 180, 360)),
    ]  # fmt: skip
    canvas.fill(band, ribbon)


def candle(canvas: Canvas, finish: Finish) -> None:
    """A thick burning candle on a saucer."""
    canvas.shadow(0.24)
    canvas.fill(ellipse(0, 0.04, 0.22, 0.05), METAL, shade="soft")
    _body(canvas, lathe([(0.12, 0.045), (0.12, 0.4)]), finish)
    canvas.fill(ellipse(0, 0.4, 0.12, 0.022), finish.color, shade="top")
    canvas.line([(0, 0.4), (0, 0.46)], DARK, 0.014)
    flame: Points = [
        (0, 0.66), (0.05, 0.54), *ellipse(0, 0.5, 0.05, 0.055, 0, -180), (-0.05, 0.54),
    ]  # fmt: skip
    canvas.fill(flame, (255, 168, 32), shade="flat")
    canvas.fill(ellipse(0, 0.495, 0.026, 0.042), (255, 246, 180), shade="flat")


def ball(canvas: Canvas, finish: Finish) -> None:
    """A large ball."""
    canvas.shadow(0.24)
    _body(canvas, ellipse(0, 0.26, 0.26, 0.26), finish, "sphere")


def gift_box(canvas: Canvas, finish: Finish) -> None:
    """A box with a lid, a ribbon and a bow."""
    canvas.shadow(0.28)
    _body(canvas, box(-0.23, 0.0, 0.46, 0.33), finish, "soft")
    canvas.fill(box(-0.26, 0.31, 0.52, 0.11), finish.darker(0.86), shade="soft")
    ribbon = (250, 246, 236) if sum(finish.color) < 640 else (200, 40, 48)
    canvas.fill(box(-0.04, 0.0, 0.08, 0.42), ribbon, shade="soft")
    for side in (-1, 1):
        loop = [(0.0, 0.42), (side * 0.19, 0.45), (side * 0.17, 0.58), (0.0, 0.46)]
        canvas.fill(loop, ribbon, shade="soft")
    canvas.fill(ellipse(0, 0.445, 0.045, 0.04), ribbon, shade="dark")


def t_shirt(canvas: Canvas, finish: Finish) -> None:
    """A T-shirt, spread out."""
    canvas.shadow(0.24, depth=0.03, strength=0.35)
    shirt: Points = [
        (-0.2, 0.02), (0.2, 0.02), (0.2, 0.4), (0.29, 0.32), (0.38, 0.43), (0.22, 0.63),
        (0.1, 0.65),
        *ellipse(0, 0.65, 0.1, 0.07, 0, -180),
        (-0.1, 0.65), (-0.22, 0.63), (-0.38, 0.43), (-0.29, 0.32), (-0.2, 0.4),
    ]  # fmt: skip
    _body(canvas, shirt, finish, "soft")
    canvas.line(ellipse(0, 0.65, 0.1, 0.07, 0, -180), finish.darker(0.65), 0.022)
    for side in (-1, 1):
        canvas.line([(side * 0.2, 0.4), (side * 0.205, 0.47)], finish.darker(0.65), 0.012)


DRAWERS: dict[str, Callable[[Canvas, Finish], None]] = {
    "mug": mug,
    "bottle": bottle,
    "chair": chair,
    "lamp": lamp,
    "shoe": shoe,
    "backpack": backpack,
    "book": book,
    "umbrella": umbrella,
    "teapot": teapot,
    "hat": hat,
    "candle": candle,
    "ball": ball,
    "gift box": gift_box,
    "t-shirt": t_shirt,
}
