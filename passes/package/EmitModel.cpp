// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One name for the whole model.
#include "passes/package/Passes.h"

using namespace mlir;
using namespace halftone;

namespace halftone {
#define GEN_PASS_DEF_EMITMODEL
#include "passes/package/Passes.h.inc"
} // namespace halftone

namespace {

/// In the order of struct halftone_model, before the weights.
constexpr llvm::StringLiteral parts[] = {"halftone_facts", "halftone_variants"};

class EmitModelPass : public halftone::impl::EmitModelBase<EmitModelPass> {
public:
  using EmitModelBase::EmitModelBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    for (StringRef part : parts)
      if (!module.lookupSymbol<LLVM::GlobalOp>(part)) {
        module.emitError("no constant '") << part << "'";
        return signalPassFailure();
      }
    for (const std::string &name : {symbol.getValue(), weightsName()})
      if (name.empty() || module.lookupSymbol(name)) {
        module.emitError("symbol: '") << name << "' " << (name.empty() ? "is no name" : "is the name of something else");
        return signalPassFailure();
      }
    makeLocal();
    emitConstant();
  }

private:
  std::string weightsName() { return symbol + "_weights"; }

  /// All that has a body here; what is only declared, others define.
  void makeLocal() {
    for (auto function : getOperation().getOps<LLVM::LLVMFuncOp>())
      if (!function.isExternal())
        function.setLinkage(LLVM::Linkage::Internal);
    for (StringRef part : parts)
      getOperation().lookupSymbol<LLVM::GlobalOp>(part).setLinkage(LLVM::Linkage::Internal);
  }

  void emitConstant() {
    OpBuilder builder = OpBuilder::atBlockEnd(getOperation().getBody());
    Location loc = getOperation().getLoc();
    Type pointer = LLVM::LLVMPointerType::get(&getContext());
    auto weights = LLVM::GlobalOp::create(builder, loc, LLVM::LLVMArrayType::get(builder.getI8Type(), 0),
                                          /*isConstant=*/true, LLVM::Linkage::External, weightsName(), Attribute());
    weights.setVisibility_(LLVM::Visibility::Hidden);
    SmallVector<std::string> symbols(std::begin(parts), std::end(parts));
    symbols.push_back(weightsName());
    auto type = LLVM::LLVMStructType::getLiteral(&getContext(), SmallVector<Type>(symbols.size(), pointer));
    auto model = LLVM::GlobalOp::create(builder, loc, type, /*isConstant=*/true, LLVM::Linkage::External, symbol,
                                        Attribute());
    builder.createBlock(&model.getInitializerRegion());
    Value value = LLVM::UndefOp::create(builder, loc, type);
    for (auto [field, name] : llvm::enumerate(symbols)) {
      Value address = LLVM::AddressOfOp::create(builder, loc, pointer, name);
      value = LLVM::InsertValueOp::create(builder, loc, value, address, static_cast<int64_t>(field));
    }
    LLVM::ReturnOp::create(builder, loc, value);
  }
};

} // namespace
