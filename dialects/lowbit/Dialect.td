// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The lowbit dialect: the nouns that quantization cares about.
#ifndef HALFTONE_LOWBIT_DIALECT
#define HALFTONE_LOWBIT_DIALECT

include "mlir/IR/OpBase.td"

def Lowbit_Dialect : Dialect {
  let name = "lowbit";
  let cppNamespace = "::halftone::lowbit";
  let summary = "Weights, activations and caches with their number formats, and the operations on them";
  let description = [{
    Everything that quantization decides has a name here and keeps it until the `lower` stage: which values a weight can
    take (`#lowbit.format`), how a linear's activations are represented (`!lowbit.activation`), where a sequence's past
    lives (`!lowbit.cache`). Weights are handles to bytes in a file; no weight is ever a constant of the IR.
    Activations are tensors of shape [tokens, channels]; elementwise arithmetic on them is `arith` and `math`.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::tensor::TensorDialect"];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let extraClassDeclaration = [{
    void registerAttributes();
    void registerTypes();
  }];
}

#endif
