"""The portal's own files: style sheets joined into one, scripts, icons; read once, served by hash.

The address holds a digest of all files, so that browsers keep them for good and a new version
is fetched at once. Scripts import each other by relative addresses and so carry it along.
"""

import gzip
import hashlib
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

MIME = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
STYLES = "app.css"
PREFIX = "/static"


@dataclass(frozen=True, kw_only=True)
class OwnFile:
    """One file: its bytes, plain and gzipped."""

    mime: str
    data: bytes
    gzipped: bytes


class OwnFiles:
    """All of them, in memory: some 60 kB."""

    def __init__(self) -> None:
        root = resources.files("bot.web") / "static"
        raw = dict(_walk(root, ""))
        styles = sorted(name for name in raw if name.startswith("css/"))
        raw[STYLES] = b"\n".join(raw.pop(name) for name in styles)
        self._files = {name: _own(name, data) for name, data in raw.items()}
        digest = hashlib.sha256()
        for name in sorted(raw):
            digest.update(name.encode() + b"\0" + raw[name] + b"\0")
        self.version = digest.hexdigest()[:12]

    def url(self, name: str) -> str:
        """Its address. Raises KeyError for a file that is not there."""
        if name not in self._files:
            raise KeyError(name)
        return f"{PREFIX}/{self.version}/{name}"

    def get(self, name: str) -> OwnFile | None:
        """The file, or None."""
        return self._files.get(name)

    @property
    def scripts(self) -> tuple[str, ...]:
        """The modules' names, for loading them side by side."""
        return tuple(sorted(name for name in self._files if name.endswith(".js")))


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for item in sorted(folder.iterdir(), key=lambda entry: entry.name):
        name = f"{prefix}{item.name}"
        if item.is_dir():
            found += _walk(item, f"{name}/")
        elif _suffix(name) in MIME:
            found.append((name, item.read_bytes()))
    return found


def _suffix(name: str) -> str:
    return name[name.rfind(".") :]


def _own(name: str, data: bytes) -> OwnFile:
    return OwnFile(mime=MIME[_suffix(name)], data=data, gzipped=gzip.compress(data, mtime=0))
