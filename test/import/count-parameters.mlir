// RUN: qopt %s --count-parameters | FileCheck %s
// The embedding counts once, though the head is tied to it: 8 * 4, and the 4 of the norm. Tables of angles and weights
// without a use do not count.

// CHECK: module attributes {halftone.parameters = 36 : i64}
lowbit.weight @embedding : !lowbit.weight<8x4, #lowbit.format<f32>> in "m.onnx" at 0
lowbit.weight @norm : !lowbit.weight<4, #lowbit.format<f32>> in "m.onnx" at 128
lowbit.weight @angles : !lowbit.weight<16x2, #lowbit.format<f32>> in "tables" at 0
lowbit.weight @unused : !lowbit.weight<8x8, #lowbit.format<f32>> in "m.onnx" at 256
func.func private @block(%x: tensor<?x4xf32>, %past: index, %g: !lowbit.weight<4, #lowbit.format<f32>>,
                         %a: !lowbit.weight<16x2, #lowbit.format<f32>>) -> tensor<?x4xf32> {
  %0 = lowbit.rms_norm %x scale %g epsilon 1.0e-05 : tensor<?x4xf32>, !lowbit.weight<4, #lowbit.format<f32>>
  %1 = lowbit.rope %0, %a, %a at %past heads 1 : tensor<?x4xf32>, !lowbit.weight<16x2, #lowbit.format<f32>>
  return %1 : tensor<?x4xf32>
}
func.func @forward(%tokens: tensor<?xi64>, %past: index) -> tensor<?x8xf32> {
  %w = lowbit.get @embedding : !lowbit.weight<8x4, #lowbit.format<f32>>
  %g = lowbit.get @norm : !lowbit.weight<4, #lowbit.format<f32>>
  %a = lowbit.get @angles : !lowbit.weight<16x2, #lowbit.format<f32>>
  %x = lowbit.embedding %tokens, %w : (tensor<?xi64>, !lowbit.weight<8x4, #lowbit.format<f32>>) -> tensor<?x4xf32>
  %y = call @block(%x, %past, %g, %a) : (tensor<?x4xf32>, index, !lowbit.weight<4, #lowbit.format<f32>>, !lowbit.weight<16x2, #lowbit.format<f32>>) -> tensor<?x4xf32>
  %z = lowbit.linear %y, %w : (tensor<?x4xf32>, !lowbit.weight<8x4, #lowbit.format<f32>>) -> tensor<?x8xf32>
  return %z : tensor<?x8xf32>
}
