// RUN: rm -rf %t && mkdir %t && cd %t
// RUN: printf '\x00\x00\x80\x3f' > short
// RUN: not qopt %s --split-input-file --pack-weights=work=segment 2>&1 | FileCheck %s
// RUN: not ls segment

// CHECK: error: nowhere: cannot open: No such file or directory
module {
  lowbit.weight @w : !lowbit.weight<2, #lowbit.format<f32>> in "nowhere" at 0
  func.func @decode() -> !lowbit.weight<2, #lowbit.format<f32>> {
    %w = lowbit.get @w : !lowbit.weight<2, #lowbit.format<f32>>
    return %w : !lowbit.weight<2, #lowbit.format<f32>>
  }
}

// -----

// CHECK: error: short:
// CHECK-SAME: 8 bytes
module {
  lowbit.weight @w : !lowbit.weight<2, #lowbit.format<f32>> in "short" at 0
  func.func @decode() -> !lowbit.weight<2, #lowbit.format<f32>> {
    %w = lowbit.get @w : !lowbit.weight<2, #lowbit.format<f32>>
    return %w : !lowbit.weight<2, #lowbit.format<f32>>
  }
}
