"""The service starts only with settings that are safe and possible."""

from pathlib import Path

import pytest

from generation.__main__ import main
from generation.settings import (
    ServiceSettings,
    SettingsInvalid,
    child_environment,
    token_from_environment,
)

STATE = Path("state")
TOKEN = "t" * 32


def test_over_tcp_a_token_is_a_must_even_on_loopback() -> None:
    with pytest.raises(SettingsInvalid, match="HOUSESTYLE_GENERATION_TOKEN"):
        ServiceSettings(state_dir=STATE, port=8188)
    assert ServiceSettings(state_dir=STATE, port=8188, token=TOKEN).host == "127.0.0.1"


@pytest.mark.parametrize("token", ["t" * 31, "ü" * 32, "t" * 32 + "\n", "two words " * 5])
def test_a_weak_or_unsendable_token_is_refused(token: str) -> None:
    with pytest.raises(SettingsInvalid, match="token"):
        ServiceSettings(state_dir=STATE, port=8188, token=token)


def test_the_token_is_not_shown_with_the_settings() -> None:
    assert TOKEN not in repr(ServiceSettings(state_dir=STATE, port=8188, token=TOKEN))


def test_exactly_one_address_is_wanted(tmp_path: Path) -> None:
    for both in ({}, {"socket": tmp_path / "s", "port": 1, "token": TOKEN}):
        with pytest.raises(SettingsInvalid, match="either --socket"):
            ServiceSettings(state_dir=STATE, **both)  # type: ignore[arg-type]


def test_a_socket_path_that_the_system_cannot_take_is_refused() -> None:
    with pytest.raises(SettingsInvalid, match="longer"):
        ServiceSettings(state_dir=STATE, socket=Path("/tmp", "x" * 110))  # noqa: S108


def test_the_token_comes_from_a_file_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOUSESTYLE_GENERATION_TOKEN", "from the variable")
    assert token_from_environment() == "from the variable"
    secret = tmp_path / "token"
    secret.write_text("from the file\n")
    monkeypatch.setenv("HOUSESTYLE_GENERATION_TOKEN_FILE", str(secret))
    assert token_from_environment() == "from the file"
    monkeypatch.setenv("HOUSESTYLE_GENERATION_TOKEN_FILE", str(tmp_path / "none"))
    with pytest.raises(SettingsInvalid, match="cannot be read"):
        token_from_environment()


def test_a_child_process_gets_no_token_and_keeps_the_users_tuning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOUSESTYLE_GENERATION_TOKEN", TOKEN)
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    given = child_environment()
    assert "HOUSESTYLE_GENERATION_TOKEN" not in given
    assert given["GOMP_SPINCOUNT"] == "7"
    assert given["MALLOC_ARENA_MAX"] == "1"


def test_an_impossible_start_says_why_and_ends_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOUSESTYLE_GENERATION_TOKEN", raising=False)
    with pytest.raises(SystemExit) as ended:
        main(["--port", "0", "--state-dir", str(tmp_path)])
    assert ended.value.code == 2
    assert "only with a token" in capsys.readouterr().err
