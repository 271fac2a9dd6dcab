// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The import stage's list of passes.
#include "passes/import/Stage.h"

#include "passes/import/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassOptions.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace halftone;

void halftone::buildImport(OpPassManager &manager, const ImportOptions &options) {
  ImportModelOptions model;
  model.file = options.path;
  model.externalDataRoot = options.externalDataRoot;
  model.context = options.context;
  manager.addPass(createImportModel(model));
  manager.addPass(createBindInputs());
  manager.addNestedPass<func::FuncOp>(createKeepAllTokens());
  manager.addNestedPass<func::FuncOp>(createResolveShapes());
  manager.addPass(createConvertLinears());
  manager.addPass(createShareTiedWeights());
  manager.addPass(createConvertEmbedding());
  manager.addNestedPass<func::FuncOp>(createRecogniseNorms());
  manager.addPass(createRecogniseRope(RecogniseRopeOptions{options.workFile}));
  manager.addPass(createRecogniseAttention());
  manager.addNestedPass<func::FuncOp>(createCancelMovements());
  manager.addNestedPass<func::FuncOp>(createConvertElementwise());
  manager.addPass(createBindOutputs());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  manager.addPass(createDropUnused());
  manager.addPass(createVerifyImported());
  manager.addPass(createOutlineBlocks());
}

LogicalResult halftone::runImport(ModuleOp module, const ImportOptions &options) {
  PassManager manager(module.getContext());
  buildImport(manager, options);
  return manager.run(module);
}

namespace {
struct PipelineOptions : PassPipelineOptions<PipelineOptions> {
  Option<std::string> file{*this, "file", llvm::cl::desc("The model, .onnx")};
  Option<std::string> root{*this, "external-data-root", llvm::cl::desc("A folder where external data may lie too")};
  Option<int64_t> context{*this, "context", llvm::cl::desc("The longest sequence; 0: what the model says"),
                          llvm::cl::init(0)};
  Option<std::string> work{*this, "work", llvm::cl::desc("The file that computed tables go to")};
};
} // namespace

void halftone::registerImport() {
  registerimportPasses();
  PassPipelineRegistration<PipelineOptions>("import", "The import stage: from an ONNX model to @forward",
                                            [](OpPassManager &manager, const PipelineOptions &options) {
                                              buildImport(manager,
                                                          {options.file, options.root, options.context, options.work});
                                            });
}
