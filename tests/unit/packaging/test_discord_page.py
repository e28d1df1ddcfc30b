"""docs/discord.md says what the code does: permissions, intents, commands, settings, refusals."""

import re
from dataclasses import fields

import pytest

from bot.chat.discord_chat import surfaces
from bot.chat.discord_chat.outgoing import failing, pictures, sending
from bot.chat.discord_chat.outgoing.failing import REFUSALS, refusal, token_refused
from bot.chat.discord_chat.permissions import SCOPES
from bot.chat.discord_chat.surfaces import COMMANDS, IMAGINE, INTENTS, MENUS, PERMISSIONS
from bot.core import board, painting
from bot.core.accounts import read_account
from bot.core.grammar_flags import FLAG_NAMES
from bot.core.messages import Actor
from bot.settings import DiscordSettings
from tests.needs import ROOT

PAGE = (ROOT / "docs/discord.md").read_text("utf-8")
SETTINGS = (ROOT / "docs/settings.md").read_text("utf-8")
SPELT = {"guild_reactions": "guild_message_reactions"}
"""discord.py's name of an intent -> Discord's own."""


def section(title: str) -> str:
    """What stands below a heading of any rank, up to the next heading."""
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def rows(title: str) -> list[list[str]]:
    """The cells of a section's tables."""
    lines = [line for line in section(title).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def words(text: str) -> set[str]:
    """What stands in `code`."""
    return set(re.findall(r"`([^`]+)`", text))


def test_the_table_of_permissions_is_that_of_the_invitation() -> None:
    table = [row[0] for row in rows("What it may do in your server")[1:]]
    assert table == list(PERMISSIONS)


def test_the_intents_and_scopes_are_those_that_are_asked_for() -> None:
    (line,) = re.findall(r"^The scopes are .*$", PAGE, re.MULTILINE)
    told = words(line)
    assert told == {*SCOPES.split(), *(SPELT.get(intent, intent) for intent in INTENTS)}


def test_all_that_people_meet_is_named() -> None:
    shown = section("What works where")
    assert {f"/{name}" for name in COMMANDS} <= words(shown)
    assert all(f"| *{menu}* |" in shown for menu in MENUS)
    (line,) = [row for row in rows("What works where") if row[0] == "`/imagine`"]
    assert {option.name for option in COMMANDS[IMAGINE].options} <= words(line[1])
    flags = {flag.split()[0] for flag in " ".join(words(line[1])).split("--")[1:]}
    assert flags <= set(FLAG_NAMES)


def test_the_emoji_that_vote_are_those_of_the_code() -> None:
    (line,) = re.findall(r"^\| (\S+ \S+ \S+) and (\S+ \S+) on a review \|", PAGE, re.MULTILINE)
    assert tuple(line[0].split()) == surfaces.APPROVE_EMOJI
    assert tuple(line[1].split()) == surfaces.REJECT_EMOJI
    assert f"{surfaces.RECIPE_EMOJI} on a picture's card" in PAGE
    assert f"{surfaces.DELETE_EMOJI} on a job's card" in PAGE


def test_every_setting_that_it_names_exists_and_every_one_of_discord_is_named() -> None:
    settings = {field.name for field in fields(DiscordSettings)}
    named = set(re.findall(r"`discord\.(\w+)", PAGE))
    exported = {name.lower() for name in re.findall(r"HOUSESTYLE_DISCORD_([A-Z_]+)", PAGE)}
    assert named | {name.removesuffix("_file") for name in exported} == settings
    assert all(f"### `discord.{name}`" in SETTINGS for name in settings)


def test_what_discord_refuses_is_told_with_the_words_and_the_fix_of_the_code() -> None:
    table = [row for row in rows("When something is wrong") if row[0].strip("`").isdecimal()]
    told = {int(row[0].strip("`")): row[1:] for row in table}
    lost = token_refused()
    assert told.pop(failing.UNAUTHORISED) == [lost.message, lost.fix]
    assert {10003, 50001, 50013, 50007, 200000, 40005} <= set(told) <= set(REFUSALS)
    for number, (says, fix) in told.items():
        meant = refusal(number, 403, place="#social")
        assert (says, fix) == (meant.message, meant.fix), number


@pytest.mark.parametrize(
    "says",
    [
        f"changes at most every {painting.EVERY_S} s",
        f"know a new member within {board.REFRESH_S:.0f} s",
        f"files of {pictures.MAX_FILE // pictures.MIB} MiB",
        f"for {sending.TOKEN_LIVES.seconds // 60} minutes only",
    ],
)
def test_a_figure_is_that_of_the_code(says: str) -> None:
    assert says in PAGE


def test_the_accounts_that_it_shows_are_read() -> None:
    shown = set(re.findall(r"discord:\d+", PAGE))
    speaker = Actor(platform="discord", user="1", name="Ida")
    assert len(shown) == 2
    assert all(read_account(one, speaker).platform == "discord" for one in shown)
