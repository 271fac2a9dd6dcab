// RUN: qopt %s --number-kernels --choose-kernels | FileCheck %s
// What is written down of kernels: by which instruction each multiplies on each target, and what a token of prefill takes.

// Two calls of 2 * 96 operations each.
// CHECK: module attributes {halftone.prefill_operations = 384 : i64
// CHECK-SAME: halftone.sites = [
// CHECK-SAME: {bytes = 0 : i64, does = "rms_norm, quantize_activation", dots = ["", ""], function = "block"
// CHECK-SAME: {bytes = 72 : i64, does = "linear 12x8 int4-g8", dots = ["vpdpbusd.512", ""], function = "block"
// CHECK-SAME: {bytes = 72 : i64, does = "linear 12x8 int4-g8", dots = ["", "pmaddubsw.256"], function = "block.1"

!w = !lowbit.weight<12x8, #lowbit.format<int4, block 8, scale f16>>
!a = !lowbit.activation<1x8, #lowbit.format<int8, block 8, scale f32>>
#vnni = #kernel.target<"x86_64-unknown-linux-gnu", cpu "icelake-server", features "", vector 512>
#avx2 = #kernel.target<"x86_64-unknown-linux-gnu", cpu "x86-64-v3", features "", vector 256>
module attributes {halftone.targets = [#vnni, #avx2]} {
  func.func @block(%x: tensor<1x8xf32>, %w: !w) -> tensor<1x12xf32> attributes {halftone.target = #vnni} {
    %a = lowbit.kernel {
      %n = lowbit.rms_norm %x epsilon 1.0e-05 : tensor<1x8xf32>
      %q = lowbit.quantize_activation %n : tensor<1x8xf32> -> !a
      lowbit.yield %q : !a
    } : !a
    %y = lowbit.kernel {
      %1 = lowbit.linear %a, %w : (!a, !w) -> tensor<1x12xf32>
      lowbit.yield %1 : tensor<1x12xf32>
    } : tensor<1x12xf32>
    return %y : tensor<1x12xf32>
  }
  func.func @block.1(%a: !a, %w: !w) -> tensor<1x12xf32> attributes {halftone.target = #avx2} {
    %y = lowbit.kernel {
      %1 = lowbit.linear %a, %w : (!a, !w) -> tensor<1x12xf32>
      lowbit.yield %1 : tensor<1x12xf32>
    } : tensor<1x12xf32>
    return %y : tensor<1x12xf32>
  }
  func.func @prefill(%x: tensor<1x8xf32>, %w: !w) attributes {halftone.target = #vnni} {
    %0 = call @block(%x, %w) : (tensor<1x8xf32>, !w) -> tensor<1x12xf32>
    %1 = call @block(%x, %w) : (tensor<1x8xf32>, !w) -> tensor<1x12xf32>
    return
  }
}
