// RUN: qopt %s --roll-calls --split-input-file | FileCheck %s
// Calls in a row that differ in numbers become one call in a loop over a table of the numbers.

// What each call of @decode gets: the offset of the view it reads, a weight's offset, the offset of the view it writes.
// CHECK: memref.global "private" constant @decode.calls : memref<4x3xi64> = dense<{{\[}}[0, 100, 64], [64, 200, 0], [0, 300, 64], [64, 400, 0]]>
func.func private @block(memref<4096xi8>, memref<1x8xf32>, index, index, memref<1x8xf32>)

// CHECK-LABEL: func.func @decode(
// CHECK-SAME: %[[ARENA:[^:]*]]: memref<4096xi8>, %[[PAST:[^:]*]]: index
func.func @decode(%arena: memref<4096xi8>, %past: index) {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %c100 = arith.constant 100 : index
  %c200 = arith.constant 200 : index
  %c300 = arith.constant 300 : index
  %c400 = arith.constant 400 : index
  %a = memref.view %arena[%c0][] : memref<4096xi8> to memref<1x8xf32>
  %b = memref.view %arena[%c64][] : memref<4096xi8> to memref<1x8xf32>
  // CHECK: %[[TABLE:.*]] = memref.get_global @decode.calls : memref<4x3xi64>
  // CHECK: %[[CALLS:.*]] = arith.constant 4 : index
  // CHECK: scf.for %[[I:.*]] = %{{.*}} to %[[CALLS]] step %{{.*}} {
  // CHECK: memref.load %[[TABLE]][%[[I]], %{{.*}}] : memref<4x3xi64>
  // CHECK: %[[FROM:.*]] = arith.index_cast
  // CHECK: %[[INPUT:.*]] = memref.view %[[ARENA]][%[[FROM]]][] : memref<4096xi8> to memref<1x8xf32>
  // CHECK: %[[WEIGHT:.*]] = arith.index_cast
  // CHECK: %[[OUTPUT:.*]] = memref.view %[[ARENA]]
  // CHECK: func.call @block(%[[ARENA]], %[[INPUT]], %[[WEIGHT]], %[[PAST]], %[[OUTPUT]])
  // CHECK-NOT: call @block
  // CHECK: return
  call @block(%arena, %a, %c100, %past, %b) : (memref<4096xi8>, memref<1x8xf32>, index, index, memref<1x8xf32>) -> ()
  call @block(%arena, %b, %c200, %past, %a) : (memref<4096xi8>, memref<1x8xf32>, index, index, memref<1x8xf32>) -> ()
  %again = memref.view %arena[%c0][] : memref<4096xi8> to memref<1x8xf32>
  call @block(%arena, %again, %c300, %past, %b) : (memref<4096xi8>, memref<1x8xf32>, index, index, memref<1x8xf32>) -> ()
  call @block(%arena, %b, %c400, %past, %again) : (memref<4096xi8>, memref<1x8xf32>, index, index, memref<1x8xf32>) -> ()
  return
}

// -----

// Two are no run; nor is one that something with an effect, another callee, or an unknown operand cuts short.
// CHECK-NOT: memref.global
func.func private @block(index)
func.func private @other(index)
// CHECK-LABEL: func.func @short
// CHECK-NOT: scf.for
func.func @short(%unknown: index, %memory: memref<1xindex>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  call @block(%c0) : (index) -> ()
  call @block(%c1) : (index) -> ()
  call @other(%c1) : (index) -> ()
  call @block(%c0) : (index) -> ()
  call @block(%unknown) : (index) -> ()
  call @block(%c1) : (index) -> ()
  memref.store %c0, %memory[%c0] : memref<1xindex>
  call @block(%c0) : (index) -> ()
  call @block(%c1) : (index) -> ()
  return
}
