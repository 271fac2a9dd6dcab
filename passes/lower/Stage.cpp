// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The lower stage: number, decide, pack, place, lower each kind of kernel, plan memory, split among threads, bind,
// roll.
#include "passes/lower/Passes.h"

#include "mlir/Transforms/Passes.h"

using namespace mlir;

void halftone::addLowerPasses(OpPassManager &passes, const LowerOptions &options) {
  passes.addPass(createNumberKernels());
  passes.addPass(createSplitTargets());
  ChooseKernelsOptions choose;
  choose.reference = options.reference;
  passes.addPass(createChooseKernels(choose));
  PackWeightsOptions pack;
  pack.work = options.segment;
  passes.addPass(createPackWeights(pack));
  passes.addPass(createPlaceBuffers());
  if (options.reference) {
    passes.addNestedPass<func::FuncOp>(createLowerReference());
  } else {
    passes.addNestedPass<func::FuncOp>(createLowerLinear());
    passes.addNestedPass<func::FuncOp>(createLowerRows());
    passes.addNestedPass<func::FuncOp>(createLowerRope());
    passes.addNestedPass<func::FuncOp>(createLowerAttention());
    passes.addNestedPass<func::FuncOp>(createLowerEmbedding());
  }
  passes.addNestedPass<func::FuncOp>(createSplitThreads());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addPass(createPlanMemory());
  passes.addPass(createBindMemory());
  passes.addPass(createRollCalls());
  passes.addPass(createVerifyLowered());
}
