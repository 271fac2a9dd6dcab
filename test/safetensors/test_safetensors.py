"""Halftone's safetensors files against the Python package: each reads what the other writes, and for the same tensors both write the
same bytes."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import json
import os
import struct
import subprocess
from pathlib import Path

import numpy
import pytest
import safetensors
import safetensors.numpy

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("HALFTONE_BUILD", ROOT / "build"))
TYPES = [numpy.float64, numpy.float32, numpy.float16, numpy.int64, numpy.int32, numpy.int16, numpy.int8, numpy.uint8, numpy.bool_]
SHAPES = [(), (1,), (5,), (3, 4), (2, 0, 3), (1, 1, 1, 7)]


@pytest.fixture
def copy():
    """Lets Halftone read a file and write another with the same content; gives its error."""
    program = BUILD / "test/safetensors/copy_safetensors"
    assert program.exists(), f"{program} is not built"

    def run(source, target):
        done = subprocess.run([program, source, target], capture_output=True, text=True)
        assert done.returncode == (1 if done.stderr else 0), done
        return done.stderr.removeprefix("error: ").rstrip("\n")

    return run


def everything():
    random = numpy.random.default_rng(0)
    return {f"{numpy.dtype(kind).name}.{'x'.join(map(str, shape))}": random.integers(0, 2, shape).astype(kind)
            for kind in TYPES for shape in SHAPES}


@pytest.mark.parametrize("tensors", [{}, {"a": numpy.zeros(3, numpy.float32)}, everything()], ids=["none", "one", "everything"])
@pytest.mark.parametrize("metadata", [None, {"format": "any text: \u00e9 \U0001f600 [{,"}], ids=["", "metadata"])
def test_bothWriteTheSameBytes(tmp_path, copy, tensors, metadata):
    safetensors.numpy.save_file(tensors, tmp_path / "theirs", metadata=metadata)
    assert copy(tmp_path / "theirs", tmp_path / "ours") == ""
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()


# The package keeps several strings of metadata in any order, and escapes some characters in another way: then the content is equal.
def test_thePackageReadsWhatHalftoneWrites(tmp_path, copy):
    tensors = everything() | {'na"me\\ \n\t\u0001/\u00e9': numpy.arange(6, dtype=numpy.int32).reshape(2, 3)}
    metadata = {f"key {i}": '"\\\n\b\u007f' * i for i in range(8)}
    safetensors.numpy.save_file(tensors, tmp_path / "theirs", metadata=metadata)
    assert copy(tmp_path / "theirs", tmp_path / "ours") == ""
    with safetensors.safe_open(tmp_path / "ours", "numpy") as file:
        assert file.metadata() == metadata
        assert set(file.keys()) == set(tensors)
        for name, tensor in tensors.items():
            found = file.get_tensor(name)
            assert (found.dtype, found.shape) == (tensor.dtype, tensor.shape)
            numpy.testing.assert_array_equal(found, tensor)


def write(path, header, data):
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def tensor(kind, shape, begin, end):
    return {"dtype": kind, "shape": shape, "data_offsets": [begin, end]}


# NumPy has no bfloat16: the bytes decide.
def test_bfloat16(tmp_path, copy):
    write(tmp_path / "theirs", {"a": tensor("BF16", [2], 0, 4)}, b"\x80\x3f\x00\x40")
    assert copy(tmp_path / "theirs", tmp_path / "ours") == ""
    assert safetensors.deserialize((tmp_path / "ours").read_bytes()) == safetensors.deserialize((tmp_path / "theirs").read_bytes())


# What Halftone refuses, the package refuses as well: a file is not damaged for one and whole for the other.
@pytest.mark.parametrize("header", [
    {"a": tensor("U8", [3], 0, 3), "b": tensor("U8", [2], 2, 4)},
    {"a": tensor("U8", [1], 0, 1), "b": tensor("U8", [2], 2, 4)},
    {"a": tensor("U8", [3], 0, 3)},
    {"a": tensor("U8", [5], 0, 5)},
    {"a": tensor("F32", [2], 0, 4)},
    {"a": tensor("U8", [4], 4, 0)},
    {"a": tensor("F32", [1 << 62, 4], 0, 4)},
    {"a": tensor("Q4", [4], 0, 4)},
    {"a": {"dtype": "U8", "shape": [4]}},
    {"a": tensor("U8", [4], 0, 4), "__metadata__": {"count": 1}},
    [],
], ids=["overlap", "gap", "short", "long", "size", "backwards", "overflow", "type", "missing", "metadata", "array"])
def test_bothRefuse(tmp_path, copy, header):
    write(tmp_path / "theirs", header, bytes(4))
    assert copy(tmp_path / "theirs", tmp_path / "ours").startswith(f"{tmp_path / 'theirs'}: ")
    assert not (tmp_path / "ours").exists()
    with pytest.raises(safetensors.SafetensorError):
        safetensors.numpy.load_file(tmp_path / "theirs")
