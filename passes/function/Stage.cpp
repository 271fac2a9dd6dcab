// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The way of a plain function: to linalg, to memory, to loops, to the LLVM dialect.
#include "passes/codegen/Passes.h"
#include "passes/function/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/BufferDeallocationOpInterfaceImpl.h"
#include "mlir/Dialect/Arith/Transforms/BufferViewFlowOpInterfaceImpl.h"
#include "mlir/Dialect/Arith/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/FuncBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Linalg/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/MemRef/Transforms/AllocationOpInterfaceImpl.h"
#include "mlir/Dialect/MemRef/Transforms/BufferViewFlowOpInterfaceImpl.h"
#include "mlir/Dialect/SCF/Transforms/BufferDeallocationOpInterfaceImpl.h"
#include "mlir/Dialect/SCF/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void halftone::addNodePasses(OpPassManager &passes) {
  passes.addNestedPass<func::FuncOp>(createConvertNodes());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
}

void halftone::addMemoryPasses(OpPassManager &passes) {
  passes.addNestedPass<func::FuncOp>(createFuseElementwise());
  passes.addNestedPass<func::FuncOp>(createPassResults());
  passes.addPass(bufferization::createEmptyTensorEliminationPass()); // results are computed where they go
  passes.addPass(createBufferizeFunction());
  passes.addPass(createCanonicalizerPass());
  bufferization::buildBufferDeallocationPipeline(passes, bufferization::BufferDeallocationPipelineOptions());
  passes.addNestedPass<func::FuncOp>(bufferization::createOptimizeAllocationLivenessPass());
  passes.addPass(createCallProducts()); // hides memory behind addresses: after its end was found
  passes.addPass(createOutlineLoops());
  passes.addPass(func::createDuplicateFunctionEliminationPass());
  passes.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
  passes.addPass(createConvertMathToLibmPass());
  addLlvmPasses(passes);
}

void halftone::registerFunctionDialects(DialectRegistry &registry) {
  arith::registerBufferizableOpInterfaceExternalModels(registry);
  arith::registerBufferDeallocationOpInterfaceExternalModels(registry);
  arith::registerBufferViewFlowOpInterfaceExternalModels(registry);
  bufferization::func_ext::registerBufferizableOpInterfaceExternalModels(registry);
  linalg::registerBufferizableOpInterfaceExternalModels(registry);
  memref::registerAllocationOpInterfaceExternalModels(registry);
  memref::registerBufferViewFlowOpInterfaceExternalModels(registry);
  scf::registerBufferDeallocationOpInterfaceExternalModels(registry);
  scf::registerBufferizableOpInterfaceExternalModels(registry);
  tensor::registerBufferizableOpInterfaceExternalModels(registry);
}
