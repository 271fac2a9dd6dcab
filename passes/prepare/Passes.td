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

#endif
