"""halftone quantize: every method on inputs of which some columns are far larger than others, as those of language models are."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_quantized import constants, linears
from quantized_graphs import STYLES, correlated, isValid, mlp, run, save, tensorOf


def outliers(count, tokens):
    """Samples with three columns in forty-eight that are ten to thirty times as large as the others."""
    samples = correlated(count, tokens)
    samples[..., [5, 17, 40]] *= np.array([30, 10, 20], np.float32)
    return samples


@pytest.fixture
def calibrated(quantize, tmp_path):
    """calibrated(method, *options): the relative error of the graph's outputs on its calibration data, by ONNX Runtime, and the model."""
    before, data, samples = mlp(tmp_path / "in.onnx"), tmp_path / "x.npy", outliers(20, 12)
    np.save(data, samples)
    feeds = {"x": samples.reshape(-1, 48)}
    want = run(before, feeds)["y"].astype(np.float64)

    def call(method, *options):
        path = tmp_path / "out.onnx"
        hasData = method not in ("rtn", "hqq")
        quantize(before, path, f"--method={method}", *([f"--calibrate={data}"] if hasData else []), *options)
        assert isValid(path)
        return np.linalg.norm(run(path, feeds)["y"] - want) / np.linalg.norm(want), onnx.load(path)

    return call


@pytest.mark.parametrize("style", STYLES)
def test_methods_with_data_lose_less(style, calibrated):
    options = (f"--onnx-style={style}", "--format=int4-g16-asym")
    error = {method: calibrated(method, *options)[0] for method in ("rtn", "imatrix", "awq", "awq,rtn", "gptq", "awq,gptq")}
    print(error)
    assert error["imatrix"] < 0.9 * error["rtn"] and error["awq,rtn"] < 0.9 * error["rtn"] and error["gptq"] < 0.9 * error["rtn"]
    assert error["awq"] < error["imatrix"] and error["awq,gptq"] < error["awq"]


def test_hqq_needs_no_data_and_loses_less_of_the_weights(calibrated, quantize, refusal, tmp_path):
    """Weights with outliers, which take the range that the others need."""
    weight = np.random.default_rng(3).standard_t(2.5, (64, 32)).astype(np.float32)
    before = save(tmp_path / "in.onnx", [helper.make_node("MatMul", ["x", "w"], ["y"], "product")], [numpy_helper.from_array(weight, "w")],
                  {"x": ["n", 64]}, {"y": None})  # fmt: skip
    lost = {}
    for method in ("rtn", "hqq"):
        quantize(before, tmp_path / "out.onnx", f"--method={method}", "--format=int4-g32-asym")
        [linear] = linears(onnx.load(tmp_path / "out.onnx"))
        lost[method] = (np.abs(linear.matrix - weight) ** 0.7).sum()  # the method's own measure
    assert lost["hqq"] < 0.97 * lost["rtn"]
    assert refusal(before, tmp_path / "no.onnx", "--method=hqq", "--calibrate=x.npy").startswith("--calibrate: the method uses no data")


def scales(model):
    """{name of the linear's input: 1 / s} of the products in front of linears."""
    known = {name: numpy_helper.to_array(tensor) for name, tensor in constants(model).items()}
    return {node.output[0]: known[node.input[1]] for node in model.graph.node if node.op_type == "Mul" and node.input[1].endswith(".inverse_scale")}


def test_awq_scales_columns_and_divides_inputs(calibrated):
    """Linears that share an input share its factors; what a linear's weights decode to, divided, is near to what they were."""
    _, model = calibrated("awq,rtn", "--format=int8-g16", "--onnx-style=qdq")
    found = scales(model)
    assert len(found) == 5 and len({id for id in (node.input[1] for node in model.graph.node if node.op_type == "Mul")}) == 3
    largest = np.argsort(found["first.scaled"])[:3]
    assert set(largest) == {5, 17, 40}  # the smallest 1 / s
    original = {tensor.name: numpy_helper.to_array(tensor) for tensor in (tensorOf("A", (48, 64)),)}
    [first] = [linear for linear in linears(model) if linear.node == "first"]
    restored = first.matrix * found["first.scaled"][:, None]
    assert np.linalg.norm(restored - original["A"]) / np.linalg.norm(original["A"]) < 0.03


def test_awq_of_turned_activations_and_halves(quantize, tmp_path):
    """Gemm that reads its input turned round, in float16: factors are a column, and numbers of that type."""
    weight = tensorOf("w", (48, 16), 0, np.float16)
    before = save(tmp_path / "in.onnx", [helper.make_node("Gemm", ["x", "w"], ["y"], "product", transA=1)], [weight], {"x": [48, "n"]}, {"y": None},
                  elements=TensorProto.FLOAT16)  # fmt: skip
    samples = np.ascontiguousarray(outliers(1, 200)[0].T.astype(np.float16))
    np.save(tmp_path / "x.npy", samples[None])
    want, error = run(before, {"x": samples})["y"].astype(np.float64), {}
    for method in ("rtn", "awq,rtn"):
        data = [f"--calibrate={tmp_path / 'x.npy'}"] if method != "rtn" else []
        quantize(before, tmp_path / "out.onnx", f"--method={method}", *data, "--format=int4-g16", "--onnx-style=qdq")
        model = onnx.load(tmp_path / "out.onnx")
        error[method] = np.linalg.norm(run(tmp_path / "out.onnx", {"x": samples})["y"] - want)
    [factors] = scales(model).values()
    assert factors.shape == (48, 1) and factors.dtype == np.float16 and error["awq,rtn"] < 0.9 * error["rtn"]


@pytest.mark.parametrize("method", ["imatrix", "awq,gptq"])
def test_threads_and_memory_change_nothing(method, calibrated):
    files = {calibrated(method, *options)[1].SerializeToString() for options in (("--threads=1",), ("--threads=2",), ("--memory=1KB",))}
    assert len(files) == 1
