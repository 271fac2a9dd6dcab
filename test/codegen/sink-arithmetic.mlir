// RUN: qopt %s --sink-arithmetic | FileCheck %s
// Operations without effects stand before the first one that uses them, in each block by itself.

// CHECK-LABEL: func.func @decoded(
// CHECK-SAME: %[[LINE:[^:]*]]: vector<16xi8>, %[[M:[^:]*]]: memref<16xi8>, %[[I:[^:]*]]: index
func.func @decoded(%line: vector<16xi8>, %m: memref<16xi8>, %i: index) -> vector<16xi8> {
  %mask = arith.constant dense<15> : vector<16xi8>
  %four = arith.constant dense<4> : vector<16xi8>
  %low = arith.andi %line, %mask : vector<16xi8>
  %high = arith.shrui %line, %four : vector<16xi8>
  %first = vector.load %m[%i] : memref<16xi8>, vector<16xi8>
  // The load stays behind the store of what is in its place; what is multiplied first comes first.
  // CHECK-NEXT: %[[FIRST:.*]] = vector.load
  // CHECK-NEXT: %[[MASK:.*]] = arith.constant dense<15>
  // CHECK-NEXT: %[[LOW:.*]] = arith.andi %[[LINE]], %[[MASK]]
  // CHECK-NEXT: %[[SUM:.*]] = arith.muli %[[LOW]], %[[FIRST]]
  // CHECK-NEXT: vector.store %[[SUM]]
  // CHECK-NEXT: %[[SECOND:.*]] = vector.load
  // CHECK-NEXT: %[[FOUR:.*]] = arith.constant dense<4>
  // CHECK-NEXT: %[[HIGH:.*]] = arith.shrui %[[LINE]], %[[FOUR]]
  // CHECK-NEXT: arith.muli %[[HIGH]], %[[SECOND]]
  %sum = arith.muli %low, %first : vector<16xi8>
  vector.store %sum, %m[%i] : memref<16xi8>, vector<16xi8>
  %second = vector.load %m[%i] : memref<16xi8>, vector<16xi8>
  %result = arith.muli %high, %second : vector<16xi8>
  return %result : vector<16xi8>
}

// What an inner block uses stays outside it, before the operation that holds it; what nothing uses stays where it is.
// CHECK-LABEL: func.func @loop(
func.func @loop(%x: index, %m: memref<8xindex>) {
  // CHECK-NEXT: %[[UNUSED:.*]] = arith.muli
  // CHECK: %[[TWICE:.*]] = arith.addi
  // CHECK-NEXT: scf.for
  // CHECK: memref.store %[[TWICE]]
  %unused = arith.muli %x, %x : index
  %twice = arith.addi %x, %x : index
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %x step %c1 {
    memref.store %twice, %m[%i] : memref<8xindex>
  }
  return
}
