"""One command of the command line, run in this process."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401  whatever the command said
        """What it said with --json."""
        return json.loads(self.out)


Housestyle = Callable[..., Done]
