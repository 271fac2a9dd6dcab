// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From a module to functions in memory, in a context of its own: a pass that wants to run blocks may not load dialects
// into the context that it runs in.
#include "passes/calibrate/BlockCode.h"

#include "passes/calibrate/Entry.h"
#include "passes/calibrate/Passes.h"
#include "passes/function/Passes.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::calibrate;

namespace {

/// A copy of a module in another context, and the first error that is reported there.
class Workshop {
public:
  static DialectRegistry dialects(MLIRContext *of) {
    DialectRegistry registry;
    of->getDialectRegistry().appendTo(registry);
    registry.insert<arith::ArithDialect, func::FuncDialect, math::MathDialect, tensor::TensorDialect>();
    return registry;
  }

  explicit Workshop(ModuleOp original)
      : context(dialects(original.getContext()), MLIRContext::Threading::DISABLED),
        handler(&context, [&](Diagnostic &diagnostic) {
          if (error.empty() && diagnostic.getSeverity() == DiagnosticSeverity::Error)
            error = diagnostic.str();
        }) {
    std::string bytes;
    llvm::raw_string_ostream stream(bytes);
    (void)writeBytecodeToFile(original, stream);
    module = parseSourceString<ModuleOp>(bytes, ParserConfig(&context));
  }

  bool run(llvm::function_ref<void(OpPassManager &)> add) {
    PassManager passes(&context, ModuleOp::getOperationName());
    add(passes);
    return succeeded(passes.run(*module));
  }

  Error failed() const { return {"cannot compile the model to run it on calibration data: " + error}; }

  MLIRContext context;
  std::string error;
  ScopedDiagnosticHandler handler;
  OwningOpRef<ModuleOp> module;
};

/// What cannot be part of code: names, and the function that only says how the others follow each other.
void dropState(ModuleOp module) {
  calibrate::entryOf(module)->erase();
  for (Operation &op : llvm::make_early_inc_range(*module.getBody()))
    if (!isa<func::FuncOp>(op))
      op.erase();
}

void addCodePasses(OpPassManager &passes, int64_t length) {
  LowerSequencesOptions options;
  options.length = length;
  passes.addPass(createLowerSequences(options));
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addPass(createConvertElementwiseToLinalgPass());
  addMemoryPasses(passes);
}

} // namespace

/// For each argument that the lowered function will have, whether `function` reads it.
static std::vector<bool> readsOf(func::FuncOp function) {
  std::vector<bool> reads;
  for (BlockArgument argument : function.getArguments())
    if (isa<RankedTensorType, lowbit::WeightType>(argument.getType()))
      reads.push_back(!argument.use_empty());
  return reads;
}

/// Makes the module a chain.
static Expected<Chain> outline(Workshop &shop) {
  if (!shop.module || !shop.run([](OpPassManager &passes) { passes.addPass(createOutlineSegments()); }))
    return shop.failed();
  FailureOr<Chain> chain = readChain(*shop.module);
  if (failed(chain))
    return shop.failed();
  return std::move(*chain);
}

Expected<Chain> calibrate::chainOf(ModuleOp module) {
  Workshop shop(module);
  return outline(shop);
}

Expected<BlockCode> BlockCode::compile(ModuleOp original, int64_t length) {
  Workshop shop(original);
  Expected<Chain> chain = outline(shop);
  if (!chain)
    return chain.error();
  BlockCode result;
  result.chain = std::move(*chain);
  result.length = length;
  const auto split = [](OpPassManager &passes) {
    passes.addPass(createSplitObservations());
    passes.addPass(createCanonicalizerPass());
    passes.addPass(createCSEPass());
  };
  dropState(*shop.module);
  if (!shop.run(split))
    return shop.failed();
  for (auto function : shop.module->getOps<func::FuncOp>()) {
    function.setPublic();
    result.functions[function.getName().str()].reads = readsOf(function);
  }
  if (!shop.run([&](OpPassManager &passes) { addCodePasses(passes, length); }))
    return shop.failed();
  Expected<std::unique_ptr<ExecutionEngine>> engine = function::makeEngine(*shop.module);
  if (!engine)
    return engine.error();
  result.engine = std::move(*engine);
  for (auto &[name, compiled] : result.functions) {
    Expected<function::Code> code = function::lookUp(*result.engine, name);
    if (!code)
      return code.error();
    compiled.code = *code;
  }
  return result;
}

int64_t calibrate::longest(ArrayRef<Sequence> sequences) {
  int64_t most = 1;
  for (const Sequence &sequence : sequences)
    most = std::max(most, sequence.tokens);
  return most;
}

Status BlockCode::load(const Step &step, StringRef function, BlockWeights &weights) const {
  const BlockFunction &compiled = functions.at(function.str());
  for (size_t i = 0; i < step.arguments.size(); ++i)
    if (compiled.reads[i] && !step.arguments[i].value)
      if (Status loaded = weights.load(step.arguments[i].weight); !loaded)
        return loaded;
  return {};
}

void BlockCode::call(StringRef function, ArrayRef<const void *> pointers) const {
  SmallVector<void *> addresses;
  for (const void *const &pointer : pointers)
    addresses.push_back(const_cast<const void **>(&pointer));
  functions.at(function.str()).code(addresses.data());
}
