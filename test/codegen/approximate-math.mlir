// RUN: qopt %s --split-input-file --approximate-math | FileCheck %s
// Exponentials become polynomials, of vectors and of scalars; other functions stay. test/kernels measures the error.

// CHECK-LABEL: func.func @exp(
// CHECK-NOT: math.exp %
// CHECK: math.fma %{{.*}} : vector<8xf32>
// CHECK: math.fma %{{.*}} : f32
// CHECK: math.sqrt
module attributes {halftone.target = #kernel.target<"x86_64-unknown-linux-gnu", cpu "x86-64-v3", features "", vector 256>} {
  func.func @exp(%x: vector<8xf32>, %y: f32) -> (vector<8xf32>, f32, f32) {
    %a = math.exp %x : vector<8xf32>
    %b = math.exp %y : f32
    %c = math.sqrt %y : f32
    return %a, %b, %c : vector<8xf32>, f32, f32
  }
}

// -----

// A processor without fused multiply-adds would call the C library for each lane: it multiplies, then adds.
// CHECK-LABEL: func.func @separate(
// CHECK-NOT: math.fma
// CHECK: arith.mulf
// CHECK: arith.addf
// CHECK-NOT: math.fma
func.func @separate(%x: vector<4xf32>) -> vector<4xf32> {
  %a = math.exp %x : vector<4xf32>
  return %a : vector<4xf32>
}
