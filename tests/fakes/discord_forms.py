"""A town whose people have Discord accounts: its forms from memory, and the files it may fetch."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from bot.chat.discord_chat.forms.bringing import Bringing
from bot.chat.discord_chat.forms.forms import Forms
from bot.chat.discord_chat.heard import Did, Heard
from bot.chat.discord_chat.rest import Gone
from bot.core.people import Identity
from brand.kit import (
    ApprovedLora,
    Aspect,
    BrandKit,
    Channel,
    GenerationDefaults,
    LoraPolicy,
    Template,
    Variable,
)
from tests.fakes.discord.schema import complaints_of_request
from tests.fakes.town import KIT, START, Town, make_town

USERS = {"mia": "501", "ana": "502", "ben": "503"}
STRANGER = "599"
DRAFTS, SOCIAL, MESSAGE = "701", "702", "801"
COLORS = ("red", "green", "blue")
PRODUCT = Template(
    name="product",
    text="a [COLOR] [THING] on [PLACE]",
    description="One product, well lit",
    variables=(
        Variable(name="COLOR", values=COLORS, description="Of the product"),
        Variable(name="THING"),
        Variable(name="PLACE", default="a table"),
    ),
)
PLAIN = Template(name="plain", text="a plain picture")
ACME = replace(
    KIT,
    generation=GenerationDefaults(
        model="demo",
        aspects=(Aspect(name="1:1", width=64, height=64), Aspect(name="4:5", width=64, height=80)),
        sampler="euler",
        samplers=("euler",),
    ),
    templates=(PRODUCT, PLAIN),
    lora=LoraPolicy(
        approved=(
            ApprovedLora(name="acme", version="3", sha256="a" * 64),
            ApprovedLora(name="sketch", version="1", sha256="b" * 64),
        ),
    ),
    channels=(
        Channel(name="#social", audience="public", platform="discord", id=SOCIAL),
        Channel(name="#drafts", audience="working", platform="discord", id=DRAFTS),
    ),
)
BOLT = BrandKit(
    id="bolt",
    name="Bolt",
    version="1",
    owner="@bolt",
    accent="#333333",
    generation=GenerationDefaults(
        model="demo", aspects=(Aspect(name="3:2", width=96, height=64),), samplers=("euler",)
    ),
)


@dataclass
class FileRest:
    """A Discord of which nothing but files can be had."""

    files: dict[str, bytes] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)

    async def download(self, url: str, *, limit: int) -> bytes:
        """A file that is there. Raises Gone."""
        self.fetched.append(url)
        if url not in self.files:
            raise Gone("That file is gone.", fix="Attach it again.")
        return self.files[url][:limit]


@dataclass
class FormDesk:
    """What people in Discord ask of forms."""

    town: Town
    forms: Forms
    rest: FileRest
    bringing: Bringing

    def choices(
        self,
        focused: str,
        typed: str = "",
        *,
        who: str = "mia",
        command: str = "imagine",
        options: Mapping[str, str] | None = None,
        channel: str = DRAFTS,
        roles: tuple[str, ...] = (),
    ) -> list[tuple[str, str]]:
        """What is offered to somebody who types."""
        user = USERS.get(who, STRANGER)
        return self.forms.choices(user, roles, "1", channel, command, focused, typed, options or {})


def heard(did: Did = Did.COMMAND, *, who: str = "mia", **said: Any) -> Heard:
    """What this person did in the working channel."""
    given: dict[str, Any] = {"channel": DRAFTS, "key": "interaction:1", "token": "t", **said}
    return Heard(did=did, user=USERS.get(who, STRANGER), guild="1", **given)


def imagine(who: str = "mia", files: tuple[str, ...] = (), **options: str) -> Heard:
    """`/imagine` with these options."""
    return heard(who=who, command="imagine", options=tuple(options.items()), files=files)


def inputs_of(form: Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    """The inputs of a form by their custom ids. Discord takes the form as it is."""
    assert form is not None
    sent = {"type": 9, "data": form}
    route = "/interactions/{interaction_id}/{interaction_token}/callback"
    assert complaints_of_request("POST", route, sent, {}) == []
    assert len(form["components"]) <= 5
    return {one["component"]["custom_id"]: one["component"] for one in form["components"]}


@asynccontextmanager
async def form_desk(*kits: BrandKit) -> AsyncIterator[FormDesk]:
    """The brand ACME, and these; everybody with an account in Discord."""
    town = await make_town(ACME)
    async with town.house.store.write() as tx:
        for kit in kits:
            await tx.kits.put(kit, source="", at=START)
        for name, user in USERS.items():
            member = await tx.people.get(town.people[name].id)
            account = Identity(platform="discord", user=user)
            new = replace(member, identities=(*member.identities, account))
            town.people[name] = await tx.people.update(new, was=member)
    forms, rest = Forms(town.house), FileRest()
    async with forms.refreshing():
        yield FormDesk(town=town, forms=forms, rest=rest, bringing=Bringing(town.house, rest))
