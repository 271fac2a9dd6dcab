// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writes simple nodes in the place of one that means several.
#include "passes/import/NodeWriter.h"

using namespace mlir;
using namespace halftone::importer;

/// TensorProto.DataType of int64.
static constexpr int64_t int64Type = 7;

Value NodeWriter::make(StringRef type, ValueRange inputs, ArrayRef<NamedAttribute> parameters) {
  Value result = makeNode(builder, node, type, inputs, UnrankedTensorType::get(builder.getF32Type()), parameters);
  result.getDefiningOp()->setAttr(expandedAttribute, builder.getStringAttr(operatorOf(node)));
  return result;
}

NamedAttribute NodeWriter::parameter(StringRef name, int64_t value) {
  return {builder.getStringAttr(name), IntegerAttr::get(builder.getIntegerType(64, /*isSigned=*/true), value)};
}

NamedAttribute NodeWriter::parameter(StringRef name, float value) {
  return {builder.getStringAttr(name), builder.getF32FloatAttr(value)};
}

NamedAttribute NodeWriter::parameter(StringRef name, ArrayRef<int64_t> values) {
  return {builder.getStringAttr(name), builder.getDenseI64ArrayAttr(values)};
}

Value NodeWriter::integers(ArrayRef<int64_t> elements) { return makeIntegers(builder, node.getLoc(), elements); }

Value NodeWriter::integer(int64_t element) {
  auto type = RankedTensorType::get({}, builder.getI64Type());
  return arith::ConstantOp::create(builder, node.getLoc(), DenseElementsAttr::get(type, element));
}

Value NodeWriter::number(float element) {
  auto type = RankedTensorType::get({}, builder.getF32Type());
  return arith::ConstantOp::create(builder, node.getLoc(), DenseElementsAttr::get(type, element));
}

Value NodeWriter::scalar(Value value) {
  return make("Cast", make("Reshape", {value, integers({})}), parameter("to", int64Type));
}

Value NodeWriter::reshape(Value value, ArrayRef<int64_t> shape) { return make("Reshape", {value, integers(shape)}); }

Value NodeWriter::transpose(Value value, ArrayRef<int64_t> order) {
  return make("Transpose", value, parameter("perm", order));
}

Value NodeWriter::unsqueeze(Value value, ArrayRef<int64_t> axes) { return make("Unsqueeze", {value, integers(axes)}); }

Value NodeWriter::concat(ValueRange values, int64_t axis) { return make("Concat", values, parameter("axis", axis)); }

Value NodeWriter::slice(Value value, Value first, Value last, int64_t axis, int64_t step) {
  return make("Slice", {value, first, last, integers(axis), integers(step)});
}

Value NodeWriter::slice(Value value, int64_t first, int64_t last, int64_t axis) {
  return slice(value, integers(first), integers(last), axis);
}

Value NodeWriter::sizeOf(Value value, int64_t axis) {
  return slice(make("Shape", value), axis, axis == -1 ? everything : axis + 1, 0);
}
