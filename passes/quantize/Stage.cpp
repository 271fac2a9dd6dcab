// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The quantize stage: decide formats, derive weights, quantize them, contract activations.
#include "passes/quantize/Passes.h"

using namespace mlir;

void halftone::addQuantizePasses(OpPassManager &passes, const QuantizeOptions &options) {
  AssignFormatsOptions assign;
  assign.format = options.format;
  assign.embeddingFormat = options.embeddingFormat;
  assign.headFormat = options.headFormat;
  assign.untie = options.untie;
  assign.activations = options.activations;
  passes.addPass(createAssignFormats(assign));
  EvaluateWeightsOptions evaluate;
  evaluate.work = options.derivedFile;
  passes.addPass(createEvaluateWeights(evaluate));
  RtnOptions rtn;
  rtn.work = options.quantizedFile;
  passes.addPass(createRtn(rtn, options.progress));
  passes.addPass(createCheckWeights());
  passes.addNestedPass<func::FuncOp>(createContractActivations());
  passes.addPass(createVerifyQuantized());
}
