"""Writes a built graph as an ONNX file, the weights inside it or beside it, whole or not at all."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import os
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper

OPSET, IR_VERSION = 18, 8  # optimum's choice for the torchscript exporter
PROTOBUF_LIMIT = (1 << 31) - 1
ALIGNMENT = 64  # of each weight in the external file: a cache line


class ExportError(Exception):
    """A model that cannot be written; the message says what to do instead."""


def writeModel(graph, path, metadata, external=False):
    """Writes `graph` to `path`; with `external` the weights go to `path`.data, streamed one at a time. Returns the paths written."""
    path = Path(path)
    data = path.with_name(path.name + ".data")
    size = sum(4 * weight.size for weight in graph.weights.values())
    if not external and size > PROTOBUF_LIMIT - (1 << 24):
        raise ExportError(f"{path}: {size} bytes of weights do not fit into one protobuf file; use --external-data")
    written = [data] if external else []
    if external:
        initializers = _replace(data, lambda file: [_external(file, data.name, *w) for w in graph.weights.items()])
    else:
        initializers = [_inline(*w) for w in graph.weights.items()]
    model = _model(graph, initializers, metadata)
    _replace(path, lambda file: file.write(model.SerializeToString(deterministic=True)))
    return [path, *written]


def _model(graph, initializers, metadata):
    main = helper.make_graph(graph.nodes, "main_graph", graph.inputs, graph.outputs, initializers)
    model = helper.make_model(
        main, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="halftone.export"
    )
    helper.set_model_props(model, metadata)
    return model


def _tensor(name, weight):
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT)
    tensor.dims.extend(weight.shape)
    return tensor


def _values(weight):
    return np.ascontiguousarray(weight.make(), "<f4")


def _append(file, weight):
    """Returns the bytes of the weight. A hollow one is a hole."""
    if weight.make:
        return file.write(_values(weight).data)
    start, length = file.tell(), 4 * weight.size
    file.write(np.float32(weight.first).tobytes())
    file.truncate(file.seek(start + length))
    return length


def _inline(name, weight):
    tensor = _tensor(name, weight)
    tensor.raw_data = _values(weight).tobytes()
    return tensor


def _external(file, location, name, weight):
    file.write(bytes(-file.tell() % ALIGNMENT))
    offset = file.tell()
    length = _append(file, weight)
    tensor = _tensor(name, weight)
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", offset), ("length", length)):
        tensor.external_data.add(key=key, value=str(value))
    return tensor


def _replace(path, write):
    """Calls `write` on a temporary file beside `path` and renames it to `path` when all is on disk."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            result = write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        return result
    finally:
        temporary.unlink(missing_ok=True)
