"""Rules of a kit about platform roles, servers and channels: they only ever take away."""

from dataclasses import replace

import pytest

from bot.core.caller import Caller
from bot.core.errors import NotAllowed
from bot.core.messages import Actor, ChannelRef
from bot.core.people import Role
from bot.core.restricting import check_rules, may_ask
from brand.kit import AccessRule, BrandKit, Channel
from tests.fakes.town import KIT, person

GUILD, DESIGNER, LEAD = "100", "201", "202"
MIA = person("Mia", Role.REQUESTER)
STRANGER = person("Eve")


def kit_with(**rule: object) -> BrandKit:
    made = AccessRule(**{"name": "designers ask", "platform": "discord", **rule})  # type: ignore[arg-type]
    social = Channel(name="#social", audience="public", platform="discord", id="777")
    return replace(KIT, access=(made,), channels=(*KIT.channels[1:], social))


def actor(*roles: str, place: str = f"discord:{GUILD}", channel: str = "55") -> Actor:
    platform = "discord"
    return Actor(
        platform=platform,
        user="1",
        name="Mia",
        channel=ChannelRef(platform=platform, channel=channel),
        groups=frozenset(f"discord:{role}" for role in roles),
        place=place,
    )


def refused(kit: BrandKit, who: Actor, what: str = "request") -> NotAllowed:
    with pytest.raises(NotAllowed) as found:
        check_rules(kit, who, what)
    return found.value


def test_who_has_one_of_the_roles_may_and_the_others_read_the_rule_and_its_owner() -> None:
    kit = kit_with(place=GUILD, roles=(DESIGNER, LEAD))
    check_rules(kit, actor(LEAD, "999"), "request")
    found = refused(kit, actor("999"))
    assert "“designers ask”" in found.message
    assert "@brand" in found.fix


def test_a_role_of_another_platform_with_the_same_number_does_not_count() -> None:
    kit = kit_with(roles=(DESIGNER,))
    refused(kit, replace(actor(), groups=frozenset({f"slack:{DESIGNER}"})))


def test_a_rule_of_one_server_says_nothing_about_another_one_or_a_direct_message() -> None:
    kit = kit_with(place=GUILD, roles=(DESIGNER,))
    check_rules(kit, actor(place="discord:200"), "request")
    check_rules(kit, actor(place=""), "request")
    check_rules(kit, replace(actor(), platform="slack", place=f"slack:{GUILD}"), "request")


def test_a_rule_without_a_server_holds_in_direct_messages_too() -> None:
    found = refused(kit_with(roles=(DESIGNER,)), actor(place=""))
    assert "direct message" in found.message
    assert "channel of the server" in found.fix


@pytest.mark.parametrize("named", ["777", "#social"])
def test_nobody_asks_in_a_channel_where_a_rule_has_no_roles(named: str) -> None:
    kit = kit_with(channels=(named,))
    found = refused(kit, actor(LEAD, channel="777"))
    assert "Nobody" in found.message
    assert "another channel" in found.fix
    check_rules(kit, actor(LEAD, channel="778"), "request")


def test_a_rule_about_approving_leaves_asking_alone() -> None:
    kit = kit_with(roles=(LEAD,), may=("approve",))
    check_rules(kit, actor(), "request")
    refused(kit, actor(), "approve")


def test_all_rules_that_concern_a_place_must_be_met() -> None:
    first = kit_with(roles=(DESIGNER,))
    quiet = AccessRule(name="quiet", platform="discord", channels=("55",))
    both = replace(first, access=(*first.access, quiet))
    assert "quiet" in refused(both, actor(DESIGNER)).message


def test_a_platform_role_never_gives_what_housestyle_does_not() -> None:
    kit = kit_with(roles=(DESIGNER,))
    may_ask(kit, Caller(person=MIA, actor=actor(DESIGNER)))
    with pytest.raises(NotAllowed, match="can't ask for pictures"):
        may_ask(kit, Caller(person=STRANGER, actor=actor(DESIGNER)))
