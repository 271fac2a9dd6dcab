// RUN: %python -c "import array; array.array('f', range(64)).tofile(open(r'%t.bin', 'wb'))"
// RUN: sed s@WEIGHTS@%t.bin@ %s | qopt -split-input-file -verify-diagnostics --evaluate-weights=work=%t.work | FileCheck %s
// RUN: %python -c "import array; a = array.array('f', open(r'%t.work', 'rb').read()).tolist(); R = range; assert (a[:24], a[32:48], a[48:52]) == ([8 * c + r for r in R(3) for c in R(8)], [c * (8 * c + r) for r in (5, 6) for c in R(8)], [4, 5, 6, 7]), a"

// Two levels down, from arguments: each call gives a weight of its own; the matrix' argument brings it, that of the
// factors goes when nothing else reads it. Equal derivations share one weight.

// CHECK: lowbit.weight @a :
// CHECK-NEXT: lowbit.weight @a.scaled : !lowbit.weight<4x8, <f32>> in "{{.*}}.work" at 0
// CHECK-NEXT: lowbit.weight @b : {{.*}} transposed
// CHECK-NEXT: lowbit.weight @b.scaled : !lowbit.weight<4x8, <f32>> in "{{.*}}.work" at 128
// CHECK-NEXT: lowbit.weight @g
lowbit.weight @a : !lowbit.weight<4x8, #lowbit.format<f32>> in "WEIGHTS" at 0
lowbit.weight @b : !lowbit.weight<4x8, #lowbit.format<f32>> in "WEIGHTS" at 128 transposed
lowbit.weight @g : !lowbit.weight<8, #lowbit.format<f32>> in "WEIGHTS" at 0
// CHECK-LABEL: func.func private @inner(
// CHECK-SAME: %[[X:[^:]*]]: tensor<?x8xf32>, %[[W:[^:]*]]: !lowbit.weight<4x8, <f32>>) -> tensor<?x4xf32>
// CHECK-NEXT: lowbit.linear %[[X]], %[[W]]
func.func private @inner(%x: tensor<?x8xf32>, %g: !lowbit.weight<8, #lowbit.format<f32>>, %w: !lowbit.weight<4x8, #lowbit.format<f32>>) -> tensor<?x4xf32> {
  %s = lowbit.scale_columns %w, %g : (!lowbit.weight<4x8, #lowbit.format<f32>>, !lowbit.weight<8, #lowbit.format<f32>>) -> !lowbit.weight<4x8, #lowbit.format<f32>>
  %y = lowbit.linear %x, %s : (tensor<?x8xf32>, !lowbit.weight<4x8, #lowbit.format<f32>>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
// CHECK-LABEL: func.func private @block(
// CHECK-SAME: %[[X:[^:]*]]: tensor<?x8xf32>, %[[W:[^:]*]]: !lowbit.weight<4x8, <f32>>) -> tensor<?x4xf32>
// CHECK-NEXT: call @inner(%[[X]], %[[W]])
func.func private @block(%x: tensor<?x8xf32>, %w: !lowbit.weight<4x8, #lowbit.format<f32>>, %g: !lowbit.weight<8, #lowbit.format<f32>>) -> tensor<?x4xf32> {
  %y = call @inner(%x, %g, %w) : (tensor<?x8xf32>, !lowbit.weight<8, #lowbit.format<f32>>, !lowbit.weight<4x8, #lowbit.format<f32>>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
// CHECK-LABEL: func.func @forward
// CHECK: %[[A:.*]] = lowbit.get @a.scaled
// CHECK: call @block(%{{[^,]*}}, %[[A]])
// CHECK: %[[B:.*]] = lowbit.get @b.scaled
// CHECK: call @block(%{{[^,]*}}, %[[B]])
// CHECK: %[[A:.*]] = lowbit.get @a.scaled
// CHECK: call @block(%{{[^,]*}}, %[[A]])
func.func @forward(%x: tensor<?x8xf32>) {
  %a = lowbit.get @a : !lowbit.weight<4x8, #lowbit.format<f32>>
  %b = lowbit.get @b : !lowbit.weight<4x8, #lowbit.format<f32>>
  %g = lowbit.get @g : !lowbit.weight<8, #lowbit.format<f32>>
  %0 = call @block(%x, %a, %g) : (tensor<?x8xf32>, !lowbit.weight<4x8, #lowbit.format<f32>>, !lowbit.weight<8, #lowbit.format<f32>>) -> tensor<?x4xf32>
  %1 = call @block(%x, %b, %g) : (tensor<?x8xf32>, !lowbit.weight<4x8, #lowbit.format<f32>>, !lowbit.weight<8, #lowbit.format<f32>>) -> tensor<?x4xf32>
  %2 = call @block(%x, %a, %g) : (tensor<?x8xf32>, !lowbit.weight<4x8, #lowbit.format<f32>>, !lowbit.weight<8, #lowbit.format<f32>>) -> tensor<?x4xf32>
  return
}

// -----

// The matrix has another reader, so the derived weight comes as one more argument; the factors come from the function's
// own lowbit.get; derivations of derivations are one evaluation.

// CHECK: lowbit.weight @a.scaled : {{.*}} at 0
// CHECK-NOT: scaled {{.*}} at
lowbit.weight @a : !lowbit.weight<8x8, #lowbit.format<f16>> in "WEIGHTS" at 0
lowbit.weight @g : !lowbit.weight<8, #lowbit.format<f32>> in "WEIGHTS" at 0
// CHECK-LABEL: func.func private @block(
// CHECK-SAME: %[[X:[^:]*]]: tensor<?x8xf32>, %[[W:[^:]*]]: !lowbit.weight<8x8, <f16>>, %[[S:[^:]*]]: !lowbit.weight<8x8, <f32>>)
func.func private @block(%x: tensor<?x8xf32>, %w: !lowbit.weight<8x8, #lowbit.format<f16>>) -> tensor<?x8xf32> {
  %g = lowbit.get @g : !lowbit.weight<8, #lowbit.format<f32>>
  %s = lowbit.scale_columns %w, %g : (!lowbit.weight<8x8, #lowbit.format<f16>>, !lowbit.weight<8, #lowbit.format<f32>>) -> !lowbit.weight<8x8, #lowbit.format<f16>>
  %t = lowbit.scale_columns %s, %g : (!lowbit.weight<8x8, #lowbit.format<f16>>, !lowbit.weight<8, #lowbit.format<f32>>) -> !lowbit.weight<8x8, #lowbit.format<f16>>
  // CHECK: %[[Y:.*]] = lowbit.linear %[[X]], %[[W]]
  // CHECK: lowbit.linear %[[Y]], %[[S]]
  %y = lowbit.linear %x, %w : (tensor<?x8xf32>, !lowbit.weight<8x8, #lowbit.format<f16>>) -> tensor<?x8xf32>
  %z = lowbit.linear %y, %t : (tensor<?x8xf32>, !lowbit.weight<8x8, #lowbit.format<f16>>) -> tensor<?x8xf32>
  return %z : tensor<?x8xf32>
}
func.func @forward(%x: tensor<?x8xf32>) {
  %a = lowbit.get @a : !lowbit.weight<8x8, #lowbit.format<f16>>
  %0 = call @block(%x, %a) : (tensor<?x8xf32>, !lowbit.weight<8x8, #lowbit.format<f16>>) -> tensor<?x8xf32>
  return
}

// -----

// What is stored in half precision is read in single: on its own, as factors, and a part of it.

// CHECK-DAG: lowbit.weight @h.wide : !lowbit.weight<8, <f32>> in
// CHECK-DAG: lowbit.weight @h.from4 : !lowbit.weight<4, <f32>> in
// CHECK-DAG: lowbit.weight @m.scaled : !lowbit.weight<4x8, <f32>> in
lowbit.weight @h : !lowbit.weight<8, #lowbit.format<f16>> in "WEIGHTS" at 0
lowbit.weight @m : !lowbit.weight<4x8, #lowbit.format<f32>> in "WEIGHTS" at 0
// CHECK-LABEL: func.func @halves
// CHECK-DAG: %[[H:.*]] = lowbit.get @h.wide
// CHECK-DAG: %[[M:.*]] = lowbit.get @m.scaled
// CHECK-DAG: %[[B:.*]] = lowbit.get @h.from4
// CHECK: lowbit.rms_norm %{{.*}} scale %[[H]]
// CHECK: lowbit.linear %{{.*}}, %[[M]]
// CHECK: lowbit.add_bias %{{.*}}, %[[B]]
func.func @halves(%x: tensor<?x8xf32>) -> tensor<?x4xf32> {
  %h = lowbit.get @h : !lowbit.weight<8, #lowbit.format<f16>>
  %m = lowbit.get @m : !lowbit.weight<4x8, #lowbit.format<f32>>
  %g = lowbit.widen %h : !lowbit.weight<8, #lowbit.format<f16>> -> !lowbit.weight<8, #lowbit.format<f32>>
  %s = lowbit.scale_columns %m, %g : (!lowbit.weight<4x8, #lowbit.format<f32>>, !lowbit.weight<8, #lowbit.format<f32>>) -> !lowbit.weight<4x8, #lowbit.format<f32>>
  %b = lowbit.slice_rows %g from 4 : !lowbit.weight<8, #lowbit.format<f32>> -> !lowbit.weight<4, #lowbit.format<f32>>
  %0 = lowbit.rms_norm %x scale %g epsilon 1.0e-05 : tensor<?x8xf32>, !lowbit.weight<8, #lowbit.format<f32>>
  %1 = lowbit.linear %0, %s : (tensor<?x8xf32>, !lowbit.weight<4x8, #lowbit.format<f32>>) -> tensor<?x4xf32>
  %2 = lowbit.add_bias %1, %b : tensor<?x4xf32>, !lowbit.weight<4, #lowbit.format<f32>>
  return %2 : tensor<?x4xf32>
}

// -----

// Parts of a matrix and of a vector, stored either way; a part of a part, scaled. The file's element (r, c)
// of @w is 8 c + r, the factor of column c is c; the last line of RUN checks the bytes (of the last section that writes any).

// CHECK: lowbit.weight @w : {{.*}} transposed
// CHECK-DAG: lowbit.weight @w.from0 : !lowbit.weight<3x8, <f32>> in "{{.*}}.work" at 0 {derived_from = "w"}
// CHECK-DAG: lowbit.weight @w.from5.scaled : !lowbit.weight<2x8, <f32>> in "{{.*}}.work" at 128 {derived_from = "w"}
// CHECK-DAG: lowbit.weight @b.from4 : !lowbit.weight<4, <f32>> in "{{.*}}.work" at 192 {derived_from = "b"}
lowbit.weight @w : !lowbit.weight<8x8, #lowbit.format<f32>> in "WEIGHTS" at 0 transposed
lowbit.weight @b : !lowbit.weight<8, #lowbit.format<f32>> in "WEIGHTS" at 0
// CHECK-LABEL: func.func private @block(
// CHECK-NOT: lowbit.slice_rows
// CHECK-LABEL: func.func @forward
func.func private @block(%x: tensor<?x8xf32>, %w: !lowbit.weight<8x8, #lowbit.format<f32>>, %b: !lowbit.weight<8, #lowbit.format<f32>>) -> tensor<?x4xf32> {
  %first = lowbit.slice_rows %w from 0 : !lowbit.weight<8x8, #lowbit.format<f32>> -> !lowbit.weight<3x8, #lowbit.format<f32>>
  %rest = lowbit.slice_rows %w from 3 : !lowbit.weight<8x8, #lowbit.format<f32>> -> !lowbit.weight<5x8, #lowbit.format<f32>>
  %part = lowbit.slice_rows %rest from 2 : !lowbit.weight<5x8, #lowbit.format<f32>> -> !lowbit.weight<2x8, #lowbit.format<f32>>
  %scaled = lowbit.scale_columns %part, %b : (!lowbit.weight<2x8, #lowbit.format<f32>>, !lowbit.weight<8, #lowbit.format<f32>>) -> !lowbit.weight<2x8, #lowbit.format<f32>>
  %bias = lowbit.slice_rows %b from 4 : !lowbit.weight<8, #lowbit.format<f32>> -> !lowbit.weight<4, #lowbit.format<f32>>
  %1 = lowbit.linear %x, %first : (tensor<?x8xf32>, !lowbit.weight<3x8, #lowbit.format<f32>>) -> tensor<?x3xf32>
  %2 = lowbit.linear %x, %scaled : (tensor<?x8xf32>, !lowbit.weight<2x8, #lowbit.format<f32>>) -> tensor<?x2xf32>
  %y = tensor.empty() : tensor<4x4xf32>
  %x4 = tensor.cast %y : tensor<4x4xf32> to tensor<?x4xf32>
  %3 = lowbit.add_bias %x4, %bias : tensor<?x4xf32>, !lowbit.weight<4, #lowbit.format<f32>>
  return %3 : tensor<?x4xf32>
}
func.func @forward(%x: tensor<?x8xf32>) {
  %w = lowbit.get @w : !lowbit.weight<8x8, #lowbit.format<f32>>
  %b = lowbit.get @b : !lowbit.weight<8, #lowbit.format<f32>>
  %0 = call @block(%x, %w, %b) : (tensor<?x8xf32>, !lowbit.weight<8x8, #lowbit.format<f32>>, !lowbit.weight<8, #lowbit.format<f32>>) -> tensor<?x4xf32>
  return
}

// -----

func.func @outside(%w: !lowbit.weight<8x8, #lowbit.format<f32>>, %g: !lowbit.weight<8, #lowbit.format<f32>>) -> !lowbit.weight<8x8, #lowbit.format<f32>> {
  // expected-error @below {{derives a weight from an argument of 'outside', which nothing calls}}
  %s = lowbit.scale_columns %w, %g : (!lowbit.weight<8x8, #lowbit.format<f32>>, !lowbit.weight<8, #lowbit.format<f32>>) -> !lowbit.weight<8x8, #lowbit.format<f32>>
  return %s : !lowbit.weight<8x8, #lowbit.format<f32>>
}
