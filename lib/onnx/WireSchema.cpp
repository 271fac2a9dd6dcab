// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The tables. Only what lib/onnx reads stands here; a row more is all it takes to read more.
#include "lib/onnx/WireSchema.h"

namespace halftone::onnx::wire {

namespace {
constexpr auto varint = WireType::varint;
constexpr auto fixed32 = WireType::fixed32;
constexpr auto fixed64 = WireType::fixed64;
constexpr auto bytes = WireType::bytes;
constexpr auto once = Field::Count::once;
constexpr auto repeated = Field::Count::repeated;

extern const Message graph;

constexpr Field entryFields[] = {{1, "key", bytes}, {2, "value", bytes}};
constexpr Message entry = {entryFields};

constexpr Field tensorFields[] = {
    {1, "dims", varint, repeated},
    {tensorField::dataType, "data_type", varint},
    {3, "segment", bytes},
    {tensorField::floatData, "float_data", fixed32, repeated},
    {5, "int32_data", varint, repeated},
    {6, "string_data", bytes, repeated},
    {7, "int64_data", varint, repeated},
    {8, "name", bytes},
    {tensorField::rawData, "raw_data", bytes, once},
    {tensorField::doubleData, "double_data", fixed64, repeated},
    {11, "uint64_data", varint, repeated},
    {13, "external_data", bytes, repeated, &entry},
    {14, "data_location", varint},
};

constexpr Field sparseFields[] = {{1, "values", bytes, once, &tensor}};
constexpr Message sparse = {sparseFields};

constexpr Field dimensionFields[] = {{1, "dim_value", varint}, {2, "dim_param", bytes}};
constexpr Message dimension = {dimensionFields};
constexpr Field shapeFields[] = {{1, "dim", bytes, repeated, &dimension}};
constexpr Message shape = {shapeFields};
constexpr Field tensorTypeFields[] = {{1, "elem_type", varint}, {2, "shape", bytes, once, &shape}};
constexpr Message tensorType = {tensorTypeFields};
constexpr Field typeFields[] = {{1, "tensor_type", bytes, once, &tensorType}};
constexpr Message type = {typeFields};
constexpr Field valueFields[] = {{1, "name", bytes}, {2, "type", bytes, once, &type}};
constexpr Message value = {valueFields};

constexpr Field attributeFields[] = {
    {1, "name", bytes},
    {2, "f", fixed32},
    {3, "i", varint},
    {4, "s", bytes},
    {5, "t", bytes, once, &tensor},
    {6, "g", bytes, once, &graph},
    {7, "floats", fixed32, repeated},
    {8, "ints", varint, repeated},
    {9, "strings", bytes, repeated},
    {20, "type", varint},
    {21, "ref_attr_name", bytes},
};
constexpr Message attribute = {attributeFields};

constexpr Field nodeFields[] = {
    {1, "input", bytes, repeated}, {2, "output", bytes, repeated}, {3, "name", bytes},
    {4, "op_type", bytes},         {7, "domain", bytes},           {5, "attribute", bytes, repeated, &attribute},
};
constexpr Message node = {nodeFields};

constexpr Field graphFields[] = {
    {1, "node", bytes, repeated, &node},          {2, "name", bytes},
    {5, "initializer", bytes, repeated, &tensor}, {11, "input", bytes, repeated, &value},
    {12, "output", bytes, repeated, &value},      {15, "sparse_initializer", bytes, repeated, &sparse},
};
const Message graph = {graphFields};

constexpr Field opsetFields[] = {{1, "domain", bytes}, {2, "version", varint}};
constexpr Message opset = {opsetFields};

/// Names only: model-local functions are refused where a node calls one.
constexpr Field functionFields[] = {{1, "name", bytes}, {10, "domain", bytes}};
constexpr Message function = {functionFields};

constexpr Field modelFields[] = {
    {1, "ir_version", varint},
    {2, "producer_name", bytes},
    {3, "producer_version", bytes},
    {7, "graph", bytes, once, &graph},
    {8, "opset_import", bytes, repeated, &opset},
    {14, "metadata_props", bytes, repeated, &entry},
    {25, "functions", bytes, repeated, &function},
};
} // namespace

const Message model = {modelFields};
const Message tensor = {tensorFields};

} // namespace halftone::onnx::wire
