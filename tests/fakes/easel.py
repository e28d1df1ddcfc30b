"""An easel: pictures on it are finished when the test says so, and may be looked at before."""

import asyncio
import io
from typing import Protocol

from PIL import Image

from bot.core.house import House
from bot.core.live import LiveProgress
from bot.core.ports import Signal
from tests.fakes.renderer import FakeRenderer


class Studio(Protocol):
    """A house at work, with its renderer."""

    house: House

    @property
    def renderer(self) -> FakeRenderer:
        """Who draws."""
        ...


class Easel:
    """Holds every picture back until it is let go."""

    def __init__(self, studio: Studio) -> None:
        self._house = studio.house
        self._free = asyncio.Event()
        studio.renderer.before_picture = lambda _: self._free.wait()

    def let_go(self) -> None:
        """Pictures are finished from now on."""
        self._free.set()

    def show(self, job: str, fraction: float, colour: str = "#0f7c7c") -> None:
        """So far is this job, and so its picture looks."""
        jpeg = io.BytesIO()
        Image.new("RGB", (64, 64), colour).save(jpeg, "JPEG")
        live = LiveProgress(fraction=fraction, eta_s=9, preview=jpeg.getvalue())
        self._house.live.put(job, live)
        self._house.signals.publish(Signal(topic=f"job:{job}", kind="progress", data={}))
