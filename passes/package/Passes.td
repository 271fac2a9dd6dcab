// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The passes of the package stage.
#ifndef HALFTONE_PACKAGE_PASSES
#define HALFTONE_PACKAGE_PASSES

include "mlir/Pass/PassBase.td"

def EmitVariants : Pass<"emit-variants", "::mlir::ModuleOp"> {
  let summary = "Add the table of the model's phases, one entry per target";
  let description = [{
    Adds the constant `halftone_variants` of include/halftone/model.h: for each target, best first, what its processor
    must have, its `halftone_decode`, `halftone_prefill` and `halftone_score`, and a table of its probes, functions with
    a `halftone.probe`; an empty entry ends both. Functions with a `halftone.target` of their own are compiled by LLVM
    for that.

    Example:
      module attributes {halftone.targets = [#a, #b]} { llvm.func @halftone_decode(...) attributes {halftone.target = #a} ... }
    =>
      llvm.func @halftone_decode(...) attributes {target_cpu = "x86-64-v4", ...}
      llvm.mlir.global external constant @halftone_variants() : !llvm.array<3 x struct<(ptr, ptr, ptr, ptr, ptr)>> { ... }
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::halftone::kernel::KernelDialect"];
}

def EmitFacts : Pass<"emit-facts", "::mlir::ModuleOp"> {
  let summary = "Add the model's facts as data of the object file";
  let description = [{
    Adds the constant `halftone_facts` of include/halftone/model.h: what a program that runs the model must know before
    its first call. The numbers come from the module's attributes, recorded by earlier passes: `halftone.vocabulary`,
    `halftone.context`, `halftone.chunk`, `halftone.arena_bytes`, `halftone.cache_positions`, `halftone.cache_bytes`,
    `halftone.parameters`, `halftone.weight_bytes`, `halftone.decode_bytes` and `halftone.prefill_operations`; one that is missing is an error. The
    places in the weight segment follow from the sizes of its three parts, the options.

    Example (weights-bytes=100 tokenizer-bytes=20 info-bytes=30; the facts stand in the order of the struct):
      module attributes {halftone.vocabulary = 512 : i64, ...}
    =>
      llvm.mlir.global external constant @halftone_facts(dense<[3, 512, ..., 222, 128, 20, 192, 30]> : tensor<17xi64>)
  }];
  let options = [Option<"weights", "weights-bytes", "int64_t", "0", "Size of the file of packed weights">,
                 Option<"tokenizer", "tokenizer-bytes", "int64_t", "0", "Size of the tokenizer's file">,
                 Option<"info", "info-bytes", "int64_t", "0", "Size of the JSON of facts for people">];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def EmitModel : Pass<"emit-model", "::mlir::ModuleOp"> {
  let summary = "Make the model one constant, everything else local";
  let description = [{
    For programs that may link several models: facts, table of variants and phases become local to the object, and a
    `struct halftone_model` (include/halftone/model.h) under the name of the option points to facts, variants, and
    `NAME_weights`, which another object of the program holds.

    Example (symbol=stories):
      llvm.mlir.global internal constant @halftone_facts(...)
      llvm.mlir.global internal constant @halftone_variants(...)
      llvm.mlir.global external hidden constant @stories_weights() : !llvm.array<0 x i8>
      llvm.mlir.global external constant @stories() : !llvm.struct<(ptr, ptr, ptr)>
  }];
  let options = [Option<"symbol", "symbol", "std::string", "\"\"", "The constant's name">];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif
