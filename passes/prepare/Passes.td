// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The passes of the prepare stage: rewrites that keep the function and need no data.
#ifndef HALFTONE_PREPARE_PASSES
#define HALFTONE_PREPARE_PASSES

include "mlir/Pass/PassBase.td"

def FoldNormScale : Pass<"fold-norm-scale", "::mlir::func::FuncOp"> {
  let summary = "Move a norm's per-channel scale into the linears that read it";
  let description = [{
    rms_norm(x) * g feeding linears W1..Wn becomes rms_norm(x) feeding W1*diag(g)..Wn*diag(g). Needed before rotations,
    which commute with the bare norm only [QuaRot, sec. 3.1]. Applies when every user of the norm is a linear with a
    plain weight and f32 activations; otherwise a remark says which user is not. A tied head gets a matrix of its own.

    Example:
      %y = lowbit.rms_norm %x scale %g            %y = lowbit.rms_norm %x
                                             =>   %w = lowbit.scale_columns %wq, %g
      %q = lowbit.linear %y, %wq                  %q = lowbit.linear %y, %w
  }];
}

def Rotate : Pass<"rotate", "::mlir::ModuleOp"> {
  let summary = "Rotate the residual stream and the values of heads, so that no channel stands out";
  let description = [{
    Multiplies values by an orthogonal matrix Q, a Hadamard matrix behind random signs, and weights by what makes up for
    it [QuaRot; Ashkboos et al. 2024; R1 and R2 of SpinQuant]. The outputs stay what they are, but outliers are spread over
    all channels, and all weights around become alike. What is rotated:
    - the residual stream, as wide as it is: from the embedding on, everything that is connected by sums, products with a
      number, and norms without a scale. Linears that read it, and embeddings, have their columns rotated; linears that
      add to it, and biases, their rows.
    - each head's values, from the linear that makes them through cache and attention to the linear behind.
    Either is rotated wholly or not at all: where something else reads or makes such a value (a norm with a scale or a
    mean, a linear with codes, arithmetic on single channels), a warning says what.

    Example:
      %x = lowbit.embedding %ids, %t              %t1 = lowbit.rotate_columns %t size 288 seed 0
      %n = lowbit.rms_norm %x              =>     %x = lowbit.embedding %ids, %t1
      %q = lowbit.linear %n, %wq                  %n = lowbit.rms_norm %x
                                                  %w1 = lowbit.rotate_columns %wq size 288 seed 0
                                                  %q = lowbit.linear %n, %w1
  }];
  let options = [Option<"seed", "seed", "int64_t", "0", "Decides the random signs">];
}

#endif
