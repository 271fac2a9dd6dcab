// RUN: qopt %s --outline-segments | FileCheck %s

// What stands between calls becomes functions; names of weights stay with the caller, constants go along.
lowbit.weight @table : !lowbit.weight<16x8, #lowbit.format<f32>> in "w.bin" at 0
lowbit.weight @w : !lowbit.weight<8x8, #lowbit.format<f32>> in "w.bin" at 512
func.func private @block(%x: tensor<?x8xf32>, %w: !lowbit.weight<8x8, #lowbit.format<f32>>) -> tensor<?x8xf32> {
  %y = lowbit.linear %x, %w : (tensor<?x8xf32>, <8x8, <f32>>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
// CHECK-LABEL: func.func @forward
// CHECK-SAME: (%[[TOKENS:.*]]: tensor<?xi64>)
// CHECK: %[[TABLE:.*]] = lowbit.get @table
// CHECK: %[[X:.*]] = call @forward.0(%[[TOKENS]], %[[TABLE]])
// CHECK: %[[W:.*]] = lowbit.get @w
// CHECK: %[[Y:.*]] = call @block(%[[X]], %[[W]])
// CHECK: %[[Z:.*]] = call @block(%[[Y]], %[[W]])
// CHECK: %[[E:.*]] = call @forward.1(%[[Z]], %[[X]])
// CHECK: return %[[E]]
func.func @forward(%tokens: tensor<?xi64>) -> tensor<?x8xf32> {
  %table = lowbit.get @table : !lowbit.weight<16x8, #lowbit.format<f32>>
  %x = lowbit.embedding %tokens, %table : (tensor<?xi64>, <16x8, <f32>>) -> tensor<?x8xf32>
  %w = lowbit.get @w : !lowbit.weight<8x8, #lowbit.format<f32>>
  %y = call @block(%x, %w) : (tensor<?x8xf32>, !lowbit.weight<8x8, #lowbit.format<f32>>) -> tensor<?x8xf32>
  %z = call @block(%y, %w) : (tensor<?x8xf32>, !lowbit.weight<8x8, #lowbit.format<f32>>) -> tensor<?x8xf32>
  %sum = arith.addf %z, %x : tensor<?x8xf32>
  %one = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %count = tensor.dim %sum, %c0 : tensor<?x8xf32>
  %ones = tensor.splat %one[%count] : tensor<?x8xf32>
  %e = arith.addf %sum, %ones : tensor<?x8xf32>
  return %e : tensor<?x8xf32>
}
// CHECK: func.func private @forward.0(%{{.*}}: tensor<?xi64>, %{{.*}}: !lowbit.weight<16x8, <f32>>) -> tensor<?x8xf32>
// CHECK: lowbit.embedding
// CHECK: func.func private @forward.1(%{{.*}}: tensor<?x8xf32>, %{{.*}}: tensor<?x8xf32>) -> tensor<?x8xf32>
// CHECK: arith.constant
// CHECK: arith.addf
