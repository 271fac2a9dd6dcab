// RUN: qopt %s --plan-memory | FileCheck %s
// One arena for all functions: buffers share it when they never live at the same time.

// CHECK: module attributes {halftone.arena_bytes = 576 : i64}

// CHECK-LABEL: func.func @chain(
// CHECK-SAME: %[[ARENA:[^:]*]]: memref<{{.*}}xi8>, %[[X:[^:]*]]: memref<32xf32>
func.func @chain(%x: memref<32xf32>, %i: index) {
  // a and b meet in an epoch, b and c too; a is dead when c is written: 128 bytes each, two places.
  // CHECK: %[[AT0:.*]] = arith.constant 0 : index
  // CHECK: %[[A:.*]] = memref.view %[[ARENA]][%[[AT0]]][] : {{.*}} to memref<32xf32>
  // CHECK: %[[AT128:.*]] = arith.constant 128 : index
  // CHECK: %[[B:.*]] = memref.view %[[ARENA]][%[[AT128]]][]
  // CHECK: %[[AGAIN:.*]] = arith.constant 0 : index
  // CHECK: %[[C:.*]] = memref.view %[[ARENA]][%[[AGAIN]]][]
  %a = memref.alloc() : memref<32xf32>
  %b = memref.alloc() : memref<32xf32>
  %c = memref.alloc() : memref<32xf32>
  memref.copy %x, %a : memref<32xf32> to memref<32xf32>
  kernel.barrier
  memref.copy %a, %b : memref<32xf32> to memref<32xf32>
  kernel.barrier
  memref.copy %b, %c : memref<32xf32> to memref<32xf32>
  kernel.barrier
  memref.copy %c, %x : memref<32xf32> to memref<32xf32>
  return
}

// A callee's frame lies behind its caller's, and what lives across the call is in the caller's. Each buffer begins on a
// cache line: 4 bytes take 64.
// CHECK-LABEL: func.func @caller(
// CHECK-SAME: %[[ARENA:[^:]*]]: memref<{{.*}}xi8>
// CHECK: memref.view %[[ARENA]]{{.*}} to memref<1xf32>
// CHECK: memref.view %[[ARENA]]{{.*}} to memref<64xf32>
// CHECK: %[[FRAME:.*]] = arith.constant 320 : index
// CHECK: %[[REST:.*]] = memref.view %[[ARENA]][%[[FRAME]]][] : {{.*}} to memref<{{.*}}xi8>
// CHECK: call @chain(%[[REST]], %{{.*}}, %{{.*}})
func.func @caller(%x: memref<32xf32>, %i: index) {
  %small = memref.alloc() : memref<1xf32>
  %large = memref.alloc() : memref<64xf32>
  %zero = arith.constant 0.0 : f32
  memref.store %zero, %small[%i] : memref<1xf32>
  memref.store %zero, %large[%i] : memref<64xf32>
  kernel.barrier
  call @chain(%x, %i) : (memref<32xf32>, index) -> ()
  %1 = memref.load %small[%i] : memref<1xf32>
  %2 = memref.load %large[%i] : memref<64xf32>
  %3 = arith.addf %1, %2 : f32
  memref.store %3, %x[%i] : memref<32xf32>
  return
}
