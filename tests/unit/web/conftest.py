"""A portal with people in it, for every page's tests."""

import pytest

from tests.fakes.portal import Portal, make_portal


@pytest.fixture
async def portal() -> Portal:
    """Mia asks, Ana and Ben approve, Ida is an admin; nothing has happened yet."""
    return await make_portal()
