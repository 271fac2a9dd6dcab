"""halftone quantize: external data, the same bytes, bad input, the command line."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import shutil
import subprocess

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx_quantized import constants
from quantized_graphs import STYLES, checkOutput, feed, product, save, tensorOf

# ---- Files


def test_external_data(quantize, refusal, tmp_path):
    """Where the model has external data, large tensors lie in OUT.onnx.data, page-aligned, small ones inside."""
    inside, folder = product(tmp_path / "inside.onnx", 128, 64), tmp_path / "out"
    model = onnx.load(inside)
    model.graph.node[0].output[0] = "p"
    for name, shape in (("large", (128,)), ("table", (40, 40))):
        model.graph.initializer.append(tensorOf(name, shape, 4))
    model.graph.node.append(helper.make_node("Add", ["p", "large"], ["y"]))
    folder.mkdir()
    onnx.save(model, tmp_path / "in.onnx", save_as_external_data=True, location="in.bin", size_threshold=1000)
    quantize(tmp_path / "in.onnx", folder / "out.onnx")
    assert sorted(path.name for path in folder.iterdir()) == ["out.onnx", "out.onnx.data"]
    new = checkOutput(tmp_path / "in.onnx", folder / "out.onnx", feed(), "int4-g32", tmp_path)
    bare = onnx.load(folder / "out.onnx", load_external_data=False)
    places = {tensor.name: {entry.key: entry.value for entry in tensor.external_data} for tensor in bare.graph.initializer}
    assert {name for name, place in places.items() if place} == {"w.codes", "table"}
    assert all(place["location"] == "out.onnx.data" and int(place["offset"]) % 4096 == 0 for place in places.values() if place)
    assert np.array_equal(numpy_helper.to_array(constants(new)["table"]), numpy_helper.to_array(tensorOf("table", (40, 40), 4)))
    # The input's data is no output.
    data = tmp_path / "in.bin"
    link = tmp_path / "o.onnx.data"
    link.hardlink_to(data)
    assert refusal(tmp_path / "in.onnx", tmp_path / "o.onnx").endswith(f"would replace the input '{data}'")
    assert refusal(tmp_path / "in.onnx", data) == f"{data}: the output would replace the input '{data}'"
    link.unlink()
    # A folder of its own for external data is allowed as elsewhere.
    (tmp_path / "apart").mkdir()
    shutil.move(data, tmp_path / "apart")
    assert "external data 'in.bin' is missing" in refusal(tmp_path / "in.onnx", tmp_path / "o.onnx")
    quantize(tmp_path / "in.onnx", tmp_path / "o.onnx", f"--external-data-root={tmp_path / 'apart'}")
    assert (tmp_path / "o.onnx.data").read_bytes() == (folder / "out.onnx.data").read_bytes()


def test_the_same_bytes(tool, quantize, tmp_path):
    """For any number of threads, again and again, and in any folder."""
    before = product(tmp_path / "in.onnx", 1500, 900)
    for style in STYLES:
        files = []
        for number, threads in enumerate((1, 2, 3)):
            (tmp_path / f"{style}{number}").mkdir()
            output = tmp_path / f"{style}{number}" / "out.onnx"
            quantize(before, output, f"--onnx-style={style}", f"--threads={threads}", "--format=int4-g32-asym")
            files.append(output.read_bytes())
        assert files[0] == files[1] == files[2]


def test_bad_input(refusal, tmp_path):
    before, output = product(tmp_path / "in.onnx"), tmp_path / "out.onnx"
    assert refusal(tmp_path / "none.onnx", output).endswith("none.onnx: cannot open: No such file or directory")
    assert refusal(before, before) == f"{before}: the output would replace the input '{before}'"
    assert refusal(before, output, "--format=int3-g32") == (
        f"{before}: weight 'w': MatMulNBits cannot store 'int3-g32' in rows of 64 weights; allowed are int8, int4, int2, with or without "
        "zero points, in blocks that 16 divides or that are a whole row")
    assert "MatMulNBits cannot store 'int4-g24'" in refusal(before, output, "--format=int4-g24")
    assert "MatMulNBits cannot store 'nf4-g32'" in refusal(before, output, "--format=nf4-g32")
    for format in ("int3-g32", "nf4-g64", "f16"):
        assert refusal(before, output, f"--format={format}", "--onnx-style=qdq") == (
            f"{before}: weight 'w': DequantizeLinear cannot store '{format}'; allowed are int8, int4, int2, with or without zero "
            "points, in any blocks")
    assert refusal(before, output, "--onnx-style=gguf") == "--onnx-style: no style is called 'gguf'; there are matmulnbits, qdq"
    assert refusal(before, output, "--format=int4").startswith("--format: unknown format 'int4'")
    model = onnx.load(before)
    weight = numpy_helper.to_array(model.graph.initializer[0]).copy()
    weight[5, 7] = np.nan
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(weight, "w"))
    onnx.save(model, before)
    assert refusal(before, output) == f"{before}: weight 'w', row 7, column 5 is nan"
    half = save(tmp_path / "half.onnx", [helper.make_node("MatMul", ["x", "w"], ["y"])], [tensorOf("w", (64, 24), 0, np.float16)],
                {"x": ["n", 64]}, {"y": None}, elements=TensorProto.FLOAT16)  # fmt: skip
    assert refusal(half, output, "--format=int4-g32-bf16") == (
        f"{half}: weight 'w': a linear in float16 has scales of that type, which does not hold those of 'int4-g32-bf16' exactly; allowed "
        "there are scales in f16")
    none = save(tmp_path / "none.onnx", [helper.make_node("Add", ["x", "w"], ["y"])], [tensorOf("w", (64,))], {"x": ["n", 64]}, {"y": None})
    assert refusal(none, output) == f"{none}: there is no linear to quantize: no MatMul or Gemm reads a constant matrix"
    (tmp_path / "cut.onnx").write_bytes(before.read_bytes()[:-100])
    assert "cut.onnx: truncated at byte" in refusal(tmp_path / "cut.onnx", output)


def test_command_line(tool):
    def errorOf(*arguments):
        done = subprocess.run([tool, "quantize", *arguments], capture_output=True, text=True)
        assert done.returncode == 1
        return done.stderr.strip()

    usage = "usage: halftone quantize MODEL.onnx [options] -o OUT.onnx"
    assert errorOf() == f"halftone: error: no model given; {usage}"
    assert errorOf("m.onnx") == "halftone: error: no output given: -o FILE"
    assert errorOf("m.onnx", "n.onnx") == "halftone: error: two models given, 'm.onnx' and 'n.onnx'"
    assert errorOf("m.onnx", "--formt=int4-row") == "halftone: error: unknown option '--formt'; did you mean '--format'?"
