"""A provider for attacks on signing in, and the log that tells of refusals."""

import logging
from collections.abc import AsyncIterator

import pytest

from bot.core.people import Identity
from tests.fakes.oidc_provider import FakeProvider, serving_provider
from tests.fakes.portal import Portal
from tests.fakes.sign_in import (
    company,
    give,
    offer,
)
from tests.unit.web.signin_attacks.lies import Log


@pytest.fixture
async def fake(portal: Portal) -> AsyncIterator[FakeProvider]:
    """A provider at which Mia, a member, has an account."""
    with serving_provider() as provider:
        provider.now = portal.town.clock.now
        offer(portal, company(provider))
        await give(portal, "mia", Identity(platform="oidc", user="u-17", team=provider.issuer))
        yield provider


@pytest.fixture
def log_of_refusals(caplog: pytest.LogCaptureFixture) -> Log:
    """The reasons in the log."""
    caplog.set_level(logging.WARNING)
    return lambda: [record.reason for record in caplog.records if hasattr(record, "reason")]
