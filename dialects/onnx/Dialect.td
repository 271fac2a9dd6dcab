// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The onnx dialect: a graph as the file has it, for the short way from the file to lowbit.
#ifndef HALFTONE_ONNX_DIALECT
#define HALFTONE_ONNX_DIALECT

include "mlir/IR/OpBase.td"

def Onnx_Dialect : Dialect {
  let name = "onnx";
  let cppNamespace = "::halftone::onnx";
  let summary = "ONNX nodes, one to one";
  let description = [{
    One generic operation for every ONNX operator: the importer copies the graph, patterns of the `import` stage turn it
    into `lowbit` and upstream dialects, and a node nobody turned is an error that names it.
  }];
}

#endif
