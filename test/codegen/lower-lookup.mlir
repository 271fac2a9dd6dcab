// RUN: qopt %s --split-input-file --lower-lookup | FileCheck %s
// A table indexed by codes: the byte shuffle of the target's vectors, or one selection per entry.

// The table fills each 16-byte lane; one of four entries is there four times.
// CHECK-LABEL: func.func @shuffle(
// CHECK-SAME: %[[CODES:[^:]*]]: vector<64xi8>
// CHECK: %[[TABLE:.*]] = arith.constant dense<[-1, 0, 1, 2, -1, 0, 1, 2, {{.*}}]> : vector<64xi8>
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.pshuf.b.512"(%[[TABLE]], %[[CODES]]) : (vector<64xi8>, vector<64xi8>) -> vector<64xi8>
module attributes {halftone.target = #kernel.target<"x86_64-unknown-linux-gnu", cpu "icelake-server", features "", vector 512>} {
  func.func @shuffle(%c: vector<64xi8>) -> vector<64xi8> {
    %v = kernel.lookup %c in [-1, 0, 1, 2] : vector<64xi8>
    return %v : vector<64xi8>
  }
}

// -----

// CHECK-LABEL: func.func @avx2(
// CHECK: llvm.call_intrinsic "llvm.x86.avx2.pshuf.b"
module attributes {halftone.target = #kernel.target<"x86_64-unknown-linux-gnu", cpu "x86-64-v3", features "", vector 256>} {
  func.func @avx2(%c: vector<32xi8>) -> vector<32xi8> {
    %v = kernel.lookup %c in [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113] : vector<32xi8>
    return %v : vector<32xi8>
  }
}

// -----

// The plainest processor has no byte shuffle.
// CHECK-LABEL: func.func @select(
// CHECK-SAME: %[[CODES:[^:]*]]: vector<16xi8>
// CHECK: %[[V0:.*]] = arith.constant dense<-1>
// CHECK: %[[C1:.*]] = arith.constant dense<1>
// CHECK: %[[IS1:.*]] = arith.cmpi eq, %[[CODES]], %[[C1]]
// CHECK: %[[E1:.*]] = arith.constant dense<5>
// CHECK: %[[V1:.*]] = arith.select %[[IS1]], %[[E1]], %[[V0]]
// CHECK: return %[[V1]]
module attributes {halftone.target = #kernel.target<"x86_64-unknown-linux-gnu", cpu "x86-64", features "", vector 128>} {
  func.func @select(%c: vector<16xi8>) -> vector<16xi8> {
    %v = kernel.lookup %c in [-1, 5] : vector<16xi8>
    return %v : vector<16xi8>
  }
}

// -----

// CHECK-LABEL: func.func @tbl(
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.aarch64.neon.tbl1.v16i8"
module attributes {halftone.target = #kernel.target<"aarch64-unknown-linux-gnu", cpu "cortex-a72", features "", vector 512>} {
  func.func @tbl(%c: vector<32xi8>) -> vector<32xi8> {
    %v = kernel.lookup %c in [-1, 0, 1, 2] : vector<32xi8>
    return %v : vector<32xi8>
  }
}
