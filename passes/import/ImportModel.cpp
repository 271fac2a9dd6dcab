// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// import-model: reads the file and copies its graph.
#include "passes/import/ImportGraph.h"
#include "passes/import/Passes.h"

namespace halftone {
#define GEN_PASS_DEF_IMPORTMODEL
#include "passes/import/Passes.h.inc"
} // namespace halftone

using namespace mlir;

namespace {
struct ImportModelPass : halftone::impl::ImportModelBase<ImportModelPass> {
  using ImportModelBase::ImportModelBase;

  void runOnOperation() override {
    if (!getOperation().getBody()->empty()) {
      emitError(getOperation().getLoc()) << "import-model: the module is not empty";
      return signalPassFailure();
    }
    auto model = halftone::onnx::readModel(file, {.externalDataRoot = externalDataRoot});
    if (!model) {
      emitError(getOperation().getLoc()) << model.error().message;
      return signalPassFailure();
    }
    if (failed(halftone::importer::importGraph(getOperation(), *model, context)))
      signalPassFailure();
  }
};
} // namespace
