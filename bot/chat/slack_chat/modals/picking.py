"""What the pickers of Slack's forms show for what was typed."""

from typing import Any

from bot.chat.slack_chat.modals.choices import loaded, option
from bot.chat.slack_chat.modals.imagine import JUST_WORDS, template_option
from bot.chat.slack_chat.modals.wish import NO_TEMPLATE
from bot.core.ranking import ranked
from brand.kit import BrandKit


def brand_options(kits: tuple[BrandKit, ...], typed: str) -> dict[str, Any]:
    """The answer to a load of the brand picker."""
    order = ranked(typed, [(kit.name, kit.id) for kit in kits])
    return loaded([option(kits[at].id, kits[at].name) for at in order])


def template_options(kit: BrandKit, typed: str) -> dict[str, Any]:
    """The answer to a load of the template picker: the best, and first of all the way out."""
    order = ranked(typed, [(item.name, item.description) for item in kit.templates])
    none = [] if typed.strip() else [option(NO_TEMPLATE, JUST_WORDS)]
    return loaded([*none, *(template_option(kit.templates[at]) for at in order[:100])])
