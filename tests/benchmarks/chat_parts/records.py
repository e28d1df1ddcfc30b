"""What the house knows after a run, read from its database as it lies there."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Records:
    """The jobs, messages, posts and votes of a run."""

    jobs: frozenset[str]
    messages: dict[str, tuple[str, str]]
    """Id of an outgoing message -> (its subject, the chat's id of it, or an empty text; it may
    still wait there for a change, which chats take seldom)."""
    posts: dict[str, str]
    """Publication -> its state."""
    votes: frozenset[tuple[str, str]]
    """(review, the chat's id of who voted)."""

    def carded(self) -> set[str]:
        """Jobs of which a card stands."""
        standing = {subject for subject, message in self.messages.values() if message}
        return {job for job in self.jobs if f"job:{job}" in standing}

    def subjects(self) -> dict[str, str]:
        """The chat's id of a message -> what it is a card of."""
        return {message: subject for subject, message in self.messages.values() if message}


def read_records(database: Path) -> Records:
    """All of them, as the last commit left them."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as connection:
        jobs = connection.execute("SELECT id FROM jobs").fetchall()
        rows = connection.execute("SELECT id, subject, sent_message FROM outbox").fetchall()
        posts = connection.execute("SELECT id, state FROM publications").fetchall()
        votes = connection.execute(
            'SELECT votes.review, identities."user" FROM votes'
            " JOIN identities ON identities.person = votes.person"
        ).fetchall()
    return Records(
        jobs=frozenset(key for (key,) in jobs),
        messages={key: (about, message or "") for key, about, message in rows},
        posts=dict(posts),
        votes=frozenset((review, user) for review, user in votes),
    )
