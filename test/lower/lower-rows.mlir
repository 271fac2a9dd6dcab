// RUN: qopt %s --lower-rows --canonicalize | FileCheck %s
// One loop over the tokens; elementwise values stay in registers, lanes that do not exist never count.

// Two passes over the row: the sum of its squares, then the results. 20 channels are a vector and 4 lanes.
// CHECK-LABEL: func.func @norm(
// CHECK-SAME: %[[X:[^:]*]]: memref<3x20xf32>, %[[G:[^:]*]]: !lowbit.weight<20, <f32>>, %[[OUT:[^:]*]]: memref<3x20xf32>
func.func @norm(%x: memref<3x20xf32>, %g: !lowbit.weight<20, #lowbit.format<f32>>, %out: memref<3x20xf32>) {
  // CHECK: %[[COUNT:.*]] = arith.constant 2.000000e+01 : f32
  // CHECK: scf.forall (%[[T:.*]]) in (3) {
  // CHECK: vector.load %[[X]][%[[T]], %{{.*}}]
  // CHECK: %[[FOUR:.*]] = vector.constant_mask [4] : vector<16xi1>
  // CHECK: vector.maskedload %[[X]][%[[T]], %{{.*}}], %[[FOUR]]
  // CHECK: %[[SQUARES:.*]] = vector.reduction <add>
  // CHECK: arith.divf %[[SQUARES]], %[[COUNT]]
  // CHECK: math.sqrt
  // CHECK: kernel.memory %[[G]] : {{.*}} -> memref<?xf32
  // CHECK: vector.store {{.*}}, %[[OUT]][%[[T]]
  // CHECK: %[[REST:.*]] = vector.constant_mask [4]
  // CHECK: vector.maskedstore %[[OUT]][%[[T]], %{{.*}}], %[[REST]]
  // CHECK: kernel.barrier
  lowbit.kernel outs(%out : memref<3x20xf32>) attributes {schedule = #kernel.schedule<lanes 16, tokens 4, dot "multiply-add">} {
    %1 = bufferization.to_tensor %x restrict : memref<3x20xf32> to tensor<3x20xf32>
    %2 = lowbit.rms_norm %1 scale %g epsilon 1.0e-05 : tensor<3x20xf32>, !lowbit.weight<20, #lowbit.format<f32>>
    lowbit.yield %2 : tensor<3x20xf32>
  }
  return
}

!a = !lowbit.activation<1x12, #lowbit.format<int8, block 8, scale f32>>

// The contract: absmax / 127, a loop over whole blocks, then the short one; the norm is never stored.
// CHECK-LABEL: func.func @quantize(
// CHECK-SAME: %[[X:[^:]*]]: memref<1x12xf32>, %[[CODES:[^:]*]]: memref<1x12xi8>, %[[SCALES:[^:]*]]: memref<1x2xf32>, %[[SUMS:[^:]*]]: memref<1x2xi32>
func.func @quantize(%x: memref<1x12xf32>, %codes: memref<1x12xi8>, %scales: memref<1x2xf32>, %sums: memref<1x2xi32>) {
  // CHECK: %[[C127:.*]] = arith.constant 1.270000e+02 : f32
  // CHECK-NOT: vector.store
  // CHECK: math.absf
  // CHECK: %[[MAX:.*]] = vector.reduction <maximumf>
  // CHECK: %[[SCALE:.*]] = arith.divf %[[MAX]], %[[C127]]
  // CHECK: memref.store %[[SCALE]], %[[SCALES]]
  // CHECK: arith.divf
  // CHECK: arith.fptosi
  // CHECK: vector.maskedstore %[[CODES]]
  // CHECK: %[[SUM:.*]] = vector.reduction <add>, %{{.*}} : vector<16xi32> into i32
  // CHECK: memref.store %[[SUM]], %[[SUMS]]
  // CHECK: vector.reduction <maximumf>
  // CHECK: vector.maskedstore %[[CODES]]
  // CHECK: kernel.barrier
  lowbit.kernel outs(%codes, %scales, %sums : memref<1x12xi8>, memref<1x2xf32>, memref<1x2xi32>) attributes {schedule = #kernel.schedule<lanes 16, tokens 4, dot "multiply-add">} {
    %1 = bufferization.to_tensor %x restrict : memref<1x12xf32> to tensor<1x12xf32>
    %2 = lowbit.rms_norm %1 epsilon 1.0e-05 : tensor<1x12xf32>
    %3 = lowbit.quantize_activation %2 : tensor<1x12xf32> -> !a
    lowbit.yield %3 : !a
  }
  return
}

// A chain of elementwise operations is one pass: two loads, one store.
// CHECK-LABEL: func.func @elementwise(
// CHECK-COUNT-2: vector.load
// CHECK: arith.addf %{{.*}} : vector<4xf32>
// CHECK-NOT: vector.load
// CHECK: math.exp %{{.*}} : vector<4xf32>
// CHECK: arith.mulf %{{.*}} : vector<4xf32>
// CHECK: vector.store
// CHECK-NOT: vector.store
func.func @elementwise(%x: memref<1x4xf32>, %y: memref<1x4xf32>, %s: f32, %out: memref<1x4xf32>) {
  %splat = tensor.splat %s : tensor<1x4xf32>
  lowbit.kernel outs(%out : memref<1x4xf32>) attributes {schedule = #kernel.schedule<lanes 4, tokens 4, dot "multiply-add">} {
    %1 = bufferization.to_tensor %x restrict : memref<1x4xf32> to tensor<1x4xf32>
    %2 = bufferization.to_tensor %y restrict : memref<1x4xf32> to tensor<1x4xf32>
    %3 = arith.addf %1, %2 : tensor<1x4xf32>
    %4 = math.exp %3 : tensor<1x4xf32>
    %5 = arith.mulf %4, %splat : tensor<1x4xf32>
    lowbit.yield %5 : tensor<1x4xf32>
  }
  return
}
