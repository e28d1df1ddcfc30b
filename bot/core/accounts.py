"""Accounts as people name them: `slack:U0MIA/T0ACME`, a chat, the user's id there and, where a
user counts within a workspace, that workspace."""

import re

from bot.core.errors import Mistake
from bot.core.messages import Actor
from bot.core.people import Identity
from brand.words import clean

WITH_TEAM = {"slack": True, "discord": False}
"""Chats outside -> whether their users count within a team. Accounts of our own chat are made by
coming in."""
EXAMPLE = "slack:U0123456789/T0123456789"
_ACCOUNT = re.compile(
    r"([a-z]+):([A-Za-z0-9]{1,64})(?:/([A-Za-z0-9]{1,64}(?:/[A-Za-z0-9]{1,64})?))?"
)


def account_of(actor: Actor) -> Identity:
    """The account that speaks."""
    team = actor.channel.team if actor.channel else ""
    return Identity(platform=actor.platform, user=actor.user, team=team)


def account_words(account: Identity) -> str:
    """As `read_account` reads it."""
    return f"{account}/{account.team}" if account.team else str(account)


def read_account(text: str, actor: Actor) -> Identity:
    """The account of these words. Whoever says it in the same chat means their own workspace.

    Raises Mistake."""
    found = _ACCOUNT.fullmatch(clean(text))
    if found is None or found[1] not in WITH_TEAM:
        raise Mistake(
            f"`{clean(text)[:60]}` isn't an account in a chat. Nothing was changed.",
            fix=f"It looks like `{EXAMPLE}`; whoever has it reads it where I don't know them yet.",
            allowed=tuple(f"{platform}:…" for platform in WITH_TEAM),
            field="account",
        )
    own = account_of(actor)
    team = found[3] or (own.team if own.platform == found[1] else "")
    if WITH_TEAM[found[1]] and not team:
        raise Mistake(
            f"`{found[0]}` lacks its workspace. Nothing was changed.",
            fix=f"Say it whole, as in `{EXAMPLE}`; whoever has it reads it where I don't know them "
            "yet.",
            field="account",
        )
    return Identity(platform=found[1], user=found[2], team=team)
