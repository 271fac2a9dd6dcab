// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tensors of a graph that becomes a plain function: large ones are arguments that say where their bytes lie.
#include "passes/import/ImportTensor.h"

#include "dialects/onnx/Onnx.h"
#include "lib/onnx/TensorData.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::importer;

/// Tensors up to this many bytes are constants of a function.
static constexpr uint64_t largestInlined = 1024;

/// An argument behind the inputs.
Value TensorImporter::addArgument(const onnx::Location &place, RankedTensorType type, StringRef name) {
  auto function = cast<func::FuncOp>(builder.getInsertionBlock()->getParentOp());
  const unsigned number = function.getNumArguments();
  const NamedAttribute attributes[] = {
      {builder.getStringAttr(fileAttribute), builder.getI64IntegerAttr(place.file)},
      {builder.getStringAttr(offsetAttribute), builder.getI64IntegerAttr(place.offset)}};
  (void)function.insertArgument(number, type, builder.getDictionaryAttr(attributes), locationOf(builder, name));
  return function.getArgument(number);
}

/// Elements under 8 bits enter as bytes.
FailureOr<Value> TensorImporter::addPacked(const onnx::Tensor &tensor, StringRef name) {
  Location location = locationOf(builder, name);
  auto reader = onnx::WeightReader::open(model, tensor);
  if (!reader)
    return emitError(location) << reader.error().message;
  auto bytes = RankedTensorType::get({static_cast<int64_t>(reader->bytes().size())}, builder.getI8Type());
  Value packed;
  if (tensor.location && tensor.location->bytes > largestInlined) {
    packed = addArgument(*tensor.location, bytes, name);
  } else {
    const ArrayRef<char> raw(reinterpret_cast<const char *>(reader->bytes().data()), reader->bytes().size());
    packed = arith::ConstantOp::create(builder, location, DenseElementsAttr::getFromRawBuffer(bytes, raw));
  }
  const bool isSigned = tensor.type == onnx::ElementType::int4 || tensor.type == onnx::ElementType::int2;
  Type si64 = builder.getIntegerType(64, /*isSigned=*/true);
  const NamedAttribute parameters[] = {
      {builder.getStringAttr("bits"), IntegerAttr::get(si64, onnx::bitWidth(tensor.type))},
      {builder.getStringAttr("shape"), builder.getDenseI64ArrayAttr(tensor.shape)},
      {builder.getStringAttr("signed"), IntegerAttr::get(si64, isSigned)}};
  auto node = onnx::NodeOp::create(builder, location, TypeRange(UnrankedTensorType::get(builder.getI8Type())),
                                   builder.getStringAttr("Unpack"), builder.getStringAttr(ownDomain),
                                   builder.getI64IntegerAttr(0), builder.getStringAttr(name),
                                   builder.getDictionaryAttr(parameters), ValueRange(packed));
  return node.getOutputs()[0];
}

static bool isPacked(onnx::ElementType type) {
  return type == onnx::ElementType::int4 || type == onnx::ElementType::uint4 || type == onnx::ElementType::int2 ||
         type == onnx::ElementType::uint2;
}

FailureOr<Value> TensorImporter::addToFunction(const onnx::Tensor &tensor, StringRef name) {
  if (isPacked(tensor.type))
    return addPacked(tensor, name);
  Type element = elementType(tensor.type);
  if (tensor.location && tensor.location->bytes > largestInlined && element)
    return addArgument(*tensor.location, RankedTensorType::get(tensor.shape, element), name);
  return addConstant(tensor, name);
}
