"""Logs as JSON lines, with what must not stand in them taken out.

The generation service writes nothing else; the product writes the same where no person watches.
Redaction works on the finished line, so that an exception's text passes it too.
"""

import json
import logging
import re
import sys
from collections.abc import Callable, Iterable

LEFT_OUT = "[left out]"
MIN_SECRET_CHARACTERS = 6
"""Shorter values would take common words out of every line."""
_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_CHATTY = ("httpx", "httpcore", "apscheduler", "asyncio", "alembic", "uvicorn", "opentelemetry")

# What secrets look like: whatever is one by its form is taken out, whoever made it.
_FORMS = (
    re.compile(
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S
    ),
    re.compile(r"(?i)\b(?:bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}"),
    re.compile(r"\bxox[a-z]-[A-Za-z0-9-]+|\bxapp-[A-Za-z0-9-]+"),
    re.compile(r"\bhs_[A-Za-z0-9._-]{6,}"),
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"),  # a signed token
    # An id with a secret after the dot: one-time links, sessions.
    re.compile(r"\b[0-9A-Za-z]{22}\.[A-Za-z0-9_-]{20,}"),
    re.compile(r"(?i)\b(?:key|code|session|token|secret|password)=[^&\s\"'}]{6,}"),
    re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),
    # What PostgreSQL says of a row that it refuses: the row's values.
    re.compile(r"DETAIL:\s+[^\n\\]*"),
    re.compile(r"\[parameters: .*?\]\n?"),
)


class Redactor:
    """Takes secrets and people's words out of a text."""

    def __init__(
        self,
        secrets: Iterable[str] = (),
        words: Callable[[], tuple[str, ...]] = tuple,
    ) -> None:
        known = {secret for secret in secrets if len(secret) >= MIN_SECRET_CHARACTERS}
        self._known = sorted(known | {_escaped(each) for each in known}, key=len, reverse=True)
        self._words = words

    def secrets_out(self, text: str) -> str:
        """The text without what is secret."""
        for secret in self._known:
            text = text.replace(secret, LEFT_OUT)
        for form in _FORMS:
            text = form.sub(LEFT_OUT, text)
        return text

    def words_out(self, text: str) -> str:
        """The text without what people wrote of the work under way."""
        for words in sorted(self._words(), key=len, reverse=True):
            for form in {words, _escaped(words), repr(words)[1:-1]}:
                text = text.replace(form, LEFT_OUT)
        return text


def _escaped(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


class Redacting(logging.Formatter):
    """A formatter whose lines hold no secret; at debug level they may hold people's words."""

    def __init__(self, inner: logging.Formatter, redactor: Redactor) -> None:
        super().__init__()
        self._inner = inner
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """The record as the inner formatter writes it, redacted."""
        line = self._redactor.secrets_out(self._inner.format(record))
        return line if record.levelno < logging.INFO else self._redactor.words_out(line)


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, reference, sentence, the fields of `extra`."""

    def __init__(self, reference: Callable[[], str] = str) -> None:
        super().__init__()
        self._reference = reference

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON."""
        line: dict[str, object] = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if known := self._reference():
            line["reference"] = known
        line |= {name: value for name, value in vars(record).items() if name not in _PLAIN}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def write_logs(level: str, formatter: logging.Formatter) -> None:
    """Send this process's logs of this level and above to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)
