"""Runs the IR that the import stage gives, in numpy: an oracle for what it recognised, against the graph's own outputs."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import re

import numpy as np

# One operation of --mlir-print-op-generic: results, name, operands, properties (attributes beside them say nothing of values), and of a weight as result its rows.
OPERATION = re.compile(r'^\s*(?:(%\S+) = )?"([\w.]+)"\(([^)]*)\)(?: <\{(.*?)\}>)?(?: \{.*?\})? : (?:.* -> !lowbit\.weight<(\d+))?')
FUNCTION = re.compile(r'^\s*"func\.func"\(\) <\{.*sym_name = "([^"]*)"')
ARGUMENTS = re.compile(r"^\s*\^bb0\((.*)\):")


def properties(text):
    """Integers, floats, strings and symbols of a property list; anything else as text. A unit attribute is True."""
    found = {}
    for match in re.finditer(r'(\w+)(?: = ("(?:[^"\\]|\\.)*"|@"[^"]*"|@[\w.:$-]+|![\w.]+<[^>]*>?>|[^,]+))?(?:, |$)', text or ""):
        name, value = match.group(1), match.group(2)
        if value is None:
            found[name] = True
        elif value[0] == '"':
            found[name] = value[1:-1]
        elif value[0] == "@":
            found[name] = value[1:].strip('"')
        else:
            number = re.match(r"(-?[\d.]+(?:E[+-]?\d+)?) : \w+$", value, re.IGNORECASE)
            found[name] = (float if "." in number.group(1) else int)(number.group(1)) if number else value
    return found


class Module:
    """A module as text; forward(tokens, past) runs @forward, keeping the caches."""

    def __init__(self, text):
        self.functions, self.weights, self.caches = {}, {}, {}
        name = None
        for line in text.splitlines():
            if function := FUNCTION.match(line):
                name = function.group(1)
            elif arguments := ARGUMENTS.match(line):
                self.functions[name] = (re.findall(r"(%\w+):", arguments.group(1)), [])
            elif operation := OPERATION.match(line):
                result, kind, operands, attributes, rows = operation.groups()
                attributes = properties(attributes) | ({"rows": int(rows)} if rows else {})
                self.add(name, result, kind, re.findall(r"%[\w#]+", operands), attributes)

    def add(self, function, result, kind, operands, attributes):
        if kind == "lowbit.weight":
            shape = [int(size) for size in re.search(r"<([\dx]+),", attributes["type"]).group(1).split("x")]
            type = np.float16 if "<f16>" in attributes["type"] else np.float32
            self.weights[attributes["sym_name"]] = readWeight(attributes, shape, type)
        elif kind == "lowbit.cache":
            heads, size = map(int, re.findall(r"\d+", attributes["type"]))
            self.caches[attributes["sym_name"]] = {"heads": heads, "size": size, "keys": {}, "values": {}}
        elif function is not None:
            self.functions[function][1].append((result, kind, operands, attributes))

    def forward(self, tokens, past=0):
        return self.call("forward", [np.asarray(tokens), past])[0]

    def call(self, name, inputs):
        arguments, operations = self.functions[name]
        values = dict(zip(arguments, inputs))
        for result, kind, operands, attributes in operations:
            read = [values[operand] for operand in operands]
            if kind == "func.return":
                return read
            made = self.call(attributes["callee"], read) if kind == "func.call" else [self.run(kind, read, attributes)]
            if result and len(made) == 1:
                values[result] = made[0]
            elif result:
                values.update({f"{result.split(':')[0]}#{i}": value for i, value in enumerate(made)})
        raise AssertionError(f"@{name} does not return")

    def run(self, kind, read, attributes):
        if kind == "lowbit.get":
            name = attributes["name"]
            return self.weights[name] if name in self.weights else self.caches[name]
        if kind == "arith.constant":
            return attributes["value"]
        return OPERATIONS[kind](read, attributes)


def readWeight(attributes, shape, type):
    stored = shape[::-1] if attributes.get("transposed") else shape
    array = np.fromfile(attributes["file"], type, int(np.prod(shape)), offset=attributes["offset"]).reshape(stored).astype(np.float32)
    return array.T if attributes.get("transposed") else array


def rmsNorm(read, attributes):
    normal = read[0] / np.sqrt(np.mean(read[0] ** 2, axis=-1, keepdims=True) + np.float32(attributes["epsilon"]))
    return normal * read[1] if len(read) > 1 else normal


def rope(read, attributes):
    x, cos, sin, past = read
    tokens, pairs = len(x), cos.shape[1]
    heads = x.reshape(tokens, attributes["heads"], -1)
    c, s = cos[past : past + tokens, None], sin[past : past + tokens, None]
    first, second = (slice(0, 2 * pairs, 2), slice(1, 2 * pairs, 2)) if attributes.get("interleaved") else (slice(0, pairs), slice(pairs, 2 * pairs))
    y = heads.copy()
    y[..., first] = heads[..., first] * c - heads[..., second] * s
    y[..., second] = heads[..., second] * c + heads[..., first] * s
    return y.reshape(x.shape)


def append(read, attributes):
    keys, values, cache, past = read
    for t in range(len(keys)):
        cache["keys"][past + t] = keys[t].reshape(cache["heads"], cache["size"])
        cache["values"][past + t] = values[t].reshape(cache["heads"], cache["size"])


def attention(read, attributes):
    queries, cache, past = read
    tokens, heads = len(queries), attributes["heads"]
    q = queries.reshape(tokens, heads, cache["size"])
    out = np.zeros_like(q)
    for t in range(tokens):
        keys = np.stack([cache["keys"][p] for p in range(past + t + 1)])
        values = np.stack([cache["values"][p] for p in range(past + t + 1)])
        for head in range(heads):
            shared = head // (heads // cache["heads"])
            scores = keys[:, shared] @ q[t, head] * np.float32(attributes["scale"])
            weights = np.exp(scores - scores.max())
            out[t, head] = weights / weights.sum() @ values[:, shared]
    return out.reshape(queries.shape)


OPERATIONS = {
    "lowbit.embedding": lambda read, attributes: read[1][read[0]],
    "lowbit.linear": lambda read, attributes: read[0] @ read[1].T,
    "lowbit.add_bias": lambda read, attributes: read[0] + read[1],
    "lowbit.widen": lambda read, attributes: read[0],
    "lowbit.slice_rows": lambda read, attributes: read[0][attributes["first"] :][: attributes["rows"]],
    "lowbit.rms_norm": rmsNorm,
    "lowbit.rope": rope,
    "lowbit.append": append,
    "lowbit.attention": attention,
    "tensor.dim": lambda read, attributes: read[0].shape[read[1]],
    "tensor.splat": lambda read, attributes: np.float32(read[0]),
    "arith.addf": lambda read, attributes: read[0] + read[1],
    "arith.subf": lambda read, attributes: read[0] - read[1],
    "arith.mulf": lambda read, attributes: read[0] * read[1],
    "arith.divf": lambda read, attributes: read[0] / read[1],
    "arith.negf": lambda read, attributes: -read[0],
    "math.exp": lambda read, attributes: np.exp(read[0]),
    "math.sqrt": lambda read, attributes: np.sqrt(read[0]),
    "math.tanh": lambda read, attributes: np.tanh(read[0]),
}
