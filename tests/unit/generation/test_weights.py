"""Safetensors headers are read distrustfully; hashes are remembered only while they are true."""

import json
import logging
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import safetensors
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generation.engine.library.weights import (
    WeightsDamaged,
    WeightsIndex,
    file_sha256,
    read_header,
    together,
)
from tests.unit.generation.lora_files import UNET, peft_lora
from tests.unit.generation.lora_files import safetensors as as_file

SOUND = as_file(peft_lora(f"unet.{UNET}"), {"made by": "a test"})
ONE_TENSOR = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}


def with_header(header: object, data: bytes = b"\0" * 4) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def header_of(path: Path, data: bytes) -> object:
    path.write_bytes(data)
    return read_header(path)


def test_a_sound_header_tells_names_shapes_and_metadata(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(SOUND)
    header = read_header(tmp_path / "f")
    assert header.metadata == {"made by": "a test"}
    assert header.tensors[f"unet.{UNET}.lora_A.weight"].shape == (4, 32)
    assert header.tensors[f"unet.{UNET}.lora_A.weight"].dtype == "F32"


BROKEN = {
    "empty": b"",
    "seven bytes": b"\x02\0\0\0\0\0\0",
    "a header longer than the file": struct.pack("<Q", 100) + b"{}",
    "a header of 2**63 bytes": struct.pack("<Q", 1 << 63) + b"{}",
    "no JSON": with_header(b"{'a': 1}"),
    "no UTF-8": with_header(b'{"\xff": 1}'),
    "a list": with_header([]),
    "deep nesting": with_header(b"[" * 100_000),
    "metadata that is no text": with_header({"__metadata__": {"a": 1}, "t": ONE_TENSOR}),
    "a name twice": with_header(b'{"t":%s,"t":%s}' % ((json.dumps(ONE_TENSOR).encode(),) * 2)),
    "an unknown format": with_header({"t": ONE_TENSOR | {"dtype": "F3"}}),
    "a format that is a list": with_header({"t": ONE_TENSOR | {"dtype": ["F32"]}}),
    "a negative shape": with_header({"t": ONE_TENSOR | {"shape": [-1]}}),
    "a shape of fractions": with_header({"t": ONE_TENSOR | {"shape": [1.0]}}),
    "a shape of booleans": with_header({"t": ONE_TENSOR | {"shape": [True]}}),
    "a shape of hundreds": with_header({"t": ONE_TENSOR | {"shape": [1] * 300}}),
    "a shape that overflows": with_header({"t": ONE_TENSOR | {"shape": [1 << 62, 4]}}),
    "one offset": with_header({"t": ONE_TENSOR | {"data_offsets": [0]}}),
    "offsets backwards": with_header({"t": ONE_TENSOR | {"data_offsets": [4, 0]}}),
    "offsets past the end": with_header({"t": ONE_TENSOR | {"data_offsets": [4, 8]}}),
    "a length unlike the shape": with_header({"t": ONE_TENSOR | {"shape": [2]}}),
    "an unknown field": with_header({"t": ONE_TENSOR | {"code": "x"}}),
    "two tensors in one place": with_header({"t": ONE_TENSOR, "u": ONE_TENSOR}),
    "a hole": with_header(
        {"t": ONE_TENSOR, "u": ONE_TENSOR | {"data_offsets": [8, 12]}}, b"0" * 12
    ),
    "bytes too many": with_header({"t": ONE_TENSOR}, b"0" * 5),
    "a pickle": b"\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c\x05posix\x94",
    "a zip": b"PK\x03\x04" + b"\0" * 60,
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_header_is_refused(tmp_path: Path, kind: str) -> None:
    with pytest.raises(WeightsDamaged):
        header_of(tmp_path / "f", BROKEN[kind])


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsDamaged, match="cannot be read"):
        read_header(tmp_path / "none")


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_mutated_file_is_refused_or_as_sound_as_the_library_finds_it(
    tmp_path: Path, data: st.DataObject
) -> None:
    mutant = bytearray(SOUND)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(mutant) - 1))
        if data.draw(st.booleans()):
            mutant[at] = data.draw(st.integers(0, 255))
        else:
            del mutant[at : at + data.draw(st.integers(1, 40))]
    path = tmp_path / "f"
    path.write_bytes(mutant)
    try:
        header = read_header(path)
    except WeightsDamaged:
        return
    with safetensors.safe_open(path, framework="numpy") as file:
        shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    assert {name: facts.shape for name, facts in header.tensors.items()} == shapes


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    header=st.dictionaries(
        st.sampled_from(["__metadata__", "a.lora_A.weight", "b"]),
        st.fixed_dictionaries(
            {
                "dtype": st.sampled_from(["F32", "F16", "BOOL", "X"]),
                "shape": st.lists(st.integers(-1, 4), max_size=3),
                "data_offsets": st.lists(st.integers(-1, 64), min_size=1, max_size=3),
            }
        )
        | st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2)
        | st.integers(),
        max_size=3,
    ),
    size=st.integers(0, 64),
)
def test_a_made_up_header_never_breaks_the_reader(
    tmp_path: Path, header: dict[str, object], size: int
) -> None:
    path = tmp_path / "f"
    path.write_bytes(with_header(header, b"\0" * size))
    try:
        read_header(path)
    except WeightsDamaged:
        return
    with safetensors.safe_open(path, framework="numpy") as file:
        assert set(file.keys()) == set(header) - {"__metadata__"}


def test_a_hash_is_remembered_until_the_file_changes(tmp_path: Path) -> None:
    index = WeightsIndex(tmp_path / "state" / "weights.json")
    file = tmp_path / "weights"
    file.write_bytes(b"one")
    assert index.known(file) == ""
    first = index.sha256(file)
    assert first == file_sha256(file) == index.known(file)
    again = WeightsIndex(tmp_path / "state" / "weights.json")
    assert again.known(file) == first
    file.write_bytes(b"two")
    os.utime(file, ns=(1, 1))
    assert again.known(file) == ""
    assert again.sha256(file) != first


@pytest.mark.parametrize("broken", [b"", b"[]", b'{"x": 1}', b'{"x": [1, 2, 3]}', b"\xff"])
def test_a_broken_index_only_costs_hashing_again(tmp_path: Path, broken: bytes) -> None:
    (tmp_path / "weights.json").write_bytes(broken)
    (tmp_path / "x").write_bytes(b"data")
    index = WeightsIndex(tmp_path / "weights.json")
    assert index.known(tmp_path / "x") == ""
    assert index.sha256(tmp_path / "x") == file_sha256(tmp_path / "x")


def test_a_state_folder_that_cannot_be_written_only_costs_hashing_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "taken").write_bytes(b"a file, where the folder should be")
    (tmp_path / "x").write_bytes(b"data")
    index = WeightsIndex(tmp_path / "taken" / "weights.json")
    with caplog.at_level(logging.WARNING):
        assert index.sha256(tmp_path / "x") == file_sha256(tmp_path / "x")
    assert index.known(tmp_path / "x") == file_sha256(tmp_path / "x")
    assert "state folder that it may write to" in caplog.text
    with pytest.raises(FileNotFoundError):
        index.sha256(tmp_path / "none")


def test_one_hash_for_many_files_depends_on_names_and_not_on_order() -> None:
    parts = [("a", "1" * 64), ("b", "2" * 64)]
    assert together(parts) == together(parts[::-1])
    assert together(parts) != together([("a", "2" * 64), ("b", "1" * 64)])
    assert len(np.unique([together(parts), together(parts[:1])])) == 2
