// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The kernel dialect: what the inner loops of low-bit kernels are made of.
#ifndef HALFTONE_KERNEL_DIALECT
#define HALFTONE_KERNEL_DIALECT

include "mlir/IR/OpBase.td"

def Kernel_Dialect : Dialect {
  let name = "kernel";
  let cppNamespace = "::halftone::kernel";
  let summary = "Packed weights and the operations between packed bytes and accumulators";
  let description = [{
    Formats and targets meet here and nowhere else: `kernel.decode` knows formats and no processor, `kernel.dot_*` and
    `kernel.lookup` know processors and no format. Loops, loads and arithmetic around them are `scf`, `vector`, `memref`
    and `arith`.
  }];
  let dependentDialects = ["::halftone::lowbit::LowbitDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::vector::VectorDialect", "::mlir::scf::SCFDialect", "::mlir::math::MathDialect"];
  let useDefaultAttributePrinterParser = 1;
  let extraClassDeclaration = [{
    void registerAttributes();
  }];
}

#endif
