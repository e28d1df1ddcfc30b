"""Weights: what is given as a LoRA or embedding and is none. Nothing may run, load or stay."""

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
EMBEDDING_MUTANTS = 500
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
        _try_embeddings(score, folder, rng)
        for what, data in _must_refuse(ran):
            _try_embedding(score, folder, what, data, must_refuse=True)
    _try_changed_on_disk(score, sound)
    return score


def _try_embeddings(score: Score, folder: Path, rng: random.Random) -> None:
    good = {"clip_l": np.ones((3, 32), np.float32), "clip_g": np.ones((3, 48), np.float32)}
    sound = as_file(good, {"made by": "a test"})
    for number in range(EMBEDDING_MUTANTS):
        what = f"embedding mutant {number}"
        _try_embedding(score, folder, what, mutant(sound, rng), must_refuse=False)
    for what, data in _no_embeddings():
        _try_embedding(score, folder, what, data, must_refuse=True)


def _no_embeddings() -> Iterator[tuple[str, bytes]]:
    for what, shape in {
        "no vectors": (0, 32),
        "vectors of nothing": (3, 0),
        "a thousand vectors": (1000, 32),
        "three dimensions": (1, 3, 32),
        "a lone number": (),
    }.items():
        yield f"an embedding with {what}", as_file({"emb_params": np.ones(shape, np.float32)})
    yield "whole numbers", as_file({"emb_params": np.ones((1, 32), np.int64)})
    yield "NaN vectors", as_file({"emb_params": np.full((1, 32), np.nan, np.float32)})
    yield "three tensors", as_file({name: np.ones((1, 32), np.float32) for name in "abc"})


def _try_embedding(
    score: Score, folder: Path, what: str, data: bytes, *, must_refuse: bool
) -> None:
    """Refused, or (a mutant) at most 75 vectors of finite numbers under each name."""
    from generation.engine.words.embeddings import MAX_VECTORS, check_embedding

    path = folder / "embedding"
    path.write_bytes(data)
    with score.attempt(f"{what} as an embedding", (LoraRefused,), must_refuse=must_refuse):
        header = check_embedding(path, sha256_hex(data))
        if any(len(t.shape) == 2 and t.shape[0] > MAX_VECTORS for t in header.tensors.values()):
            raise Taken("it has too many vectors")


def _try(score: Score, folder: Path, what: str, data: bytes, *, sound: bytes = b"") -> None:
    """Refused, or (a mutant) a file whose names, shapes and finite numbers are all in order."""
    from generation.engine.library.weights import read_header
    from generation.engine.lora.checks import check_lora

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
    from generation.engine.lora.checks import check_lora

    other = as_file(peft_lora(PREFIX, seed=9))
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "blob")
        path.write_bytes(other)
        with score.attempt("another file under that hash", (LoraRefused,), must_refuse=True):
            check_lora(path, sha256_hex(sound))
