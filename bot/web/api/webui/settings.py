"""Settings as AUTOMATIC1111's clients read and set them.

There a client changes what holds for everybody's later requests. Here a request says itself for
which brand it is: one key serves several programs at once, and none of them may move another's
pictures, budget and reviews to a different brand. So a setting is taken where it is so already.
"""

from typing import Any

from bot.web.api.caller import Client
from bot.web.api.naming import meant_by
from bot.web.api.submitting import kits_of
from bot.web.api.webui.refusing import refused
from brand.kit import BrandKit

CHECKPOINT = "sd_model_checkpoint"
MAX_NAME = 200


def current(kits: list[BrandKit]) -> dict[str, Any]:
    """What holds where a request says nothing. The checkpoint of a member of several brands is
    empty: their requests name one."""
    only = kits[0] if len(kits) == 1 else None
    return {
        CHECKPOINT: only.id if only else "",
        "sd_checkpoint_hash": only.generation.model_sha256 if only else "",
        "CLIP_stop_at_last_layers": 1,
        "samples_format": "png",
    }


async def check(client: Client, wanted: dict[str, Any]) -> None:
    """Whether all of it is so already. Raises ApiFailure with the first that isn't."""
    kits = await kits_of(client)
    now = current(kits)
    for name, value in wanted.items():
        if name == CHECKPOINT:
            await _check_model(client, value, now[CHECKPOINT])
        elif name not in now or type(value) is not type(now[name]) or value != now[name]:
            raise refused(
                name[:80],
                f"The setting `{name[:80]}` can't be changed here. What a request may say of it "
                "stands in the request.",
            )


async def _check_model(client: Client, value: object, now: str) -> None:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME:
        raise refused(CHECKPOINT, f"`{CHECKPOINT}` is a name of /sdapi/v1/sd-models.")
    meant = await meant_by(client, value)
    if meant.template or meant.kit.id != now:
        raise refused(
            CHECKPOINT,
            f"`{CHECKPOINT}` can't be set for later requests: each says itself for which brand it "
            f'is. Send "override_settings": {{"{CHECKPOINT}": "{value}"}} with the request.',
        )
