"""docs/slack.md says what the code does: scopes, settings, refusals, figures."""

import re
from dataclasses import fields
from datetime import timedelta

import pytest

from bot.chat.slack_chat.incoming import guard, sockets
from bot.chat.slack_chat.installing import rotating
from bot.chat.slack_chat.manifest import scopes_wanted
from bot.chat.slack_chat.methods import RULES, Method
from bot.chat.slack_chat.outgoing import files, throttle
from bot.chat.slack_chat.outgoing.failing import REFUSALS, refusal
from bot.chat.slack_chat.rendering.commands import ALONE
from bot.chat.slack_chat.surfaces import COMMANDS, EVENTS, SHORTCUTS
from bot.chat.slack_chat.understanding.meant import FEWEST_WORDS
from bot.core import painting
from bot.core.accounts import read_account
from bot.core.actions import REACTIONS
from bot.core.messages import Actor, ChannelRef
from bot.settings import SlackSettings
from tests.needs import ROOT

PAGE = (ROOT / "docs/slack.md").read_text("utf-8")
SETTINGS = (ROOT / "docs/settings.md").read_text("utf-8")


def section(title: str) -> str:
    """What stands below a heading of any rank, up to the next heading."""
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def rows(title: str) -> list[list[str]]:
    """The cells of a section's tables, without their heads."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    heads = {at - 1 for at, row in enumerate(cells) if set("".join(row)) == {"-"}}
    return [row for at, row in enumerate(cells) if at not in heads | {h + 1 for h in heads}]


def words(text: str) -> set[str]:
    """What stands in `code`."""
    return set(re.findall(r"`([^`]+)`", text))


def test_the_table_of_scopes_is_the_manifests_with_the_methods_and_events_of_each() -> None:
    asked: dict[str, set[str]] = {scope: set() for scope in scopes_wanted()}
    for name, needs in [*((m.value, r.scopes) for m, r in RULES.items()),
                        *((name, event.scopes) for name, event in EVENTS.items())]:  # fmt: skip
        for scope in needs:
            asked[scope].add(name)
    table = {row[0].strip("`"): words(row[2]) for row in rows("What it may do in your workspace")}
    assert table == asked
    free = {m.value for m, r in RULES.items() if not r.scopes}
    free |= {name for name, event in EVENTS.items() if not event.scopes}
    (line,) = re.findall(r"^Without any scope: .*$", PAGE, re.MULTILINE)
    assert words(line) == free


def test_every_setting_that_it_names_exists_and_every_one_of_slack_is_named() -> None:
    settings = {field.name for field in fields(SlackSettings)}
    named = set(re.findall(r"`slack\.(\w+)", PAGE))
    exported = {name.lower() for name in re.findall(r"HOUSESTYLE_SLACK_([A-Z_]+)", PAGE)}
    assert named | {name.removesuffix("_file") for name in exported} == settings - {"senders"}
    assert "### `slack.senders`" in SETTINGS


def test_what_slack_refuses_is_told_with_the_words_and_the_fix_of_the_code() -> None:
    told = {row[0].strip("`"): row[1:] for row in rows("When something is wrong")}
    known = {word: said for word, said in told.items() if word in REFUSALS}
    assert len(known) > 12
    for word, (says, fix) in known.items():
        meant = refusal({"error": word}, Method.CHAT_POST_MESSAGE, place="C0123456789")
        assert (says, fix) == (meant.message, meant.fix), word
    lacking = refusal({"error": "missing_scope"}, Method.CHAT_POST_MESSAGE)
    assert told["missing_scope"][1] == lacking.fix


COUNTED = {1: "one", 2: "two", 3: "three", 10: "ten", 5: "five", 12: "12"}


@pytest.mark.parametrize(
    "says",
    [
        f"about {COUNTED[int(throttle.PER_CHANNEL_S)]} message a second in a channel, "
        f"{throttle.CHANNEL_BURST} at once",
        f"changes at most every {painting.EVERY_S} s",
        f"what Slack doesn't show within {COUNTED[int(files.READY_S)]} seconds",
        f"{COUNTED[sockets.MOST]} in all",
        f"{COUNTED[rotating.EARLY // timedelta(hours=1)]} hours before their 12 hours end",
        f"Words for a picture are at least {COUNTED[FEWEST_WORDS]}",
        f"did not sign within the last {COUNTED[guard.MAX_AGE_S // 60]} minutes",
    ],
)
def test_a_figure_is_that_of_the_code(says: str) -> None:
    assert says in PAGE


def test_what_works_where_names_all_that_people_meet() -> None:
    shown = section("What works where")
    assert all(f"`{command} WORDS`" in shown for command in COMMANDS)
    assert all(f"| *{shortcut.name}* |" in shown for shortcut in SHORTCUTS.values())
    (said,) = re.findall(r"also (.*?)\. Every other", shown)
    assert {word.removeprefix("/imagine ") for word in words(said)} == set(ALONE)
    (votes,) = re.findall(
        r"^\| reactions on a review \| (\S+) (\S+) (\S+) approve, (\S+) (\S+) ", shown, re.M
    )
    emoji = {"👍": "+1", "🚫": "no_entry_sign"}
    meant = [REACTIONS[emoji.get(shape, shape)] for shape in votes]
    assert meant == ["approve"] * 3 + ["reject"] * 2


def test_the_accounts_that_it_shows_are_read() -> None:
    shown = set(re.findall(r"`?(slack:U\w+(?:/\w+)*)", PAGE))
    here = ChannelRef(platform="slack", channel="C1", team="T1")
    speaker = Actor(platform="slack", user="U1", name="Ida", channel=here)
    assert len(shown) == 2
    assert all(read_account(one, speaker).platform == "slack" for one in shown)
