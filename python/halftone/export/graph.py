"""Builds an ONNX graph node by node, naming nodes and values by scope as PyTorch's exporter does: /model/layers.0/mlp/Mul_1_output_0."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
from collections import Counter
from contextlib import contextmanager

import numpy as np
from onnx import TensorProto, helper, numpy_helper

INT64, FLOAT, BOOL = TensorProto.INT64, TensorProto.FLOAT, TensorProto.BOOL


class GraphBuilder:
    """Collects nodes, inputs, outputs and weights (see weight.py), which write.py makes and writes one at a time."""

    def __init__(self):
        self.nodes, self.inputs, self.outputs = [], [], []
        self.weights = {}  # name -> Weight, in the order of definition
        self._scope, self._count = [], Counter()

    @contextmanager
    def scope(self, name):
        """Nodes made inside are named under `name`."""
        self._scope.append(name)
        yield self
        self._scope.pop()

    def input(self, name, type, shape):
        self.inputs.append(helper.make_tensor_value_info(name, type, shape))
        return name

    def output(self, name, type, shape):
        self.outputs.append(helper.make_tensor_value_info(name, type, shape))

    def weight(self, name, weight):
        assert name not in self.weights, name
        self.weights[name] = weight
        return name

    def constant(self, value, dtype=np.int64):
        """A Constant node holding `value`: a Python number gives a scalar, a list a vector."""
        tensor = numpy_helper.from_array(np.asarray(value, dtype))
        return self.node("Constant", value=tensor)

    def node(self, op, *inputs, output=None, **attributes):
        """Adds one node and returns the name of its only output (`output`, when given)."""
        name = self._fresh(op)
        output = output or f"{name}_output_0"
        self.nodes.append(helper.make_node(op, inputs, [output], name, **attributes))
        return output

    def dimension(self, value, axis):
        """The size of `value` along `axis`, a scalar: Shape, then Gather."""
        shape = self.node("Shape", value)
        return self.node("Gather", shape, self.constant(axis), axis=0)

    def unsqueeze(self, value, *axes):
        """Inserts `axes` one at a time, as PyTorch's indexing with None does."""
        for axis in axes:
            value = self.node("Unsqueeze", value, self.constant([axis]))
        return value

    def shapeOf(self, *parts):
        """A shape vector of scalars (values) and numbers (Python ints)."""
        vectors = [self.constant([x]) if isinstance(x, int) else self.unsqueeze(x, 0) for x in parts]
        return self.node("Concat", *vectors, axis=0)

    def _fresh(self, op):
        base = "/" + "/".join([*self._scope, op])
        number = self._count[base]
        self._count[base] += 1
        return f"{base}_{number}" if number else base
