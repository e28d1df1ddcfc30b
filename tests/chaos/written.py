"""A plan that is left in a file for the processes of a run."""

import json
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Self, get_type_hints


@dataclass(frozen=True, kw_only=True)
class Written:
    """Addresses and folders of one run, which all of its processes know."""

    folder: Path

    def write(self) -> Path:
        """Leave it where the processes find it."""
        path = self.folder / "plan.json"
        path.write_text(json.dumps(asdict(self), default=str))
        return path

    @classmethod
    def read(cls, path: Path) -> Self:
        """What `write` left."""
        given: dict[str, Any] = json.loads(path.read_text())
        kinds = get_type_hints(cls)
        return cls(**{name: _as(kinds[name], value) for name, value in given.items()})


def _as(kind: Any, value: Any) -> Any:  # noqa: ANN401  (whatever a field may be)
    plain = not isinstance(kind, type) or not issubclass(kind, Path | Enum)
    return value if plain else kind(value)
