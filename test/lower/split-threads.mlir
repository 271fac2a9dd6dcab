// RUN: qopt %s --split-threads | FileCheck %s
// Thread i of t runs the iterations from n * i / t to n * (i + 1) / t.

// CHECK-LABEL: func.func @loop(
// CHECK-SAME: %[[OUT:[^:]*]]: memref<18xf32>
func.func @loop(%out: memref<18xf32>, %x: f32) {
  // CHECK-NOT: scf.forall
  // CHECK: %[[ONE:.*]] = arith.constant 1 : index
  // CHECK: %[[N:.*]] = arith.constant 18 : index
  // CHECK: %[[THREAD:.*]] = kernel.thread
  // CHECK: %[[THREADS:.*]] = kernel.threads
  // CHECK: %[[DONE:.*]] = arith.muli %[[N]], %[[THREAD]]
  // CHECK: %[[FIRST:.*]] = arith.divui %[[DONE]], %[[THREADS]]
  // CHECK: %[[NEXT:.*]] = arith.addi %[[THREAD]], %[[ONE]]
  // CHECK: %[[DUE:.*]] = arith.muli %[[N]], %[[NEXT]]
  // CHECK: %[[LAST:.*]] = arith.divui %[[DUE]], %[[THREADS]]
  // CHECK: scf.for %[[I:.*]] = %[[FIRST]] to %[[LAST]] step %[[ONE]] {
  // CHECK-NEXT: memref.store %{{.*}}, %[[OUT]][%[[I]]]
  // CHECK-NEXT: }
  // CHECK: kernel.barrier
  scf.forall (%i) in (18) {
    memref.store %x, %out[%i] : memref<18xf32>
  }
  kernel.barrier
  return
}
