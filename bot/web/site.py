"""Site: what every handler of the portal works with, hung on the application once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from fastapi import FastAPI, Request
from jinja2 import Environment, PackageLoader, StrictUndefined

from bot.core.health import Examiner
from bot.core.house import House
from bot.core.ids import new_id
from bot.core.trail import audits
from bot.web.desk import Desk
from bot.web.metrics import Metrics
from bot.web.own_files import OwnFiles
from bot.web.signing_in.flow import Flow
from bot.web.signing_in.providers import Provider
from bot.web.streams import Streams
from bot.web.thumbs import Thumbs
from bot.web.words import FILTERS, passing, ratio_class


@dataclass(frozen=True, kw_only=True)
class NavItem:
    """One entry of the navigation. `wide` ones hide behind "More" on a phone."""

    name: str
    label: str
    href: str
    icon: str
    wide: bool = False
    auditors: bool = False
    """Shown to those alone who may read the record."""


NAV = (
    NavItem(name="chat", label="Chat", href="/chat", icon="chat"),
    NavItem(name="queue", label="Queue", href="/queue", icon="queue"),
    NavItem(name="gallery", label="Gallery", href="/gallery", icon="gallery"),
    NavItem(name="review", label="Review", href="/review", icon="review"),
    NavItem(name="calendar", label="Calendar", href="/calendar", icon="calendar"),
    NavItem(name="brands", label="Brands", href="/brands", icon="brands", wide=True),
    NavItem(name="people", label="People", href="/people", icon="people", wide=True),
    NavItem(name="usage", label="Usage", href="/usage", icon="usage", wide=True),
    NavItem(name="audit", label="Audit", href="/audit", icon="lock", wide=True, auditors=True),
    NavItem(name="health", label="Health", href="/health", icon="health", wide=True),
)


@dataclass(frozen=True, kw_only=True)
class Site:
    """The portal of one house. `secure`: reached by https; `disk`: the folder to watch."""

    house: House
    desk: Desk
    files: OwnFiles
    thumbs: Thumbs
    streams: Streams
    templates: Environment
    secure: bool
    disk: Path | None
    examiner: Examiner
    metrics: Metrics | None = None
    flows: Mapping[str, Flow] = field(default_factory=dict)
    """Ways to sign in with an account elsewhere, by the provider's name."""

    @property
    def ways(self) -> tuple[Provider, ...]:
        """The providers, for their buttons."""
        return tuple(flow.provider for flow in self.flows.values())


def templates_of(files: OwnFiles) -> Environment:
    """The template environment: escapes everything, knows every name or fails."""
    env = Environment(
        loader=PackageLoader("bot.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    env.filters.update(FILTERS)
    own: dict[str, Any] = {
        "static": files.url,
        "scripts": files.scripts,
        "delivery": new_id,
        "ratio_class": ratio_class,
        "passing": passing,
        "nav": NAV,
        "audits": audits,
    }
    env.globals.update(own)
    return env


def hang(app: FastAPI, site: Site) -> None:
    """Make the site reachable for handlers."""
    app.state.site = site


def site_of_app(app: FastAPI) -> Site:
    """The site of an application."""
    return cast("Site", app.state.site)


def site_of(request: Request) -> Site:
    """The site that this request came to."""
    return site_of_app(request.app)
