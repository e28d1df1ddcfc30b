"""What goes wrong on purpose: a script of failures per request."""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase

KINDS = (
    "429",
    "global",
    "cloudflare",
    "status",
    "html502",
    "page",
    "lost",
    "cut",
    "slow",
    "late",
    "refuse",
)


@dataclass(kw_only=True)
class Trouble:
    """One kind of failure, for requests that fit `what`: a pattern such as
    `POST /channels/*/messages`, matched against the method and the path below `/api/v10`;
    `GET /attachments/*` for the CDN."""

    what: str
    kind: str
    times: int | None
    every: int
    retry_after: float
    seconds: float
    status: int
    code: int
    kept: bool
    met: int = 0
    done: int = 0


@dataclass
class Troubles:
    """The script. The first that fits a request is what happens to it.

    429: the route's limit with `retry_after` seconds; global: the app's limit; cloudflare: a 429 as
    its proxy gives it, an HTML page without `Via`. status: an HTTP status with an empty JSON body;
    html502: a proxy's HTML page, and page: one with `status`. lost: done, and the connection cut
    before the answer; cut: the connection cut and nothing done; slow: done `seconds` later than
    usual; late: done at once, and answered so much later; refuse: `status` with
    Discord's own number `code`. With `kept`, what would fail unheard (status, html502, refuse) is
    done first: a response lost after commit.
    """

    script: list[Trouble] = field(default_factory=list)

    def add(
        self,
        what: str,
        kind: str,
        *,
        times: int | None = 1,
        every: int = 1,
        retry_after: float = 0.2,
        seconds: float = 5.0,
        status: int = 502,
        code: int = 0,
        kept: bool = False,
    ) -> Trouble:
        """Let every `every`-th fitting request go wrong, `times` times (None: for ever)."""
        if kind not in KINDS:
            raise ValueError(f"No such trouble: {kind}; there are {', '.join(KINDS)}.")
        trouble = Trouble(
            what=what,
            kind=kind,
            times=times,
            every=every,
            retry_after=retry_after,
            seconds=seconds,
            status=status,
            code=code,
            kept=kept or kind in ("lost", "late"),
        )
        self.script.append(trouble)
        return trouble

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self.script.clear()

    def met(self, what: str) -> Trouble | None:
        """What happens to this request, None if nothing."""
        for trouble in self.script:
            if not fnmatchcase(what, trouble.what):
                continue
            if trouble.times is not None and trouble.done >= trouble.times:
                continue
            trouble.met += 1
            if trouble.met % trouble.every == 0:
                trouble.done += 1
                return trouble
        return None
