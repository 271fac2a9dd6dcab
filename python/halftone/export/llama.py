"""The graph of a Llama-architecture decoder with a key/value cache, op for op as transformers 4.57 + optimum 2.1 export it (opset 18).

Kept on purpose: the exporter's roundabout shape arithmetic, the mask as Where(.., 0, -inf), the guard against rows of NaN after
softmax, and key/value heads repeated by Expand. An importer that reads this reads optimum's files.
"""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
from dataclasses import dataclass

import numpy as np
from onnx import numpy_helper

from halftone.export.graph import BOOL, FLOAT, INT64, GraphBuilder

END = np.iinfo(np.int64).max  # what PyTorch writes for "to the end" in Slice
EPSILON = 1e-5  # of the norms
MINUS_INFINITY = [float("-inf")]


@dataclass(frozen=True)
class Config:
    """The sizes of a decoder. `tied`: the embedding is the output head too. `theta`: the base of the rotary angles."""

    dim: int
    hidden: int
    layers: int
    heads: int
    kvHeads: int
    vocabulary: int
    context: int
    tied: bool
    theta: float = 10000.0

    @property
    def headDim(self):
        return self.dim // self.heads

    def weightShapes(self):
        """The shape of each weight, [out, in] for a linear, by its name in llama2.c. Layers have one each of all but the first
        two and the last."""
        kv = self.kvHeads * self.headDim
        shapes = {
            "tok_emb": (self.vocabulary, self.dim),
            "rms_final": (self.dim,),
            "rms_att": (self.dim,),
            "wq": (self.dim, self.dim),
            "wk": (kv, self.dim),
            "wv": (kv, self.dim),
            "wo": (self.dim, self.dim),
            "rms_ffn": (self.dim,),
            "w1": (self.hidden, self.dim),
            "w2": (self.dim, self.hidden),
            "w3": (self.hidden, self.dim),
        }
        return shapes if self.tied else shapes | {"wcls": (self.vocabulary, self.dim)}

    def check(self):
        """Raises ValueError, naming both numbers, where the sizes do not fit one another."""
        if self.dim % self.heads:
            raise ValueError(f"the width {self.dim} is no multiple of the {self.heads} heads")
        if self.heads % self.kvHeads:
            raise ValueError(f"the {self.heads} heads are no multiple of the {self.kvHeads} key and value heads")
        if self.headDim % 2:
            raise ValueError(f"the head size {self.headDim} is odd; rotary pairs need an even one")


def buildLlama(config, weight):
    """The decoder's graph; returns the builder. `weight(name, layer)` gives a Weight of config.weightShapes()[name], the rows
    of wq and wk in the order of half-split rotary pairs (i, i + size/2) that transformers rotates; `layer` is None for those
    outside the layers."""
    config.check()
    graph = GraphBuilder()
    _interface(graph, config)
    _Decoder(graph, config, weight).build()
    return graph


def _interface(graph, config):
    """Inputs and outputs as optimum's text-generation-with-past names them."""
    total = "past_sequence_length + sequence_length"
    cache = lambda length: ["batch_size", config.kvHeads, length, config.headDim]
    graph.input("input_ids", INT64, ["batch_size", "sequence_length"])
    graph.input("attention_mask", INT64, ["batch_size", total])
    graph.input("position_ids", INT64, ["batch_size", "sequence_length"])
    graph.output("logits", FLOAT, ["batch_size", "sequence_length", config.vocabulary])
    for layer in range(config.layers):
        for part in ("key", "value"):
            graph.input(f"past_key_values.{layer}.{part}", FLOAT, cache("past_sequence_length"))
            graph.output(f"present.{layer}.{part}", FLOAT, cache(total))


class _Decoder:
    def __init__(self, graph, config, weight):
        self.graph, self.config, self.weight = graph, config, weight

    def build(self):
        g = self.graph
        with g.scope("model"):
            with g.scope("embed_tokens"):
                embedding = g.weight("model.embed_tokens.weight", self.weight("tok_emb", None))
                hidden = g.node("Gather", embedding, "input_ids")
            self.mask = self._mask(hidden)
            with g.scope("rotary_emb"):
                self.cosine, self.sine = (g.unsqueeze(table, 1) for table in self._rotaryTables())
            for layer in range(self.config.layers):
                with g.scope(f"layers.{layer}"):
                    hidden = self._layer(hidden, layer)
            with g.scope("norm"):
                hidden = self._norm(hidden, "model.norm.weight", self.weight("rms_final", None))[0]
        with g.scope("lm_head"):
            head = self.weight("tok_emb" if self.config.tied else "wcls", None)
            g.node("MatMul", hidden, g.weight("lm_head.weight", head.T), output="logits")

    # Attention mask: [batch, 1, new, past + new] of bool, true where a token may look (causal, and not padding).
    def _mask(self, hidden):
        g = self.graph
        past = g.dimension("past_key_values.0.key", 2)
        end = g.node("Add", past, g.dimension(hidden, 1))
        queries = g.node("Range", self._int64(past), self._int64(end), g.constant(1))
        padding = g.node("Cast", "attention_mask", to=BOOL)
        total = g.node("Add", past, queryCount := g.dimension(queries, 0))
        batch = g.dimension(hidden, 0)
        query = g.unsqueeze(queries, 0, 1, 3)
        sample = g.unsqueeze(g.node("Range", g.constant(0), self._int64(batch), g.constant(1)), 1, 2, 3)
        key = g.unsqueeze(g.node("Range", g.constant(0), self._int64(total), g.constant(1)), 0, 1, 2)
        causal = self._causal(key, query)
        allowed = g.node("And", causal, self._notPadding(padding, sample, key))
        shape = g.shapeOf(batch, -1, queryCount, total)
        return self._expand(allowed, shape)

    def _int64(self, value):
        return self.graph.node("Cast", value, to=INT64)

    def _causal(self, key, query):
        g = self.graph
        true = g.node("ConstantOfShape", g.constant([]), value=_tensor([True], np.bool_))
        before = g.node("Cast", g.node("LessOrEqual", key, query), to=BOOL)
        return g.node("And", true, before)

    def _notPadding(self, padding, sample, key):
        """padding[sample, key], by one Gather on the flattened mask."""
        g = self.graph
        width = g.node("Gather", g.node("Shape", padding), g.constant([1]), axis=0)
        flat = g.node("Flatten", padding, axis=2)
        index = g.node("Add", key, g.node("Mul", sample, width))
        gathered = g.node("Gather", flat, index, axis=0)
        shape = g.node("Shape", index)
        gathered = g.node("Reshape", gathered, g.constant([-1]), allowzero=0)
        gathered = g.node("Reshape", gathered, g.node("Concat", shape, axis=0), allowzero=0)
        return g.node("Cast", gathered, to=BOOL)

    def _expand(self, value, shape):
        """value.expand(shape), -1 meaning "as it is": PyTorch's exporter rewrites -1 to 1 at run time."""
        g = self.graph
        shape = g.node("Reshape", shape, g.constant([-1]), allowzero=0)
        ones = g.node("ConstantOfShape", g.node("Shape", shape), value=_tensor([1], np.int64))
        minusOne = g.node("Mul", ones, g.constant(-1))
        return g.node("Expand", value, g.node("Where", g.node("Equal", shape, minusOne), ones, shape))

    # Cosine and sine of position * theta^(-2i / size), each pair's angle twice: [batch, new, size].
    def _rotaryTables(self):
        g, size = self.graph, self.config.headDim
        exponent = np.arange(0, size, 2, dtype=np.float32) / np.float32(size)
        power = (self.config.theta ** exponent.astype(np.float64)).astype(np.float32)  # bit for bit what PyTorch computes
        frequency = g.constant((1 / power).reshape(1, -1, 1), np.float32)
        shape = g.shapeOf(g.dimension("position_ids", 0), -1, 1)
        frequency = self._float(self._float(self._expand(frequency, shape)))
        position = self._float(self._float(g.unsqueeze("position_ids", 1)))
        angle = g.node("Transpose", g.node("MatMul", frequency, position), perm=[0, 2, 1])
        angle = g.node("Concat", angle, angle, axis=-1)
        one = lambda: g.constant(1.0, np.float32)
        return tuple(self._float(g.node("Mul", g.node(op, angle), one())) for op in ("Cos", "Sin"))

    def _float(self, value):
        return self.graph.node("Cast", value, to=FLOAT)

    def _layer(self, hidden, layer):
        g = self.graph
        prefix = f"model.layers.{layer}"
        with g.scope("input_layernorm"):
            normed, residual = self._norm(hidden, f"{prefix}.input_layernorm.weight", self.weight("rms_att", layer))
        with g.scope("self_attn"):
            attended = self._attention(normed, layer)
        hidden = g.node("Add", residual, attended)
        with g.scope("post_attention_layernorm"):
            normed, residual = self._norm(hidden, f"{prefix}.post_attention_layernorm.weight", self.weight("rms_ffn", layer))
        with g.scope("mlp"):
            out = self._mlp(normed, layer)
        return g.node("Add", residual, out)

    def _norm(self, x, name, scale):
        """RMSNorm in its parts; returns the result and the f32 input, which the residual continues from."""
        g = self.graph
        x = self._float(x)
        square = g.node("Pow", x, g.constant(2.0, np.float32))
        mean = g.node("ReduceMean", square, g.constant([-1]), keepdims=1)
        root = g.node("Sqrt", g.node("Add", mean, g.constant(EPSILON, np.float32)))
        normed = g.node("Mul", x, g.node("Div", g.constant(1.0, np.float32), root))
        return g.node("Mul", g.weight(name, scale), self._float(normed)), x

    def _linear(self, x, layer, module, name, weight):
        """x times `weight` [out, in], stored transposed as exporters fold it."""
        g = self.graph
        with g.scope(name):
            return g.node("MatMul", x, g.weight(f"model.layers.{layer}.{module}.{name}.weight", weight.T))

    def _mlp(self, x, layer):
        g = self.graph
        gate = self._linear(x, layer, "mlp", "gate_proj", self.weight("w1", layer))
        with g.scope("act_fn"):
            gate = g.node("Mul", gate, g.node("Sigmoid", gate))
        up = self._linear(x, layer, "mlp", "up_proj", self.weight("w3", layer))
        return self._linear(g.node("Mul", gate, up), layer, "mlp", "down_proj", self.weight("w2", layer))

    def _attention(self, x, layer):
        g, c = self.graph, self.config
        batch, length = g.dimension(x, 0), g.dimension(x, 1)
        project = lambda name, weight: self._heads(self._linear(x, layer, "self_attn", name, weight), batch, length)
        query = project("q_proj", self.weight("wq", layer))
        key = project("k_proj", self.weight("wk", layer))
        value = project("v_proj", self.weight("wv", layer))
        query, key = self._rotate(query), self._rotate(key)
        key = g.node("Concat", f"past_key_values.{layer}.key", key, axis=-2, output=f"present.{layer}.key")
        value = g.node("Concat", f"past_key_values.{layer}.value", value, axis=-2, output=f"present.{layer}.value")
        if c.kvHeads < c.heads:
            key, value = self._repeat(key), self._repeat(value)
        mixed = g.node("Transpose", self._mix(query, key, value), perm=[0, 2, 1, 3])
        mixed = g.node("Reshape", mixed, g.shapeOf(batch, length, -1), allowzero=0)
        return self._linear(mixed, layer, "self_attn", "o_proj", self.weight("wo", layer))

    def _heads(self, x, batch, length):
        """[batch, new, heads * size] to [batch, heads, new, size]."""
        g = self.graph
        x = g.node("Reshape", x, g.shapeOf(batch, length, -1, self.config.headDim), allowzero=0)
        return g.node("Transpose", x, perm=[0, 2, 1, 3])

    def _rotate(self, x):
        """x * cos + concat(-upper half, lower half) * sin."""
        g = self.graph
        plain = g.node("Mul", x, self.cosine)
        half = g.node("Div", g.dimension(x, 3), g.constant(2))
        half = self._int64(self._int64(half))
        lower = self._slice(x, g.constant([0]), g.unsqueeze(half, 0))
        upper = self._slice(x, g.unsqueeze(half, 0), g.constant([END]))
        turned = g.node("Concat", g.node("Neg", upper), lower, axis=-1)
        return g.node("Add", plain, g.node("Mul", turned, self.sine))

    def _slice(self, x, first, last):
        g = self.graph
        return g.node("Slice", x, first, last, g.constant([3]), g.constant([1]))

    def _repeat(self, x):
        """Repeats each key/value head heads / kvHeads times: transformers' repeat_kv."""
        g, times = self.graph, self.config.heads // self.config.kvHeads
        batch, heads, length, size = (g.dimension(x, axis) for axis in range(4))
        spread = self._expand(g.unsqueeze(x, 2), g.shapeOf(batch, heads, times, length, size))
        merged = g.node("Mul", heads, g.constant(times))
        return g.node("Reshape", spread, g.shapeOf(batch, merged, length, size), allowzero=0)

    def _mix(self, query, key, value):
        """softmax(q k^T / sqrt(size) + mask) v, with the scale's root on either side as PyTorch's exporter writes it."""
        g = self.graph
        mask = self._slice(self.mask, g.constant([0]), g.unsqueeze(g.dimension(key, 2), 0))
        root = np.sqrt(1 / np.sqrt(self.config.headDim))
        key = g.node("Transpose", key, perm=[0, 1, 3, 2])
        query = g.node("Mul", query, g.constant(root, np.float32))
        scores = g.node("MatMul", query, g.node("Mul", key, g.constant(root, np.float32)))
        bias = g.node("Where", mask, g.constant([0.0], np.float32), g.constant(MINUS_INFINITY, np.float32))
        weights = g.node("Softmax", g.node("Add", scores, bias), axis=-1)
        weights = g.node("Where", g.node("IsNaN", weights), g.constant([0.0], np.float32), weights)
        return g.node("MatMul", weights, value)


def _tensor(values, dtype):
    return numpy_helper.from_array(np.asarray(values, dtype))
