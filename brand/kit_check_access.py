"""What [[access]] must say to be met at all: a rule with a slip in an id would keep nobody out."""

import re

from brand.kit import AccessRule, BrandKit
from brand.kit_reader import ProblemLog
from brand.words import one_of

_FORMS = {
    "discord": {
        "place": (r"[0-9]{1,20}", "the server's id, all digits"),
        "channels": (r"[0-9]{1,20}", "the channel's id, all digits, or its name in the kit"),
        "roles": (r"[0-9]{1,20}", "the role's id, all digits"),
    },
    "slack": {
        "place": (r"[TE][A-Z0-9]{1,40}(/T[A-Z0-9]{1,40})?", "the workspace's id, like T0123456789"),
        "channels": (
            r"[CDG][A-Z0-9]{1,40}",
            "the channel's id, like C0123456789, or its name in the kit",
        ),
    },
}
"""Key -> how the platform's ids look, and what to write."""


def check_access(kit: BrandKit, log: ProblemLog) -> None:
    """Note rules that nothing can meet, or that are about nothing."""
    for index, rule in enumerate(kit.access):
        for key in ("place", "channels", "roles"):
            _check_ids(rule, index, key, log)
        _check_named(kit, rule, index, log)
        if rule.roles and rule.platform == "slack":
            message = "Slack tells nobody's roles, so the rule keeps everybody out"
            log.add(("access", index, "roles"), message, "Write `roles = []` if that is meant.")
        if not rule.may:
            log.add(("access", index, "may"), "the rule is about nothing", 'Write ["request"].')


def _check_ids(rule: AccessRule, index: int, key: str, log: ProblemLog) -> None:
    if key not in _FORMS[rule.platform]:
        return
    pattern, form = _FORMS[rule.platform][key]
    said = getattr(rule, key)
    for one in (said,) if isinstance(said, str) else said:
        if one and not one.startswith("#") and not re.fullmatch(pattern, one):
            message = f'"{one}" is no id of {rule.platform.capitalize()}'
            log.add(("access", index, key), message, f"Write {form}.")


def _check_named(kit: BrandKit, rule: AccessRule, index: int, log: ProblemLog) -> None:
    where = ("access", index, "channels")
    names = tuple(channel.name for channel in kit.channels if channel.platform == rule.platform)
    have = f"There it has {one_of(names)}." if names else "It lists none there."
    for name in (one for one in rule.channels if one.startswith("#")):
        named = kit.channel(name)
        if named is None or named.platform != rule.platform:
            message = f'"{name}" is no channel of this kit on {rule.platform.capitalize()}'
            log.add(where, message, f"{have} Or write the platform's own id of the channel.")
