// RUN: qopt %s --split-input-file --lower-dot | FileCheck %s
// The phases of a dot product in the instruction that the operation names.

module attributes {halftone.target = #kernel.target<"x86_64-unknown-linux-gnu", cpu "icelake-server", features "", vector 512>} {
  // CHECK-LABEL: func.func @vnni(
  // CHECK-SAME: %[[SUM:[^:]*]]: i32, %[[C0:[^:]*]]: vector<64xi8>, %[[C1:[^:]*]]: vector<64xi8>, %[[X0:[^:]*]]: vector<4xi8>
  func.func @vnni(%sum: i32, %c0: vector<64xi8>, %c1: vector<64xi8>, %x0: vector<4xi8>, %x1: vector<4xi8>,
                  %scale: vector<16xf32>, %total: vector<16xf32>) -> vector<16xf32> {
    // -8 * sum, computed once for all lanes.
    // CHECK: %[[PRODUCT:.*]] = arith.muli %{{.*}}, %[[SUM]] : i32
    // CHECK: %[[NEGATED:.*]] = arith.subi %{{.*}}, %[[PRODUCT]] : i32
    // CHECK: %[[START:.*]] = vector.broadcast %[[NEGATED]] : i32 to vector<16xi32>
    %zero = arith.constant 8 : i32
    %start = kernel.dot_init zero %zero sum %sum by "vpdpbusd.512" : (i32, i32) -> vector<16xi32>
    // Four activations to every lane, then one instruction for each vector of codes.
    // CHECK: %[[WORD:.*]] = vector.bitcast %[[X0]] : vector<4xi8> to vector<1xi32>
    // CHECK: %[[SCALAR:.*]] = vector.extract %[[WORD]][0]
    // CHECK: %[[SPREAD:.*]] = vector.broadcast %[[SCALAR]] : i32 to vector<16xi32>
    // CHECK: %[[X:.*]] = vector.bitcast %[[SPREAD]] : vector<16xi32> to vector<64xi8>
    // CHECK: %[[A1:.*]] = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%[[START]], %[[C0]], %[[X]])
    // CHECK: %[[A2:.*]] = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%[[A1]], %[[C1]],
    %dot = kernel.dot_step %start, [%c0, %c1], [%x0, %x1] by "vpdpbusd.512" {highest = 15 : i64} : vector<16xi32>, vector<64xi8>, vector<4xi8>
    // One product, one sum, which may be one operation.
    // CHECK: %[[F:.*]] = arith.sitofp %[[A2]]
    // CHECK: %[[P:.*]] = arith.mulf %[[F]], %{{.*}} fastmath<contract>
    // CHECK: arith.addf %[[P]], %{{.*}} fastmath<contract>
    %y = kernel.dot_finish %dot scale %scale into %total by "vpdpbusd.512" : vector<16xi32>, vector<16xf32>
    return %y : vector<16xf32>
  }

  // A zero point per lane.
  // CHECK-LABEL: func.func @zeros(
  // CHECK-SAME: %[[Z:[^:]*]]: vector<16xi32>, %[[SUM:[^:]*]]: i32
  // CHECK: %[[S:.*]] = vector.broadcast %[[SUM]]
  // CHECK: %[[P:.*]] = arith.muli %[[Z]], %[[S]]
  // CHECK: arith.subi %{{.*}}, %[[P]]
  func.func @zeros(%z: vector<16xi32>, %sum: i32) -> vector<16xi32> {
    %start = kernel.dot_init zero %z sum %sum by "vpdpbusd.512" : (vector<16xi32>, i32) -> vector<16xi32>
    return %start : vector<16xi32>
  }
}

// -----

module attributes {halftone.target = #kernel.target<"x86_64-unknown-linux-gnu", cpu "x86-64", features "", vector 128>} {
  // Byte by byte in 32-bit lanes: codes unsigned, activations signed.
  // CHECK-LABEL: func.func @portable(
  // CHECK-SAME: %[[ACC:[^:]*]]: vector<4xi32>, %[[C:[^:]*]]: vector<16xi8>, %[[X:[^:]*]]: vector<4xi8>
  func.func @portable(%acc: vector<4xi32>, %c: vector<16xi8>, %x: vector<4xi8>) -> vector<4xi32> {
    // CHECK: arith.constant dense<255>
    // CHECK: %[[W:.*]] = vector.bitcast %[[C]] : vector<16xi8> to vector<4xi32>
    // CHECK: %[[CODE:.*]] = arith.andi
    // CHECK: %[[X0:.*]] = vector.extract %[[X]][0]
    // CHECK: arith.extsi %[[X0]] : i8 to i32
    // CHECK: arith.muli %[[CODE]]
    // CHECK: arith.addi %[[ACC]]
    // CHECK-COUNT-3: arith.extsi
    // CHECK-NOT: llvm.call_intrinsic
    %y = kernel.dot_step %acc, [%c], [%x] by "multiply-bytes" {highest = 255 : i64} : vector<4xi32>, vector<16xi8>, vector<4xi8>
    return %y : vector<4xi32>
  }

  // Plain elements, widened where they are narrow.
  // CHECK-LABEL: func.func @plain(
  // CHECK: arith.extf %{{.*}} : vector<4xf16> to vector<4xf32>
  // CHECK: arith.mulf {{.*}} fastmath<contract> : vector<4xf32>
  // CHECK: arith.addf {{.*}} fastmath<contract> : vector<4xf32>
  func.func @plain(%c: vector<4xf16>, %x: vector<1xf32>) -> vector<4xf32> {
    %none = kernel.dot_init by "multiply-add" : vector<4xf32>
    %y = kernel.dot_step %none, [%c], [%x] by "multiply-add-f16" {highest = 0 : i64} : vector<4xf32>, vector<4xf16>, vector<1xf32>
    return %y : vector<4xf32>
  }
}

// -----

// Vectors wider than the instruction's go through in pieces; activations are the same for all.
// CHECK-LABEL: func.func @pieces(
// CHECK: vector.extract_strided_slice %{{.*}} {offsets = [0], sizes = [32], strides = [1]} : vector<64xi8> to vector<32xi8>
// CHECK: %[[LOW:.*]] = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.256"
// CHECK: vector.extract_strided_slice %{{.*}} {offsets = [32], sizes = [32], strides = [1]} : vector<64xi8> to vector<32xi8>
// CHECK: %[[HIGH:.*]] = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.256"
// CHECK: vector.insert_strided_slice %[[LOW]], %{{.*}} {offsets = [0], strides = [1]}
// CHECK: vector.insert_strided_slice %[[HIGH]], %{{.*}} {offsets = [8], strides = [1]}
module attributes {halftone.target = #kernel.target<"x86_64-unknown-linux-gnu", cpu "x86-64-v3", features "+avxvnni", vector 256>} {
  func.func @pieces(%acc: vector<16xi32>, %c: vector<64xi8>, %x: vector<4xi8>) -> vector<16xi32> {
    %y = kernel.dot_step %acc, [%c], [%x] by "vpdpbusd.vex.256" {highest = 255 : i64} : vector<16xi32>, vector<64xi8>, vector<4xi8>
    return %y : vector<16xi32>
  }
}

// -----

// Sums of 16 bits hold two products of levels up to 63 and of activations, twice: then they are widened.
// CHECK-LABEL: func.func @runs(
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.x86.avx2.pmadd.ub.sw"
// CHECK: llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"
// CHECK: llvm.call_intrinsic "llvm.x86.avx2.pmadd.ub.sw"
// CHECK: llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"
module attributes {halftone.target = #kernel.target<"x86_64-unknown-linux-gnu", cpu "x86-64-v3", features "", vector 256>} {
  func.func @runs(%acc: vector<8xi32>, %c: vector<32xi8>, %x: vector<4xi8>) -> vector<8xi32> {
    %y = kernel.dot_step %acc, [%c, %c, %c], [%x, %x, %x] by "pmaddubsw.256" {highest = 63 : i64} : vector<8xi32>, vector<32xi8>, vector<4xi8>
    return %y : vector<8xi32>
  }
}

// -----

module attributes {halftone.target = #kernel.target<"aarch64-unknown-linux-gnu", cpu "neoverse-n1", features "", vector 512>} {
  // Wider vectors in pieces, all of a vector of levels before the next one.
  // CHECK-LABEL: func.func @sdot(
  // CHECK-SAME: %[[ACC:[^:]*]]: vector<8xi32>, %[[C0:[^:]*]]: vector<32xi8>, %[[C1:[^:]*]]: vector<32xi8>
  func.func @sdot(%acc: vector<8xi32>, %c0: vector<32xi8>, %c1: vector<32xi8>, %x0: vector<4xi8>, %x1: vector<4xi8>) -> vector<8xi32> {
    // CHECK: %[[A0:.*]] = vector.extract_strided_slice %[[ACC]] {offsets = [0], sizes = [4]
    // CHECK: %[[A1:.*]] = vector.extract_strided_slice %[[ACC]] {offsets = [4], sizes = [4]
    // CHECK: %[[L0:.*]] = vector.extract_strided_slice %[[C0]] {offsets = [0], sizes = [16]
    // CHECK: %[[B0:.*]] = llvm.call_intrinsic "llvm.aarch64.neon.sdot.v4i32.v16i8"(%[[A0]], %[[L0]],
    // CHECK: %[[L1:.*]] = vector.extract_strided_slice %[[C0]] {offsets = [16], sizes = [16]
    // CHECK: %[[B1:.*]] = llvm.call_intrinsic "llvm.aarch64.neon.sdot.v4i32.v16i8"(%[[A1]], %[[L1]],
    // CHECK: llvm.call_intrinsic "llvm.aarch64.neon.sdot.v4i32.v16i8"(%[[B0]],
    // CHECK: llvm.call_intrinsic "llvm.aarch64.neon.sdot.v4i32.v16i8"(%[[B1]],
    %y = kernel.dot_step %acc, [%c0, %c1], [%x0, %x1] by "sdot" {highest = 15 : i64} : vector<8xi32>, vector<32xi8>, vector<4xi8>
    return %y : vector<8xi32>
  }
}

// -----

module attributes {halftone.target = #kernel.target<"aarch64-unknown-linux-gnu", cpu "cortex-a72", features "", vector 512>} {
  // Without the instruction: two products of each half added up in 16 bits, pairs of those in 32.
  // CHECK-LABEL: func.func @smull(
  func.func @smull(%acc: vector<4xi32>, %c: vector<16xi8>, %x: vector<4xi8>) -> vector<4xi32> {
    // CHECK: %[[LOW:.*]] = llvm.call_intrinsic "llvm.aarch64.neon.smull.v8i16"
    // CHECK: %[[HIGH:.*]] = llvm.call_intrinsic "llvm.aarch64.neon.smull.v8i16"
    // CHECK: %[[PAIRS:.*]] = llvm.call_intrinsic "llvm.aarch64.neon.addp.v8i16"(%[[LOW]], %[[HIGH]])
    // CHECK: %[[SUMS:.*]] = llvm.call_intrinsic "llvm.aarch64.neon.saddlp.v4i32.v8i16"(%[[PAIRS]])
    // CHECK: arith.addi %{{.*}}, %[[SUMS]]
    %y = kernel.dot_step %acc, [%c], [%x] by "smull.less" {highest = 255 : i64} : vector<4xi32>, vector<16xi8>, vector<4xi8>
    return %y : vector<4xi32>
  }
}
