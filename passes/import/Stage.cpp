// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The import stage: a file becomes a graph, the graph @forward.
#include "passes/import/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassOptions.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace halftone;

void halftone::addImportPasses(OpPassManager &passes, const ImportOptions &options) {
  ImportModelOptions model;
  model.file = options.path;
  model.externalDataRoot = options.externalDataRoot;
  model.context = options.context;
  passes.addPass(createImportModel(model));
  passes.addPass(createExpandOperators());
  passes.addPass(createBindInputs());
  passes.addNestedPass<func::FuncOp>(createKeepAllTokens());
  passes.addNestedPass<func::FuncOp>(createResolveShapes());
  passes.addPass(createConvertEmbedding());
  passes.addPass(createConvertLinears());
  passes.addNestedPass<func::FuncOp>(createConvertBiases());
  passes.addPass(createShareTiedWeights());
  passes.addNestedPass<func::FuncOp>(createRecogniseNorms());
  passes.addPass(createRecogniseRope(RecogniseRopeOptions{options.workFile, options.path}));
  passes.addPass(createRecogniseAttention());
  passes.addNestedPass<func::FuncOp>(createCancelMovements());
  passes.addNestedPass<func::FuncOp>(createConvertElementwise());
  passes.addPass(createBindOutputs());
  passes.addPass(createSplitLinears());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addPass(createDropUnused());
  passes.addPass(createCountParameters());
  passes.addPass(createVerifyImported());
  passes.addPass(createOutlineBlocks());
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

void halftone::registerImportPipeline() {
  PassPipelineRegistration<PipelineOptions>("import", "The import stage: from an ONNX model to @forward",
                                            [](OpPassManager &passes, const PipelineOptions &options) {
                                              addImportPasses(
                                                  passes, {options.file, options.root, options.context, options.work});
                                            });
}
