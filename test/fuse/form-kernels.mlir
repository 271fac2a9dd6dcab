// RUN: qopt %s --form-kernels | FileCheck %s
// RUN: qopt %s --form-kernels=separate | FileCheck %s --check-prefix=SEPARATE
// Which operations share a kernel, and which must not.

!a = !lowbit.activation<1x8, #lowbit.format<int8, block 4, scale f32>>
!w = !lowbit.weight<8x8, #lowbit.format<int4, block 4, scale f16>>
!t = !lowbit.weight<16x2, #lowbit.format<f32>>
!c = !lowbit.cache<heads 2, size 4>

// A norm and the quantization of its result.
// CHECK-LABEL: func.func @norm_quantize
// CHECK: %[[A:.*]] = lowbit.kernel {
// CHECK-NEXT: %[[N:.*]] = lowbit.rms_norm
// CHECK-NEXT: %[[Q:.*]] = lowbit.quantize_activation %[[N]]
// CHECK-NEXT: lowbit.yield %[[Q]] : !lowbit.activation
// CHECK-NEXT: } : !lowbit.activation
// CHECK: lowbit.kernel {
// CHECK-NEXT: lowbit.linear %[[A]]
// SEPARATE-LABEL: func.func @norm_quantize
// SEPARATE-COUNT-3: lowbit.kernel
func.func @norm_quantize(%x: tensor<1x8xf32>, %w: !w) -> tensor<1x8xf32> {
  %n = lowbit.rms_norm %x epsilon 1.0e-05 : tensor<1x8xf32>
  %a = lowbit.quantize_activation %n : tensor<1x8xf32> -> !a
  %y = lowbit.linear %a, %w : (!a, !w) -> tensor<1x8xf32>
  return %y : tensor<1x8xf32>
}

// Linears of the same input, even when a rotation stands between them, and the rotations beside each other.
// CHECK-LABEL: func.func @query_key_value
// CHECK: %[[QKV:.*]]:3 = lowbit.kernel {
// CHECK-COUNT-3: lowbit.linear
// CHECK-NEXT: lowbit.yield
// CHECK: %[[R:.*]]:2 = lowbit.kernel {
// CHECK-NEXT: lowbit.rope %[[QKV]]#0
// CHECK-NEXT: lowbit.rope %[[QKV]]#1
// CHECK-NEXT: lowbit.yield
// CHECK: lowbit.kernel {
// CHECK-NEXT: lowbit.append %[[R]]#1, %[[QKV]]#2
// CHECK-NEXT: lowbit.yield{{$}}
// CHECK: %[[T:.*]] = lowbit.kernel {
// CHECK-NEXT: lowbit.attention %[[R]]#0
// CHECK-NEXT: lowbit.yield
// CHECK: return %[[T]]
// SEPARATE-LABEL: func.func @query_key_value
// SEPARATE-COUNT-7: lowbit.kernel
func.func @query_key_value(%a: !a, %past: index, %cos: !t, %cache: !c, %wq: !w, %wk: !w, %wv: !w) -> tensor<1x8xf32> {
  %q = lowbit.linear %a, %wq : (!a, !w) -> tensor<1x8xf32>
  %qr = lowbit.rope %q, %cos, %cos at %past heads 2 : tensor<1x8xf32>, !t
  %k = lowbit.linear %a, %wk : (!a, !w) -> tensor<1x8xf32>
  %kr = lowbit.rope %k, %cos, %cos at %past heads 2 : tensor<1x8xf32>, !t
  %v = lowbit.linear %a, %wv : (!a, !w) -> tensor<1x8xf32>
  lowbit.append %kr, %v to %cache at %past : tensor<1x8xf32>, !c
  %t = lowbit.attention %qr, %cache at %past heads 2 scale 0.5 : tensor<1x8xf32>, !c
  return %t : tensor<1x8xf32>
}

// Gate and up with what multiplies them.
// CHECK-LABEL: func.func @gate_up
// CHECK: arith.constant dense
// CHECK: %[[H:.*]] = lowbit.kernel {
// CHECK-NEXT: %[[G:.*]] = lowbit.linear
// CHECK-NEXT: %[[U:.*]] = lowbit.linear
// CHECK-NEXT: arith.negf %[[G]]
// CHECK-NEXT: math.exp
// CHECK-NEXT: arith.addf
// CHECK-NEXT: arith.divf
// CHECK-NEXT: arith.mulf %[[G]]
// CHECK-NEXT: %[[M:.*]] = arith.mulf %{{.*}}, %[[U]]
// CHECK-NEXT: lowbit.yield %[[M]] :
// CHECK-NEXT: } : tensor<1x8xf32>
// CHECK: return %[[H]]
func.func @gate_up(%a: !a, %wg: !w, %wu: !w) -> tensor<1x8xf32> {
  %ones = arith.constant dense<1.0> : tensor<1x8xf32>
  %g = lowbit.linear %a, %wg : (!a, !w) -> tensor<1x8xf32>
  %u = lowbit.linear %a, %wu : (!a, !w) -> tensor<1x8xf32>
  %neg = arith.negf %g : tensor<1x8xf32>
  %exp = math.exp %neg : tensor<1x8xf32>
  %sum = arith.addf %exp, %ones : tensor<1x8xf32>
  %s = arith.divf %ones, %sum : tensor<1x8xf32>
  %act = arith.mulf %g, %s : tensor<1x8xf32>
  %m = arith.mulf %act, %u : tensor<1x8xf32>
  return %m : tensor<1x8xf32>
}

// The sum with the residual belongs to its linear.
// CHECK-LABEL: func.func @residual
// CHECK-SAME: %[[X:[^:]*]]: tensor<1x8xf32>
// CHECK: lowbit.kernel {
// CHECK-NEXT: %[[O:.*]] = lowbit.linear
// CHECK-NEXT: arith.addf %[[X]], %[[O]]
// CHECK-NEXT: lowbit.yield
func.func @residual(%x: tensor<1x8xf32>, %a: !a, %w: !w) -> tensor<1x8xf32> {
  %o = lowbit.linear %a, %w : (!a, !w) -> tensor<1x8xf32>
  %y = arith.addf %x, %o : tensor<1x8xf32>
  return %y : tensor<1x8xf32>
}

// The second linear needs what the first one's kernel gives: it cannot be in the same.
// CHECK-LABEL: func.func @chain
// CHECK: %[[Y:.*]] = lowbit.kernel {
// CHECK-NEXT: lowbit.linear
// CHECK-NEXT: lowbit.yield
// CHECK: lowbit.kernel {
// CHECK-NEXT: lowbit.linear %[[Y]]
func.func @chain(%x: tensor<1x8xf32>, %w: !lowbit.weight<8x8, #lowbit.format<f32>>) -> tensor<1x8xf32> {
  %y = lowbit.linear %x, %w : (tensor<1x8xf32>, !lowbit.weight<8x8, #lowbit.format<f32>>) -> tensor<1x8xf32>
  %z = lowbit.linear %y, %w : (tensor<1x8xf32>, !lowbit.weight<8x8, #lowbit.format<f32>>) -> tensor<1x8xf32>
  return %z : tensor<1x8xf32>
}

// What needs a call's result cannot be in a kernel before it; a linear that does not, can.
// CHECK-LABEL: func.func @around_a_call
// CHECK: %[[Y:.*]]:2 = lowbit.kernel {
// CHECK-COUNT-2: lowbit.linear
// CHECK-NEXT: lowbit.yield
// CHECK: %[[C:.*]] = call @reads(%[[Y]]#0)
// CHECK: lowbit.kernel {
// CHECK-NEXT: arith.addf %[[C]], %[[Y]]#1
func.func private @reads(%x: tensor<1x8xf32>) -> tensor<1x8xf32>
func.func @around_a_call(%a: !a, %w1: !w, %w2: !w) -> tensor<1x8xf32> {
  %y = lowbit.linear %a, %w1 : (!a, !w) -> tensor<1x8xf32>
  %c = call @reads(%y) : (tensor<1x8xf32>) -> tensor<1x8xf32>
  %z = lowbit.linear %a, %w2 : (!a, !w) -> tensor<1x8xf32>
  %s = arith.addf %c, %z : tensor<1x8xf32>
  return %s : tensor<1x8xf32>
}

// Biases stay with the linears that they are added to, and those with one another.
// CHECK-LABEL: func.func @biases
// CHECK: lowbit.kernel {
// CHECK-NEXT: lowbit.linear
// CHECK-NEXT: lowbit.linear
// CHECK-NEXT: lowbit.add_bias
// CHECK-NEXT: lowbit.add_bias
// CHECK-NEXT: lowbit.yield
// CHECK-NOT: lowbit.kernel
func.func @biases(%x: tensor<1x8xf32>, %w1: !lowbit.weight<8x8, #lowbit.format<f32>>, %w2: !lowbit.weight<8x8, #lowbit.format<f32>>, %b: !lowbit.weight<8, #lowbit.format<f32>>) -> (tensor<1x8xf32>, tensor<1x8xf32>) {
  %1 = lowbit.linear %x, %w1 : (tensor<1x8xf32>, !lowbit.weight<8x8, #lowbit.format<f32>>) -> tensor<1x8xf32>
  %y = lowbit.add_bias %1, %b : tensor<1x8xf32>, !lowbit.weight<8, #lowbit.format<f32>>
  %2 = lowbit.linear %x, %w2 : (tensor<1x8xf32>, !lowbit.weight<8x8, #lowbit.format<f32>>) -> tensor<1x8xf32>
  %z = lowbit.add_bias %2, %b : tensor<1x8xf32>, !lowbit.weight<8, #lowbit.format<f32>>
  return %y, %z : tensor<1x8xf32>, tensor<1x8xf32>
}
