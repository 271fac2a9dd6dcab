// RUN: qopt %s --lower-decode | FileCheck %s
// Fields of packed lines: shifts and masks of bytes, planes joined by a shift and an or.

// The low nibbles of a line are one vector, the high ones the next.
// CHECK-LABEL: func.func @int4(
// CHECK-SAME: %[[LINE:[^:]*]]: vector<64xi8>
func.func @int4(%a: vector<64xi8>) -> (vector<64xi8>, vector<64xi8>) {
  // CHECK: %[[MASK:.*]] = arith.constant dense<15> : vector<64xi8>
  // CHECK: %[[LOW:.*]] = arith.andi %[[LINE]], %[[MASK]]
  // CHECK: %[[FOUR:.*]] = arith.constant dense<4> : vector<64xi8>
  // CHECK: %[[HIGH:.*]] = arith.shrui %[[LINE]], %[[FOUR]]
  // CHECK: return %[[LOW]], %[[HIGH]]
  %c:2 = kernel.decode %a {format = #lowbit.format<int4, block 32, scale f16>} : vector<64xi8> -> vector<64xi8>, vector<64xi8>
  return %c#0, %c#1 : vector<64xi8>, vector<64xi8>
}

// An odd vector at the end takes the low half of a line.
// CHECK-LABEL: func.func @odd(
// CHECK-COUNT-2: arith.andi
// CHECK-NOT: arith.andi
func.func @odd(%a: vector<16xi8>, %b: vector<16xi8>) -> (vector<16xi8>, vector<16xi8>, vector<16xi8>) {
  %c:3 = kernel.decode %a, %b {format = #lowbit.format<int4, block 32, scale f16>} : vector<16xi8>, vector<16xi8> -> vector<16xi8>, vector<16xi8>, vector<16xi8>
  return %c#0, %c#1, %c#2 : vector<16xi8>, vector<16xi8>, vector<16xi8>
}

// Four vectors in a line of two bits.
// CHECK-LABEL: func.func @int2(
// CHECK-SAME: %[[LINE:[^:]*]]: vector<16xi8>
func.func @int2(%a: vector<16xi8>) -> (vector<16xi8>, vector<16xi8>, vector<16xi8>, vector<16xi8>) {
  // CHECK: arith.constant dense<3>
  // CHECK: arith.andi %[[LINE]]
  // CHECK: arith.constant dense<2>
  // CHECK: %[[SECOND:.*]] = arith.shrui %[[LINE]]
  // CHECK: arith.andi %[[SECOND]]
  // CHECK: arith.constant dense<4>
  // CHECK: arith.shrui %[[LINE]]
  // CHECK: arith.constant dense<6>
  // CHECK: arith.shrui %[[LINE]]
  // CHECK-NOT: arith.andi
  // CHECK-NOT: arith.ori
  // CHECK: return
  %c:4 = kernel.decode %a {format = #lowbit.format<int2, block 32, scale f16>} : vector<16xi8> -> vector<16xi8>, vector<16xi8>, vector<16xi8>, vector<16xi8>
  return %c#0, %c#1, %c#2, %c#3 : vector<16xi8>, vector<16xi8>, vector<16xi8>, vector<16xi8>
}

// Three bits: two low ones from the lines of the first plane, the high one from bit j of the line of the second.
// CHECK-LABEL: func.func @int3(
// CHECK-SAME: %[[FIRST:[^:]*]]: vector<16xi8>, %[[SECOND:[^:]*]]: vector<16xi8>, %[[HIGH:[^:]*]]: vector<16xi8>
func.func @int3(%a: vector<16xi8>, %b: vector<16xi8>, %h: vector<16xi8>)
    -> (vector<16xi8>, vector<16xi8>, vector<16xi8>, vector<16xi8>, vector<16xi8>) {
  // CHECK: arith.constant dense<3>
  // CHECK: %[[LOW0:.*]] = arith.andi %[[FIRST]]
  // CHECK: %[[LOW4:.*]] = arith.andi %[[SECOND]]
  // CHECK: arith.constant dense<1>
  // CHECK: %[[BIT0:.*]] = arith.andi %[[HIGH]]
  // CHECK: %[[TWO:.*]] = arith.constant dense<2>
  // CHECK: %[[PLACED0:.*]] = arith.shli %[[BIT0]], %[[TWO]]
  // CHECK: %[[CODE0:.*]] = arith.ori %[[LOW0]], %[[PLACED0]]
  // CHECK: arith.constant dense<1>
  // CHECK: arith.shrui %[[HIGH]]
  // CHECK: %[[FOUR:.*]] = arith.constant dense<4>
  // CHECK: arith.shrui %[[HIGH]], %[[FOUR]]
  // CHECK: %[[CODE4:.*]] = arith.ori %[[LOW4]]
  // CHECK: return %[[CODE0]], {{.*}}, %[[CODE4]]
  %c:5 = kernel.decode %a, %b, %h {format = #lowbit.format<int3, block 32, scale f16>}
           : vector<16xi8>, vector<16xi8>, vector<16xi8> -> vector<16xi8>, vector<16xi8>, vector<16xi8>, vector<16xi8>, vector<16xi8>
  return %c#0, %c#1, %c#2, %c#3, %c#4 : vector<16xi8>, vector<16xi8>, vector<16xi8>, vector<16xi8>, vector<16xi8>
}

// Eight bits and plain elements are their lines.
// CHECK-LABEL: func.func @whole(
// CHECK-SAME: %[[A:[^:]*]]: vector<16xi8>, %[[B:[^:]*]]: vector<4xf16>
// CHECK-NEXT: return %[[A]], %[[B]]
func.func @whole(%a: vector<16xi8>, %b: vector<4xf16>) -> (vector<16xi8>, vector<4xf16>) {
  %c = kernel.decode %a {format = #lowbit.format<int8, block 32, scale f16>} : vector<16xi8> -> vector<16xi8>
  %d = kernel.decode %b {format = #lowbit.format<f16>} : vector<4xf16> -> vector<4xf16>
  return %c, %d : vector<16xi8>, vector<4xf16>
}

// Zero points of 3 bits: lane l's begins at bit 3 l, in byte 3 l / 8, and may go on in the next one.
// CHECK-LABEL: func.func @zeros(
// CHECK-SAME: %[[BYTES:[^:]*]]: vector<6xi8>
func.func @zeros(%b: vector<6xi8>) -> vector<16xi32> {
  // CHECK: vector.shuffle %[[BYTES]], %[[BYTES]] [0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5]
  // CHECK: vector.shuffle %[[BYTES]], %[[BYTES]] [1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 4, 5, 5, 5, 5, 5]
  // CHECK: arith.ori
  // CHECK: %[[SHIFTS:.*]] = arith.constant dense<[0, 3, 6, 1, 4, 7, 2, 5, 0, 3, 6, 1, 4, 7, 2, 5]>
  // CHECK: %[[FIELD:.*]] = arith.shrui %{{.*}}, %[[SHIFTS]]
  // CHECK: %[[MASK:.*]] = arith.constant dense<7>
  // CHECK: arith.andi %[[FIELD]], %[[MASK]]
  %z = kernel.decode_zeros %b {format = #lowbit.format<int3, block 32, scale f16, zero_point>} : vector<6xi8> -> vector<16xi32>
  return %z : vector<16xi32>
}
