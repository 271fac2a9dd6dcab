"""The llama2.c exporter: its ONNX, run by ONNX Runtime, against llama2.c's forward pass in numpy; its graph against optimum's own."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import dataclasses
import struct
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
from llama_numpy import forward
from synthetic import TINY, writeCheckpoint

from halftone.export import llama2c
from halftone.export.checkpoint import Checkpoint, CheckpointError

SHAPES = {
    "grouped": TINY,
    "one-kv-head": dataclasses.replace(TINY, kvHeads=1),
    "all-heads": dataclasses.replace(TINY, kvHeads=4),
    "untied": dataclasses.replace(TINY, tied=False),
}


@pytest.fixture(params=SHAPES)
def model(request, tmp_path):
    """(checkpoint, onnx path) of every shape of model the checkpoint format knows."""
    path = writeCheckpoint(tmp_path / "model.bin", SHAPES[request.param])
    onnxPath = llama2c.export(path, tmp_path / "out")[0]
    return Checkpoint(path), onnxPath


def session(path):
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def emptyPast(config, batch):
    empty = np.zeros((batch, config.kvHeads, 0, config.headDim), np.float32)
    return {f"past_key_values.{i}.{part}": empty for i in range(config.layers) for part in ("key", "value")}


def run(session, ids, past, mask=None, positions=None):
    """One call; ids is [batch, new]. Returns the logits and the next call's past."""
    ids = np.asarray(ids, np.int64)
    before = next(iter(past.values())).shape[2]
    mask = np.ones((len(ids), before + ids.shape[1]), np.int64) if mask is None else mask
    positions = np.broadcast_to(np.arange(before, before + ids.shape[1]), ids.shape) if positions is None else positions
    feeds = {"input_ids": ids, "attention_mask": mask, "position_ids": np.ascontiguousarray(positions), **past}
    outputs = dict(zip((x.name for x in session.get_outputs()), session.run(None, feeds)))
    return outputs.pop("logits"), {name.replace("present", "past_key_values"): x for name, x in outputs.items()}


def bound(config, logits):
    """Each layer chains 7 sums and the head one more; a sum of K terms in f32 is off by at most K * 2^-24 of the sum of its
    terms' sizes, which for these weights is near its result's own size times sqrt(K). Relative to the largest logit:"""
    terms = max(config.dim, config.hidden)
    return (7 * config.layers + 1) * terms * 2.0**-24 * np.sqrt(terms) * np.abs(logits).max()


def test_prefill_is_llama2c(model):
    checkpoint, path = model
    ids = np.random.default_rng(2).integers(0, checkpoint.config.vocabulary, 20)
    want = forward(checkpoint, ids)
    got, _ = run(session(path), [ids], emptyPast(checkpoint.config, 1))
    assert np.abs(got[0] - want).max() <= bound(checkpoint.config, want)


def test_decode_with_past_is_llama2c(model):
    checkpoint, path = model
    ids = np.random.default_rng(3).integers(0, checkpoint.config.vocabulary, 12)
    want, s = forward(checkpoint, ids), session(path)
    pieces, past = [], emptyPast(checkpoint.config, 1)
    for first, last in ((0, 5), (5, 6), (6, 7), (7, 12)):  # a prefill, two single tokens, several tokens on a past
        logits, past = run(s, [ids[first:last]], past)
        pieces.append(logits[0])
    assert np.abs(np.concatenate(pieces) - want).max() <= bound(checkpoint.config, want)


def test_left_padding_changes_nothing(model):
    checkpoint, path = model
    ids = np.random.default_rng(4).integers(0, checkpoint.config.vocabulary, 9)
    batch = np.stack([np.concatenate([np.zeros(4, np.int64), ids[:5]]), ids])
    mask = np.ones((2, 9), np.int64)
    mask[0, :4] = 0
    positions = np.stack([np.maximum(np.arange(9) - 4, 0), np.arange(9)])
    got, _ = run(session(path), batch, emptyPast(checkpoint.config, 2), mask, positions)
    want = forward(checkpoint, ids)
    assert np.abs(got[1] - want).max() <= bound(checkpoint.config, want)
    assert np.abs(got[0, 4:] - want[:5]).max() <= bound(checkpoint.config, want)


def test_stories260K(sharedData, tmp_path):
    source = sharedData / "stories260K" / "stories260K.bin"
    path = llama2c.export(source, tmp_path)[0]
    checkpoint = Checkpoint(source)
    ids = np.random.default_rng(5).integers(0, 512, 64)
    want, (got, _) = forward(checkpoint, ids), run(session(path), [ids], emptyPast(checkpoint.config, 1))
    assert np.abs(got[0] - want).max() <= bound(checkpoint.config, want)


def signature(path):
    """A graph's operators, constants, inputs and outputs, sorted; weights left out."""
    graph = onnx.load(path, load_external_data=False).graph
    operators = sorted(n.op_type for n in graph.node)
    constants = sorted(onnx.numpy_helper.to_array(n.attribute[0].t).tobytes() for n in graph.node if n.op_type == "Constant")
    values = [x for x in (*graph.input, *graph.output)]
    return operators, constants, sorted(x.SerializeToString(deterministic=True) for x in values)


def test_the_graph_is_optimums(sharedData, tmp_path):
    """stories15M as optimum exported it: the same operators, the same constants to the last bit, the same inputs and outputs."""
    optimum = sharedData / "onnx" / "stories15M-optimum" / "model.onnx"
    shape = dataclasses.replace(TINY, dim=288, hidden=768, layers=6, heads=6, kvHeads=6, vocabulary=32000, context=256)
    path = llama2c.export(writeCheckpoint(tmp_path / "model.bin", shape), tmp_path, external=True)[0]
    assert signature(path) == signature(optimum)


def test_grouped_heads_are_optimums(sharedData, tmp_path):
    """llama-optimum has 4 heads on 2 key/value heads; its rotary base and epsilon are transformers' own, so operators only."""
    optimum = sharedData / "onnx" / "llama-optimum" / "model.onnx"
    shape = dataclasses.replace(TINY, dim=64, hidden=160, vocabulary=256)
    path = llama2c.export(writeCheckpoint(tmp_path / "model.bin", shape), tmp_path)[0]
    assert signature(path)[0] == signature(optimum)[0]


def test_external_data_is_the_same_model(tmp_path):
    source = writeCheckpoint(tmp_path / "model.bin", TINY)
    inside = llama2c.export(source, tmp_path / "inside.onnx")
    outside = llama2c.export(source, tmp_path / "outside.onnx", external=True)
    assert [p.name for p in inside + outside] == ["inside.onnx", "outside.onnx", "outside.onnx.data"]
    feeds = [[1, 2, 3]], emptyPast(TINY, 1)
    assert np.array_equal(run(session(inside[0]), *feeds)[0], run(session(outside[0]), *feeds)[0])
    assert outside[0].stat().st_size < inside[0].stat().st_size // 2


def test_model_is_valid_and_says_its_context(tmp_path):
    path = llama2c.export(writeCheckpoint(tmp_path / "model.bin", TINY), tmp_path)[0]
    onnx.checker.check_model(path, full_check=True)
    model = onnx.load(path)
    assert {x.key: x.value for x in model.metadata_props} == {"max_position_embeddings": "64"}
    assert model.opset_import[0].version == 18


def test_same_checkpoint_same_bytes(tmp_path):
    source = writeCheckpoint(tmp_path / "model.bin", TINY)
    paths = [llama2c.export(source, tmp_path / name)[0] for name in ("a", "b")]
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_bytes_after_the_checkpoint_are_ignored(tmp_path):
    plain = writeCheckpoint(tmp_path / "plain.bin", TINY)
    longer = writeCheckpoint(tmp_path / "longer.bin", TINY, tail=b"something else")
    assert Checkpoint(longer).bytes == plain.stat().st_size
    assert llama2c.export(plain, tmp_path / "a")[0].read_bytes() == llama2c.export(longer, tmp_path / "b")[0].read_bytes()


BAD = {
    "empty": (b"", "the header needs 28 bytes, the file has 0"),
    "text": (b"this is certainly no checkpoint of any kind", "this is no llama2.c checkpoint"),
    "short": (struct.pack("<7i", 32, 88, 2, 4, 2, 300, 64), "tensor 'tok_emb' needs bytes 28 to 38428, the file has 28"),
    "heads": (struct.pack("<7i", 32, 88, 2, 5, 1, 300, 64), "the width 32 is no multiple of the 5 heads"),
    "no layers": (struct.pack("<7i", 32, 88, 0, 4, 2, 300, 64), "byte 8: layers is 0"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_checkpoint(name, tmp_path):
    content, message = BAD[name]
    path = tmp_path / "bad.bin"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=message) as error:
        Checkpoint(path)
    assert str(path) in str(error.value)


def test_command_line(tmp_path, root):
    def call(*arguments):
        command = [sys.executable, "-m", "halftone.export.llama2c", *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(root / "python")}, capture_output=True, text=True)

    source = writeCheckpoint(tmp_path / "model.bin", TINY)
    done = call(source, "-o", "m.onnx")
    assert (done.returncode, done.stdout) == (0, "") and (tmp_path / "m.onnx").exists()
    missing = call("nowhere.bin", "-o", "n.onnx")
    assert (missing.returncode, missing.stderr) == (1, "error: nowhere.bin: No such file or directory\n")
    assert not (tmp_path / "n.onnx").exists() and not list(tmp_path.glob(".*"))
