// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The passes of the fuse stage.
#ifndef HALFTONE_FUSE_PASSES
#define HALFTONE_FUSE_PASSES

include "mlir/Pass/PassBase.td"

def SpecializePhases : Pass<"specialize-phases", "::mlir::ModuleOp"> {
  let summary = "Make a decoder's phases: decode, prefill and score";
  let description = [{
    `forward` takes any number of tokens. A binary runs it with two fixed numbers, so the pass clones it, and every
    function it calls, with the number of tokens written into the types: `decode` (one token, its logits), `prefill`
    (a chunk of tokens into the cache, no logits) and `score` (a chunk, the logits of each). prefill and score share
    their blocks, and their calls may have fewer tokens than a chunk: a multiple of `halftone.token_step`. All phases read the same weights and cache; the length of the past is what stays dynamic.

    Example (chunk = 32):
      func @forward(%t: tensor<?xi64>, %p: index) -> tensor<?x512xf32>
    =>
      func @decode(%t: tensor<1xi64>, %p: index) -> tensor<1x512xf32>
      func @prefill(%t: tensor<32xi64>, %p: index)
      func @score(%t: tensor<32xi64>, %p: index) -> tensor<32x512xf32>
  }];
  let options = [Option<"chunk", "chunk", "int64_t", "256", "Most tokens of a prefill or score call">];
}

def FormKernels : Pass<"form-kernels", "::mlir::func::FuncOp"> {
  let summary = "Move operations that run as one into a lowbit.kernel each";
  let description = [{
    Every operation on tokens ends in exactly one kernel. A kernel has a core, and takes in:
    - linears of the same input and format (q, k, v; gate, up) and the elementwise operations that follow them;
    - a norm, the elementwise operations and the activation quantization that follow it;
    - rotary embeddings that stand beside each other;
    - one embedding, attention or append.
    An operation moves into the kernel of its latest producer, unless a kernel in between needs that producer's values.
    No upstream pass serves: linalg's fusion joins loops of one kind, here operations without loops yet are grouped.

    Example:
      %n = lowbit.rms_norm %x epsilon 1.0e-05          %a = lowbit.kernel {
      %a = lowbit.quantize_activation %n          =>     %n = lowbit.rms_norm %x epsilon 1.0e-05
                                                         %q = lowbit.quantize_activation %n
                                                         lowbit.yield %q
                                                       }
  }];
  let options = [Option<"separate", "separate", "bool", "false",
                        "One kernel per operation: what the reference lowering compares with">];
  let dependentDialects = ["::halftone::lowbit::LowbitDialect"];
}

def VerifyFused : Pass<"verify-fused", "::mlir::func::FuncOp"> {
  let summary = "Check what the fuse stage promises";
  let description = [{
    Every operation on tokens is in a kernel, and no kernel reads a constant whose elements differ: that would be a
    weight that nobody quantizes.

    Example: this is an error, "computes on tokens but is in no kernel".
      func.func @f(%x: tensor<1x8xf32>) -> tensor<1x8xf32> {
        %y = arith.addf %x, %x : tensor<1x8xf32>
        return %y : tensor<1x8xf32>
      }
  }];
}

#endif
