"""Weights: what is given as a LoRA and is none. Nothing of it may run, load or stay."""

import json
import pickle
import random
import struct
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from brand.spec import LoraRefused, sha256_hex
from tests.hostile.pictures import mutant
from tests.hostile.score import Score, Taken
from tests.unit.generation.lora_files import UNET, peft_lora
from tests.unit.generation.lora_files import safetensors as as_file

MUTANTS = 2_000
PREFIX = f"unet.{UNET}"


class Runs:
    """A pickle that would write a file if it were ever loaded."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        """What unpickling calls."""
        return (Path.touch, (self._file,))


async def run() -> Score:
    """Try them all."""
    score, rng = Score(), random.Random(11)
    sound = as_file(peft_lora(PREFIX), {"made by": "a test"})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ran = folder / "ran"
        for number in range(MUTANTS):
            _try(score, folder, f"mutant {number}", mutant(sound, rng), sound=sound)
        for what, data in _must_refuse(ran):
            _try(score, folder, what, data)
        with score.attempt("code in a pickle"):
            if ran.exists():
                raise Taken("it ran")
    _try_changed_on_disk(score, sound)
    return score


def _try(score: Score, folder: Path, what: str, data: bytes, *, sound: bytes = b"") -> None:
    """Refused, or (a mutant) a file whose names, shapes and finite numbers are all in order."""
    from generation.engine.loras import check_lora
    from generation.engine.weights import read_header

    path = folder / "blob"
    path.write_bytes(data)
    with score.attempt(what, (LoraRefused,), must_refuse=not sound):
        check_lora(path, sha256_hex(data))
        if len(read_header(path).tensors) > len(read_header(_kept(folder, sound)).tensors):
            raise Taken("it holds more than it was made with")


def _kept(folder: Path, sound: bytes) -> Path:
    path = folder / "sound"
    if not path.exists():
        path.write_bytes(sound)
    return path


def _must_refuse(ran: Path) -> Iterator[tuple[str, bytes]]:
    good = peft_lora(PREFIX)
    down, up = f"{PREFIX}.lora_A.weight", f"{PREFIX}.lora_B.weight"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        yield f"a pickle, protocol {protocol}", pickle.dumps(Runs(ran), protocol)
    yield "a torch archive", _archive(pickle.dumps(Runs(ran)))
    yield "a zip that climbs", _archive(b"x", name="../../../../etc/cron.d/x")
    yield "nothing", b""
    yield "a whole model", as_file({"unet.conv_in.weight": np.zeros((4, 4), np.float32)})
    yield "a LoRA and a model", as_file({**good, "text_model.embeddings": np.zeros(4, np.float32)})
    yield "no tensor at all", as_file({})
    for what, value in (("NaN", np.nan), ("infinite", np.inf)):
        broken = {name: tensor.copy() for name, tensor in good.items()}
        broken[up][0, 0] = value
        yield f"{what} weights", as_file(broken)
    yield (
        "whole numbers",
        as_file({down: np.ones((4, 32), np.int64), up: np.ones((32, 4), np.int64)}),
    )
    yield "a rank of 4,096", as_file(peft_lora(PREFIX, size=4_097, rank=4_096))
    yield "one dimension", as_file({down: np.ones(32, np.float32), up: np.ones(32, np.float32)})
    yield "five dimensions", as_file({down: np.ones((1, 1, 1, 1, 1), np.float32)})
    yield "100,000 tensors", _many_tensors()
    yield "a header of 2 GB", struct.pack("<Q", 2**31) + b"{}"
    yield "a header nested deep", _with_header(b"[" * 100_000)
    yield "a name twice", _with_header(b'{"a.lora_A.weight":{},"a.lora_A.weight":{}}')


def _archive(data: bytes, name: str = "archive/data.pkl") -> bytes:
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(name, data)
        file.seek(0)
        return file.read()


def _many_tensors() -> bytes:
    header = {
        f"t{number}.lora_A.weight": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
        for number in range(100_000)
    }
    return _with_header(json.dumps(header).encode())


def _with_header(text: bytes) -> bytes:
    return struct.pack("<Q", len(text)) + text


def _try_changed_on_disk(score: Score, sound: bytes) -> None:
    """The file under an approved hash is another one by now."""
    from generation.engine.loras import check_lora

    other = as_file(peft_lora(PREFIX, seed=9))
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "blob")
        path.write_bytes(other)
        with score.attempt("another file under that hash", (LoraRefused,), must_refuse=True):
            check_lora(path, sha256_hex(sound))
