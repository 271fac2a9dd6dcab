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
  lowbit.kernel outs(%out : memref<3x20xf32>) attributes {schedule = #kernel.schedule<lanes 16, tiles 3, tokens 4, dot "multiply-add">} {
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
  lowbit.kernel outs(%codes, %scales, %sums : memref<1x12xi8>, memref<1x2xf32>, memref<1x2xi32>) attributes {schedule = #kernel.schedule<lanes 16, tiles 3, tokens 4, dot "multiply-add">} {
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
  lowbit.kernel outs(%out : memref<1x4xf32>) attributes {schedule = #kernel.schedule<lanes 4, tiles 3, tokens 4, dot "multiply-add">} {
    %1 = bufferization.to_tensor %x restrict : memref<1x4xf32> to tensor<1x4xf32>
    %2 = bufferization.to_tensor %y restrict : memref<1x4xf32> to tensor<1x4xf32>
    %3 = arith.addf %1, %2 : tensor<1x4xf32>
    %4 = math.exp %3 : tensor<1x4xf32>
    %5 = arith.mulf %4, %splat : tensor<1x4xf32>
    lowbit.yield %5 : tensor<1x4xf32>
  }
  return
}

// What several operations read is emitted once: a chain in which each operation reads the one before it twice stays one.
// CHECK-LABEL: func.func @chain(
// CHECK-COUNT-30: arith.mulf %{{.*}} : vector<4xf32>
// CHECK-NOT: arith.mulf
func.func @chain(%x: memref<1x4xf32>, %out: memref<1x4xf32>) {
  lowbit.kernel outs(%out : memref<1x4xf32>) attributes {schedule = #kernel.schedule<lanes 4, tiles 3, tokens 4, dot "multiply-add">} {
    %0 = bufferization.to_tensor %x restrict : memref<1x4xf32> to tensor<1x4xf32>
    %1 = arith.mulf %0, %0 : tensor<1x4xf32>
    %2 = arith.mulf %1, %1 : tensor<1x4xf32>
    %3 = arith.mulf %2, %2 : tensor<1x4xf32>
    %4 = arith.mulf %3, %3 : tensor<1x4xf32>
    %5 = arith.mulf %4, %4 : tensor<1x4xf32>
    %6 = arith.mulf %5, %5 : tensor<1x4xf32>
    %7 = arith.mulf %6, %6 : tensor<1x4xf32>
    %8 = arith.mulf %7, %7 : tensor<1x4xf32>
    %9 = arith.mulf %8, %8 : tensor<1x4xf32>
    %10 = arith.mulf %9, %9 : tensor<1x4xf32>
    %11 = arith.mulf %10, %10 : tensor<1x4xf32>
    %12 = arith.mulf %11, %11 : tensor<1x4xf32>
    %13 = arith.mulf %12, %12 : tensor<1x4xf32>
    %14 = arith.mulf %13, %13 : tensor<1x4xf32>
    %15 = arith.mulf %14, %14 : tensor<1x4xf32>
    %16 = arith.mulf %15, %15 : tensor<1x4xf32>
    %17 = arith.mulf %16, %16 : tensor<1x4xf32>
    %18 = arith.mulf %17, %17 : tensor<1x4xf32>
    %19 = arith.mulf %18, %18 : tensor<1x4xf32>
    %20 = arith.mulf %19, %19 : tensor<1x4xf32>
    %21 = arith.mulf %20, %20 : tensor<1x4xf32>
    %22 = arith.mulf %21, %21 : tensor<1x4xf32>
    %23 = arith.mulf %22, %22 : tensor<1x4xf32>
    %24 = arith.mulf %23, %23 : tensor<1x4xf32>
    %25 = arith.mulf %24, %24 : tensor<1x4xf32>
    %26 = arith.mulf %25, %25 : tensor<1x4xf32>
    %27 = arith.mulf %26, %26 : tensor<1x4xf32>
    %28 = arith.mulf %27, %27 : tensor<1x4xf32>
    %29 = arith.mulf %28, %28 : tensor<1x4xf32>
    %30 = arith.mulf %29, %29 : tensor<1x4xf32>
    lowbit.yield %30 : tensor<1x4xf32>
  }
  return
}

// So are values that norms need, in each loop over the channels: norm i adds i - 1 times and sums its squares, the result
// takes 20 additions.
// CHECK-LABEL: func.func @norms(
// CHECK-COUNT-230: arith.addf %{{.*}} : vector<4xf32>
// CHECK-NOT: arith.addf %{{.*}} : vector
func.func @norms(%x: memref<1x4xf32>, %out: memref<1x4xf32>) {
  lowbit.kernel outs(%out : memref<1x4xf32>) attributes {schedule = #kernel.schedule<lanes 4, tiles 3, tokens 4, dot "multiply-add">} {
    %0 = bufferization.to_tensor %x restrict : memref<1x4xf32> to tensor<1x4xf32>
    %n1 = lowbit.rms_norm %0 epsilon 1.0e-05 : tensor<1x4xf32>
    %1 = arith.addf %0, %n1 : tensor<1x4xf32>
    %n2 = lowbit.rms_norm %1 epsilon 1.0e-05 : tensor<1x4xf32>
    %2 = arith.addf %1, %n2 : tensor<1x4xf32>
    %n3 = lowbit.rms_norm %2 epsilon 1.0e-05 : tensor<1x4xf32>
    %3 = arith.addf %2, %n3 : tensor<1x4xf32>
    %n4 = lowbit.rms_norm %3 epsilon 1.0e-05 : tensor<1x4xf32>
    %4 = arith.addf %3, %n4 : tensor<1x4xf32>
    %n5 = lowbit.rms_norm %4 epsilon 1.0e-05 : tensor<1x4xf32>
    %5 = arith.addf %4, %n5 : tensor<1x4xf32>
    %n6 = lowbit.rms_norm %5 epsilon 1.0e-05 : tensor<1x4xf32>
    %6 = arith.addf %5, %n6 : tensor<1x4xf32>
    %n7 = lowbit.rms_norm %6 epsilon 1.0e-05 : tensor<1x4xf32>
    %7 = arith.addf %6, %n7 : tensor<1x4xf32>
    %n8 = lowbit.rms_norm %7 epsilon 1.0e-05 : tensor<1x4xf32>
    %8 = arith.addf %7, %n8 : tensor<1x4xf32>
    %n9 = lowbit.rms_norm %8 epsilon 1.0e-05 : tensor<1x4xf32>
    %9 = arith.addf %8, %n9 : tensor<1x4xf32>
    %n10 = lowbit.rms_norm %9 epsilon 1.0e-05 : tensor<1x4xf32>
    %10 = arith.addf %9, %n10 : tensor<1x4xf32>
    %n11 = lowbit.rms_norm %10 epsilon 1.0e-05 : tensor<1x4xf32>
    %11 = arith.addf %10, %n11 : tensor<1x4xf32>
    %n12 = lowbit.rms_norm %11 epsilon 1.0e-05 : tensor<1x4xf32>
    %12 = arith.addf %11, %n12 : tensor<1x4xf32>
    %n13 = lowbit.rms_norm %12 epsilon 1.0e-05 : tensor<1x4xf32>
    %13 = arith.addf %12, %n13 : tensor<1x4xf32>
    %n14 = lowbit.rms_norm %13 epsilon 1.0e-05 : tensor<1x4xf32>
    %14 = arith.addf %13, %n14 : tensor<1x4xf32>
    %n15 = lowbit.rms_norm %14 epsilon 1.0e-05 : tensor<1x4xf32>
    %15 = arith.addf %14, %n15 : tensor<1x4xf32>
    %n16 = lowbit.rms_norm %15 epsilon 1.0e-05 : tensor<1x4xf32>
    %16 = arith.addf %15, %n16 : tensor<1x4xf32>
    %n17 = lowbit.rms_norm %16 epsilon 1.0e-05 : tensor<1x4xf32>
    %17 = arith.addf %16, %n17 : tensor<1x4xf32>
    %n18 = lowbit.rms_norm %17 epsilon 1.0e-05 : tensor<1x4xf32>
    %18 = arith.addf %17, %n18 : tensor<1x4xf32>
    %n19 = lowbit.rms_norm %18 epsilon 1.0e-05 : tensor<1x4xf32>
    %19 = arith.addf %18, %n19 : tensor<1x4xf32>
    %n20 = lowbit.rms_norm %19 epsilon 1.0e-05 : tensor<1x4xf32>
    %20 = arith.addf %19, %n20 : tensor<1x4xf32>
    lowbit.yield %20 : tensor<1x4xf32>
  }
  return
}
