// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The prepare stage: what was asked for, then upstream's canonical form.
#include "passes/prepare/Passes.h"

#include "mlir/Transforms/Passes.h"

using namespace mlir;

void halftone::addPreparePasses(OpPassManager &passes, const PrepareOptions &options) {
  if (options.foldNormScale || options.rotate)
    passes.addNestedPass<func::FuncOp>(createFoldNormScale());
  if (options.rotate)
    passes.addPass(createRotate());
  passes.addPass(createCanonicalizerPass());
}
