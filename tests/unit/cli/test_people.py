"""`housestyle people`: what it prints, and how it ends."""

import pytest

from bot.cli.exits import ExitCode
from bot.cli.people import group
from bot.cli.people_keys import group as keys
from tests.fakes.command_line import Housestyle
from tests.needs import ROOT


@pytest.fixture
def house(housestyle: Housestyle) -> Housestyle:
    """A folder with the brand Acme."""
    assert housestyle("init", ".", "--brand", "Acme").code == ExitCode.OK
    return housestyle


def test_inviting_prints_the_link_alone_and_the_list_has_the_member(house: Housestyle) -> None:
    done = house("people", "invite", "Mia", "Lang", "--role", "approver", "--brand", "acme")
    assert done.code == ExitCode.OK, done.err
    assert done.out.startswith("http://127.0.0.1:")
    assert len(done.out.splitlines()) == 1
    assert "works once, for 7 days" in done.err
    listed = house("people", "list", "--json").json
    mia = next(person for person in listed if person["name"] == "Mia Lang")
    assert mia["roles"] == [{"brand": "acme", "role": "approver"}]
    assert (mia["state"], mia["accounts"]) == ("invited", [])
    again = house("people", "link-again", "Mia Lang", "--json").json
    assert again["id"] == mia["id"]
    assert again["link"] not in done.out


def test_whom_the_owner_vouches_for_is_in_without_a_link(house: Housestyle) -> None:
    done = house("people", "invite", "Mia", "--account", "slack:U0MIA/T1")
    assert done.out.startswith("Mia is in\nAs requester in all brands.\nKnown as slack:U0MIA.")
    (mia,) = [one for one in house("people", "list", "--json").json if one["name"] == "Mia"]
    assert mia["state"] == "member"
    assert mia["accounts"] == [{"platform": "slack", "user": "U0MIA", "team": "T1"}]
    again = house("people", "invite", "Ben", "--account", "slack:U0MIA/T1")
    assert (again.code, again.out) == (ExitCode.REFUSED, "")


def test_a_code_for_another_account_says_where_its_owner_is_asked(house: Housestyle) -> None:
    done = house("people", "link")
    assert "after /imagine link in Slack" in done.out
    assert "/chat/me" in done.err


def test_a_member_is_changed_let_go_and_erased(house: Housestyle) -> None:
    house("people", "invite", "Ben")
    assert house("people", "role", "Ben", "auditor").out.startswith("Ben is now auditor in all")
    assert house("people", "role", "Ben", "auditor", "--off").out.startswith("Ben is no longer")
    assert house("people", "team", "Ben", "design").out.startswith("Ben is in team design")
    assert house("people", "deactivate", "Ben").out.startswith("Ben is let in no longer")
    assert house("people", "reactivate", "Ben").out.startswith("Ben is let in again")
    blocked = house("people", "block", "Ben", "--reason", "spam")
    assert blocked.out.startswith("Ben is on the block list")
    assert "blocked" in house("people", "list").out
    assert house("people", "unblock", "Ben").out.startswith("Ben is off the block list")
    asked = house("people", "erase", "Ben")
    assert asked.code == ExitCode.USAGE
    assert "--yes" in asked.err
    assert house("people", "list").out.count("Ben") == 1
    assert house("people", "erase", "Ben", "--yes").out.startswith("Erased")
    assert "Ben" not in house("people", "list").out
    assert house("people", "sweep").code == ExitCode.OK


def test_a_key_is_printed_once_and_can_be_revoked(house: Housestyle) -> None:
    made = house("people", "keys", "create", "nightly", "export", "--scope", "read", "--json").json
    assert made["key"].startswith(f"hs_{made['id']}_")
    (listed,) = house("people", "keys", "list", "--json").json
    assert (listed["name"], listed["scopes"]) == ("nightly export", ["read"])
    assert "key" not in listed
    assert house("people", "keys", "revoke", made["id"]).code == ExitCode.OK
    assert house("people", "keys", "list", "--json").json == []
    assert house("people", "keys", "revoke", made["id"]).code == ExitCode.NOT_FOUND


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("role", "Nobody", "approver"), ExitCode.NOT_FOUND, "no member `Nobody`"),
        (("role", "Owner", "aprover"), ExitCode.USAGE, "Did you mean `approver`?"),
        (("role", "Owner", "admin", "--off"), ExitCode.REFUSED, "last admin"),
        (("deactivate", "Owner"), ExitCode.REFUSED, "last admin"),
        (("erase", "Owner", "--yes"), ExitCode.REFUSED, "last admin"),
        (("link", "NOSUCHCD"), ExitCode.REFUSED, "isn't right"),
        (("unlink", "slack"), ExitCode.NOT_FOUND, "no account `slack`"),
        (("keys", "create", "x", "--scope", "all"), ExitCode.USAGE, "isn't a scope"),
    ],
)
def test_what_cannot_be_done_says_why(
    house: Housestyle, words: tuple[str, ...], code: ExitCode, said: str
) -> None:
    done = house("people", *words)
    assert done.code == code
    assert said in done.err


def test_the_admins_page_names_every_command() -> None:
    page = (ROOT / "docs/people.md").read_text()
    for command in group.registered_commands:
        name = command.name or (command.callback.__name__ if command.callback else "")
        assert f"housestyle people {name}" in page, name
    for command in keys.registered_commands:
        name = command.name or (command.callback.__name__ if command.callback else "")
        assert f"housestyle people keys {name}" in page, name
