// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The quantize stage: decide formats, derive weights, quantize them, contract activations.
#include "passes/calibrate/Passes.h"
#include "passes/quantize/Passes.h"

using namespace mlir;

void halftone::addQuantizePasses(OpPassManager &passes, const QuantizeOptions &options) {
  AssignFormatsOptions assign;
  assign.format = options.format;
  assign.embeddingFormat = options.embeddingFormat;
  assign.headFormat = options.headFormat;
  assign.untie = options.untie;
  assign.activations = options.activations;
  assign.method = options.method;
  passes.addPass(createAssignFormats(assign));
  EvaluateWeightsOptions evaluate;
  evaluate.work = options.derivedFile;
  passes.addPass(createEvaluateWeights(evaluate));
  // What is left to round to nearest comes first, so that the model is calibrated with it.
  RtnOptions rtn;
  rtn.work = options.quantizedFile;
  passes.addPass(createRtn(rtn, options.progress));
  GptqOptions gptq = options.gptq;
  gptq.work = options.calibratedFile;
  passes.addPass(createGptq(gptq, {options.makeRunner, options.progress, options.journal}));
  passes.addPass(createCheckWeights());
  passes.addPass(createDropObservations());
  passes.addPass(createContractActivations());
  passes.addPass(createVerifyQuantized());
}
