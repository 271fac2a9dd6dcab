// RUN: qopt %s -split-input-file --assign-formats="format=int4-g32 method=rtn" | FileCheck %s
// RUN: qopt %s -split-input-file --assign-formats="format=int4-g32 activations=f32 method=rtn" | FileCheck %s --check-prefix=OPEN
// RUN: qopt %s -split-input-file --assign-formats="format=f32 method=rtn" | FileCheck %s --check-prefix=PLAIN
// RUN: qopt %s -split-input-file --assign-formats="format=int3-g64-asym head-format=int4-row embedding-format=int4-row method=rtn" \
// RUN:   | FileCheck %s --check-prefix=NAMED

// Linears take the format, embedding and head 8 bits; a bias and elementwise operations after the head do not hide it.

lowbit.weight @table : !lowbit.weight<512x64, #lowbit.format<f32>> in "m.onnx" at 0
lowbit.weight @w : !lowbit.weight<64x64, #lowbit.format<f32>> in "m.onnx" at 131072
lowbit.weight @b : !lowbit.weight<512, #lowbit.format<f32>> in "m.onnx" at 147456
// CHECK-LABEL: func.func @forward
// OPEN-LABEL: func.func @forward
// PLAIN-LABEL: func.func @forward
// NAMED-LABEL: func.func @forward
func.func @forward(%tokens: tensor<?xi64>) -> tensor<?x512xf32> {
  %table = lowbit.get @table : !lowbit.weight<512x64, #lowbit.format<f32>>
  %w = lowbit.get @w : !lowbit.weight<64x64, #lowbit.format<f32>>
  // CHECK: lowbit.embedding {{.*}} {format = #lowbit.format<int8, block 32, scale f16>, method = "rtn"}
  // OPEN: lowbit.embedding {{.*}} {format = #lowbit.format<int8, block 32, scale f16>, method = "rtn"}
  // PLAIN: lowbit.embedding {{.*}} {format = #lowbit.format<f32>} :
  // NAMED: lowbit.embedding {{.*}} {format = #lowbit.format<int4, row, scale f16>, method = "rtn"}
  %x = lowbit.embedding %tokens, %table : (tensor<?xi64>, !lowbit.weight<512x64, #lowbit.format<f32>>) -> tensor<?x64xf32>
  // CHECK: lowbit.linear {{.*}} {activations = "int8", format = #lowbit.format<int4, block 32, scale f16>, method = "rtn"}
  // OPEN: lowbit.linear {{.*}} {format = #lowbit.format<int4, block 32, scale f16>, method = "rtn"}
  // PLAIN: lowbit.linear {{.*}} {format = #lowbit.format<f32>} :
  // NAMED: lowbit.linear {{.*}} {activations = "int8", format = #lowbit.format<int3, block 64, scale f16, zero_point>, method = "rtn"}
  %y = lowbit.linear %x, %w : (tensor<?x64xf32>, !lowbit.weight<64x64, #lowbit.format<f32>>) -> tensor<?x64xf32>
  // CHECK: lowbit.linear {{.*}} {activations = "int8", format = #lowbit.format<int8, block 32, scale f16>, method = "rtn"}
  // OPEN: lowbit.linear {{.*}} {format = #lowbit.format<int8, block 32, scale f16>, method = "rtn"}
  // PLAIN: lowbit.linear {{.*}} {format = #lowbit.format<f32>} :
  // NAMED: lowbit.linear {{.*}} {activations = "int8", format = #lowbit.format<int4, row, scale f16>, method = "rtn"}
  %head = lowbit.linear %y, %table : (tensor<?x64xf32>, !lowbit.weight<512x64, #lowbit.format<f32>>) -> tensor<?x512xf32>
  %b = lowbit.get @b : !lowbit.weight<512, #lowbit.format<f32>>
  %biased = lowbit.add_bias %head, %b : tensor<?x512xf32>, !lowbit.weight<512, #lowbit.format<f32>>
  %cap = math.tanh %biased : tensor<?x512xf32>
  return %cap : tensor<?x512xf32>
}

// -----

// A head in a function that serves elsewhere too: its call gets a clone, and the other keeps the common format.

lowbit.weight @a : !lowbit.weight<64x64, #lowbit.format<f32>> in "m.onnx" at 0
lowbit.weight @b : !lowbit.weight<64x64, #lowbit.format<f32>> in "m.onnx" at 16384
// CHECK-LABEL: func.func private @project(
// CHECK: lowbit.linear {{.*}} format = #lowbit.format<int4, block 32, scale f16>
// CHECK-LABEL: func.func private @project_0(
// CHECK: lowbit.linear {{.*}} format = #lowbit.format<int8, block 32, scale f16>
func.func private @project(%x: tensor<?x64xf32>, %w: !lowbit.weight<64x64, #lowbit.format<f32>>) -> tensor<?x64xf32> {
  %y = lowbit.linear %x, %w : (tensor<?x64xf32>, !lowbit.weight<64x64, #lowbit.format<f32>>) -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}
// CHECK-LABEL: func.func @forward
// CHECK: %[[A:.*]] = lowbit.get @a
// CHECK: %[[B:.*]] = lowbit.get @b
// CHECK: %[[Y:.*]] = call @project(%{{.*}}, %[[A]])
// CHECK: call @project_0(%[[Y]], %[[B]])
func.func @forward(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %a = lowbit.get @a : !lowbit.weight<64x64, #lowbit.format<f32>>
  %b = lowbit.get @b : !lowbit.weight<64x64, #lowbit.format<f32>>
  %y = call @project(%x, %a) : (tensor<?x64xf32>, !lowbit.weight<64x64, #lowbit.format<f32>>) -> tensor<?x64xf32>
  %z = call @project(%y, %b) : (tensor<?x64xf32>, !lowbit.weight<64x64, #lowbit.format<f32>>) -> tensor<?x64xf32>
  return %z : tensor<?x64xf32>
}

// -----

// A residual sum is no logits: the block that ends in one has no head, and stays one function.

lowbit.weight @a : !lowbit.weight<64x64, #lowbit.format<f32>> in "m.onnx" at 0
// CHECK-LABEL: func.func private @block(
// CHECK: lowbit.linear {{.*}} format = #lowbit.format<int4, block 32, scale f16>
// CHECK-NOT: func.func private
func.func private @block(%x: tensor<?x64xf32>, %w: !lowbit.weight<64x64, #lowbit.format<f32>>) -> tensor<?x64xf32> {
  %y = lowbit.linear %x, %w : (tensor<?x64xf32>, !lowbit.weight<64x64, #lowbit.format<f32>>) -> tensor<?x64xf32>
  %z = arith.addf %x, %y : tensor<?x64xf32>
  return %z : tensor<?x64xf32>
}
func.func @forward(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %a = lowbit.get @a : !lowbit.weight<64x64, #lowbit.format<f32>>
  %y = call @block(%x, %a) : (tensor<?x64xf32>, !lowbit.weight<64x64, #lowbit.format<f32>>) -> tensor<?x64xf32>
  %z = call @block(%y, %a) : (tensor<?x64xf32>, !lowbit.weight<64x64, #lowbit.format<f32>>) -> tensor<?x64xf32>
  return %z : tensor<?x64xf32>
}
