// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// call-products: large products are what a well-kept library does best.
#include "passes/function/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/SymbolTable.h"

namespace halftone {
#define GEN_PASS_DEF_CALLPRODUCTS
#include "passes/function/Passes.h.inc"
} // namespace halftone

using namespace mlir;

/// The name of the call for `op`, or nothing when it is no product of matrices that the library knows.
static StringRef calleeFor(linalg::LinalgOp op) {
  if (!op.hasPureBufferSemantics() || !linalg::isaContractionOpInterface(op) || op.getNumLoops() != 3)
    return {};
  for (Value operand : op->getOperands()) {
    auto type = dyn_cast<MemRefType>(operand.getType());
    if (!type || type.getRank() != 2 || !type.getElementType().isF32() || !type.isLastDimUnitStride())
      return {};
  }
  AffineExpr m, n, k;
  bindDims(op.getContext(), m, n, k);
  auto maps = op.getIndexingMapsArray();
  AffineMap result = maps[2];
  if (!result.isProjectedPermutation())
    return {};
  // The loops may stand in any order: names follow from where they are used.
  m = result.getResult(0), n = result.getResult(1);
  for (AffineExpr loop : maps[0].getResults())
    if (loop != m && loop != n)
      k = loop;
  auto is = [&](AffineMap map, AffineExpr first, AffineExpr second) {
    return map.getResult(0) == first && map.getResult(1) == second;
  };
  if (!is(maps[0], m, k))
    return {};
  return is(maps[1], k, n) ? "halftone_product" : is(maps[1], n, k) ? "halftone_product_turned" : StringRef();
}

static void callProduct(linalg::LinalgOp op, StringRef name, SymbolTable &symbols) {
  OpBuilder builder(op);
  const Location loc = op.getLoc();
  Value a = op->getOperand(0), c = op->getOperand(2);
  auto size = [&](Value memory, int64_t dimension) -> Value {
    return memref::DimOp::create(builder, loc, memory, dimension);
  };
  SmallVector<Value> arguments = {size(c, 0), size(c, 1), size(a, 1)};
  for (Value memory : op->getOperands()) {
    auto layout = memref::ExtractStridedMetadataOp::create(builder, loc, memory);
    Value start = memref::ExtractAlignedPointerAsIndexOp::create(builder, loc, memory);
    Value width = arith::ConstantIndexOp::create(builder, loc, sizeof(float));
    Value offset = arith::MulIOp::create(builder, loc, layout.getOffset(), width);
    arguments.push_back(arith::AddIOp::create(builder, loc, start, offset));
    arguments.push_back(layout.getStrides()[0]);
  }
  if (!symbols.lookup(name)) {
    auto type = builder.getFunctionType(SmallVector<Type>(arguments.size(), builder.getIndexType()), {});
    auto function = func::FuncOp::create(loc, name, type);
    function.setPrivate();
    symbols.insert(function);
  }
  func::CallOp::create(builder, loc, name, TypeRange(), arguments);
  op->erase();
}

namespace {
struct CallProductsPass : halftone::impl::CallProductsBase<CallProductsPass> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    SmallVector<linalg::LinalgOp> ops;
    getOperation().walk([&](linalg::LinalgOp op) { ops.push_back(op); });
    for (linalg::LinalgOp op : ops)
      if (StringRef name = calleeFor(op); !name.empty())
        callProduct(op, name, symbols);
  }
};
} // namespace
