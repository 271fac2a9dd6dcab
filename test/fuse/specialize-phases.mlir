// RUN: qopt %s --specialize-phases=chunk=4 | FileCheck %s
// RUN: qopt %s --specialize-phases=chunk=4 --canonicalize | FileCheck %s --check-prefix=CLEAN
// RUN: qopt %s --specialize-phases=chunk=16 | FileCheck %s --check-prefix=STEP
// Each phase is the forward function with its number of tokens written down; prefill and score share their blocks.

// CHECK: module attributes {halftone.chunk = 4 : i64, halftone.token_step = 4 : i64}
// CHECK: lowbit.weight @table
// CHECK: lowbit.cache @cache.0
lowbit.weight @table : !lowbit.weight<512x8, #lowbit.format<f32>> in "weights" at 0
lowbit.cache @cache.0 : !lowbit.cache<heads 2, size 4>

// CHECK-NOT: @block(
// CHECK-NOT: @forward
func.func private @block(%x: tensor<?x8xf32>, %past: index, %cache: !lowbit.cache<heads 2, size 4>) -> tensor<?x8xf32> {
  lowbit.append %x, %x to %cache at %past : tensor<?x8xf32>, !lowbit.cache<heads 2, size 4>
  %one = arith.constant 1.0 : f32
  %c0 = arith.constant 0 : index
  %t = tensor.dim %x, %c0 : tensor<?x8xf32>
  %ones = tensor.splat %one[%t] : tensor<?x8xf32>
  %y = arith.addf %x, %ones : tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

func.func @forward(%tokens: tensor<?xi64>, %past: index) -> tensor<?x512xf32> {
  %table = lowbit.get @table : !lowbit.weight<512x8, #lowbit.format<f32>>
  %cache = lowbit.get @cache.0 : !lowbit.cache<heads 2, size 4>
  %x = lowbit.embedding %tokens, %table : (tensor<?xi64>, !lowbit.weight<512x8, #lowbit.format<f32>>) -> tensor<?x8xf32>
  %1 = call @block(%x, %past, %cache) : (tensor<?x8xf32>, index, !lowbit.cache<heads 2, size 4>) -> tensor<?x8xf32>
  %2 = call @block(%1, %past, %cache) : (tensor<?x8xf32>, index, !lowbit.cache<heads 2, size 4>) -> tensor<?x8xf32>
  %logits = lowbit.linear %2, %table : (tensor<?x8xf32>, !lowbit.weight<512x8, #lowbit.format<f32>>) -> tensor<?x512xf32>
  return %logits : tensor<?x512xf32>
}

// CHECK-LABEL: func.func @decode(
// CHECK-SAME: tensor<1xi64>, %{{.*}}: index) -> tensor<1x512xf32>
// CHECK: lowbit.embedding {{.*}} -> tensor<1x8xf32>
// CHECK-COUNT-2: call @[[ONE:.*]](%{{.*}}) : (tensor<1x8xf32>, index, !lowbit.cache<heads 2, size 4>) -> tensor<1x8xf32>
// CHECK: %[[LOGITS:.*]] = lowbit.linear {{.*}} -> tensor<1x512xf32>
// CHECK: return %[[LOGITS]]

// CHECK: func.func private @[[ONE]](
// CHECK: lowbit.append
// CHECK: tensor.splat %{{.*}} : tensor<1x8xf32>

// CHECK-LABEL: func.func @prefill(
// CHECK-SAME: tensor<4xi64>, %{{.*}}: index) {
// CHECK: call @[[FOUR:.*]](%
// CHECK: call @[[FOUR]](%
// CHECK: return{{$}}

// CHECK: func.func private @[[FOUR]](
// CHECK: tensor.splat %{{.*}} : tensor<4x8xf32>

// CHECK-LABEL: func.func @score(
// CHECK-SAME: tensor<4xi64>, %{{.*}}: index) -> tensor<4x512xf32>
// CHECK-COUNT-2: call @[[FOUR]](
// CHECK-NOT: func.func

// Nothing asks for the number of tokens any more, and nobody asks prefill for logits: their linear is dead.
// CLEAN-NOT: tensor.dim
// CLEAN-LABEL: func.func @prefill(
// CLEAN-NOT: lowbit.linear
// CLEAN-LABEL: func.func @score(
// CLEAN: lowbit.linear

// A chunk of whole groups of eight tokens may be called with fewer of them.
// STEP: module attributes {halftone.chunk = 16 : i64, halftone.token_step = 8 : i64}
// STEP: func.func @decode(
// STEP-NOT: halftone.token_step
// STEP: func.func @prefill(%{{.*}}: tensor<16xi64>, %{{.*}}: index) attributes {halftone.token_step = 8 : i64}
// STEP: func.func private @block_16({{.*}} attributes {halftone.token_step = 8 : i64}
// STEP: func.func @score(%{{.*}}: tensor<16xi64>, %{{.*}}: index) -> tensor<16x512xf32> attributes {halftone.token_step = 8 : i64}
