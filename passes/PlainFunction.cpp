// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Imports the graph, binds its shapes, compiles it, and hands pointers to the code: to the caller's tensors and to the
// weights in their mapped files.
#include "passes/PlainFunction.h"

#include "dialects/onnx/Onnx.h"
#include "passes/Diagnostics.h"
#include "passes/Register.h"
#include "passes/function/Conversion.h"
#include "passes/function/Engine.h"
#include "passes/function/Passes.h"
#include "passes/import/ImportGraph.h"

#include "mlir/Pass/PassManager.h"

#include "llvm/Support/Path.h"

#include <cstring>

using namespace mlir;

namespace halftone {

/// The function that importGraph makes.
static constexpr char entry[] = "graph";

namespace {

/// A weight that does not lie in its file as its type must lie in memory is copied.
using Copy = std::vector<std::max_align_t>;

/// Indices that a node reads, which only running the graph gives.
struct IndexRange {
  std::string node;
  int64_t size; ///< they name one of so many elements
};

} // namespace

struct PlainFunction::Implementation {
  onnx::Model model; // keeps the weights mapped
  std::vector<TensorType> inputs, outputs;
  /// The code gives the first index outside of each, else 0, behind the outputs.
  std::vector<IndexRange> ranges;
  std::vector<const void *> weights;
  std::vector<Copy> copies;
  std::unique_ptr<ExecutionEngine> engine;
  function::Code code = nullptr;
};

PlainFunction::PlainFunction(std::unique_ptr<Implementation> implementation)
    : implementation(std::move(implementation)) {}
PlainFunction::PlainFunction(PlainFunction &&) = default;
PlainFunction &PlainFunction::operator=(PlainFunction &&) = default;
PlainFunction::~PlainFunction() = default;
const std::vector<TensorType> &PlainFunction::inputs() const { return implementation->inputs; }
const std::vector<TensorType> &PlainFunction::outputs() const { return implementation->outputs; }

//===-- Inputs ----------------------------------------------------------------------------------------------------===//

/// Whether `given` has the rank and the fixed sizes of `wanted`. Names of sizes bind nothing: exporters write
/// expressions there, and numbers.
static bool fits(const std::vector<onnx::Dimension> &wanted, const std::vector<int64_t> &given) {
  if (wanted.size() != given.size())
    return false;
  for (size_t i = 0; i < given.size(); ++i)
    if (const int64_t *size = std::get_if<int64_t>(&wanted[i]); size && *size != given[i])
      return false;
  return true;
}

static std::string print(const std::vector<onnx::Dimension> &shape) {
  std::string text;
  for (const onnx::Dimension &dimension : shape) {
    const int64_t *size = std::get_if<int64_t>(&dimension);
    text += (text.empty() ? "" : ", ") + (size ? std::to_string(*size) : std::get<std::string>(dimension));
  }
  return "[" + text + "]";
}

static std::string names(const std::vector<onnx::ValueInfo> &values) {
  std::string text;
  for (const onnx::ValueInfo &value : values)
    text += (text.empty() ? "" : ", ") + value.name;
  return text;
}

/// The given types in the model's order.
static Expected<std::vector<TensorType>> bindInputs(const onnx::Model &model, std::span<const TensorType> given) {
  const std::string file = llvm::sys::path::filename(model.path).str();
  std::vector<TensorType> bound;
  for (const onnx::ValueInfo &wanted : model.graph.inputs) {
    const auto found = llvm::find_if(given, [&](const TensorType &type) { return type.name == wanted.name; });
    if (found == given.end())
      return Error{file + ": input '" + wanted.name + "' is missing; the inputs are " + names(model.graph.inputs)};
    if (found->type != wanted.type || (wanted.shape && !fits(*wanted.shape, found->shape)))
      return Error{file + ": input '" + wanted.name + "' is " + onnx::describe(found->type, found->shape) + ", not " +
                   std::string(onnx::name(wanted.type)) + (wanted.shape ? " " + print(*wanted.shape) : "")};
    bound.push_back(*found);
  }
  for (const TensorType &type : given)
    if (llvm::none_of(bound, [&](const TensorType &other) { return other.name == type.name; }))
      return Error{file + ": no input is called '" + type.name + "'; the inputs are " + names(model.graph.inputs)};
  return bound;
}

static void setShapes(func::FuncOp function, const std::vector<TensorType> &inputs) {
  for (auto [argument, input] : llvm::zip(function.getArguments(), inputs))
    argument.setType(RankedTensorType::get(input.shape, cast<ShapedType>(argument.getType()).getElementType()));
  function.setFunctionType(
      FunctionType::get(function.getContext(), function.getBody().getArgumentTypes(), function.getResultTypes()));
}

//===-- Code ------------------------------------------------------------------------------------------------------===//

/// Whether elements of `type`, which has no signs, are what the model calls `wanted`.
static bool isStoredAs(Type type, onnx::ElementType wanted) {
  const bool isFloat = wanted == onnx::ElementType::float16 || wanted == onnx::ElementType::bfloat16 ||
                       wanted == onnx::ElementType::float32 || wanted == onnx::ElementType::float64;
  if (isFloat != isa<FloatType>(type) || type.isBF16() != (wanted == onnx::ElementType::bfloat16))
    return false;
  return type.getIntOrFloatBitWidth() == (wanted == onnx::ElementType::boolean ? 1 : onnx::bitWidth(wanted));
}

/// What the model calls values of `type`, which must be floats: others may have a sign or not.
static onnx::ElementType floatTypeOf(Type type) {
  for (const onnx::ElementType floats : {onnx::ElementType::float32, onnx::ElementType::float16,
                                         onnx::ElementType::bfloat16, onnx::ElementType::float64})
    if (isStoredAs(type, floats))
      return floats;
  return onnx::ElementType::undefined;
}

/// What the function's results are; their signs stand in the model.
static Expected<std::vector<TensorType>> outputsOf(func::FuncOp function, const onnx::Model &model) {
  std::vector<TensorType> outputs;
  for (auto [info, type] : llvm::zip(model.graph.outputs, function.getResultTypes())) {
    auto tensor = cast<RankedTensorType>(type);
    const onnx::ElementType said =
        info.type == onnx::ElementType::undefined ? floatTypeOf(tensor.getElementType()) : info.type;
    if (!isStoredAs(tensor.getElementType(), said)) {
      std::string text;
      llvm::raw_string_ostream(text) << tensor.getElementType();
      return Error{llvm::sys::path::filename(model.path).str() + ": output '" + info.name + "' is computed as " + text +
                   ", but the model says that it is " + std::string(onnx::name(info.type))};
    }
    outputs.push_back({info.name, said, {tensor.getShape().begin(), tensor.getShape().end()}});
  }
  return outputs;
}

/// The results behind the model's outputs.
static std::vector<IndexRange> rangesOf(func::FuncOp function, size_t outputs) {
  std::vector<IndexRange> ranges;
  for (unsigned i = outputs; i < function.getNumResults(); ++i)
    ranges.push_back({function.getResultAttrOfType<StringAttr>(i, function::indicesOfAttribute).str(),
                      function.getResultAttrOfType<IntegerAttr>(i, function::indexedAttribute).getInt()});
  return ranges;
}

//===-- Weights ---------------------------------------------------------------------------------------------------===//

/// Finds the bytes of the arguments behind the inputs.
static Status bindWeights(func::FuncOp function, PlainFunction::Implementation &result) {
  for (unsigned i = result.inputs.size(); i < function.getNumArguments(); ++i) {
    auto number = [&](StringRef name) {
      return static_cast<uint64_t>(function.getArgAttrOfType<IntegerAttr>(i, name).getInt());
    };
    auto type = cast<RankedTensorType>(function.getArgument(i).getType());
    const uint64_t width = (type.getElementTypeBitWidth() + 7) / 8, bytes = type.getNumElements() * width;
    const io::MappedFile &file = *result.model.files[number(importer::fileAttribute)];
    const auto content = file.slice(number(importer::offsetAttribute), bytes);
    if (!content)
      return content.error();
    const void *data = content->data();
    if (reinterpret_cast<uintptr_t>(data) % width != 0) {
      Copy &copy = result.copies.emplace_back((bytes + sizeof(std::max_align_t) - 1) / sizeof(std::max_align_t));
      std::memcpy(copy.data(), data, bytes);
      file.release(number(importer::offsetAttribute), bytes);
      data = copy.data();
    }
    result.weights.push_back(data);
  }
  return {};
}

//===-- The function ----------------------------------------------------------------------------------------------===//

/// Runs what `add` puts into a pass manager.
static bool runPasses(ModuleOp module, llvm::function_ref<void(OpPassManager &)> add) {
  PassManager passes(module.getContext(), ModuleOp::getOperationName());
  add(passes);
  return succeeded(passes.run(module));
}

Expected<PlainFunction> PlainFunction::compile(onnx::Model model, std::span<const TensorType> inputs) {
  auto result = std::make_unique<Implementation>();
  Expected<std::vector<TensorType>> bound = bindInputs(model, inputs);
  if (!bound)
    return bound.error();
  result->inputs = std::move(*bound);
  result->model = std::move(model);
  DialectRegistry registry;
  registerDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.printOpOnDiagnostic(false);
  context.loadDialect<arith::ArithDialect, func::FuncDialect, onnx::OnnxDialect>(); // what importGraph makes
  DiagnosticCollector diagnostics(context, llvm::sys::path::filename(result->model.path).str(), [](const auto &) {});
  OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(&context));
  if (failed(importer::importGraph(*module, result->model, 0, importer::GraphUse::Function)))
    return diagnostics.error("import");
  auto function = module->lookupSymbol<func::FuncOp>(entry);
  setShapes(function, result->inputs);
  if (Status found = bindWeights(function, *result); !found)
    return found.error();
  if (!runPasses(*module, addNodePasses))
    return diagnostics.error("import");
  Expected<std::vector<TensorType>> outputs = outputsOf(function, result->model);
  if (!outputs)
    return outputs.error();
  result->outputs = std::move(*outputs);
  result->ranges = rangesOf(function, result->outputs.size());
  if (!runPasses(*module, addMemoryPasses))
    return diagnostics.error("codegen");
  auto engine = function::makeEngine(*module);
  if (!engine)
    return Error{engine.error().message + "; " + diagnostics.error("codegen").message};
  Expected<function::Code> code = function::lookUp(**engine, entry); // compiles now, not at the first call
  if (!code)
    return code.error();
  result->engine = std::move(*engine);
  result->code = *code;
  return PlainFunction(std::move(result));
}

Status PlainFunction::run(std::span<const void *const> inputs, std::span<void *const> outputs) const {
  SmallVector<const void *> pointers(inputs.begin(), inputs.end());
  llvm::append_range(pointers, implementation->weights);
  llvm::append_range(pointers, outputs);
  std::vector<int64_t> outside(implementation->ranges.size());
  for (int64_t &index : outside)
    pointers.push_back(&index);
  // The code takes the address of each argument.
  SmallVector<void *> arguments;
  for (const void *&pointer : pointers)
    arguments.push_back(&pointer);
  implementation->code(arguments.data());
  for (auto [range, index] : llvm::zip_equal(implementation->ranges, outside))
    if (index != 0)
      return Error{range.node + ": index " + std::to_string(index) + " lies outside of " + std::to_string(range.size) +
                   " elements"};
  return {};
}

} // namespace halftone
