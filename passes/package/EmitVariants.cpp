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

/// A field of a table: the address of a symbol, or a number.
using Field = std::variant<std::string, int64_t>;

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
    emitVariants(*targets);
  }

private:
  void emitVariants(ArrayRef<kernel::TargetAttr> targets) {
    OpBuilder builder = OpBuilder::atBlockEnd(getOperation().getBody());
    Type pointer = LLVM::LLVMPointerType::get(&getContext());
    SmallVector<SmallVector<Field>> variants;
    for (auto [number, target] : llvm::enumerate(targets)) {
      const std::string features = kernel::nameForTarget("halftone_features", number);
      emitString(features, package::neededFeatures(target), builder);
      variants.push_back({features});
      for (StringRef phase : phases)
        variants.back().push_back(kernel::nameForTarget(phase, number));
      variants.back().push_back(emitProbes(target, number, builder));
    }
    auto type = LLVM::LLVMStructType::getLiteral(&getContext(), SmallVector<Type>(2 + std::size(phases), pointer));
    emitTable("halftone_variants", LLVM::Linkage::External, type, variants, builder);
  }

  /// The table of a target's probes. Gives its name.
  std::string emitProbes(kernel::TargetAttr target, size_t number, OpBuilder &builder) {
    SmallVector<SmallVector<Field>> probes;
    for (auto function : llvm::to_vector(getOperation().getOps<LLVM::LLVMFuncOp>())) {
      auto instruction = function->getAttrOfType<StringAttr>(kernel::probeAttrName);
      auto operations = function->getAttrOfType<IntegerAttr>(kernel::probeOperationsAttrName);
      if (!instruction || !operations || targets::targetOf(function) != target)
        continue;
      const std::string name = (function.getName() + "_instruction").str();
      emitString(name, instruction.str(), builder);
      probes.push_back({name, operations.getInt(), function.getName().str()});
    }
    Type pointer = LLVM::LLVMPointerType::get(&getContext());
    auto type = LLVM::LLVMStructType::getLiteral(&getContext(), {pointer, builder.getI64Type(), pointer});
    const std::string name = kernel::nameForTarget("halftone_probes", number);
    emitTable(name, LLVM::Linkage::Internal, type, probes, builder);
    return name;
  }

  /// A constant array of structs; behind the last stands one of zeros.
  void emitTable(StringRef name, LLVM::Linkage linkage, Type entry, ArrayRef<SmallVector<Field>> entries,
                 OpBuilder &builder) {
    OpBuilder::InsertionGuard guard(builder);
    Location loc = getOperation().getLoc();
    auto type = LLVM::LLVMArrayType::get(entry, entries.size() + 1);
    auto table = LLVM::GlobalOp::create(builder, loc, type, /*isConstant=*/true, linkage, name, Attribute());
    builder.createBlock(&table.getInitializerRegion());
    Value value = LLVM::ZeroOp::create(builder, loc, type);
    for (auto [number, fields] : llvm::enumerate(entries))
      for (auto [i, field] : llvm::enumerate(fields)) {
        const int64_t place[] = {static_cast<int64_t>(number), static_cast<int64_t>(i)};
        value = LLVM::InsertValueOp::create(builder, loc, value, valueOf(field, builder), place);
      }
    LLVM::ReturnOp::create(builder, loc, value);
  }

  Value valueOf(const Field &field, OpBuilder &builder) {
    Location loc = getOperation().getLoc();
    if (auto *number = std::get_if<int64_t>(&field))
      return LLVM::ConstantOp::create(builder, loc, builder.getI64IntegerAttr(*number));
    Type pointer = LLVM::LLVMPointerType::get(&getContext());
    return LLVM::AddressOfOp::create(builder, loc, pointer, std::get<std::string>(field));
  }

  void emitString(const std::string &name, std::string text, OpBuilder &builder) {
    text.push_back('\0');
    auto type = LLVM::LLVMArrayType::get(builder.getI8Type(), text.size());
    LLVM::GlobalOp::create(builder, getOperation().getLoc(), type, /*isConstant=*/true, LLVM::Linkage::Internal, name,
                           builder.getStringAttr(text));
  }
};

} // namespace
