// RUN: qopt %s --number-kernels | FileCheck %s
// Each kernel gets a number; the module says of each where it stands, what it does and what it costs.

// 12 * 8 weights of 4 bits and 12 scales of 2 bytes are 72 bytes; two such weights, 2 * 2 * 96 operations on a token.
// CHECK: module attributes {halftone.sites = [
// CHECK-SAME: {bytes = 0 : i64, does = "rms_norm, quantize_activation", function = "block", operations = 0 : i64, position_bytes = 0 : i64}
// CHECK-SAME: {bytes = 144 : i64, does = "2 linear 12x8 int4-g8, elementwise", function = "block", operations = 384 : i64, position_bytes = 0 : i64}
// One head of 4 channels: a key and a value of 4 floats.
// CHECK-SAME: {bytes = 0 : i64, does = "attention", function = "other", operations = 0 : i64, position_bytes = 32 : i64}

!w = !lowbit.weight<12x8, #lowbit.format<int4, block 8, scale f16>>
!a = !lowbit.activation<1x8, #lowbit.format<int8, block 8, scale f32>>

// CHECK-LABEL: func.func @block(
func.func @block(%x: tensor<1x8xf32>, %w: !w) -> tensor<1x12xf32> {
  // CHECK: lowbit.kernel attributes {site = 0 : i64}
  %a = lowbit.kernel {
    %n = lowbit.rms_norm %x epsilon 1.0e-05 : tensor<1x8xf32>
    %q = lowbit.quantize_activation %n : tensor<1x8xf32> -> !a
    lowbit.yield %q : !a
  } : !a
  // CHECK: lowbit.kernel attributes {site = 1 : i64}
  %y = lowbit.kernel {
    %1 = lowbit.linear %a, %w : (!a, !w) -> tensor<1x12xf32>
    %2 = lowbit.linear %a, %w : (!a, !w) -> tensor<1x12xf32>
    %3 = arith.mulf %1, %2 : tensor<1x12xf32>
    %4 = arith.addf %3, %2 : tensor<1x12xf32>
    lowbit.yield %4 : tensor<1x12xf32>
  } : tensor<1x12xf32>
  return %y : tensor<1x12xf32>
}

// CHECK-LABEL: func.func @other(
func.func @other(%q: tensor<1x4xf32>, %past: index, %cache: !lowbit.cache<heads 1, size 4>) -> tensor<1x4xf32> {
  // CHECK: lowbit.kernel attributes {site = 2 : i64}
  %y = lowbit.kernel {
    %1 = lowbit.attention %q, %cache at %past heads 1 scale 0.5 : tensor<1x4xf32>, !lowbit.cache<heads 1, size 4>
    lowbit.yield %1 : tensor<1x4xf32>
  } : tensor<1x4xf32>
  return %y : tensor<1x4xf32>
}
