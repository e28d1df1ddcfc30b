"""What stands in a log line, and what never does."""

import io
import json
import logging
from pathlib import Path

import pytest

from bot.cli.logs import Sentences
from bot.core.watching import following, hide, private_words, reference
from bot.settings import load_settings, secrets_of
from generation.logs import LEFT_OUT, JsonLines, Redacting, Redactor

PROMPT = "a teal mug for the secret launch in May"


class Log:
    """A logger with the product's formatter, and what it wrote."""

    def __init__(self, *secrets: str, plain: bool = False) -> None:
        self._stream = io.StringIO()
        handler = logging.StreamHandler(self._stream)
        inner = Sentences() if plain else JsonLines(reference)
        handler.setFormatter(Redacting(inner, Redactor(secrets, private_words)))
        self.logger = logging.getLogger("tests.logs")
        self.logger.handlers, self.logger.propagate = [], False
        self.logger.setLevel(logging.DEBUG)
        self.logger.addHandler(handler)

    @property
    def text(self) -> str:
        """All of it."""
        return self._stream.getvalue()

    @property
    def line(self) -> dict[str, object]:
        """The last line."""
        found: dict[str, object] = json.loads(self.text.splitlines()[-1])
        return found


@pytest.fixture
def log() -> Log:
    return Log("hunter2-canary", 'with "quotes"\nand a new line')


def test_a_line_has_its_sentence_its_fields_and_the_reference(log: Log) -> None:
    with following("ref00001"):
        log.logger.warning("Job goes back: %s", "busy", extra={"action": "job.back", "job": "j1"})
    assert log.line["message"] == "Job goes back: busy"
    assert log.line["reference"] == "ref00001"
    assert (log.line["action"], log.line["job"], log.line["level"]) == ("job.back", "j1", "warning")


def test_people_on_a_terminal_read_the_reference_too() -> None:
    log = Log(plain=True)
    with following("ref00001"):
        log.logger.warning("Job goes back")
    assert log.text.endswith("Job goes back (reference ref00001)\n")


@pytest.mark.parametrize(
    "secret",
    [
        "hunter2-canary",
        'with "quotes"\nand a new line',
        "Bearer abcDEF123456",
        "hs_9f8e7d6c5b4a",
        "xoxb-12345-abcde",
        "xapp-1-A0-12345-abcde",
        "-----BEGIN PRIVATE KEY-----\nMIIabc\n-----END PRIVATE KEY-----",
        "0123456789abcdefghijkl.Zm9vYmFyYmF6cXV1eHF1dXg",
        "key=Zm9vYmFyYmF6",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtaWEifQ.c2lnbmF0dXJl",
    ],
)
def test_a_secret_is_left_out_wherever_it_stands(log: Log, secret: str) -> None:
    log.logger.error("It said %s", secret, extra={"found": secret, "many": [secret]})
    try:
        raise ValueError(f"refused: {secret}")
    except ValueError:
        log.logger.exception("It broke")
    core = secret.partition("\n")[2].partition("\n")[0] or secret.rpartition("=")[2]
    assert core not in log.text
    assert json.dumps(secret)[1:-1] not in log.text
    assert LEFT_OUT in log.text


def test_the_password_of_an_address_is_left_out(log: Log) -> None:
    log.logger.error("postgresql://house:hunter2@db/house does not answer")
    assert "hunter2" not in log.text
    assert "@db/house" in log.text


def test_people_s_words_are_left_out_above_debug(log: Log) -> None:
    with following():
        hide(PROMPT)
        log.logger.info("Rendering %s", PROMPT)
        try:
            raise ValueError(f"can't tokenize {PROMPT!r}")
        except ValueError:
            log.logger.exception("It broke")
        assert PROMPT not in log.text
        log.logger.debug("Rendering %s", PROMPT)
        assert PROMPT in log.text


def test_what_one_command_hides_another_may_say(log: Log) -> None:
    with following():
        hide(PROMPT)
    log.logger.info("%s", PROMPT)
    assert PROMPT in log.text


def test_a_row_that_postgresql_refuses_is_not_quoted(log: Log) -> None:
    log.logger.error("error: no\nDETAIL:  Failing row contains (1, a blue pot, mia).\nCONTEXT: x")
    assert "blue pot" not in log.text


def test_every_secret_setting_is_known_to_the_logs(tmp_path: Path) -> None:
    environment = {
        "HOUSESTYLE_SLACK_BOT_TOKEN": "canary-slack",
        "HOUSESTYLE_METRICS_TOKEN": "canary-metrics",
        "HOUSESTYLE_DATABASE_URL": "postgresql://house:canary-database@db/house",
    }
    settings = load_settings(environment=environment, folder=tmp_path)
    found = secrets_of(settings)
    assert {"canary-slack", "canary-metrics", "canary-database"} <= set(found)
