"""import-model: what comes from the file, and one clear error for each thing that cannot."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

X = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", "tokens", 8])
Y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", "tokens", 8])


def node(kind, inputs, outputs=("y",), name="layers.0/op", **attributes):
    return helper.make_node(kind, list(inputs), list(outputs), name=name, **attributes)


def tensor(name, array, **options):
    return numpy_helper.from_array(np.asarray(array, **options), name)


@pytest.fixture
def write(tmp_path):
    """write(nodes, initializers, opset): the path of a model called model.onnx."""

    def make(nodes, initializers=(), opset=18, inputs=(X,), metadata=None):
        graph = helper.make_graph(list(nodes), "g", list(inputs), [Y], list(initializers))
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid(domain, version) for domain, version in (("", opset), ("com.microsoft", 1), ("ai.onnx.ml", 1))])
        model.ir_version = 8
        helper.set_model_props(model, metadata or {})
        path = tmp_path / "model.onnx"
        onnx.save(model, path)
        return path

    return make


@pytest.fixture
def read(qopt):
    """read(path, options): the finished process of `qopt --import-model`."""
    return lambda path, options="": qopt(f"--import-model=file={path} {options}", input="")


def test_graph_becomes_nodes(write, read):
    weight = tensor("w", np.arange(64).reshape(8, 8), dtype=np.float32)
    small = tensor("two", 2.0, dtype=np.float32)
    path = write([node("Pow", ["x", "two"], ["p"], "square"), node("MatMul", ["p", "w"], name="product")], [weight, small])
    done = read(path)
    assert done.returncode == 0, done.stderr
    assert 'halftone.source = "model.onnx"' in done.stdout
    assert f'lowbit.weight @w : !lowbit.weight<8x8, <f32>> in "{path}" at ' in done.stdout
    assert "arith.constant dense<2.000000e+00> : tensor<f32>" in done.stdout
    assert 'onnx.dimensions = ["batch", "tokens", "8"], onnx.name = "x"' in done.stdout
    assert 'onnx.node "Pow" opset 18(%arg0, %' in done.stdout and 'named "square"' in done.stdout
    assert 'onnx.node "MatMul" opset 18(' in done.stdout and 'named "product"' in done.stdout
    offset = int(done.stdout.split(f'"{path}" at ')[1].split()[0])
    np.testing.assert_array_equal(np.frombuffer(path.read_bytes(), np.float32, 64, offset), np.arange(64))


def test_half_precision(write, read):
    """Matrices stay as they are stored, vectors are read in f32; what the graph computes in half precision is computed in f32."""
    matrix, vector = tensor("w", np.ones((8, 8)), dtype=np.float16), tensor("b", np.ones(16), dtype=np.float16)
    half = helper.make_tensor_value_info("x", TensorProto.FLOAT16, ["batch", "tokens", 8])
    nodes = [node("MatMul", ["x", "w"], ["p"]), node("Mul", ["p", "two"], ["q"]), node("Cast", ["q"], ["r"], to=TensorProto.FLOAT16)]
    done = read(write([*nodes, node("Add", ["r", "b"])], [matrix, vector, tensor("two", 2.0, dtype=np.float16)], inputs=[half]))
    assert done.returncode == 0, done.stderr
    assert "lowbit.weight @w : !lowbit.weight<8x8, <f16>>" in done.stdout and "lowbit.weight @b : !lowbit.weight<16, <f16>>" in done.stdout
    assert done.stdout.count("lowbit.widen") == 1 and "<16, <f16>> -> <16, <f32>>" in done.stdout
    assert "(%arg0: tensor<?x?x8xf32>" in done.stdout and "arith.constant dense<2.000000e+00> : tensor<f32>" in done.stdout


def test_double_precision(write, read):
    done = read(write([node("MatMul", ["x", "w"])], [tensor("w", np.ones((8, 8)), dtype=np.float64)]))
    assert done.returncode == 1 and done.stderr.count("error:") == 1
    assert "model.onnx: tensor 'w': weights of float64 [8, 8] are not supported; supported are float32, float16 and bfloat16" in done.stderr


CASES = {
    "unknown operator": (lambda: [node("Einsum", ["x"], equation="bij->bij")], {}, "(Einsum, opset 18): operator is not supported; supported are Abs, Add, "),
    "unknown domain": (lambda: [node("Add", ["x", "x"], domain="com.microsoft")], {}, "(com.microsoft.Add, opset 1): operator is not supported; supported of domain com.microsoft are GroupQueryAttention, "),
    "another domain": (lambda: [node("Add", ["x", "x"], domain="ai.onnx.ml")], {}, "(ai.onnx.ml.Add, opset 1): operator is not supported, nor are others of domain ai.onnx.ml"),
    "older meaning": (lambda: [node("Softmax", ["x"])], {"opset": 11}, "(Softmax, opset 11): is supported from opset 13 on"),
    "input left out": (lambda: [node("Add", ["x", ""])], {}, "(Add, opset 18): needs 2 inputs, input 1 is missing"),
}


@pytest.mark.parametrize("case", CASES)
def test_node_errors(write, read, case):
    nodes, options, message = CASES[case]
    done = read(write(nodes(), **options))
    assert done.returncode == 1 and done.stderr.count("error:") == 1
    assert f"model.onnx: node 'layers.0/op' {message}" in done.stderr


def test_cyclic_graph(write, read):
    done = read(write([node("Add", ["x", "b"], ["a"], "first"), node("Neg", ["a"], ["b"], "second"), node("Neg", ["b"])]))
    assert done.returncode == 1 and done.stderr.count("error:") == 1
    assert "model.onnx" in done.stderr and "first" in done.stderr


def test_missing_external_file(write, read):
    path = write([node("MatMul", ["x", "w"])], [tensor("w", np.ones((8, 8)), dtype=np.float32)])
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    (path.parent / "weights.bin").unlink()
    done = read(path)
    assert done.returncode == 1 and done.stderr.count("error:") == 1
    assert "weights.bin" in done.stderr and "'w'" in done.stderr


def test_tensor_neither_weight_nor_constant(write, read):
    done = read(write([node("Mul", ["x", "w"])], [tensor("w", np.ones((2, 256, 256)), dtype=np.float32)]))
    assert done.returncode == 1 and done.stderr.count("error:") == 1
    assert "model.onnx: tensor 'w': float32 [2, 256, 256] is no weight matrix, and too large for a constant" in done.stderr


def context(done):
    assert done.returncode == 0, done.stderr
    marker = "halftone.context = "
    return int(done.stdout.split(marker)[1].split()[0]) if marker in done.stdout else None


def test_context(write, read):
    """The option before metadata, that before a configuration file beside the model; without any, later passes decide."""
    path = write([node("Neg", ["x"])])
    assert context(read(path)) is None
    (path.parent / "genai_config.json").write_text(json.dumps({"model": {"context_length": 64}}))
    assert context(read(path)) == 64
    (path.parent / "config.json").write_text(json.dumps({"max_position_embeddings": 128}))
    assert context(read(path)) == 128
    write([node("Neg", ["x"])], metadata={"max_position_embeddings": "256"})
    assert context(read(path)) == 256
    assert context(read(path, "context=512")) == 512


def test_context_that_is_none(write, read):
    done = read(write([node("Neg", ["x"])], metadata={"max_position_embeddings": "many"}))
    assert done.returncode == 1 and "metadata max_position_embeddings is 'many'" in done.stderr
