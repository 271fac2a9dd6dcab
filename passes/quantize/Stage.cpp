// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The quantize stage: decide formats, derive weights, quantize them, contract activations.
#include "passes/calibrate/Passes.h"
#include "passes/quantize/Passes.h"

using namespace mlir;
using namespace halftone;

static void addPins(OpPassManager &passes, const QuantizeOptions &options) {
  if (options.formats.empty())
    return;
  PinFormatsOptions pin;
  pin.formats = options.formats;
  passes.addPass(createPinFormats(pin));
}

static void addAssignment(OpPassManager &passes, const QuantizeOptions &options) {
  AssignFormatsOptions assign;
  assign.format = options.format;
  assign.embeddingFormat = options.embeddingFormat;
  assign.headFormat = options.headFormat;
  assign.untie = options.untie;
  assign.activations = options.activations;
  assign.method = options.method;
  passes.addPass(createAssignFormats(assign));
}

void halftone::addDecisionPasses(OpPassManager &passes, const QuantizeOptions &options) {
  addPins(passes, options);
  addAssignment(passes, options);
}

void halftone::addQuantizePasses(OpPassManager &passes, const QuantizeOptions &options) {
  const CalibrationRun run{options.makeRunner, options.makeDivergence, options.progress, options.journal};
  addPins(passes, options);
  if (!options.allocate.candidates.empty()) {
    EvaluateWeightsOptions evaluate; // the model runs, and what is derived must be there
    evaluate.work = options.derivedFile + ".first";
    passes.addPass(createEvaluateWeights(evaluate));
    AllocateFormatsOptions allocate = options.allocate;
    allocate.embeddingFormat = options.embeddingFormat;
    allocate.headFormat = options.headFormat;
    passes.addPass(createAllocateFormats(allocate, run));
  }
  addAssignment(passes, options);
  EvaluateWeightsOptions evaluate;
  evaluate.work = options.derivedFile;
  passes.addPass(createEvaluateWeights(evaluate));
  SmoothQuantOptions smooth = options.smoothQuant;
  smooth.work = options.derivedFile + ".smooth-factors";
  passes.addPass(createSmoothQuant(smooth, run));
  evaluate.work = options.derivedFile + ".smooth";
  passes.addPass(createEvaluateWeights(evaluate));
  AwqOptions awq;
  awq.work = options.derivedFile + ".awq-factors";
  passes.addPass(createAwq(awq, run));
  evaluate.work = options.derivedFile + ".awq";
  passes.addPass(createEvaluateWeights(evaluate));
  // What is left to round to nearest comes first, so that the model is calibrated with it.
  RtnOptions rtn;
  rtn.work = options.quantizedFile;
  passes.addPass(createRtn(rtn, options.progress));
  HqqOptions hqq;
  hqq.work = options.calibratedFile;
  passes.addPass(createHqq(hqq, run));
  ImatrixOptions imatrix;
  imatrix.work = options.calibratedFile;
  passes.addPass(createImatrix(imatrix, run));
  GptqOptions gptq = options.gptq;
  gptq.work = options.calibratedFile;
  passes.addPass(createGptq(gptq, run));
  passes.addPass(createCheckWeights());
  if (options.attribute)
    passes.addPass(createAttributeDivergence({}, run));
  passes.addPass(createDropObservations());
  passes.addPass(createContractActivations());
  if (!options.cacheFormat.empty()) {
    QuantizeCacheOptions cache;
    cache.format = options.cacheFormat;
    passes.addPass(createQuantizeCache(cache));
  }
  passes.addPass(createVerifyQuantized());
}
