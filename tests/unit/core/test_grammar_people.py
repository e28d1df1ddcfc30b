"""Commands about people as they are typed, and what is said of their mistakes."""

import pytest

from bot.core import commands
from bot.core.actions import parse_action
from bot.core.commands import Command
from bot.core.errors import Mistake
from bot.core.grammar import NOT_A_COMMAND, parse, render_command
from bot.core.verbs_people import PEOPLE_VERBS
from tests.fakes.vocabulary import ID, VOCABULARY

SAID: list[tuple[str, Command]] = [
    ("/people", commands.ListPeople()),
    ("/people --brand acme", commands.ListPeople(brand="acme")),
    ("/invite Mia", commands.Invite(name="Mia")),
    (
        "/invite Mia Lang --role approver --role requester --team design --brand ACME",
        commands.Invite(
            name="Mia Lang", roles=("approver", "requester"), brand="acme", team="design"
        ),
    ),
    (
        "/invite Mia --account slack:U0MIA/T1",
        commands.Invite(name="Mia", account="slack:U0MIA/T1"),
    ),
    ("/invite —role auditor “Mia Lang”", commands.Invite(name="Mia Lang", roles=("auditor",))),
    ("/role Mia Lang approver", commands.SetRole(person="Mia Lang", role="approver")),
    ("/role Mia brand-manager off", commands.SetRole(person="Mia", role="brand_manager", on=False)),
    (
        "/role Mia Approver ON --brand=acme",
        commands.SetRole(person="Mia", role="approver", brand="acme"),
    ),
    ('/role "Max off" approver', commands.SetRole(person="Max off", role="approver")),
    ('/team "Mia Lang" content design', commands.SetTeam(person="Mia Lang", team="content design")),
    ("/team Mia none", commands.SetTeam(person="Mia")),
    ("/deactivate Mia Lang", commands.SetActive(person="Mia Lang", active=False)),
    ("/reactivate Mia", commands.SetActive(person="Mia", active=True)),
    ("/people block Mia", commands.BlockPerson(person="Mia")),
    (
        '/people block "Mia Lang" spam in the channel, twice',
        commands.BlockPerson(person="Mia Lang", reason="spam in the channel, twice"),
    ),
    ("/people unblock Mia Lang", commands.BlockPerson(person="Mia Lang", blocked=False)),
    (
        "/budget person Mia --pictures 5 --per day",
        commands.SetBudget(scope="person", key="Mia", pictures=5, daily=True),
    ),
    (
        "/budget role discord:22 --pictures 5 --cost none --per month --brand acme",
        commands.SetBudget(scope="role", key="discord:22", pictures=5, brand="acme"),
    ),
    ("/erase Mia Lang", commands.ErasePerson(person="Mia Lang")),
    ("/link", commands.LinkAccount()),
    ("/link K7QM-2XPD", commands.LinkAccount(code="K7QM-2XPD")),
    ("/link k7qm 2xpd", commands.LinkAccount(code="k7qm 2xpd")),
    ("/unlink slack", commands.UnlinkAccount(platform="slack")),
    ("/unlink slack:U1 Mia Lang", commands.UnlinkAccount(platform="slack:U1", person="Mia Lang")),
]


@pytest.mark.parametrize(("text", "command"), SAID, ids=[text for text, _ in SAID])
def test_what_is_typed_is_understood_and_can_be_said_again(text: str, command: Command) -> None:
    assert parse(text, vocabulary=VOCABULARY) == command
    assert parse(render_command(command, vocabulary=VOCABULARY), vocabulary=VOCABULARY) == command


@pytest.mark.parametrize(
    ("text", "at", "said"),
    [
        ("/invite", "", "needs the name"),
        ("/people block", "", "Say whom"),
        ("/budget person Mia --pictures 5 --per week", "", "`day`, `month`"),
        ("/invite --role approver", "", "needs the name"),
        ("/invite Mia --role aprover", "aprover", "Did you mean `approver`?"),
        ("/invite Mia --rol approver", "--rol", "Did you mean `--role`?"),
        ("/invite Mia --role", "--role", "needs a value"),
        ("/invite Mia --team a --team b", "--team", "said twice"),
        ("/invite Mia --brand akme", "akme", "Did you mean `acme`?"),
        ('/invite "Mia', '"', "never closed"),
        ("/role Mia", "", "a name and a role"),
        ("/role Mia Lang", "Lang", "isn't a role"),
        ("/role approver", "", "a name and a role"),
        ("/role Mia approver of", "of", "isn't a role"),
        ("/team Mia", "", "a name and a team"),
        ("/deactivate", "", "needs a member's name"),
        ("/erase --yes Mia", "--yes", "no flag `--yes`"),
        ("/link a b c", "c", "doesn't know what to do"),
        ("/unlink", "", "which account"),
        ("/people now", "now", "doesn't know what to do"),
    ],
)
def test_a_mistake_names_its_place_and_changes_nothing(text: str, at: str, said: str) -> None:
    with pytest.raises(Mistake) as caught:
        parse(text, vocabulary=VOCABULARY)
    position = caught.value.position
    assert position is not None
    assert text[position.start : position.end] == at
    assert said in caught.value.message


@pytest.mark.parametrize("verb", [verb.name for verb in PEOPLE_VERBS])
@pytest.mark.parametrize("rest", ["", " Mia", " lunch on Friday", " Mia approver"])
def test_without_its_slash_it_is_talk_or_a_picture(verb: str, rest: str) -> None:
    assert parse(f"{verb}{rest}", vocabulary=VOCABULARY) is NOT_A_COMMAND
    picture = parse(f"/imagine {verb}{rest}", vocabulary=VOCABULARY)
    assert isinstance(picture, commands.Imagine)
    assert picture.brief.words == f"{verb}{rest}"


def test_the_buttons_of_people_are_commands() -> None:
    yes, no = (parse_action(f"link:{ID}:{word}") for word in ("yes", "no"))
    assert (yes, no) == (
        commands.ConfirmLink(key=ID, yes=True),
        commands.ConfirmLink(key=ID, yes=False),
    )
    assert parse_action(f"link:{ID}") == commands.ConfirmLink(key=ID, yes=False)
    assert parse_action(f"erase:{ID}:yes") == commands.ErasePerson(person=ID, sure=True)
    assert parse_action(f"erase:{ID}") == commands.ErasePerson(person=ID)
    with pytest.raises(Mistake):
        parse_action("erase:Mia:yes")
