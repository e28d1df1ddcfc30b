"""An app as its manifest sets it up: what Slack offers people, and where it delivers."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.fakes.slack.state import Json


class ClientRefused(AssertionError):
    """Slack's own client would not let a person do this."""


@dataclass
class Configured:
    """Without a manifest everything is offered, and delivered to `request_url` or by sockets."""

    request_url: str = ""
    sockets: bool = True
    manifest: Json = field(default_factory=dict)
    at: str = ""
    """Where the manifest's host really is, as behind a proxy that ends TLS."""

    def listens(self, url: str) -> None:
        """Everything goes to this address by HTTP; an empty one: by sockets."""
        self.request_url, self.sockets = url, not url

    def use(self, manifest: Json, at: str) -> frozenset[str]:
        """Set the app up by its manifest; its bot scopes."""
        self.manifest, self.at = manifest, at
        self.sockets = bool(manifest["settings"]["socket_mode_enabled"])
        return frozenset(manifest["oauth_config"]["scopes"]["bot"])

    def address(self, kind: str, payload: Json) -> str:
        """Where a delivery goes by HTTP; empty: by sockets."""
        if self.sockets:
            return ""
        if not self.manifest:
            return self.request_url
        path = urlsplit(self._named(kind, payload)).path
        return self.at + path

    def _named(self, kind: str, payload: Json) -> str:
        settings = self.manifest["settings"]
        if kind == "slash_commands":
            return str(self._command(payload["command"])["url"])
        if kind == "events_api":
            return str(settings["event_subscriptions"]["request_url"])
        options = payload.get("type") == "block_suggestion"
        name = "message_menu_options_url" if options else "request_url"
        return str(settings["interactivity"][name])

    def check(self, kind: str, payload: Json) -> None:
        """Raises ClientRefused for what the app is not set up for."""
        if not self.manifest:
            return
        if kind == "slash_commands":
            self._command(payload["command"])
        elif kind == "events_api":
            self._check_event(payload["event"])
        elif payload["type"] in ("shortcut", "message_action"):
            self._check_shortcut(payload["type"], payload["callback_id"])

    def hears(self, event: Json) -> bool:
        """Whether the app is subscribed to this event."""
        if not self.manifest:
            return True
        name = event["type"]
        if name == "message":
            name = f"message.{event['channel_type']}"
        return name in self.manifest["settings"]["event_subscriptions"]["bot_events"]

    def _command(self, name: str) -> Json:
        commands: list[Json] = self.manifest["features"].get("slash_commands", [])
        found = next((c for c in commands if c["command"] == name), None)
        if found is None:
            raise ClientRefused(f"{name} is not a command here")
        return found

    def _check_event(self, event: Json) -> None:
        if not self.hears(event):
            raise ClientRefused(f"the app is not subscribed to {event['type']}")
        shown = self.manifest["features"].get("app_home", {}).get("home_tab_enabled")
        if event["type"] == "app_home_opened" and not shown:
            raise ClientRefused("the app has no Home tab")

    def _check_shortcut(self, kind: str, name: str) -> None:
        where = "global" if kind == "shortcut" else "message"
        offered = self.manifest["features"].get("shortcuts", [])
        if not any((s["type"], s["callback_id"]) == (where, name) for s in offered):
            raise ClientRefused(f"there is no {where} shortcut {name}")
