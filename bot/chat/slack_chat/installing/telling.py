"""What admins hear of the workspaces that the app is in."""

from datetime import datetime

from bot.core.cards import reply_card
from bot.core.ports import Install, Transaction
from bot.core.telling import line_to, say


async def tell_lost(tx: Transaction, install: Install, base_url: str, now: datetime) -> None:
    """Queue a card for every admin: this workspace's token can't be renewed any more."""
    name = install.name or install.key
    until = f" until {install.expires_at:%d %B %H:%M} UTC" if install.expires_at else ""
    card = reply_card(
        f"Install the app in {name} again",
        f"Slack no longer renews the app's token for {name}. What the app has there works{until}.",
        fix=f"Open {base_url}/slack/install and choose {name}.",
    )
    for admin in await tx.people.admins():
        line = await line_to(tx, admin.id, install.platform)
        if line is not None:
            await say(tx, card, line, now)
