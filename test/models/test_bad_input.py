"""Bad input: one clear error that names the file and the node, tensor or byte, exit code 1, and nothing left behind."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import os
import re
import resource
import signal
import subprocess

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from halftone.export import llama2c

CRASH = re.compile(r"Stack dump|Assertion|PLEASE submit|Segmentation|Sanitizer|terminate called|LLVM ERROR")


@pytest.fixture
def folder(tiny, tmp_path):
    """A fresh folder with the tiny model, model.onnx, and its tokenizer."""
    (tmp_path / "model.onnx").write_bytes(tiny.onnx.read_bytes())
    (tmp_path / "tokenizer.model").write_bytes(tiny.tokenizerPath.read_bytes())
    return tmp_path


@pytest.fixture
def refused(halftone, folder):
    """refused(*what): `halftone compile` fails with one error that holds all of `what`, and leaves the folder as it was."""

    def check(*what, arguments=("-o", "out"), tokenizer="tokenizer.model", model="model.onnx", **options):
        before = listing(folder)
        done = halftone("compile", model, f"--tokenizer={tokenizer}", "--format=int4-g32", *arguments, cwd=folder, **options)
        assert done.returncode == 1, done.stderr
        assert not CRASH.search(done.stderr), done.stderr
        errors = [line for line in done.stderr.splitlines() if all(str(part) in line for part in what)]
        assert len(errors) == 1, f"not one line with {what}:\n{done.stderr}"
        assert done.stdout == "" and done.stderr.count("error:") <= 1, done.stderr
        assert listing(folder) == before

    return check


def listing(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


def change(folder, edit):
    """Applies `edit` to the model in the file."""
    model = onnx.load(folder / "model.onnx")
    edit(model)
    (folder / "model.onnx").write_bytes(model.SerializeToString())


def nodeNamed(model, name):
    return next(node for node in model.graph.node if node.name == name)


GATE = "/model/layers.1/mlp/gate_proj/MatMul"


def test_the_model_itself_compiles(halftone, folder):
    """Else every refusal below could have another reason."""
    done = halftone("compile", "model.onnx", "--tokenizer=tokenizer.model", "--format=int4-g32", "-o", "out", cwd=folder)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, "all but one byte"])
def test_truncated(part, folder, refused):
    raw = (folder / "model.onnx").read_bytes()
    length = len(raw) - 1 if isinstance(part, str) else int(len(raw) * part)
    (folder / "model.onnx").write_bytes(raw[:length])
    refused("model.onnx", "byte")


@pytest.mark.parametrize("content", [b"", b"this is no model\n" * 100, bytes(1000), b"\x7fELF" + bytes(200)])
def test_no_model_at_all(content, folder, refused):
    (folder / "model.onnx").write_bytes(content)
    refused("model.onnx")


def test_missing_model(folder, refused):
    refused("nowhere.onnx", model="nowhere.onnx")


@pytest.mark.parametrize("opset", [1, 999])
def test_wrong_opset(opset, folder, refused):
    change(folder, lambda model: setattr(model.opset_import[0], "version", opset))
    refused("model.onnx", "opset", opset)


def test_wrong_ir_version(folder, refused):
    change(folder, lambda model: setattr(model, "ir_version", 999))
    refused("model.onnx", 999)


def test_unknown_op(folder, refused):
    change(folder, lambda model: setattr(nodeNamed(model, GATE), "op_type", "Frobnicate"))
    refused("model.onnx", GATE, "Frobnicate", 18)


def test_unknown_domain(folder, refused):
    def edit(model):
        nodeNamed(model, GATE).domain = "com.example"
        model.opset_import.append(helper.make_opsetid("com.example", 1))

    change(folder, edit)
    refused("model.onnx", GATE, "com.example")


def test_cyclic_graph(folder, refused):
    """The gate reads what comes after it."""
    change(folder, lambda model: nodeNamed(model, GATE).input.__setitem__(0, "/model/layers.1/Add_1_output_0"))
    refused("model.onnx", "node '/model/layers.1/")


def test_value_that_nothing_makes(folder, refused):
    change(folder, lambda model: nodeNamed(model, GATE).input.__setitem__(0, "nobody"))
    refused("model.onnx", GATE, "nobody")


def test_value_made_twice(folder, refused):
    change(folder, lambda model: model.graph.node.append(model.graph.node[10]))
    refused("model.onnx", "node '")


def test_shapes_that_do_not_fit(folder, refused):
    """The gate's weight with one row too few: 31 for activations of 32."""

    def edit(model):
        tensor = next(t for t in model.graph.initializer if t.name == "model.layers.1.mlp.gate_proj.weight")
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor)[1:], tensor.name))

    change(folder, edit)
    refused("model.onnx", GATE, 31, 32)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["model.layers.1.mlp.gate_proj.weight", "model.layers.0.input_layernorm.weight", "model.embed_tokens.weight"])
def test_weights_that_are_no_numbers(name, value, folder, refused):
    def edit(model):
        tensor = next(t for t in model.graph.initializer if t.name == name)
        array = numpy_helper.to_array(tensor).copy()
        array.flat[17] = value
        tensor.CopyFrom(numpy_helper.from_array(array, name))

    change(folder, edit)
    refused("model.onnx", name, 17)


def test_raw_data_of_the_wrong_size(folder, refused):
    def edit(model):
        tensor = next(t for t in model.graph.initializer if t.name == "model.norm.weight")
        tensor.raw_data = tensor.raw_data[:-4]

    change(folder, edit)
    refused("model.onnx", "model.norm.weight", 124, 128)


@pytest.fixture
def external(tiny, folder):
    """The same model with its weights in model.onnx.data."""
    (folder / "model.onnx").unlink()
    llama2c.export(tiny.checkpoint, folder / "model.onnx", external=True)
    return folder


def test_external_data_compiles(halftone, external):
    done = halftone("compile", "model.onnx", "--tokenizer=tokenizer.model", "--format=int4-g32", "-o", "out", cwd=external)
    assert done.returncode == 0, done.stderr


def test_missing_external_file(external, refused):
    (external / "model.onnx.data").unlink()
    refused("model.onnx", "model.onnx.data")


def test_short_external_file(external, refused):
    size = (external / "model.onnx.data").stat().st_size
    os.truncate(external / "model.onnx.data", size - 1)
    refused("model.onnx.data", size - 1)


def locate(folder, place):
    """Points every external tensor to `place`."""

    def edit(model):
        for tensor in model.graph.initializer:
            next(e for e in tensor.external_data if e.key == "location").value = place

    model = onnx.load(folder / "model.onnx", load_external_data=False)
    edit(model)
    (folder / "model.onnx").write_bytes(model.SerializeToString())


@pytest.mark.parametrize("how", ["../", "absolute", "sub/../../", "link"])
def test_path_escape(how, external, refused, tmp_path_factory):
    outside = external.parent / f"outside-{external.name}.data"
    (external / "model.onnx.data").rename(outside)
    (external / "sub").mkdir()
    (external / "link.data").symlink_to(outside)
    place = {"absolute": str(outside), "link": "link.data"}.get(how, how + outside.name)
    locate(external, place)
    try:
        refused("model.onnx", place)
    finally:
        outside.unlink()


@pytest.mark.parametrize("key, value", [("offset", "-4"), ("offset", "99999999999999999999"), ("length", "-1"), ("offset", "many")])
def test_bad_external_range(key, value, external, refused):
    model = onnx.load(external / "model.onnx", load_external_data=False)
    next(e for e in model.graph.initializer[3].external_data if e.key == key).value = value
    (external / "model.onnx").write_bytes(model.SerializeToString())
    refused("model.onnx", model.graph.initializer[3].name, value)


def test_tokenizer_of_another_model(root, folder, refused, sharedData):
    refused("tok512.model", 512, 300, tokenizer=sharedData / "stories260K" / "tok512.model")


@pytest.mark.parametrize("content", [b"", b"no tokenizer\n" * 50, None])
def test_no_tokenizer_at_all(content, folder, refused):
    raw = (folder / "tokenizer.model").read_bytes()
    (folder / "bad.model").write_bytes(raw[: len(raw) // 2 + 1] if content is None else content)
    refused("bad.model", tokenizer="bad.model")


def test_missing_tokenizer(refused):
    refused("nowhere.model", tokenizer="nowhere.model")


def test_output_is_the_input(folder, refused):
    before = (folder / "model.onnx").read_bytes()
    refused("model.onnx", arguments=("-o", "model.onnx"))
    assert (folder / "model.onnx").read_bytes() == before


def test_output_folder_missing(refused):
    refused("nowhere/out", arguments=("-o", "nowhere/out"))


@pytest.mark.parametrize("format", ["int5x", "int4-g0", "int4-g", "int4-g32-", "nf4", ""])
def test_unknown_format(format, halftone, folder):
    done = halftone("compile", "model.onnx", "--tokenizer=tokenizer.model", f"--format={format}", "-o", "out", cwd=folder)
    assert done.returncode == 1 and f"'{format}'" in done.stderr and not CRASH.search(done.stderr), done.stderr
    assert not (folder / "out").exists()


@pytest.mark.parametrize("target", ["pentium9000", "x86-64-v4+nonsense", "armv8", ""])
def test_unknown_target(target, refused):
    refused(f"'{target}'" if not target.endswith("nonsense") else "nonsense", arguments=(f"--target={target}", "-o", "out"))


@pytest.mark.parametrize("limit", [1, 4096, 100_000])
def test_disk_full_by_limit(limit, folder, refused):
    """No file may grow past `limit` bytes: every write of the output fails somewhere."""

    def restrict():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    refused("out", preexec_fn=restrict)


def test_disk_full(root, folder):
    """A file system of 64 KB, mounted for this test only."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode:
        pytest.skip("mounting a small file system needs root")
    (folder / "small").mkdir()
    tool = root / "build" / "bin" / "halftone"
    if not tool.exists():
        pytest.skip("build/bin/halftone is not built")
    script = f"""mount -t tmpfs -o size=64k none small || exit 99
        {tool} compile model.onnx --tokenizer=tokenizer.model --format=int4-g32 -o small/out
        status=$?; ls -A small; exit $status"""
    done = subprocess.run(["unshare", "--mount", "sh", "-c", script], cwd=folder, capture_output=True, text=True, timeout=300)
    if done.returncode == 99:
        pytest.skip("no tmpfs can be mounted here")
    assert (done.returncode, done.stdout) == (1, ""), done.stderr  # nothing left in the folder, not even a temporary file
    assert len([line for line in done.stderr.splitlines() if "small/out" in line]) == 1, done.stderr
