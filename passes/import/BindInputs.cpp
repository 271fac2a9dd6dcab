// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// bind-inputs: a function of new tokens and the length of the past.
#include "passes/import/Evaluate.h"
#include "passes/import/InputRoles.h"
#include "passes/import/Operator.h"
#include "passes/import/Passes.h"
#include "passes/import/Rows.h"

namespace halftone {
#define GEN_PASS_DEF_BINDINPUTS
#include "passes/import/Passes.h.inc"
} // namespace halftone

using namespace mlir;
using namespace halftone;
using namespace halftone::importer;

namespace {

struct Sizes {
  Value tokens, past, total; ///< index
};

class Binder {
public:
  Binder(func::FuncOp graph, std::string source)
      : graph(graph), builder(graph.getContext()), source(std::move(source)) {}

  LogicalResult run();

private:
  InFlightDiagnostic error(BlockArgument input) {
    auto name = graph.getArgAttrOfType<StringAttr>(input.getArgNumber(), "onnx.name");
    return emitError(input.getLoc()) << source << ": input '" << (name ? name.getValue() : "") << "': ";
  }
  StringRef dimensionName(BlockArgument input, unsigned dimension);
  LogicalResult findTokens();
  void findPastSizes();
  LogicalResult checkPast();
  LogicalResult bindInteger(BlockArgument input, const Sizes &sizes);
  Value scalar(Value index);
  Value ones(BlockArgument input, Value length);
  Value positions(BlockArgument input, const Sizes &sizes);
  LogicalResult finish();
  LogicalResult takeName(StringRef name);

  func::FuncOp graph;
  OpBuilder builder;
  std::string source;
  BlockArgument ids;
  SmallVector<BlockArgument> past;
};

} // namespace

static bool isPast(Value input) {
  auto type = dyn_cast<RankedTensorType>(input.getType());
  return type && isa<FloatType>(type.getElementType()) && type.getRank() == 4;
}

StringRef Binder::dimensionName(BlockArgument input, unsigned dimension) {
  auto names = graph.getArgAttrOfType<ArrayAttr>(input.getArgNumber(), "onnx.dimensions");
  return names && dimension < names.size() ? cast<StringAttr>(names[dimension]).getValue() : "";
}

LogicalResult Binder::findTokens() {
  for (BlockArgument input : graph.getArguments()) {
    auto type = dyn_cast<RankedTensorType>(input.getType());
    if (isPast(input))
      past.push_back(input);
    if (!type || !isa<IntegerType>(type.getElementType()) || !namesTokens(input))
      continue;
    if (ids)
      return error(input) << "both this and '"
                          << graph.getArgAttrOfType<StringAttr>(ids.getArgNumber(), "onnx.name").getValue()
                          << "' name rows of an embedding table";
    ids = input;
  }
  if (!ids)
    return emitError(graph.getLoc()) << source << ": no input of integers names rows of an embedding table: this is no "
                                     << "decoder of token ids";
  auto type = cast<RankedTensorType>(ids.getType());
  if (type.getRank() > 2 || !type.getElementType().isInteger(64))
    return error(ids) << "token ids are " << type << ", not int64 [batch, tokens]";
  return success();
}

static void setShape(Value value, ArrayRef<int64_t> shape) {
  value.setType(RankedTensorType::get(shape, cast<RankedTensorType>(value.getType()).getElementType()));
}

/// Sizes that the file only has names for are those of what comes after the past along the length, whatever the number
/// of tokens. In the order of the graph: a later layer's new keys depend on the past of those before it.
void Binder::findPastSizes() {
  WeightFiles files;
  Evaluator few({3, 5}, files), more({4, 7}, files);
  for (Operation &op : graph.getBody().front()) {
    auto concat = dyn_cast<NodeOp>(op);
    if (!isNode(&op, "Concat") || concat.getInputs().size() != 2 || !llvm::is_contained(past, concat.getInputs()[0]))
      continue;
    Value before = concat.getInputs()[0], after = concat.getInputs()[1];
    const Tensor &one = few.evaluate(after), &other = more.evaluate(after);
    if (one.shape.size() != 4 || other.shape.size() != 4)
      continue;
    SmallVector<int64_t> shape(*dimensions(before));
    auto axis = normalizeAxis(parameter(concat, "axis", int64_t(0)), shape.size());
    for (int64_t i = 1; axis && i < 4; ++i)
      if (i != *axis && ShapedType::isDynamic(shape[i]) && one.shape[i] == other.shape[i])
        shape[i] = one.shape[i];
    setShape(before, shape);
  }
}

/// Batch is 1; of the other dimensions one is dynamic: the length of the past.
LogicalResult Binder::checkPast() {
  for (BlockArgument input : past)
    if (llvm::count(*dimensions(input), ShapedType::kDynamic) != 1)
      return error(input) << "past keys or values are " << input.getType()
                          << ": one dimension after the batch must be dynamic";
  return success();
}

Value Binder::scalar(Value index) {
  Location location = index.getLoc();
  Value integer = arith::IndexCastOp::create(builder, location, builder.getI64Type(), index);
  return tensor::FromElementsOp::create(builder, location, RankedTensorType::get({}, builder.getI64Type()),
                                        ValueRange(integer));
}

Value Binder::ones(BlockArgument input, Value length) {
  auto type = cast<RankedTensorType>(input.getType());
  Location location = input.getLoc();
  TypedAttr one = builder.getOneAttr(type.getElementType());
  Value element = arith::ConstantOp::create(builder, location, one);
  return tensor::SplatOp::create(builder, location, element,
                                 RankedTensorType::get({1, ShapedType::kDynamic}, type.getElementType()),
                                 ValueRange(length));
}

Value Binder::positions(BlockArgument input, const Sizes &sizes) {
  Location location = input.getLoc();
  auto scalarType = RankedTensorType::get({}, builder.getI64Type());
  auto rowType = RankedTensorType::get({ShapedType::kDynamic}, builder.getI64Type());
  Value one = arith::ConstantOp::create(builder, location, DenseElementsAttr::get(scalarType, int64_t(1)));
  Value range =
      NodeOp::create(builder, location, TypeRange(rowType), builder.getStringAttr("Range"), builder.getStringAttr(""),
                     builder.getI64IntegerAttr(11), builder.getStringAttr("positions"), builder.getDictionaryAttr({}),
                     ValueRange{scalar(sizes.past), scalar(sizes.total), one})
          .getOutputs()[0];
  return cast<RankedTensorType>(input.getType()).getRank() == 2 ? batched(builder, range) : range;
}

/// A mask of ones over all positions seen, or positions.
LogicalResult Binder::bindInteger(BlockArgument input, const Sizes &sizes) {
  auto type = dyn_cast<RankedTensorType>(input.getType());
  if (input.use_empty())
    return success();
  if (!type || !type.getElementType().isSignlessInteger() || type.getRank() > 2 || type.getRank() == 0)
    return error(input) << "is " << input.getType()
                        << "; only token ids, positions, a mask and past keys and values are understood";
  if (namesPositions(input)) {
    if (!type.getElementType().isInteger(64))
      return error(input) << "positions are " << type << ", not int64";
    input.replaceAllUsesWith(positions(input, sizes));
    return success();
  }
  if (type.getRank() != 2)
    return error(input) << "the mask is " << type << ", not [batch, tokens]";
  unsigned last = cast<RankedTensorType>(ids.getType()).getRank() - 1;
  bool coversPast = !past.empty() && dimensionName(input, 1) != dimensionName(ids, last);
  input.replaceAllUsesWith(ones(input, coversPast ? sizes.total : sizes.tokens));
  return success();
}

LogicalResult Binder::run() {
  if (failed(findTokens()))
    return failure();
  Block &body = graph.getBody().front();
  Location location = graph.getLoc();
  SmallVector<BlockArgument> inputs(graph.getArguments());
  auto idsType = RankedTensorType::get({ShapedType::kDynamic}, builder.getI64Type());
  if (failed(graph.insertArgument(0, idsType, builder.getDictionaryAttr({}), ids.getLoc())) ||
      failed(graph.insertArgument(1, builder.getIndexType(), builder.getDictionaryAttr({}), location)))
    return failure();
  Value tokens = body.getArgument(0), pastLength = body.getArgument(1);
  builder.setInsertionPointToStart(&body);
  Value count = tensor::DimOp::create(builder, location, tokens, 0);
  Value start = past.empty() ? arith::ConstantIndexOp::create(builder, location, 0).getResult() : pastLength;
  Sizes sizes = {count, start, arith::AddIOp::create(builder, location, start, count)};
  bool hasBatch = cast<RankedTensorType>(ids.getType()).getRank() == 2;
  for (BlockArgument input : past) {
    SmallVector<int64_t> shape(*dimensions(input));
    shape[0] = 1;
    setShape(input, shape);
    graph.setArgAttr(input.getArgNumber(), pastAttribute, builder.getUnitAttr());
  }
  for (BlockArgument input : inputs)
    if (!isPast(input) && input != ids && failed(bindInteger(input, sizes)))
      return failure();
  ids.replaceAllUsesWith(hasBatch ? batched(builder, tokens) : tokens);
  findPastSizes();
  return failed(checkPast()) ? failure() : finish();
}

/// A weight of this name gets another.
LogicalResult Binder::takeName(StringRef name) {
  SymbolTable symbols(graph->getParentOfType<ModuleOp>());
  if (Operation *other = symbols.lookup(name); other && failed(symbols.renameToUnique(other, {})))
    return failure();
  return symbols.rename(graph, name);
}

/// Drops the arguments that nobody reads any more.
LogicalResult Binder::finish() {
  llvm::BitVector unused(graph.getNumArguments());
  for (BlockArgument argument : graph.getArguments().drop_front(2))
    unused[argument.getArgNumber()] = !isPast(argument);
  if (failed(graph.eraseArguments(unused)))
    return failure();
  Block &body = graph.getBody().front();
  for (BlockArgument argument : body.getArguments().drop_front(2))
    graph.removeArgAttr(argument.getArgNumber(), builder.getStringAttr("onnx.dimensions"));
  graph.setFunctionType(builder.getFunctionType(body.getArgumentTypes(), graph.getResultTypes()));
  if (failed(takeName("forward")))
    return failure();
  eraseDead(graph);
  return success();
}

namespace {
struct BindInputsPass : halftone::impl::BindInputsBase<BindInputsPass> {
  void runOnOperation() override {
    auto graph = getOperation().lookupSymbol<func::FuncOp>("graph");
    if (!graph) {
      emitError(getOperation().getLoc()) << "there is no function @graph to bind the inputs of";
      return signalPassFailure();
    }
    auto source = getOperation()->getAttrOfType<StringAttr>("halftone.source");
    if (failed(Binder(graph, source ? source.str() : "model").run()))
      signalPassFailure();
  }
};
} // namespace
