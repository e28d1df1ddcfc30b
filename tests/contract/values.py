"""Values to store: plain ones that a test changes where it matters."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.assets import Asset, Rendition
from bot.core.ids import new_id
from bot.core.jobs import Job, JobItem
from bot.core.messages import Card, ChannelRef
from bot.core.people import Identity, Key, KeyKind, Person, Role
from bot.core.ports import Install, Outgoing, TimelineMessage
from bot.core.publications import Publication
from bot.core.reviews import Review
from bot.core.slots import Schedule, Slot
from brand.kit import Aspect, BrandKit, GenerationDefaults
from brand.loras import LoraVersion
from brand.spec import RenderSpec, ReproductionClass, sha256_hex
from brand.templates import Brief
from brand.verdicts import Evidence, Fact, Swatch, Verdict

NOW = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)
LEASE = timedelta(seconds=60)
SOCIAL = ChannelRef(platform="local", channel="social")
DRAFTS = ChannelRef(platform="local", channel="drafts")


def later(seconds: float) -> datetime:
    """A time after NOW (or before it)."""
    return NOW + timedelta(seconds=seconds)


def digest(text: str) -> str:
    """Some SHA-256."""
    return sha256_hex(text.encode())


def make_spec(**change: Any) -> RenderSpec:
    """A recipe."""
    return RenderSpec(**{"prompt": "a red mug on wood", "model": "demo", "seed": 7, **change})


def make_job(**change: Any) -> Job:
    """A queued job of one picture."""
    plain: dict[str, Any] = {
        "id": new_id(),
        "brand": "acme",
        "kit_version": "1",
        "kit_hash": digest("kit"),
        "requester": "mia",
        "brief": Brief(words="a red mug"),
        "items": (JobItem(index=1, spec=make_spec()),),
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Job(**{**plain, **change})


def make_asset(**change: Any) -> Asset:
    """A candidate with its evidence and no renditions."""
    name = new_id()
    plain: dict[str, Any] = {
        "id": name,
        "job": "job",
        "brand": "acme",
        "requester": "mia",
        "index": 1,
        "spec": make_spec(),
        "words": "a red mug",
        "template": "",
        "kit_hash": digest("kit"),
        "pixel_hash": digest(name + "pixels"),
        "file_hash": digest(name + "file"),
        "width": 512,
        "height": 512,
        "reproduction": ReproductionClass(
            weights=digest("weights"),
            engine="drawn",
            dtype="float32",
            device="cpu",
            capability="avx2",
            threads=1,
        ),
        "evidence": Evidence(
            verdicts=(
                Verdict(
                    name="palette",
                    passed=True,
                    summary="palette 92 %",
                    facts=(Fact("palette", 92.25, "%"),),
                    swatches=(Swatch("teal", "#0f7c7c", 0.41, 0.3),),
                ),
                Verdict(name="moderation", passed=None, summary="moderation: not installed"),
            ),
            fingerprint="00ff00ff00ff00ff",
        ),
        "fingerprint": "00ff00ff00ff00ff",
        "created_at": NOW,
    }
    return Asset(**{**plain, **change})


def make_rendition(asset: str, transform: str = "master", **change: Any) -> Rendition:
    """A rendition of an asset."""
    plain: dict[str, Any] = {
        "id": new_id(),
        "asset": asset,
        "transform": transform,
        "file_hash": digest(asset + transform),
        "pixel_hash": digest(asset),
        "mime": "image/png",
        "bytes": 1234,
        "width": 512,
        "height": 512,
    }
    return Rendition(**{**plain, **change})


def make_review(**change: Any) -> Review:
    """An open review for #social."""
    plain: dict[str, Any] = {
        "id": new_id(),
        "asset": new_id(),
        "brand": "acme",
        "requester": "mia",
        "pixel_hash": digest("pixels"),
        "rendition_hashes": (digest("master"), digest("png")),
        "target": SOCIAL,
        "opened_at": NOW,
        "deadline": later(7 * 86400),
    }
    return Review(**{**plain, **change})


def make_publication(**change: Any) -> Publication:
    """A pending post that is due now."""
    plain: dict[str, Any] = {
        "id": new_id(),
        "asset": new_id(),
        "review": new_id(),
        "brand": "acme",
        "rendition": new_id(),
        "file_hash": digest("png"),
        "pixel_hash": digest("pixels"),
        "target": SOCIAL,
        "caption": "Good morning",
        "requested_by": "mia",
        "due_at": NOW,
        "created_at": NOW,
    }
    return Publication(**{**plain, **change})


def make_schedule(**change: Any) -> Schedule:
    """Mondays 09:00 in Berlin."""
    plain: dict[str, Any] = {
        "id": new_id(),
        "brand": "acme",
        "name": "Monday",
        "weekdays": (0,),
        "at": NOW.time().replace(microsecond=0),
        "zone": "Europe/Berlin",
        "theme": "innovation",
        "templates": ("product", "mood"),
        "target": SOCIAL,
        "owner": "mia",
        "created_at": NOW,
    }
    return Schedule(**{**plain, **change})


def make_slot(schedule: str, **change: Any) -> Slot:
    """A planned slot of today."""
    plain: dict[str, Any] = {
        "id": new_id(),
        "schedule": schedule,
        "brand": "acme",
        "local_date": NOW.date(),
        "due_at": NOW,
        "template": "product",
    }
    return Slot(**{**plain, **change})


def make_person(name: str = "Mia", **change: Any) -> Person:
    """A requester with one local account."""
    plain: dict[str, Any] = {
        "id": new_id(),
        "name": name,
        "created_at": NOW,
        "roles": (("acme", Role.REQUESTER),),
        "identities": (Identity(platform="local", user=name.lower()),),
    }
    return Person(**{**plain, **change})


def make_key(**change: Any) -> Key:
    """A one-time link."""
    plain: dict[str, Any] = {
        "id": new_id(),
        "kind": KeyKind.LINK,
        "person": "mia",
        "secret_hash": digest("secret"),
        "created_at": NOW,
        "expires_at": later(3600),
    }
    return Key(**{**plain, **change})


def make_kit(**change: Any) -> BrandKit:
    """A small kit."""
    plain: dict[str, Any] = {
        "id": "acme",
        "name": "Acme",
        "version": "1",
        "owner": "@brand",
        "accent": "#0f7c7c",
        "generation": GenerationDefaults(
            model="demo", aspects=(Aspect(name="1:1", width=512, height=512),)
        ),
    }
    return BrandKit(**{**plain, **change})


def make_lora(**change: Any) -> LoraVersion:
    """A draft LoRA version."""
    plain: dict[str, Any] = {
        "brand": "acme",
        "name": "look",
        "version": "1",
        "sha256": digest("look 1"),
        "owner": "mia",
        "dataset_sha256": digest("pictures"),
    }
    return LoraVersion(**{**plain, **change})


def make_outgoing(subject: str = "", **change: Any) -> Outgoing:
    """A pending card to #drafts about `subject`."""
    plain: dict[str, Any] = {
        "id": new_id(),
        "target": DRAFTS,
        "card": Card(kind="job", title="A red mug", subject=subject),
        "created_at": NOW,
    }
    return Outgoing(**{**plain, **change})


def make_install(**change: Any) -> Install:
    """The app in the workspace T1, with tokens for 12 hours."""
    plain: dict[str, Any] = {
        "platform": "slack",
        "enterprise": "",
        "team": "T1",
        "app": "A1",
        "name": "Acme 🙂",
        "url": "https://acme.slack.com/",
        "bot_user": "UBOT",
        "bot_id": "B1",
        "scopes": ("chat:write", "commands"),
        "installed_by": "U1",
        "installed_at": NOW,
        "sealed": "1.abc",
        "expires_at": later(43_200),
    }
    return Install(**{**plain, **change})


def make_message(text: str = "hello", **change: Any) -> TimelineMessage:
    """What somebody wrote in #drafts."""
    plain: dict[str, Any] = {
        "id": new_id(),
        "channel": "drafts",
        "author": "Mia",
        "user": "mia",
        "at": NOW,
        "text": text,
    }
    return TimelineMessage(**{**plain, **change})
