// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The fuse stage: phases, then kernels.
#include "passes/fuse/Passes.h"

#include "mlir/Transforms/Passes.h"

using namespace mlir;

void halftone::addFusePasses(OpPassManager &passes, const FuseOptions &options) {
  SpecializePhasesOptions phases;
  phases.chunk = options.chunk;
  passes.addPass(createSpecializePhases(phases));
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  FormKernelsOptions kernels;
  kernels.separate = options.separate;
  passes.addNestedPass<func::FuncOp>(createFormKernels(kernels));
  passes.addNestedPass<func::FuncOp>(createVerifyFused());
}
