"""Logs: a sentence for people on a terminal; JSON lines with the fields for machines elsewhere."""

import logging
import sys

from bot.core.watching import private_words, reference
from bot.settings import Settings, secrets_of
from generation.logs import JsonLines, Redacting, Redactor, write_logs


class Sentences(logging.Formatter):
    """The time, the sentence, and the reference id where there is one."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (logging's own name)
        """The line without an exception's trace."""
        known = reference() or getattr(record, "reference", "")
        return super().formatMessage(record) + (f" (reference {known})" if known else "")


def configure_logging(settings: Settings, level: str = "") -> None:
    """Send logs of this level (or that of the settings) and above to stderr, redacted."""
    inner = Sentences() if sys.stderr.isatty() else JsonLines(reference)
    redactor = Redactor(secrets_of(settings), private_words)
    write_logs(level or settings.log_level, Redacting(inner, redactor))
