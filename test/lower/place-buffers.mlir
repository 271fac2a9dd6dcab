// RUN: qopt %s --place-buffers | FileCheck %s
// Values between kernels become buffers: one for a tensor, three for an activation; results become arguments.

!a = !lowbit.activation<2x10, #lowbit.format<int8, block 4, scale f32>>
!w = !lowbit.weight<6x10, #lowbit.format<int4, block 4, scale f16>>

// CHECK-LABEL: func.func @kernels(
// CHECK-SAME: %[[X:[^:]*]]: memref<2x10xf32>, %[[W:[^:]*]]: !lowbit.weight<{{[^:]*}}>, %[[OUT:[^:]*]]: memref<2x6xf32>) {
func.func @kernels(%x: tensor<2x10xf32>, %w: !w) -> tensor<2x6xf32> {
  // Blocks of 4, 4 and 2 channels take 4 bytes each.
  // CHECK: %[[CODES:.*]] = memref.alloc() : memref<2x12xi8>
  // CHECK: %[[SCALES:.*]] = memref.alloc() : memref<2x3xf32>
  // CHECK: %[[SUMS:.*]] = memref.alloc() : memref<2x3xi32>
  // CHECK: lowbit.kernel outs(%[[CODES]], %[[SCALES]], %[[SUMS]] : memref<2x12xi8>, memref<2x3xf32>, memref<2x3xi32>) {
  // CHECK-NEXT: %[[T:.*]] = bufferization.to_tensor %[[X]] restrict
  // CHECK-NEXT: %[[Q:.*]] = lowbit.quantize_activation %[[T]]
  // CHECK-NEXT: lowbit.yield %[[Q]]
  %a = lowbit.kernel {
    %q = lowbit.quantize_activation %x : tensor<2x10xf32> -> !a
    lowbit.yield %q : !a
  } : !a
  // The schedule stays.
  // CHECK: lowbit.kernel outs(%[[OUT]] : memref<2x6xf32>) attributes {schedule = "any"} {
  // CHECK-NEXT: %[[A:.*]] = kernel.activation %[[CODES]], %[[SCALES]], %[[SUMS]]
  // CHECK-NEXT: lowbit.linear %[[A]], %[[W]]
  %y = lowbit.kernel attributes {schedule = "any"} {
    %1 = lowbit.linear %a, %w : (!a, !w) -> tensor<2x6xf32>
    lowbit.yield %1 : tensor<2x6xf32>
  } : tensor<2x6xf32>
  // CHECK: return{{$}}
  return %y : tensor<2x6xf32>
}

// A call writes its result where the caller says: here a buffer, then the caller's own result.
// CHECK-LABEL: func.func @calls(
// CHECK-SAME: %[[X:[^:]*]]: memref<2x10xf32>, %[[OUT:[^:]*]]: memref<2x10xf32>) {
// CHECK: %[[B:.*]] = memref.alloc() : memref<2x10xf32>
// CHECK: call @step(%[[X]], %[[B]]) : (memref<2x10xf32>, memref<2x10xf32>) -> ()
// CHECK: call @last(%[[B]], %[[OUT]])
func.func private @step(%x: tensor<2x10xf32>) -> tensor<2x10xf32> {
  %y = lowbit.kernel {
    %1 = arith.negf %x : tensor<2x10xf32>
    lowbit.yield %1 : tensor<2x10xf32>
  } : tensor<2x10xf32>
  return %y : tensor<2x10xf32>
}
func.func private @last(%x: tensor<2x10xf32>) -> tensor<2x10xf32> {
  %y = lowbit.kernel {
    %1 = arith.addf %x, %x : tensor<2x10xf32>
    lowbit.yield %1 : tensor<2x10xf32>
  } : tensor<2x10xf32>
  return %y : tensor<2x10xf32>
}
func.func @calls(%x: tensor<2x10xf32>) -> tensor<2x10xf32> {
  %1 = call @step(%x) : (tensor<2x10xf32>) -> tensor<2x10xf32>
  %2 = call @last(%1) : (tensor<2x10xf32>) -> tensor<2x10xf32>
  return %2 : tensor<2x10xf32>
}

// What is returned twice, or was an argument, is copied.
// CHECK-LABEL: func.func @same(
// CHECK-SAME: %[[X:[^:]*]]: memref<2x10xf32>, %[[FIRST:[^:]*]]: memref<2x10xf32>, %[[SECOND:[^:]*]]: memref<2x10xf32>, %[[THIRD:[^:]*]]: memref<2x10xf32>)
// CHECK: lowbit.kernel outs(%[[FIRST]]
// CHECK-DAG: memref.copy %[[FIRST]], %[[SECOND]]
// CHECK-DAG: memref.copy %[[X]], %[[THIRD]]
func.func @same(%x: tensor<2x10xf32>) -> (tensor<2x10xf32>, tensor<2x10xf32>, tensor<2x10xf32>) {
  %y = lowbit.kernel {
    %1 = arith.negf %x : tensor<2x10xf32>
    lowbit.yield %1 : tensor<2x10xf32>
  } : tensor<2x10xf32>
  return %y, %y, %x : tensor<2x10xf32>, tensor<2x10xf32>, tensor<2x10xf32>
}
