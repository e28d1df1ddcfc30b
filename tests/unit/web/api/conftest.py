"""The API, served for real clients."""

from collections.abc import Iterator

import pytest

from tests.fakes.api import Served, served


@pytest.fixture(scope="module")
def api() -> Iterator[Served]:
    """On loopback, with Mia's key."""
    with served() as running:
        yield running
