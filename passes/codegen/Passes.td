// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The passes of the codegen stage.
#ifndef HALFTONE_CODEGEN_PASSES
#define HALFTONE_CODEGEN_PASSES

include "mlir/Pass/PassBase.td"

def AddProbes : Pass<"add-probes", "::mlir::ModuleOp"> {
  let summary = "Add a function that measures each dot instruction, the limit of arithmetic";
  let description = [{
    For each target and each instruction that its functions' steps name, adds `halftone_probe_N(memory, iterations)`: a
    loop over the target's register tile of such steps, with the smallest levels that the module has, whose operands lie
    in memory that the first cache holds. What it reaches is the most that a kernel can; the runtime measures it beside
    each figure. The function's attributes name the instruction, and the multiplications and additions of an iteration.

    Example:
      %b = kernel.dot_step %a, [%l], [%x] by "vpdpbusd.512" {highest = 15 : i64} : vector<16xi32>, vector<64xi8>, vector<4xi8>
    =>
      func.func @halftone_probe_0(%memory: memref<?xi8>, %iterations: index) attributes {halftone.probe = "vpdpbusd.512",
          halftone.probe_operations = 3072 : i64, halftone.target = #target} { scf.for ... 24 kernel.dot_step ... }
  }];
  let dependentDialects = ["::halftone::kernel::KernelDialect", "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

class LowerKernelOps<string name, string what> : Pass<name> {
  let summary = what;
  let dependentDialects = ["::halftone::kernel::KernelDialect", "::mlir::arith::ArithDialect", "::mlir::vector::VectorDialect",
                           "::mlir::LLVM::LLVMDialect"];
}

def LowerDecode : LowerKernelOps<"lower-decode", "Expand kernel.decode to shifts and masks"> {
  let description = [{
    Knows formats and no processor: fields are shifted and masked byte by byte, planes are joined by a shift and an or.
    Where shifts are of wider lanes only, LLVM makes one of those and a mask of it.

    Example (int4):
      %c:2 = kernel.decode %line         =>       %low = arith.andi %line, %mask   // 15 in each byte
                                                  %high = arith.shrui %line, %four
  }];
}

def LowerLookup : LowerKernelOps<"lower-lookup", "Expand kernel.lookup to byte shuffles or selections"> {
  let description = [{
    A byte shuffle within 16-byte lanes where the target has one (pshufb), otherwise one comparison and selection per
    entry of the table.
  }];
}

def LowerDot : LowerKernelOps<"lower-dot", "Expand the phases of kernel.dot to the target's instruction"> {
  let description = [{
    Knows processors and no format: dot_init becomes minus zero times sum, dot_step one instruction per vector of
    codes, from the row of the target's table that the operation names, and dot_finish the f32 scaling.

    Example:
      kernel.dot_step %acc, [%c], [%x] by "vpdpbusd.512"
    =>
      llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%acc, %c, %spread)
  }];
}

def SinkArithmetic : Pass<"sink-arithmetic", "::mlir::func::FuncOp"> {
  let summary = "Move arithmetic down to where its results are used first";
  let description = [{
    Codes are decoded a line at a time, before the first of them is multiplied. In that order all of them live at once,
    which takes more registers than some processors have: LLVM keeps the order by and large, and spills. Operations
    without effects move to just before their first user, the last ones first; loads and stores stay where they are.

    Example:
      %low = arith.andi %line, %mask               %low = arith.andi %line, %mask
      %high = arith.shrui %line, %four       =>    %sum = llvm.call_intrinsic "...sdot..."(%acc, %low, %x0)
      %sum = llvm.call_intrinsic ...(%low)         %high = arith.shrui %line, %four
      %next = llvm.call_intrinsic ...(%high)       %next = llvm.call_intrinsic "...sdot..."(%sum, %high, %x1)
  }];
}

def ApproximateMath : LowerKernelOps<"approximate-math", "Expand exponentials and error functions to polynomials"> {
  let description = [{
    Applies upstream's `populateMathPolynomialApproximationPatterns`, for which MLIR registers only a test pass: without
    it an exponential of a vector is one call of the C library per lane, and the error function has no lowering at all.
    Relative error of exponentials below 2e-7. Where the target has no fused multiply-add, a product and a sum take its
    place: that would be a call per lane, too.
  }];
}

def EmitEntries : Pass<"emit-entries", "::mlir::ModuleOp"> {
  let summary = "Give the phases the names and signatures of halftone/model.h";
  let description = [{
    Each phase, of each target where there are several, becomes a function `halftone_<phase>` whose arguments are those of `halftone_phase`; the other functions
    become internal. The module also records `halftone.vocabulary`.
  }];
  let dependentDialects = ["::halftone::kernel::KernelDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::LLVM::LLVMDialect"];
}

#endif
