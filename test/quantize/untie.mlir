// RUN: qopt %s -split-input-file -verify-diagnostics --assign-formats="format=int4-g32 head-format=int4-g32 untie" | FileCheck %s

// One handle, two readers: the second gets a name of its own, over the same bytes.

// CHECK: lowbit.weight @table : !lowbit.weight<512x64, <f32>> in "m.onnx" at 256
// CHECK-NEXT: lowbit.weight @table.untied : !lowbit.weight<512x64, <f32>> in "m.onnx" at 256
lowbit.weight @table : !lowbit.weight<512x64, #lowbit.format<f32>> in "m.onnx" at 256
// CHECK-LABEL: func.func @forward
func.func @forward(%tokens: tensor<?xi64>) -> tensor<?x512xf32> {
  // CHECK: %[[TABLE:.*]] = lowbit.get @table :
  %table = lowbit.get @table : !lowbit.weight<512x64, #lowbit.format<f32>>
  // CHECK: lowbit.embedding %{{.*}}, %[[TABLE]] {format = #lowbit.format<int8
  %x = lowbit.embedding %tokens, %table : (tensor<?xi64>, !lowbit.weight<512x64, #lowbit.format<f32>>) -> tensor<?x64xf32>
  // CHECK: %[[HEAD:.*]] = lowbit.get @table.untied
  // CHECK: lowbit.linear %{{.*}}, %[[HEAD]] {{.*}}format = #lowbit.format<int4
  %y = lowbit.linear %x, %table : (tensor<?x64xf32>, !lowbit.weight<512x64, #lowbit.format<f32>>) -> tensor<?x512xf32>
  return %y : tensor<?x512xf32>
}

// -----

// The reader may be behind a call.

// CHECK: lowbit.weight @table :
// CHECK: lowbit.weight @table.untied :
lowbit.weight @table : !lowbit.weight<512x64, #lowbit.format<f32>> in "m.onnx" at 256
func.func private @head(%x: tensor<?x64xf32>, %w: !lowbit.weight<512x64, #lowbit.format<f32>>) -> tensor<?x512xf32> {
  %y = lowbit.linear %x, %w : (tensor<?x64xf32>, !lowbit.weight<512x64, #lowbit.format<f32>>) -> tensor<?x512xf32>
  return %y : tensor<?x512xf32>
}
// CHECK-LABEL: func.func @forward
func.func @forward(%tokens: tensor<?xi64>) -> tensor<?x512xf32> {
  %table = lowbit.get @table : !lowbit.weight<512x64, #lowbit.format<f32>>
  %x = lowbit.embedding %tokens, %table : (tensor<?xi64>, !lowbit.weight<512x64, #lowbit.format<f32>>) -> tensor<?x64xf32>
  // CHECK: %[[HEAD:.*]] = lowbit.get @table.untied
  // CHECK: call @head(%{{.*}}, %[[HEAD]])
  %y = call @head(%x, %table) : (tensor<?x64xf32>, !lowbit.weight<512x64, #lowbit.format<f32>>) -> tensor<?x512xf32>
  return %y : tensor<?x512xf32>
}

// -----

// Readers that agree stay tied.

// CHECK: lowbit.weight @w :
// CHECK-NOT: untied
lowbit.weight @w : !lowbit.weight<64x64, #lowbit.format<f32>> in "m.onnx" at 0
func.func @agree(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %w = lowbit.get @w : !lowbit.weight<64x64, #lowbit.format<f32>>
  %y = lowbit.linear %x, %w : (tensor<?x64xf32>, !lowbit.weight<64x64, #lowbit.format<f32>>) -> tensor<?x64xf32>
  %z = lowbit.linear %y, %w : (tensor<?x64xf32>, !lowbit.weight<64x64, #lowbit.format<f32>>) -> tensor<?x64xf32>
  return %z : tensor<?x64xf32>
}

// -----

// Two readers behind one argument of a call cannot be told apart by name.

// expected-error @below {{weight 'table' is wanted as int8-g32 by lowbit.embedding and as int4-g32 by lowbit.linear}}
lowbit.weight @table : !lowbit.weight<512x64, #lowbit.format<f32>> in "m.onnx" at 256
func.func private @both(%tokens: tensor<?xi64>, %w: !lowbit.weight<512x64, #lowbit.format<f32>>) -> tensor<?x512xf32> {
  // expected-note @below {{the first reader}}
  %x = lowbit.embedding %tokens, %w : (tensor<?xi64>, !lowbit.weight<512x64, #lowbit.format<f32>>) -> tensor<?x64xf32>
  // expected-note @below {{the second reader}}
  %y = lowbit.linear %x, %w : (tensor<?x64xf32>, !lowbit.weight<512x64, #lowbit.format<f32>>) -> tensor<?x512xf32>
  return %y : tensor<?x512xf32>
}
func.func @forward(%tokens: tensor<?xi64>) -> tensor<?x512xf32> {
  %table = lowbit.get @table : !lowbit.weight<512x64, #lowbit.format<f32>>
  %y = call @both(%tokens, %table) : (tensor<?xi64>, !lowbit.weight<512x64, #lowbit.format<f32>>) -> tensor<?x512xf32>
  return %y : tensor<?x512xf32>
}
