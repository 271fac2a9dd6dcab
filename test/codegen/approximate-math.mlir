// RUN: qopt %s --approximate-math | FileCheck %s
// Exponentials become polynomials, of vectors and of scalars; other functions stay. test/kernels measures the error.

// CHECK-LABEL: func.func @exp(
// CHECK-NOT: math.exp %
// CHECK: math.fma
// CHECK: math.sqrt
func.func @exp(%x: vector<8xf32>, %y: f32) -> (vector<8xf32>, f32, f32) {
  %a = math.exp %x : vector<8xf32>
  %b = math.exp %y : f32
  %c = math.sqrt %y : f32
  return %a, %b, %c : vector<8xf32>, f32, f32
}
