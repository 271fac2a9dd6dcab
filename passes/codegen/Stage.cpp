// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The codegen stage: kernel operations to vector arithmetic, and that to the LLVM dialect.
#include "passes/codegen/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void halftone::addCodegenPasses(OpPassManager &passes) {
  passes.addPass(createAddProbes());
  addKernelOpPasses(passes);
  passes.addPass(createEmitEntries());
  addLlvmPasses(passes);
}

void halftone::addKernelOpPasses(OpPassManager &passes) {
  passes.addPass(createLowerDecode());
  passes.addPass(createLowerLookup());
  passes.addPass(createLowerDot());
  passes.addNestedPass<func::FuncOp>(createSinkArithmetic());
  passes.addNestedPass<func::FuncOp>(createApproximateMath());
}

void halftone::addLlvmPasses(OpPassManager &passes) {
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addPass(createConvertVectorToSCFPass());
  passes.addPass(createSCFToControlFlowPass());
  passes.addPass(createConvertVectorToLLVMPass());
  passes.addPass(memref::createExpandStridedMetadataPass());
  passes.addPass(createLowerAffinePass());
  passes.addPass(createConvertMathToLLVMPass());
  passes.addPass(createFinalizeMemRefToLLVMConversionPass());
  passes.addPass(createArithToLLVMConversionPass());
  passes.addPass(createConvertIndexToLLVMPass());
  passes.addPass(createConvertControlFlowToLLVMPass());
  ConvertFuncToLLVMPassOptions functions;
  functions.useBarePtrCallConv = true;
  passes.addPass(createConvertFuncToLLVMPass(functions));
  passes.addPass(createReconcileUnrealizedCastsPass());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
}
