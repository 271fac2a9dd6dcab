// RUN: qopt %s --split-input-file --specialize-phases=chunk=4 | FileCheck %s
// RUN: qopt %s --split-input-file --specialize-phases=chunk=1 | FileCheck %s --check-prefix=ONE
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

// -----

// With chunks of one token every phase has blocks of the same name.

// ONE: func.func @decode(
// ONE: call @block_1(
// ONE: func.func private @block_1(
// ONE: func.func @prefill(
// ONE: call @block_1_0(
// ONE: func.func private @block_1_0(
// ONE: func.func @score(
// ONE: call @block_1_0(
func.func private @block(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %y = arith.negf %x : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
lowbit.weight @w : !lowbit.weight<8x4, #lowbit.format<f32>> in "w.bin" at 0
func.func @forward(%tokens: tensor<?xi64>, %past: index) -> tensor<?x4xf32> {
  %w = lowbit.get @w : !lowbit.weight<8x4, #lowbit.format<f32>>
  %x = lowbit.embedding %tokens, %w : (tensor<?xi64>, !lowbit.weight<8x4, #lowbit.format<f32>>) -> tensor<?x4xf32>
  %y = call @block(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
