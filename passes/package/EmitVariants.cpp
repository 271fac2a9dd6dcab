// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The table of a model's phases per target, from which the runtime chooses at start.
#include "passes/package/NeededFeatures.h"
#include "passes/package/Passes.h"
#include "passes/targets/Target.h"

using namespace mlir;
using namespace halftone;

namespace halftone {
#define GEN_PASS_DEF_EMITVARIANTS
#include "passes/package/Passes.h.inc"
} // namespace halftone

namespace {

/// In the order of struct halftone_variant.
constexpr llvm::StringLiteral phases[] = {"halftone_decode", "halftone_prefill", "halftone_score"};

/// LLVM compiles a function for its own processor where it names one.
void compileForTarget(LLVM::LLVMFuncOp function) {
  auto target = function->getAttrOfType<kernel::TargetAttr>(kernel::targetAttrName);
  if (!target)
    return;
  SmallVector<StringRef> features;
  target.getFeatures().split(features, ',', -1, /*KeepEmpty=*/false);
  function.setTargetCpu(target.getCpu());
  function.setTargetFeaturesAttr(LLVM::TargetFeaturesAttr::get(function.getContext(), features));
}

class EmitVariantsPass : public halftone::impl::EmitVariantsBase<EmitVariantsPass> {
public:
  void runOnOperation() override {
    ModuleOp module = getOperation();
    module.walk(compileForTarget);
    const FailureOr<SmallVector<kernel::TargetAttr>> targets = targets::targetsOf(module);
    if (failed(targets))
      return signalPassFailure();
    for (size_t number = 0; number < targets->size(); ++number)
      for (StringRef phase : phases)
        if (!module.lookupSymbol(kernel::nameForTarget(phase, number))) {
          module.emitError("no function '") << kernel::nameForTarget(phase, number) << "'";
          return signalPassFailure();
        }
    emitTable(*targets);
  }

private:
  void emitTable(ArrayRef<kernel::TargetAttr> targets) {
    OpBuilder builder = OpBuilder::atBlockEnd(getOperation().getBody());
    Location loc = getOperation().getLoc();
    Type pointer = LLVM::LLVMPointerType::get(&getContext());
    auto variant = LLVM::LLVMStructType::getLiteral(&getContext(), SmallVector<Type>(1 + std::size(phases), pointer));
    auto type = LLVM::LLVMArrayType::get(variant, targets.size() + 1);
    for (auto [number, target] : llvm::enumerate(targets))
      emitString(featuresName(number), package::neededFeatures(target), builder);
    auto table = LLVM::GlobalOp::create(builder, loc, type, /*isConstant=*/true, LLVM::Linkage::External,
                                        "halftone_variants", Attribute());
    builder.createBlock(&table.getInitializerRegion());
    Value value = LLVM::ZeroOp::create(builder, loc, type); // the last entry stays all null
    for (size_t number = 0; number < targets.size(); ++number) {
      SmallVector<std::string> symbols = {featuresName(number)};
      for (StringRef phase : phases)
        symbols.push_back(kernel::nameForTarget(phase, number));
      for (auto [field, symbol] : llvm::enumerate(symbols)) {
        Value address = LLVM::AddressOfOp::create(builder, loc, pointer, symbol);
        const int64_t place[] = {static_cast<int64_t>(number), static_cast<int64_t>(field)};
        value = LLVM::InsertValueOp::create(builder, loc, value, address, place);
      }
    }
    LLVM::ReturnOp::create(builder, loc, value);
  }

  static std::string featuresName(size_t number) { return kernel::nameForTarget("halftone_features", number); }

  void emitString(const std::string &name, std::string text, OpBuilder &builder) {
    text.push_back('\0');
    auto type = LLVM::LLVMArrayType::get(builder.getI8Type(), text.size());
    LLVM::GlobalOp::create(builder, getOperation().getLoc(), type, /*isConstant=*/true, LLVM::Linkage::Internal, name,
                           builder.getStringAttr(text));
  }
};

} // namespace
