"""Writes a checkpoint as an ONNX graph as unlike those of exporters as can be: rotary pairs are neighbours, their angles rows of
tables, products joined and on tokens without a batch, other operators for the same arithmetic, and names that say nothing."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from halftone.export.checkpoint import Checkpoint

EPSILON, THETA, MASKED = 1e-5, 10000.0, -1e9
# What the inputs and the output are called here: ids, positions, logits.
NAMES = {"a": "input_ids", "b": "position_ids", "c": "logits"}


class Unlike:
    def __init__(self, checkpoint):
        self.config, self.tensors = checkpoint.config, checkpoint.tensors
        self.nodes, self.initializers, self.count = [], [], 0

    def fresh(self):
        self.count += 1
        return f"v{self.count * 7919 % 100003}"

    def node(self, op, *inputs, outputs=1, **attributes):
        names = [self.fresh() for _ in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, self.fresh(), **attributes))
        return names[0] if outputs == 1 else names

    def tensor(self, values, dtype=np.float32):
        name = self.fresh()
        self.initializers.append(numpy_helper.from_array(np.asarray(values, dtype, order="C"), name))
        return name

    def integers(self, *values):
        return self.tensor(values, np.int64)

    def scalar(self, value):
        return self.tensor(np.float32(value))

    def write(self, path):
        c, t = self.config, self.tensors
        self.angles()
        embedding = self.tensor(t["tok_emb"])
        hidden = self.node("Reshape", self.node("Gather", embedding, "a"), self.integers(-1, c.dim))
        for layer in range(c.layers):
            hidden = self.node("Add", self.attention(self.norm(hidden, t["rms_att"][layer]), layer), hidden)
            hidden = self.node("Add", self.gated(self.norm(hidden, t["rms_ffn"][layer]), layer), hidden)
        head = embedding if c.tied else self.tensor(t["wcls"])
        logits = self.node("Gemm", self.norm(hidden, t["rms_final"]), head, transB=1)
        self.nodes[-1].output[0] = "c"
        shapes = [helper.make_tensor_value_info(name, TensorProto.INT64, ["m", "k"]) for name in "ab"]
        result = helper.make_tensor_value_info("c", TensorProto.FLOAT, ["q", c.vocabulary])
        graph = helper.make_graph(self.nodes, "z", shapes, [result], self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
        onnx.save(model, path)
        return path

    def angles(self):
        """Rows of [context, pairs] tables, by position: [tokens, 1, pairs]."""
        size = self.config.headDim
        frequencies = 1 / (THETA ** (np.arange(0, size, 2) / size)).astype(np.float32)
        table = np.arange(self.config.context, dtype=np.float32)[:, None] * frequencies
        at = self.node("Reshape", "b", self.integers(-1))
        row = lambda function: self.node("Unsqueeze", self.node("Gather", self.tensor(function(table)), at), self.integers(1))
        self.cos, self.sin = row(np.cos), row(np.sin)

    def norm(self, x, scale):
        """x * (mean(x * x) + epsilon)^-1/2 * scale."""
        mean = self.node("ReduceMean", self.node("Mul", x, x), axes=[-1])
        factor = self.node("Pow", self.node("Add", self.scalar(EPSILON), mean), self.scalar(-0.5))
        return self.node("Mul", self.node("Mul", factor, x), self.tensor(scale))

    def product(self, x, *weights):
        return self.node("Gemm", x, self.tensor(np.concatenate(weights)), transB=1)

    def gated(self, x, layer):
        t = self.tensors
        joined = self.product(x, t["w3"][layer], t["w1"][layer])
        up, gate = self.node("Split", joined, outputs=2, axis=1)
        activated = self.node("Div", gate, self.node("Add", self.node("Exp", self.node("Neg", gate)), self.scalar(1)))
        weight = self.node("Transpose", self.tensor(t["w2"][layer]), perm=[1, 0])
        return self.node("MatMul", self.node("Mul", up, activated), weight)

    def attention(self, x, layer):
        c, t = self.config, self.tensors
        joined = self.product(x, t["wv"][layer], t["wq"][layer], t["wk"][layer])
        heads = self.node("Reshape", joined, self.integers(-1, c.heads + 2 * c.kvHeads, c.headDim))
        part = lambda first, last: self.node("Slice", heads, self.integers(first), self.integers(last), self.integers(1))
        value, query, key = part(0, c.kvHeads), part(c.kvHeads, c.kvHeads + c.heads), part(c.kvHeads + c.heads, c.heads + 2 * c.kvHeads)
        query = self.node("Transpose", self.rotated(query, c.heads), perm=[0, 2, 1, 3])
        key = self.node("Transpose", self.shared(self.rotated(key, c.kvHeads)), perm=[0, 2, 3, 1])
        value = self.node("Transpose", self.shared(self.node("Unsqueeze", value, self.integers(0))), perm=[0, 2, 1, 3])
        scores = self.node("Div", self.node("MatMul", query, key), self.scalar(np.sqrt(np.float32(c.headDim))))
        weights = self.node("Softmax", self.node("Where", self.later(), self.scalar(MASKED), scores), axis=3)
        mixed = self.node("Transpose", self.node("MatMul", weights, value), perm=[0, 2, 1, 3])
        weight = self.node("Transpose", self.tensor(t["wo"][layer]))
        return self.node("MatMul", self.node("Reshape", mixed, self.integers(-1, c.dim)), weight)

    def rotated(self, x, heads):
        """[tokens, heads, size] to [1, tokens, heads, size]: (x0 + i x1) e^(i angle) of each two neighbours."""
        size = self.config.headDim
        pairs = self.node("Reshape", x, self.integers(-1, heads, size // 2, 2))
        first, second = (self.node("Gather", pairs, self.tensor(i, np.int64), axis=3) for i in (0, 1))
        times = lambda a, b: self.node("Mul", a, b)
        real = self.node("Sub", times(first, self.cos), times(self.sin, second))
        imaginary = self.node("Add", times(self.sin, first), times(second, self.cos))
        both = self.node("Concat", *(self.node("Unsqueeze", y, self.integers(3)) for y in (real, imaginary)), axis=3)
        return self.node("Reshape", both, self.integers(1, -1, heads, size))

    def shared(self, x):
        """Heads of keys and values as often as queries share them."""
        times = self.config.heads // self.config.kvHeads
        repeated = self.node("Tile", self.node("Unsqueeze", x, self.integers(3)), self.integers(1, 1, 1, times, 1))
        return self.node("Reshape", repeated, self.integers(1, -1, self.config.heads, self.config.headDim))

    def later(self):
        """True where a position comes after the token: [tokens, tokens]."""
        at = self.node("Reshape", "b", self.integers(-1))
        row, column = (self.node("Unsqueeze", at, self.integers(axis)) for axis in (0, 1))
        return self.node("Greater", row, column)


def writeUnlike(checkpoint, path):
    return Unlike(Checkpoint(checkpoint)).write(path)
