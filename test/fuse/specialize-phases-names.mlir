// RUN: qopt %s --specialize-phases=chunk=4 | FileCheck %s
// A tensor of the model may have the name of a phase.

// CHECK: lowbit.weight @[[TABLE:decode_.*]] : !lowbit.weight<8x4, <f32>>
lowbit.weight @decode : !lowbit.weight<8x4, #lowbit.format<f32>> in "w.bin" at 0

func.func @forward(%tokens: tensor<?xi64>, %past: index) -> tensor<?x4xf32> {
  %w = lowbit.get @decode : !lowbit.weight<8x4, #lowbit.format<f32>>
  %x = lowbit.embedding %tokens, %w : (tensor<?xi64>, !lowbit.weight<8x4, #lowbit.format<f32>>) -> tensor<?x4xf32>
  return %x : tensor<?x4xf32>
}
// CHECK: func.func @decode(%{{.*}}: tensor<1xi64>
// CHECK: lowbit.get @[[TABLE]]
// CHECK: func.func @prefill(%{{.*}}: tensor<4xi64>, %{{.*}}: index) {
// CHECK: func.func @score(%{{.*}}: tensor<4xi64>, %{{.*}}: index) -> tensor<4x4xf32>
