"""The kit's tables about who may ask where, and how much at once, become values."""

from brand.kit import ACTIONS, AccessRule, Limits
from brand.kit_reader import Section

MOST_JOBS = 10_000
ACCESS_PLATFORMS = ("slack", "discord")
"""Platforms with places of their own; in the portal only roles in Housestyle count."""


def build_access(item: Section) -> AccessRule:
    """One [[access]] entry."""
    found = AccessRule(
        name=item.text("name", form="what a refusal calls the rule, like designers ask"),
        platform=item.choice("platform", ACCESS_PLATFORMS),
        place=item.text("place", ""),
        channels=item.texts("channels"),
        roles=item.texts("roles"),
        may=item.texts("may", AccessRule.may, options=ACTIONS),
    )
    item.finish()
    return found


def build_limits(section: Section) -> Limits:
    """[limits]."""
    base = Limits()
    found = Limits(
        open_jobs_person=section.integer(
            "open_jobs_person", base.open_jobs_person, low=0, high=MOST_JOBS
        ),
        open_jobs_place=section.integer(
            "open_jobs_place", base.open_jobs_place, low=0, high=MOST_JOBS
        ),
    )
    section.finish()
    return found
