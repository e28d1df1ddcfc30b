"""What goes wrong on purpose: a script of failures per method."""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase

KINDS = ("429", "500", "html502", "lost", "cut", "slow", "refuse", "garbled", "bare")


@dataclass(kw_only=True)
class Trouble:
    """One kind of failure, for calls of `method` (a pattern) in `team` (empty: any)."""

    method: str
    kind: str
    times: int | None
    every: int
    team: str
    retry_after: int
    seconds: float
    error: str
    kept: bool
    met: int = 0
    done: int = 0


@dataclass
class Troubles:
    """The script. The first that fits a call is what happens to it.

    429: refused with `retry_after` whole seconds. 500: HTTP 500; html502: a proxy's HTML page;
    garbled: HTTP 200 that is no JSON; bare: `ok: true` and nothing else; lost: done, and the
    connection cut before the answer; cut: the connection cut and nothing done; slow: `seconds`
    later than usual; refuse: `ok: false` with `error`. With `kept`, what would fail unheard (500,
    html502, garbled, bare, refuse) is done first.
    """

    script: list[Trouble] = field(default_factory=list)

    def add(
        self,
        method: str,
        kind: str,
        *,
        times: int | None = 1,
        every: int = 1,
        team: str = "",
        retry_after: int = 1,
        seconds: float = 5.0,
        error: str = "internal_error",
        kept: bool = False,
    ) -> Trouble:
        """Let every `every`-th fitting call go wrong, `times` times (None: for ever)."""
        if kind not in KINDS:
            raise ValueError(f"No such trouble: {kind}; there are {', '.join(KINDS)}.")
        trouble = Trouble(
            method=method,
            kind=kind,
            times=times,
            every=every,
            team=team,
            retry_after=retry_after,
            seconds=seconds,
            error=error,
            kept=kept or kind == "lost",
        )
        self.script.append(trouble)
        return trouble

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self.script.clear()

    def met(self, method: str, team: str) -> Trouble | None:
        """What happens to this call, None if nothing."""
        for trouble in self.script:
            if not fnmatchcase(method, trouble.method) or trouble.team not in ("", team):
                continue
            if trouble.times is not None and trouble.done >= trouble.times:
                continue
            trouble.met += 1
            if trouble.met % trouble.every == 0:
                trouble.done += 1
                return trouble
        return None
