// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// recognise-attention: from a Softmax to lowbit.attention over a cache.
#include "dialects/lowbit/Facts.h"
#include "passes/Remarks.h"
#include "passes/import/AttentionParts.h"
#include "passes/import/ContextLength.h"
#include "passes/import/Passes.h"
#include "passes/import/Rows.h"

#include <set>

namespace halftone {
#define GEN_PASS_DEF_RECOGNISEATTENTION
#include "passes/import/Passes.h.inc"
} // namespace halftone

using namespace mlir;
using namespace halftone;
using namespace halftone::importer;

namespace {

/// Sizes that tell tokens, past and their sum apart.
constexpr Binding bindings[] = {{3, 5}, {4, 2}};

class Recogniser {
public:
  Recogniser(ModuleOp module, func::FuncOp function, WeightFiles &files)
      : module(module), function(function), files(files), builder(module.getContext()) {}

  LogicalResult run();

private:
  LogicalResult recognise(NodeOp softmax);
  FailureOr<Attention> find(NodeOp softmax, Binding binding);
  LogicalResult checkContext(const Attention &attention);
  void replace(const Attention &attention);
  Value rowsOf(const HeadRows &heads) {
    return toRows(builder, heads.activation, heads.first, heads.heads * heads.size);
  }
  lowbit::CacheOp addCache(Location location, int64_t heads, int64_t size);

  ModuleOp module;
  func::FuncOp function;
  WeightFiles &files;
  OpBuilder builder;
  unsigned caches = 0;
  std::set<std::vector<void *>> checked;
};

} // namespace

FailureOr<Attention> Recogniser::find(NodeOp softmax, Binding binding) {
  Evaluator evaluator(binding, files, Evaluator::Unknowns::Roots);
  Attention attention;
  attention.softmax = softmax;
  if (failed(findScores(attention, evaluator)) || failed(findProduct(attention, evaluator)) ||
      failed(findQueries(attention, evaluator)) || failed(findKeysAndValues(attention, evaluator)) ||
      failed(checkMask(attention, evaluator, binding)))
    return failure();
  return attention;
}

/// A second binding must say the same: what holds for one pair of sizes only is a coincidence.
LogicalResult Recogniser::recognise(NodeOp softmax) {
  FailureOr<Attention> first = find(softmax, bindings[0]);
  if (failed(first))
    return failure();
  FailureOr<Attention> second = find(softmax, bindings[1]);
  if (failed(second))
    return failure();
  if (first->queries != second->queries || first->keys != second->keys || first->values != second->values ||
      first->scale != second->scale)
    return emitNodeError(softmax) << "attention differs from one number of tokens to another";
  if (failed(checkContext(*first)))
    return failure();
  replace(*first);
  return success();
}

/// Layers mostly share their mask: each is checked once.
LogicalResult Recogniser::checkContext(const Attention &attention) {
  auto stated = module->getAttrOfType<IntegerAttr>(facts::context);
  std::vector<void *> masks;
  for (const Mask &mask : attention.masks)
    masks.push_back(mask.value.getAsOpaquePointer());
  for (Value guard : attention.guards)
    masks.push_back(guard.getAsOpaquePointer());
  if (!checked.insert(masks).second)
    return success();
  return checkEnds(attention, files, stated ? stated.getInt() : defaultContext);
}

lowbit::CacheOp Recogniser::addCache(Location location, int64_t heads, int64_t size) {
  std::string name;
  do
    name = "cache." + std::to_string(caches++);
  while (module.lookupSymbol(name));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(function);
  return lowbit::CacheOp::create(builder, location, name, lowbit::CacheType::get(builder.getContext(), heads, size));
}

void Recogniser::replace(const Attention &attention) {
  NodeOp product = attention.product;
  Location location = product.getLoc();
  const HeadRows &q = attention.queries, &k = attention.keys;
  lowbit::CacheOp cache = addCache(location, k.heads, k.size);
  builder.setInsertionPoint(product);
  Value handle = lowbit::GetOp::create(builder, location, cache.getType(), cache.getSymName());
  Value past = function.getArgument(1);
  Value keys = rowsOf(k), values = rowsOf(attention.values);
  lowbit::AppendOp::create(builder, location, keys, values, handle, past);
  Value queries = rowsOf(q);
  Value result =
      lowbit::AttentionOp::create(builder, location, queries.getType(), queries, handle, past,
                                  builder.getI64IntegerAttr(q.heads), builder.getF32FloatAttr(attention.scale));
  auto split = RankedTensorType::get({1, ShapedType::kDynamic, q.heads, q.size}, builder.getF32Type());
  Value shape = makeIntegers(builder, location, {1, -1, q.heads, q.size});
  Value heads = makeNode(builder, product, "Reshape", {batched(builder, result), shape}, split);
  NamedAttribute order(builder.getStringAttr("perm"), builder.getDenseI64ArrayAttr({0, 2, 1, 3}));
  heads = makeNode(builder, product, "Transpose", heads, product.getOutputs()[0].getType(), order);
  rewrote(location, "recognise-attention")
      << remark::metric("heads", q.heads) << remark::metric("kvHeads", k.heads) << remark::metric("size", q.size);
  Value(attention.result).replaceAllUsesWith(heads);
}

LogicalResult Recogniser::run() {
  SmallVector<NodeOp> softmaxes;
  function.walk([&](NodeOp node) {
    if (node.getOpType() == "Softmax")
      softmaxes.push_back(node);
  });
  for (NodeOp softmax : softmaxes)
    if (failed(recognise(softmax)))
      return failure();
  eraseDead(function);
  return success();
}

namespace {
struct RecogniseAttentionPass : halftone::impl::RecogniseAttentionBase<RecogniseAttentionPass> {
  void runOnOperation() override {
    WeightFiles files;
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      bool isForward = function.getNumArguments() >= 2 && function.getArgument(1).getType().isIndex();
      if (isForward && failed(Recogniser(getOperation(), function, files).run()))
        return signalPassFailure();
    }
  }
};
} // namespace
