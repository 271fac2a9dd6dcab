// RUN: qopt %s --lower-rope | FileCheck %s
// Rotations and appends: a loop over tokens and heads.

!t = !lowbit.weight<16x4, #lowbit.format<f32>>

// Halves of a head in vectors: (x cos - y sin, y cos + x sin). The last two channels pass.
// CHECK-LABEL: func.func @halves(
// CHECK-SAME: %[[X:[^:]*]]: memref<2x30xf32>
func.func @halves(%x: memref<2x30xf32>, %past: index, %cos: !t, %sin: !t, %out: memref<2x30xf32>) {
  // CHECK: %[[COS:.*]] = kernel.memory
  // CHECK: %[[SIN:.*]] = kernel.memory
  // CHECK: scf.forall (%[[I:.*]]) in (6) {
  // CHECK: %[[TOKEN:.*]] = arith.divui %[[I]]
  // CHECK: %[[HEAD:.*]] = arith.remui %[[I]]
  // CHECK: arith.minui
  // CHECK-DAG: %[[A:.*]] = vector.load %[[X]][%[[TOKEN]]{{.*}} vector<4xf32>
  // CHECK-DAG: %[[B:.*]] = vector.load %[[X]][%[[TOKEN]]{{.*}} vector<4xf32>
  // CHECK-DAG: vector.load %[[COS]]
  // CHECK-DAG: vector.load %[[SIN]]
  // CHECK: arith.subf %{{.*}}, %{{.*}} : vector<4xf32>
  // CHECK: arith.addf %{{.*}}, %{{.*}} : vector<4xf32>
  // CHECK-COUNT-2: vector.store
  // CHECK: vector.maskedload %[[X]]
  // CHECK: vector.maskedstore
  // CHECK: kernel.barrier
  lowbit.kernel outs(%out : memref<2x30xf32>) attributes {schedule = #kernel.schedule<lanes 4, tiles 3, tokens 4, dot "multiply-add">} {
    %1 = bufferization.to_tensor %x restrict : memref<2x30xf32> to tensor<2x30xf32>
    %2 = lowbit.rope %1, %cos, %sin at %past heads 3 : tensor<2x30xf32>, !t
    lowbit.yield %2 : tensor<2x30xf32>
  }
  return
}

// Neighbours: one pair at a time.
// CHECK-LABEL: func.func @interleaved(
// CHECK: scf.forall (%{{.*}}) in (2) {
// CHECK: scf.for
// CHECK-COUNT-4: memref.load
// CHECK-COUNT-2: memref.store
func.func @interleaved(%x: memref<2x8xf32>, %past: index, %cos: !t, %sin: !t, %out: memref<2x8xf32>) {
  lowbit.kernel outs(%out : memref<2x8xf32>) attributes {schedule = #kernel.schedule<lanes 4, tiles 3, tokens 4, dot "multiply-add">} {
    %1 = bufferization.to_tensor %x restrict : memref<2x8xf32> to tensor<2x8xf32>
    %2 = lowbit.rope %1, %cos, %sin at %past heads 1 interleaved : tensor<2x8xf32>, !t
    lowbit.yield %2 : tensor<2x8xf32>
  }
  return
}

// A key's channels go to 16 positions' distance from each other, a value's beside each other.
// CHECK-LABEL: func.func @append(
// CHECK-SAME: %[[K:[^:]*]]: memref<1x16xf32>, %[[V:[^:]*]]: memref<1x16xf32>, %[[PAST:[^:]*]]: index
func.func @append(%k: memref<1x16xf32>, %v: memref<1x16xf32>, %past: index, %cache: !lowbit.cache<heads 2, size 8>) {
  // CHECK: %[[KEYS:.*]] = kernel.keys %{{.*}} -> memref<?x2x8x16xf32
  // CHECK: %[[VALUES:.*]] = kernel.values %{{.*}} -> memref<?x2x16x8xf32
  // CHECK: scf.forall (%{{.*}}) in (2) {
  // CHECK: %[[POSITION:.*]] = arith.addi %[[PAST]]
  // CHECK: %[[TILE:.*]] = arith.divui %[[POSITION]]
  // CHECK: %[[WITHIN:.*]] = arith.remui %[[POSITION]]
  // CHECK: %[[KEY:.*]] = vector.load
  // CHECK-COUNT-8: memref.store %{{.*}}, %[[KEYS]][%[[TILE]], %{{.*}}, %{{.*}}, %[[WITHIN]]]
  // CHECK: vector.store %{{.*}}, %[[VALUES]][%[[TILE]], %{{.*}}, %[[WITHIN]], %{{.*}}]
  // CHECK: kernel.barrier
  lowbit.kernel attributes {schedule = #kernel.schedule<lanes 8, tiles 3, tokens 4, dot "multiply-add">} {
    %1 = bufferization.to_tensor %k restrict : memref<1x16xf32> to tensor<1x16xf32>
    %2 = bufferization.to_tensor %v restrict : memref<1x16xf32> to tensor<1x16xf32>
    lowbit.append %1, %2 to %cache at %past : tensor<1x16xf32>, !lowbit.cache<heads 2, size 8>
    lowbit.yield
  }
  return
}
