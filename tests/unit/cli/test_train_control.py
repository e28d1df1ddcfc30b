"""`housestyle train control`: the ControlNet's training, started as the LoRA's is."""

from pathlib import Path

import pytest

from bot.cli.exits import ExitCode
from tests.fakes.command_line import Housestyle

SMALL = ("--pictures", "16", "--steps", "2")


def test_a_controlnet_for_a_model_that_is_not_there_is_not_begun(housestyle: Housestyle) -> None:
    done = housestyle("train", "control", "--out", "x", "--model", "nowhere")
    assert done.code == ExitCode.NOT_FOUND
    assert "nowhere" in done.err
    assert "housestyle train demo-model" in done.err


@pytest.mark.model
@pytest.mark.deep
def test_a_controlnet_is_trained_and_goes_on_from_its_checkpoint(
    housestyle: Housestyle, tmp_path: Path
) -> None:
    done = housestyle("train", "control", "--out", "edges-canny", *SMALL, "--json")
    assert done.code == ExitCode.OK, done.err
    assert done.json == {"out": "edges-canny"}
    written = tmp_path / "edges-canny" / "diffusion_pytorch_model.safetensors"
    before = written.read_bytes()
    assert (tmp_path / "edges-canny.work" / "pairs.pt").is_file()
    written.unlink()
    again = housestyle("train", "control", "--out", "edges-canny", *SMALL)
    assert again.code == ExitCode.OK, again.err
    assert again.out.strip() == "edges-canny"
    assert written.read_bytes() == before
