"""What may be done with one picture, as buttons."""

from bot.core.actions import REFERENCE, action
from bot.core.assets import Asset
from bot.core.lives import AssetState
from bot.core.messages import Button, Style
from bot.core.reviews import Review
from brand.kit import BrandKit


def picture_buttons(
    asset: Asset, kit: BrandKit, review: Review | None, *, alone: bool
) -> tuple[Button, ...]:
    """In the order in which they stand everywhere. `alone`: in the requester's own line."""
    extend = Button(label="Extend", action=action("extend", asset.id), icon="upscale")
    candidate = asset.state is AssetState.CANDIDATE
    return (
        *(_share_buttons(asset, kit, review, alone=alone)),
        Button(label="Use", action=action("use", asset.id), icon="download"),
        Button(label="Vary", action=action("vary", asset.id), icon="vary"),
        Button(label="Vary strongly", action=action("vary", asset.id, "strong"), icon="vary"),
        Button(label="Upscale", action=action("upscale", asset.id), icon="upscale"),
        *([extend] if kit.ways.outpaint else []),
        Button(label="Re-roll", action=action("reroll", asset.id), icon="reroll"),
        Button(label="Edit words", action=action("edit", asset.id), icon="edit", asks="words"),
        Button(
            label="Use as reference",
            action=action(REFERENCE, asset.id),
            icon="attach",
            asks=REFERENCE,
        ),
        Button(label="Details", action=action("recipe", asset.id), icon="info"),
        *(_send_buttons(asset, kit, alone=alone) if candidate else ()),
        *(_back_buttons(asset, review, alone=alone)),
    )


def _share_buttons(
    asset: Asset, kit: BrandKit, review: Review | None, *, alone: bool
) -> tuple[Button, ...]:
    """Share: in one's own line a draft goes to approval by it; what is approved goes out."""
    approved = asset.state is AssetState.APPROVED and review is not None and review.target
    draft = alone and asset.state is AssetState.CANDIDATE and bool(kit.publish_channels)
    style = Style.PRIMARY if draft else Style.QUIET
    share = Button(label="Share", action=action("share", asset.id), style=style, icon="send")
    return (share,) if approved or draft else ()


def _send_buttons(asset: Asset, kit: BrandKit, *, alone: bool) -> tuple[Button, ...]:
    return tuple(
        Button(
            label=f"Send to approval for {channel.name}",
            action=action("send", asset.id, channel.name),
            style=Style.PRIMARY if n == 0 and not alone else Style.QUIET,
            icon="send",
        )
        for n, channel in enumerate(kit.publish_channels)
    )


def _back_buttons(asset: Asset, review: Review | None, *, alone: bool) -> tuple[Button, ...]:
    withdraw = action("withdraw", asset.id)
    if asset.state is AssetState.IN_REVIEW and review is not None:
        return (Button(label="Withdraw", action=withdraw, icon="undo"),)
    if alone and asset.state is AssetState.CANDIDATE:
        return (Button(label="Cancel", action=withdraw, icon="cancel"),)
    return ()
