// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Constants by their elements, weights by their place.
#include "passes/import/ImportTensor.h"

#include "lib/onnx/TensorData.h"

#include "llvm/Support/Path.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::importer;

/// Float tensors of at least so many elements are weights, smaller ones constants.
static constexpr uint64_t smallestWeight = 16;
/// Constants in the IR hold up to so many elements.
static constexpr uint64_t largestConstant = uint64_t(1) << 16;

Location halftone::importer::locationOf(OpBuilder &builder, StringRef name) {
  return NameLoc::get(builder.getStringAttr(name));
}

TensorImporter::TensorImporter(SymbolTable &symbols, const onnx::Model &model, GraphUse use, OpBuilder &builder)
    : symbols(symbols), model(model), use(use), builder(builder), source(llvm::sys::path::filename(model.path)) {}

Type TensorImporter::elementType(onnx::ElementType type) {
  const bool widens = use == GraphUse::Decoder;
  switch (type) {
  case onnx::ElementType::float32:
    return builder.getF32Type();
  case onnx::ElementType::float16:
    return widens ? Type(builder.getF32Type()) : builder.getF16Type();
  case onnx::ElementType::bfloat16:
    return widens ? Type(builder.getF32Type()) : builder.getBF16Type();
  case onnx::ElementType::float64:
    return builder.getF64Type();
  case onnx::ElementType::boolean:
    return builder.getI1Type();
  case onnx::ElementType::int8:
  case onnx::ElementType::int16:
  case onnx::ElementType::int32:
  case onnx::ElementType::int64:
    return builder.getIntegerType(onnx::bitWidth(type));
  case onnx::ElementType::uint8:
  case onnx::ElementType::uint16:
  case onnx::ElementType::uint32:
  case onnx::ElementType::uint64:
    return builder.getIntegerType(onnx::bitWidth(type), /*isSigned=*/false);
  default:
    return {};
  }
}

FailureOr<DenseElementsAttr> TensorImporter::elements(const onnx::Tensor &tensor, StringRef name) {
  Location location = locationOf(builder, name);
  Type element = elementType(tensor.type);
  if (!element)
    return emitError(location) << source << ": tensor '" << name << "': constants of "
                               << onnx::describe(tensor.type, tensor.shape) << " are not supported";
  if (onnx::elementCount(tensor.shape).value_or(UINT64_MAX) > largestConstant)
    return emitError(location) << source << ": tensor '" << name << "': " << onnx::describe(tensor.type, tensor.shape)
                               << " is no weight matrix, and too large for a constant";
  auto reader = onnx::WeightReader::open(model, tensor);
  if (!reader)
    return emitError(location) << reader.error().message;
  auto type = RankedTensorType::get(tensor.shape, element);
  if (element.isF64() || element.isUnsignedInteger(64)) // as they are: readers give single precision, and int64
    return DenseElementsAttr::getFromRawBuffer(
        type, ArrayRef(reinterpret_cast<const char *>(reader->bytes().data()), reader->bytes().size()));
  if (auto floating = dyn_cast<FloatType>(element)) {
    auto floats = reader->allFloats();
    if (!floats)
      return emitError(location) << floats.error().message;
    SmallVector<APFloat> numbers;
    for (float number : *floats) {
      bool inexact = false;
      numbers.emplace_back(number).convert(floating.getFloatSemantics(), APFloat::rmNearestTiesToEven, &inexact);
    }
    return DenseElementsAttr::get(type, numbers);
  }
  auto integers = reader->allIntegers();
  if (!integers)
    return emitError(location) << integers.error().message;
  SmallVector<APInt> numbers;
  for (int64_t number : *integers)
    numbers.emplace_back(element.getIntOrFloatBitWidth(), static_cast<uint64_t>(number), !element.isUnsignedInteger(),
                         /*implicitTrunc=*/true);
  return DenseElementsAttr::get(type, numbers);
}

/// What the elements of a weight are stored as; nothing for types that no weight has.
static std::optional<formats::Scalar> scalarOf(onnx::ElementType type) {
  switch (type) {
  case onnx::ElementType::float32:
    return formats::Scalar::F32;
  case onnx::ElementType::float16:
    return formats::Scalar::F16;
  case onnx::ElementType::bfloat16:
    return formats::Scalar::BF16;
  default:
    return std::nullopt;
  }
}

static lowbit::WeightType weightType(MLIRContext *context, ArrayRef<int64_t> shape, formats::Scalar scalar) {
  return lowbit::WeightType::get(context, shape, lowbit::FormatAttr::get(context, formats::Format::plain(scalar)));
}

Value TensorImporter::addWeight(const onnx::Tensor &tensor, StringRef name, formats::Scalar scalar) {
  auto type = weightType(builder.getContext(), tensor.shape, scalar);
  Location location = locationOf(builder, name);
  std::string symbol = name.empty() ? "weight" : name.str();
  for (unsigned i = 1; symbols.lookup(symbol); ++i)
    symbol = (name + "." + Twine(i)).str();
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(builder.getInsertionBlock()->getParentOp());
    symbols.insert(lowbit::WeightOp::create(builder, location, symbol, type, model.files[tensor.location->file]->path(),
                                            tensor.location->offset, /*transposed=*/false));
  }
  Value handle = lowbit::GetOp::create(builder, location, type, symbol);
  if (tensor.shape.size() == 1 && scalar != formats::Scalar::F32)
    handle = lowbit::WidenOp::create(builder, location,
                                     weightType(builder.getContext(), tensor.shape, formats::Scalar::F32), handle);
  return handle;
}

FailureOr<Value> TensorImporter::add(const onnx::Tensor &tensor, StringRef name) {
  if (use == GraphUse::Function)
    return addToFunction(tensor, name);
  uint64_t count = onnx::elementCount(tensor.shape).value_or(0);
  bool isMatrix = tensor.shape.size() == 1 || tensor.shape.size() == 2;
  Type element = elementType(tensor.type);
  if (isa_and_nonnull<FloatType>(element) && isMatrix && count >= smallestWeight && tensor.location) {
    if (auto scalar = scalarOf(tensor.type))
      return addWeight(tensor, name, *scalar);
    return emitError(locationOf(builder, name))
           << source << ": tensor '" << name << "': weights of " << onnx::describe(tensor.type, tensor.shape)
           << " are not supported; supported are float32, float16 and bfloat16";
  }
  return addConstant(tensor, name);
}

FailureOr<Value> TensorImporter::addConstant(const onnx::Tensor &tensor, StringRef name) {
  FailureOr<DenseElementsAttr> constant = elements(tensor, name);
  if (failed(constant))
    return failure();
  return Value(arith::ConstantOp::create(builder, locationOf(builder, name), *constant));
}
