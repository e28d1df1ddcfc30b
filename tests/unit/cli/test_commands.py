"""The command line: what it says, where it says it, and how it ends."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bot.cli.console import CommandFailed
from bot.cli.exits import MEANING, ExitCode, code_of, code_of_word
from bot.cli.inline_picture import escape_sequences, protocol_of
from bot.cli.serving import _for_demo
from bot.cli.train import _train
from bot.core.errors import Mistake, NotAllowed, NotFound, word_of
from bot.settings import load_settings
from brand.kit_loader import lint_kit
from brand.spec import RenderBusy, RenderUnavailable, sha256_hex
from storage.errors import StoreBusy, StoreUnavailable
from tests.fakes.command_line import Housestyle
from tests.needs import ROOT


def test_init_writes_what_the_other_commands_take(housestyle: Housestyle, tmp_path: Path) -> None:
    done = housestyle("init", "here", "--brand", "Müller & Söhne")
    assert done.code == ExitCode.OK
    assert done.out.splitlines() == ["here/housestyle.toml", "here/brands/muller-sohne.toml"]
    assert "Next:" in done.err
    assert lint_kit(tmp_path / "here/brands/muller-sohne.toml") == []
    assert load_settings(folder=tmp_path / "here", environment={}).source is not None


def test_init_overwrites_nothing(housestyle: Housestyle, tmp_path: Path) -> None:
    (tmp_path / "housestyle.toml").write_text("port = 1")
    done = housestyle("init")
    assert done.code == ExitCode.REFUSED
    assert "is there already" in done.err
    assert not (tmp_path / "brands").exists()


@pytest.mark.parametrize("name", ['Quote " and \\ back', "multi\nline", "x" * 300])
def test_any_brand_name_makes_a_sound_kit(
    housestyle: Housestyle, tmp_path: Path, name: str
) -> None:
    assert housestyle("init", "--brand", name).code == ExitCode.OK
    (kit,) = (tmp_path / "brands").glob("*.toml")
    assert [str(found) for found in lint_kit(kit)] == []


def test_a_name_without_a_letter_is_asked_for_again(housestyle: Housestyle) -> None:
    assert housestyle("init", "--brand", "!!!").code == ExitCode.USAGE


def test_a_kits_mistakes_are_listed_by_file_and_line(
    housestyle: Housestyle, tmp_path: Path
) -> None:
    housestyle("init", "--brand", "Acme")
    kit = tmp_path / "brands/acme.toml"
    kit.write_text(kit.read_text().replace("steps = 20", "stpes = 20"))
    done = housestyle("brand", "lint")
    assert done.code == ExitCode.FAILED
    assert re.search(r"acme\.toml:\d+:\d+: error: .*stpes", done.out)
    found = housestyle("brand", "lint", kit, "--json").json
    assert found[0]["line"] > 1
    assert found[0]["fix"]


def test_without_a_kit_the_demo_brand_stands_in(housestyle: Housestyle) -> None:
    done = housestyle("brand", "list")
    assert done.out.startswith("northwind\tNorthwind Tea\t")
    assert "using the demo brand" in done.err


def test_in_a_pipe_rows_are_separated_by_tabs_and_uncoloured(housestyle: Housestyle) -> None:
    done = housestyle("brand", "palette")
    assert done.out.splitlines()[0].startswith("teal\t#0f7c7c\tprimary\t")
    assert "\x1b" not in done.out + done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("brand", "list"),
        ("brand", "show"),
        ("brand", "palette"),
        ("template", "list"),
        ("template", "show", "product"),
        ("template", "preview", "product"),
    ],
)
def test_every_look_has_its_facts_as_json(
    housestyle: Housestyle, arguments: tuple[str, ...]
) -> None:
    done = housestyle(*arguments, "--json")
    assert done.code == ExitCode.OK
    assert done.json
    assert done.err == ""


def test_a_preview_shows_the_recipe_that_words_would_give(housestyle: Housestyle) -> None:
    done = housestyle("template", "preview", "product", "COLOR=red", "PRODUCT=gift box", "--json")
    assert "red gift box" in done.json["prompt"]
    assert len(done.json["hash"]) == 64


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("imagine", "template:prodct"), ExitCode.USAGE, "Did you mean `product`?"),
        (("imagine", "a mug", "--n", "99"), ExitCode.USAGE, "from 1 to 8"),
        (("imagine", "a mug", "--ar", "16:9"), ExitCode.USAGE, "The nearest is `3:2`"),
        (("imagine", "a mug", "--seed", "-1"), ExitCode.USAGE, "leave `--seed` out"),
        (("imagine", "a cheap mug"), ExitCode.REFUSED, "tone rule 4"),
        (("imagine", ""), ExitCode.USAGE, "Say what the picture shows"),
        (("imagine", "a mug", "--brand", "nrthwind"), ExitCode.NOT_FOUND, "`northwind`"),
        (("imagine", "a mug", "--ref", "nowhere.png"), ExitCode.NOT_FOUND, "nowhere.png"),
        (("imagine",), ExitCode.USAGE, "Usage:"),
        (("imagin", "a mug"), ExitCode.USAGE, "imagin"),
        (("imagine", "a mug", "--stpes", "2"), ExitCode.USAGE, "--stpes"),
        (("template", "show", "gfit"), ExitCode.NOT_FOUND, "Did you mean `gift`?"),
        (("assets", "show", "../../etc/passwd"), ExitCode.USAGE, "22 letters and digits"),
        (("assets", "find", "--state", "aproved"), ExitCode.USAGE, "`approved`"),
        (("rerender", "x"), ExitCode.USAGE, "22 letters and digits"),
        (("serve", "--role", "chef"), ExitCode.USAGE, "worker"),
        (("--config", "nowhere.toml", "brand", "list"), ExitCode.USAGE, "nowhere.toml"),
        ((), ExitCode.USAGE, "Commands:"),
    ],
)
def test_a_mistake_is_one_line_with_what_to_do(
    housestyle: Housestyle, arguments: tuple[str, ...], code: ExitCode, says: str
) -> None:
    done = housestyle(*arguments)
    assert done.code == code
    assert says in done.err
    assert "Traceback" not in done.err
    assert done.out == ""


def test_a_mistake_in_the_words_is_marked_under_the_line(housestyle: Housestyle) -> None:
    lines = housestyle("imagine", "a mug", "--sampler", "eular").err.splitlines()
    assert lines[-2].index("eular") == lines[-1].index("^")
    assert lines[-1].count("^") == len("eular")


def test_an_error_as_json_names_its_kind_place_and_remedy(housestyle: Housestyle) -> None:
    done = housestyle("imagine", "a mug", "--sampler", "eular", "--json")
    error = done.json["error"]
    assert error["code"] == "mistake"
    assert error["exit_code"] == done.code == ExitCode.USAGE
    assert error["nearest"] == "euler"
    assert "euler" in error["allowed"]
    place = error["position"]
    assert error["text"][place["start"] : place["end"]] == "eular"


def test_a_usage_error_as_json_is_an_error_too(housestyle: Housestyle) -> None:
    assert housestyle("imagine", "--json").json["error"]["exit_code"] == ExitCode.USAGE


def test_an_unknown_fault_is_one_line_unless_debug_is_asked_for(
    housestyle: Housestyle, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    done = housestyle("--data-dir", "file", "assets", "find")
    assert done.code == ExitCode.FAILED
    assert "--debug" in done.err
    assert "Traceback" not in done.err
    with pytest.raises(OSError, match="file"):
        housestyle("--debug", "--data-dir", "file", "assets", "find")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Mistake("x"), ExitCode.USAGE),
        (NotAllowed("x"), ExitCode.REFUSED),
        (NotFound("x"), ExitCode.NOT_FOUND),
        (RenderUnavailable("x"), ExitCode.UNAVAILABLE),
        (RenderBusy("x", retry_after_s=1), ExitCode.UNAVAILABLE),
        (StoreUnavailable("x"), ExitCode.UNAVAILABLE),
        (StoreBusy("x"), ExitCode.UNAVAILABLE),
        (RuntimeError("x"), ExitCode.FAILED),
    ],
)
def test_each_kind_of_error_has_its_exit_code(error: Exception, code: ExitCode) -> None:
    assert code_of(error) == code


@pytest.mark.parametrize("kind", [Mistake, NotAllowed, NotFound, StoreUnavailable])
def test_an_error_that_comes_as_a_card_ends_the_same_way(kind: type[Exception]) -> None:
    assert code_of_word(word_of(kind)) == code_of(kind("x"))


def test_the_exit_codes_are_those_of_the_docs() -> None:
    page = (ROOT / "docs" / "cli.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| (\d+) \| (.+) \|$", page, re.MULTILINE))
    assert rows == {str(int(code)): text for code, text in MEANING.items()}


def test_the_docs_name_every_command() -> None:
    page = (ROOT / "docs" / "cli.md").read_text("utf-8")
    said = subprocess.run(
        [sys.executable, "-m", "bot", "--help"], capture_output=True, text=True, timeout=60
    ).stdout
    names = re.findall(r"^  ([a-z]+) +[A-Z]", said.partition("Commands:")[2], re.MULTILINE)
    assert len(names) >= 19
    assert [name for name in names if f"`housestyle {name}" not in page] == []


@pytest.mark.parametrize(
    ("environment", "protocol"),
    [
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM_PROGRAM": "iTerm.app"}, "iterm"),
        ({"TERM_PROGRAM": "WezTerm"}, "iterm"),
        ({"TERM": "xterm-256color"}, ""),
        ({"TERM": "xterm-kitty", "TMUX": "/tmp/x"}, ""),  # noqa: S108  a made-up variable
        ({}, ""),
    ],
)
def test_a_picture_is_shown_only_where_the_terminal_can(
    environment: dict[str, str], protocol: str
) -> None:
    assert protocol_of(environment) == protocol


def test_a_picture_goes_to_kitty_in_chunks_that_end() -> None:
    sequences = escape_sequences(b"\x00" * 10_000, "kitty")
    parts = sequences.strip().split("\x1b\\")[:-1]
    assert [part.partition(";")[0] for part in parts] == [
        "\x1b_Ga=T,f=100,m=1",
        "\x1b_Gm=1",
        "\x1b_Gm=1",
        "\x1b_Gm=0",
    ]
    assert all(len(part.partition(";")[2]) <= 4096 for part in parts)
    assert escape_sequences(b"x", "") == ""


def test_the_demo_takes_a_free_port_and_the_demo_brand(tmp_path: Path) -> None:
    settings = _for_demo(load_settings(folder=tmp_path, environment={"HOME": str(tmp_path)}))
    assert settings.demo
    assert (settings.brands_dir / "northwind.toml").is_file()
    assert settings.base_url == f"http://127.0.0.1:{settings.port}"


def test_the_doctor_says_what_is_missing_and_how_to_get_it(
    housestyle: Housestyle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOUSESTYLE_PROT", "1")
    monkeypatch.setenv("HOUSESTYLE_GENERATION_ENGINE", "drawn")
    done = housestyle("doctor", "--quick", "--json")
    lines = {line["name"]: line for line in done.json["checks"]}
    assert lines["slack"]["state"] == "missing"
    assert "housestyle slack manifest" in lines["slack"]["fix"]
    assert "HOUSESTYLE_DISCORD_TOKEN" in lines["discord"]["says"]
    assert lines["settings"]["state"] == "problem"
    assert "HOUSESTYLE_PROT" in lines["settings"]["says"]
    assert done.code == ExitCode.FAILED
    assert all(line["fix"] for line in done.json["checks"] if line["state"] != "ok")


def test_the_doctor_finds_a_taken_port_a_broken_kit_and_a_missing_model(
    housestyle: Housestyle, tmp_path: Path
) -> None:
    import socket

    housestyle("init", "--brand", "Acme")
    kit = tmp_path / "brands/acme.toml"
    kit.write_text(kit.read_text().replace('model = "demo"', 'model = "huge"'))
    (tmp_path / "brands/broken.toml").write_text("[brand")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        toml = tmp_path / "housestyle.toml"
        toml.write_text(toml.read_text().replace("8600", str(number)))
        done = housestyle("doctor", "--quick", "--json")
    problems = {c["name"]: c["says"] for c in done.json["checks"] if c["state"] == "problem"}
    assert "huge isn't among the models" in problems["models"]
    assert "broken.toml: 1 mistakes" in problems["brands"]
    assert str(number) in problems["port"]


def test_the_doctor_tells_what_lies_beside_the_models_and_what_of_it_is_left_out(
    housestyle: Housestyle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "weights"
    (folder / "controlnets/house-canny").mkdir(parents=True)
    (folder / "image-prompts/likeness").mkdir(parents=True)
    monkeypatch.setenv("HOUSESTYLE_GENERATION_MODELS_DIR", str(folder))
    done = housestyle("doctor", "--quick", "--json")
    lines = [(c["name"], c["state"], c["says"]) for c in done.json["checks"]]
    assert ("controlnets", "ok", "demo-canny (canny)") in lines
    assert ("preprocessors", "missing", "none with weights of their own") in lines
    left_out = {name: says for name, _, says in lines if "left out" in says}
    assert left_out["controlnets"].startswith("house-canny is left out: it holds neither")
    assert "likeness is left out" in left_out["image prompts"]


def test_a_wrong_token_is_a_problem_and_is_not_shown(
    housestyle: Housestyle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOUSESTYLE_SLACK_BOT_TOKEN", "canary")
    monkeypatch.setenv("HOUSESTYLE_SLACK_APP_TOKEN", "xapp-canary")
    done = housestyle("doctor", "--quick", "--json")
    line = next(c for c in done.json["checks"] if c["name"] == "slack")
    assert line["state"] == "problem"
    assert "canary" not in done.out


def test_training_for_a_model_that_is_not_there_does_not_start(housestyle: Housestyle) -> None:
    done = housestyle("train", "lora", "--out", "x.safetensors", "--model", "nowhere")
    assert done.code == ExitCode.NOT_FOUND
    assert "nowhere" in done.err


def test_training_that_fails_says_so_with_a_code(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed) as caught:
        _train("no-such-training", {}, tmp_path / "x", as_json=False)
    assert caught.value.failure.error == "training_failed"
    assert caught.value.failure.code == ExitCode.USAGE


@pytest.mark.model
def test_a_lora_is_trained_and_named_by_its_hash(housestyle: Housestyle, tmp_path: Path) -> None:
    done = housestyle("train", "lora", "--out", "x.safetensors", "--steps", "1", "--json")
    assert done.code == ExitCode.OK, done.err
    assert done.json["sha256"] == sha256_hex((tmp_path / "x.safetensors").read_bytes())
