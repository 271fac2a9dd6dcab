"""halftone quantize with data: GPTQ and the methods around it, on arrays and on text."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_quantized import constants, linears
from quantized_graphs import STYLES, correlated, mlp, run, save, tensorOf

# ---- GPTQ


def relativeError(change, weight, inputs):
    """The root of tr(dW H dW^T) / tr(W H W^T) over the inputs [tokens, columns]: that of the outputs."""
    return np.linalg.norm(inputs @ change) / np.linalg.norm(inputs @ weight)


@pytest.mark.parametrize("style", STYLES)
def test_gptq(style, quantize, tmp_path):
    """What the report says of the outputs is what numpy finds with ONNX Runtime's activations; rounding loses more."""
    before, data, count = mlp(tmp_path / "in.onnx"), tmp_path / "data.npz", 20
    samples = correlated(count, 12)
    np.savez(data, x=samples.reshape(count, 12, 48))
    report = quantize(before, tmp_path / "out.onnx", "--method=gptq", f"--calibrate={data}", f"--onnx-style={style}")
    quantize(before, tmp_path / "rtn.onnx", f"--onnx-style={style}")
    watched = onnx.load(before)
    for name in "qrs":
        watched.graph.output.append(helper.make_empty_tensor_value_info(name))
    onnx.save(watched, tmp_path / "watched.onnx")
    values = {"x": samples.reshape(-1, 48)}
    values |= run(tmp_path / "watched.onnx", values)
    values["both"] = np.concatenate([values["r"], values["s"]])
    weights = {name: numpy_helper.to_array(tensor) for name, tensor in constants(onnx.load(before)).items()}
    decoded, rounded = ({linear.node: linear.matrix for linear in linears(onnx.load(tmp_path / name))} for name in ("out.onnx", "rtn.onnx"))
    assert [weight["name"] for weight in report["weights"]] == ["A", "B", "C", "D"]
    for weight, read in zip(report["weights"], ("x", "q", "q", "both")):
        original, node, inputs = weights[weight["name"]].astype(np.float64), weight["node"], values[read].astype(np.float64)
        assert weight["output_error"] == pytest.approx(relativeError(decoded[node] - original, original, inputs), rel=1e-4)
        assert weight["damp"] == 0.01
        assert weight["error"] == pytest.approx(np.linalg.norm(decoded[node] - original) / np.linalg.norm(original), rel=1e-6)
        assert weight["output_error"] < 0.8 * relativeError(rounded[node] - original, original, inputs)
    searched = quantize(before, tmp_path / "out.onnx", "--method=gptq", f"--calibrate={data}", "--grid-search", "--act-order")
    assert sum(weight["output_error"] for weight in searched["weights"]) < sum(weight["output_error"] for weight in report["weights"])


def test_gptq_does_not_depend_on_threads_and_memory(quantize, tmp_path):
    before, data = mlp(tmp_path / "in.onnx"), tmp_path / "data.npz"
    np.savez(data, x=correlated(9, 5))
    files = set()
    for threads in (1, 2, 4):
        for memory in ("1GB", "40KB", "1"):
            quantize(before, tmp_path / "out.onnx", "--method=gptq", f"--calibrate={data}", f"--threads={threads}", f"--memory={memory}")
            files.add((tmp_path / "out.onnx").read_bytes())
    assert len(files) == 1
    quantize(before, tmp_path / "out.onnx", "--method=gptq", f"--calibrate={data}", "--samples=9", "--seed=3")
    assert (tmp_path / "out.onnx").read_bytes() in files
    some = set()
    for seed in (1, 1, 2):
        quantize(before, tmp_path / "out.onnx", "--method=gptq", f"--calibrate={data}", "--samples=4", f"--seed={seed}")
        some.add((tmp_path / "out.onnx").read_bytes())
    assert len(some) == 2 and not some & files


def test_gptq_of_turned_activations_and_halves(quantize, tmp_path):
    """Gemm that reads its activations as [columns, tokens]; a graph in float16."""
    x = correlated(6, 10)
    turned = save(tmp_path / "turned.onnx", [helper.make_node("Gemm", ["x", "w"], ["y"], "turned", transA=1)], [tensorOf("w", (48, 16))],
                  {"x": [48, "n"]}, {"y": None})  # fmt: skip
    np.savez(tmp_path / "turned.npz", x=x.transpose(0, 2, 1))
    reports = [quantize(turned, tmp_path / "out.onnx", "--onnx-style=qdq", "--method=gptq", f"--calibrate={tmp_path / 'turned.npz'}")]
    for type, elements in ((np.float32, TensorProto.FLOAT), (np.float16, TensorProto.FLOAT16)):
        plain = save(tmp_path / "plain.onnx", [helper.make_node("MatMul", ["x", "w"], ["y"], "plain")], [tensorOf("w", (48, 16), 0, type)],
                     {"x": ["n", 48]}, {"y": None}, elements=elements)  # fmt: skip
        np.savez(tmp_path / "plain.npz", x=x.astype(type))
        reports.append(quantize(plain, tmp_path / "out.onnx", "--method=gptq", f"--calibrate={tmp_path / 'plain.npz'}"))
    errors = [report["weights"][0]["output_error"] for report in reports]
    assert errors[0] == errors[1] and errors[2] == pytest.approx(errors[1], rel=0.05)  # weights and inputs to 11 bits, codes may differ


def test_gptq_of_exporters_graphs(quantize, sharedData, tmp_path):
    """An encoder, a decoder with an empty past, whose arrays have no elements, and a network of convolutions."""
    for name in ("bert-dynamo", "llama-hf-decode", "whisper-optimum-encoder", "resnet-torchscript-opset11", "vit-optimum"):
        folder, data = sharedData / "onnx" / name, tmp_path / "data.npz"
        arrays = dict(np.load(folder / "inputs.npz"))
        np.savez(data, **arrays)
        report = quantize(folder / "model.onnx", tmp_path / "out.onnx", "--method=gptq", f"--calibrate={data}")
        assert all(weight["output_error"] < 0.2 for weight in report["weights"]), name
        run(tmp_path / "out.onnx", arrays)


def test_bad_calibration(refusal, tmp_path):
    before, output, data = mlp(tmp_path / "in.onnx"), tmp_path / "out.onnx", tmp_path / "data.npz"
    x = correlated(4, 5)

    def errorOf(*options, **arrays):
        np.savez(data, **arrays)
        return refusal(before, output, "--method=gptq", f"--calibrate={data}", *options)

    assert refusal(before, output, "--method=gptq") == "--method: this one needs data to calibrate on: --calibrate=FILE"
    assert refusal(before, output, f"--calibrate={data}") == "--calibrate: the method uses no data; others do: --method=gptq"
    assert refusal(before, output, "--method=awq") == "--method: this one needs data to calibrate on: --calibrate=FILE"
    assert refusal(before, output, "--method=awk") == "--method: no method is called 'awk'; there are rtn, hqq, imatrix, gptq, smooth-quant, awq"
    assert refusal(before, output, "--method=smooth-quant") == (
        "--method: smooth-quant prepares activations for few bits, and here they stay as they are; there are rtn, hqq, imatrix, gptq, awq")
    assert refusal(before, output, "--method=gptq,awq") == "--method: awq comes after gptq, which leaves nothing to quantize"
    assert refusal(before, output, "--method=gptq", "--calibrate=none.npz") == "none.npz: cannot open: No such file or directory"
    assert refusal(before, output, "--method=gptq", f"--calibrate={before}").startswith(f"{before}: not an .npz file")
    assert errorOf() == f"{data}: no arrays to calibrate on"
    assert errorOf(z=x) == "in.onnx: input 'x' is missing; the inputs are x"
    assert errorOf(x=x, z=x) == "in.onnx: no input is called 'z'; the inputs are x"
    assert errorOf(x=x, z=x[:3]) == f"{data}: array 'z' is float32 [3, 5, 48], but 'x' has 4 samples"
    assert errorOf(x=np.float32(1)) == f"{data}: array 'x' is float32 []: its first axis should be that of samples, but it has none"
    assert errorOf(x=x[:0]) == f"{data}: array 'x' is float32 [0, 5, 48]: no sample to calibrate on"
    assert errorOf(x=x[..., :40]) == "in.onnx: input 'x' is float32 [5, 40], not float32 [n, 48]"
    assert errorOf(x=x.astype(np.int64)) == "in.onnx: input 'x' is int64 [5, 48], not float32 [n, 48]"
    assert errorOf(x=x[:, :0]) == f"{before}: value 'x' is float32 [0, 48]: a linear reads it, and there is no vector to calibrate on"
    bad = x.copy()
    bad[2, 3, 7] = np.nan
    assert errorOf(x=bad) == f"{data}: array 'x' is NaN at [2, 3, 7]"
    bad[2, 3, 7] = -np.inf
    assert errorOf(x=bad) == f"{before}: value 'x', token 3 of sequence 2: column 7 is infinite"
    assert errorOf("--act-order", "--block-order", x=x) == "--act-order and --block-order are two orders: choose one"
    huge = (x * np.float32(1e25)).astype(np.float32)
    assert errorOf(x=huge) == f"{before}: weight 'A': row 0, column 0 of the Hessian is inf"
    assert errorOf("--memory=much", x=x) == "--memory: 'much' is no size; 1GB, 1.5MB and 4096 are"
    assert errorOf("--samples=0", x=x) == "--samples: '0' is not a whole number from 1 on"
    model = onnx.load(before)
    model.graph.node[1].op_type, model.graph.node[1].domain = "Secret", "com.example"
    model.opset_import.append(helper.make_opsetid("com.example", 1))
    onnx.save(model, before)
    assert errorOf(x=x).startswith(f"{before}: node 'q' (com.example.Secret, opset 1): domain 'com.example' is not known")


def lookup(path):
    """y = root(table[ids]) w."""
    table = numpy_helper.from_array(np.random.default_rng(1).uniform(0.5, 1, (10, 32)).astype(np.float32), "table")
    steps = [helper.make_node("Gather", ["table", "ids"], ["rows"], "lookup"), helper.make_node("Sqrt", ["rows"], ["roots"]),
             helper.make_node("MatMul", ["roots", "w"], ["y"], "product")]  # fmt: skip
    return save(path, steps, [table, tensorOf("w", (32, 16))], {"ids": ["n"]}, {"y": None}, given=TensorProto.INT64)


def test_bad_calibration_inside_of_the_graph(quantize, refusal, tmp_path):
    """Ids that the vocabulary does not have, also in a sample that comes late; numbers that become NaN on the way."""
    before, output, data = lookup(tmp_path / "in.onnx"), tmp_path / "out.onnx", tmp_path / "ids.npy"
    ids = np.random.default_rng(2).integers(-10, 10, (5, 7))
    options = ("--method=gptq", f"--calibrate={data}")
    for bad in (10, -11, 2**40):
        wrong = ids.copy()
        wrong[3, 5] = bad
        np.save(data, wrong)
        reason = f"sample 3: in.onnx: node 'lookup' (Gather, opset 20): index {bad} lies outside of 10 elements"
        assert refusal(before, output, *options) == f"{data}: {reason}"
    np.save(data, ids)
    quantize(before, output, *options)
    output.unlink()
    model = onnx.load(before)
    table = numpy_helper.to_array(model.graph.initializer[0]).copy()
    table[ids[4, 2], 9] = -1
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(table, "table"))
    onnx.save(model, before)
    assert refusal(before, output, *options).startswith(f"{before}: value 'roots', token ")


def test_gptq_options(quantize, tmp_path):
    """Each gives codes of its own. Weights that share an input need not share a format, though the order of blocks hangs on their
    size: what a weight becomes does not depend on the other. An .npy file serves a graph with one input."""
    before, data, output = mlp(tmp_path / "in.onnx"), tmp_path / "x.npy", tmp_path / "out.onnx"
    np.save(data, correlated(20, 12))
    errors, files = {}, set()
    for option in ("--damp=.01", "--damp=.1", "--act-order", "--block-order", "--static-groups", "--grid-search"):

        def errorsOf(formats):
            report = quantize(before, output, "--method=gptq", f"--calibrate={data}", "--format=int4-g16", option, f"--formats={formats}")
            assert {weight["damp"] for weight in report["weights"]} == {0.1 if option == "--damp=.1" else 0.01}
            return {weight["name"]: weight["output_error"] for weight in report["weights"]}

        errors[option] = errorsOf("C:int4-g32")
        files.add(output.read_bytes())
        assert errorsOf("C:f32")["B"] == errors[option]["B"] and errorsOf("B:f32,C:int4-g32")["C"] == errors[option]["C"]
    assert len(files) == len(errors)
