"""usage: chained.py IN.onnx OPERATOR COUNT OUT.onnx: puts COUNT nodes `x = OPERATOR(x, x)` behind the embedding, and as many
sums before the logits: 2^COUNT paths from one value to another."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import sys

import onnx
from onnx import helper


def chain(operator, count, first, last):
    names = [first, *(f"{last}.{i}" for i in range(1, count)), last]
    return [helper.make_node(operator, [a, a], [b], name=b) for a, b in zip(names, names[1:])]


source, operator, count, target = sys.argv[1:]
model = onnx.load(source)
nodes = list(model.graph.node)
embedding = next(i for i, node in enumerate(nodes) if node.op_type == "Gather")
nodes[embedding + 1 : embedding + 1] = chain(operator, int(count), "embedded", nodes[embedding].output[0])
nodes[embedding].output[0] = "embedded"
logits = model.graph.output[0].name
head = next(node for node in nodes if logits in node.output)
nodes += chain("Add", int(count), "single", logits)
head.output[list(head.output).index(logits)] = "single"
del model.graph.node[:]
model.graph.node.extend(nodes)
onnx.save(model, target)
