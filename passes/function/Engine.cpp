// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// MLIR's execution engine, tuned for the processor at hand.
#include "passes/function/Engine.h"
#include "lib/matrix/Product.h"

#include "mlir/ExecutionEngine/OptUtils.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"

#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace halftone;

static Error cannot(llvm::Error error) { return {"cannot make code: " + llvm::toString(std::move(error))}; }

/// c += a * b, as call-products calls it.
template <bool turned>
static void product(int64_t rows, int64_t columns, int64_t inner, const float *a, int64_t strideA, const float *b,
                    int64_t strideB, float *c, int64_t strideC) {
  using matrix::MatrixView;
  const MatrixView<const float> second = turned ? MatrixView<const float>(b, columns, inner, strideB)
                                                : MatrixView<const float>(b, inner, columns, strideB);
  matrix::addProduct(MatrixView<float>(c, rows, columns, strideC), 1.0f,
                     MatrixView<const float>(a, rows, inner, strideA), matrix::Factor<float>(second, turned));
}

static llvm::orc::SymbolMap librarySymbols(llvm::orc::MangleAndInterner intern) {
  auto symbol = [](auto *function) {
    return llvm::orc::ExecutorSymbolDef(llvm::orc::ExecutorAddr::fromPtr(function), llvm::JITSymbolFlags::Exported);
  };
  return {{intern("halftone_product"), symbol(&product<false>)},
          {intern("halftone_product_turned"), symbol(&product<true>)}};
}

Expected<std::unique_ptr<ExecutionEngine>> function::makeEngine(ModuleOp module) {
  static const bool isInitialized = !llvm::InitializeNativeTarget() && !llvm::InitializeNativeTargetAsmPrinter();
  (void)isInitialized;
  registerBuiltinDialectTranslation(*module.getContext());
  registerLLVMDialectTranslation(*module.getContext());
  auto host = llvm::orc::JITTargetMachineBuilder::detectHost();
  if (!host)
    return cannot(host.takeError());
  auto machine = host->createTargetMachine();
  if (!machine)
    return cannot(machine.takeError());
  llvm::TargetMachine *tuned = machine->get(); // owned by the engine, which outlives the optimization
  const auto optimize = makeOptimizingTransformer(/*optLevel=*/2, /*sizeLevel=*/0, tuned);
  ExecutionEngineOptions options;
  options.transformer = optimize;
  options.jitCodeGenOptLevel = llvm::CodeGenOptLevel::Default;
  auto engine = ExecutionEngine::create(module, options, std::move(*machine));
  if (!engine)
    return cannot(engine.takeError());
  (*engine)->registerSymbols(librarySymbols);
  return std::move(*engine);
}

Expected<function::Code> function::lookUp(ExecutionEngine &engine, StringRef function) {
  auto code = engine.lookupPacked(function);
  if (!code)
    return cannot(code.takeError());
  return *code;
}
