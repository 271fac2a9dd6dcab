// RUN: qopt %s -split-input-file -verify-diagnostics --rotate=seed=5 | FileCheck %s
// What it computes is in test_rotate.py.

// A decoder whose layers are one function. The stream, 16 wide, goes in and out of it; biases, a factor and a difference
// are on the way. Two heads of values, each of 4 channels, serve four of queries.

!vector = !lowbit.weight<16, #lowbit.format<f32>>
!square = !lowbit.weight<16x16, #lowbit.format<f32>>
!values = !lowbit.weight<8x16, #lowbit.format<f32>>
!angles = !lowbit.weight<32x2, #lowbit.format<f32>>
!table = !lowbit.weight<300x16, #lowbit.format<f16>>
!cache = !lowbit.cache<heads 2, size 4>
lowbit.weight @table : !table in "m.bin" at 0
lowbit.weight @square : !square in "m.bin" at 0
lowbit.weight @values : !values in "m.bin" at 0
lowbit.weight @bias : !vector in "m.bin" at 0
lowbit.weight @angles : !angles in "m.bin" at 0
lowbit.cache @cache.0 : !cache
lowbit.cache @cache.1 : !cache

// CHECK-LABEL: func.func private @layer(
// CHECK-SAME: %[[X:[^:]*]]: tensor<?x16xf32>, %{{[^:]*}}: index, %[[CACHE:[^:]*]]: !lowbit.cache<heads 2, size 4>,
// CHECK-SAME: %{{[^:]*}}: {{[^,]*,[^,]*}}, %[[W:[^:]*]]: !lowbit.weight<16x16, <f32>>, %[[V:[^:]*]]: !lowbit.weight<8x16, <f32>>, %[[B:[^:]*]]: !lowbit.weight<16, <f32>>
func.func private @layer(%x: tensor<?x16xf32>, %past: index, %cache: !cache, %angles: !angles, %w: !square, %wv: !values, %b: !vector) -> tensor<?x16xf32> {
  // CHECK: %[[N:.*]] = lowbit.rms_norm %[[X]]
  %n = lowbit.rms_norm %x epsilon 1.0e-05 : tensor<?x16xf32>
  // CHECK: %[[WQ:.*]] = lowbit.rotate_columns %[[W]] size 16 seed 5 : <16x16, <f32>>
  // CHECK: %[[Q:.*]] = lowbit.linear %[[N]], %[[WQ]]
  %q = lowbit.linear %n, %w : (tensor<?x16xf32>, !square) -> tensor<?x16xf32>
  // CHECK: %[[WK:.*]] = lowbit.rotate_columns %[[V]] size 16 seed 5
  // CHECK: lowbit.linear %[[N]], %[[WK]]
  %k = lowbit.linear %n, %wv : (tensor<?x16xf32>, !values) -> tensor<?x8xf32>
  // CHECK: %[[WV:.*]] = lowbit.rotate_columns %[[V]] size 16 seed 5
  // CHECK: %[[WVR:.*]] = lowbit.rotate_rows %[[WV]] size 4 seed 5 : <8x16, <f32>>
  // CHECK: lowbit.linear %[[N]], %[[WVR]]
  %v = lowbit.linear %n, %wv : (tensor<?x16xf32>, !values) -> tensor<?x8xf32>
  %kr = lowbit.rope %k, %angles, %angles at %past heads 2 : tensor<?x8xf32>, !angles
  lowbit.append %kr, %v to %cache at %past : tensor<?x8xf32>, !cache
  // CHECK: %[[A:.*]] = lowbit.attention
  %a = lowbit.attention %q, %cache at %past heads 4 scale 0.5 : tensor<?x16xf32>, !cache
  // CHECK: %[[WO:.*]] = lowbit.rotate_rows %[[W]] size 16 seed 5
  // CHECK: %[[WOR:.*]] = lowbit.rotate_columns %[[WO]] size 4 seed 5
  // CHECK: %[[O:.*]] = lowbit.linear %[[A]], %[[WOR]]
  %o = lowbit.linear %a, %w : (tensor<?x16xf32>, !square) -> tensor<?x16xf32>
  // CHECK: %[[BR:.*]] = lowbit.rotate_rows %[[B]] size 16 seed 5 : <16, <f32>>
  // CHECK: lowbit.add_bias %[[O]], %[[BR]]
  %ob = lowbit.add_bias %o, %b : tensor<?x16xf32>, !vector
  %h = arith.subf %x, %ob : tensor<?x16xf32>
  %m = lowbit.rms_norm %h epsilon 1.0e-05 : tensor<?x16xf32>
  // CHECK: %[[WU:.*]] = lowbit.rotate_columns %[[W]] size 16 seed 5
  // CHECK: %[[U:.*]] = lowbit.linear %{{.*}}, %[[WU]]
  %u = lowbit.linear %m, %w : (tensor<?x16xf32>, !square) -> tensor<?x16xf32>
  // CHECK: %[[UB:.*]] = lowbit.add_bias %[[U]], %[[B]]
  %ub = lowbit.add_bias %u, %b : tensor<?x16xf32>, !vector
  // CHECK: %[[T:.*]] = math.tanh %[[UB]]
  %t = math.tanh %ub : tensor<?x16xf32>
  // CHECK: %[[WD:.*]] = lowbit.rotate_rows %[[W]] size 16 seed 5
  // CHECK: lowbit.linear %[[T]], %[[WD]]
  %d = lowbit.linear %t, %w : (tensor<?x16xf32>, !square) -> tensor<?x16xf32>
  %half = arith.constant 0.5 : f32
  %zero = arith.constant 0 : index
  %tokens = tensor.dim %d, %zero : tensor<?x16xf32>
  %halves = tensor.splat %half[%tokens] : tensor<?x16xf32>
  %dh = arith.mulf %halves, %d : tensor<?x16xf32>
  %y = arith.addf %h, %dh : tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// CHECK-LABEL: func.func @forward(
func.func @forward(%ids: tensor<?xi64>, %past: index) -> tensor<?x300xf32> {
  %table = lowbit.get @table : !table
  // CHECK: %[[E:.*]] = lowbit.rotate_columns %{{.*}} size 16 seed 5 : <300x16, <f16>>
  // CHECK: lowbit.embedding %{{.*}}, %[[E]]
  %x = lowbit.embedding %ids, %table : (tensor<?xi64>, !table) -> tensor<?x16xf32>
  %cos = lowbit.get @angles : !angles
  %w = lowbit.get @square : !square
  %v = lowbit.get @values : !values
  %b = lowbit.get @bias : !vector
  %c0 = lowbit.get @cache.0 : !cache
  %c1 = lowbit.get @cache.1 : !cache
  // CHECK-COUNT-2: call @layer
  %0 = call @layer(%x, %past, %c0, %cos, %w, %v, %b) : (tensor<?x16xf32>, index, !cache, !angles, !square, !values, !vector) -> tensor<?x16xf32>
  %1 = call @layer(%0, %past, %c1, %cos, %w, %v, %b) : (tensor<?x16xf32>, index, !cache, !angles, !square, !values, !vector) -> tensor<?x16xf32>
  %n = lowbit.rms_norm %1 epsilon 1.0e-05 : tensor<?x16xf32>
  // CHECK: %[[H:.*]] = lowbit.rotate_columns %{{.*}} size 16 seed 5 : <300x16, <f16>>
  // CHECK: %[[L:.*]] = lowbit.linear %{{.*}}, %[[H]]
  %logits = lowbit.linear %n, %table : (tensor<?x16xf32>, !table) -> tensor<?x300xf32>
  // Behind the head anything may stand.
  // CHECK-NEXT: math.tanh %[[L]]
  %capped = math.tanh %logits : tensor<?x300xf32>
  return %capped : tensor<?x300xf32>
}

// -----

// A norm that keeps its scale is in the way of the stream. Heads are rotated all the same.

!vector = !lowbit.weight<8, #lowbit.format<f32>>
!square = !lowbit.weight<8x8, #lowbit.format<f32>>
!cache = !lowbit.cache<heads 2, size 4>
// CHECK-LABEL: func.func @scale(
func.func @scale(%ids: tensor<?xi64>, %past: index, %w: !square, %g: !vector) -> tensor<?x8xf32> {
  %c = lowbit.get @cache : !cache
  %x = lowbit.embedding %ids, %w : (tensor<?xi64>, !square) -> tensor<?x8xf32>
  // expected-warning @below {{keeps the channels of embedded tokens as they are: this norm still has its scale (fold-norm-scale)}}
  %n = lowbit.rms_norm %x scale %g epsilon 1.0e-05 : tensor<?x8xf32>, !vector
  // CHECK-NOT: size 8
  // CHECK: %[[V:.*]] = lowbit.rotate_rows %{{.*}} size 4
  // CHECK-NEXT: lowbit.linear %{{.*}}, %[[V]]
  %v = lowbit.linear %n, %w : (tensor<?x8xf32>, !square) -> tensor<?x8xf32>
  %k = lowbit.linear %n, %w : (tensor<?x8xf32>, !square) -> tensor<?x8xf32>
  lowbit.append %k, %v to %c at %past : tensor<?x8xf32>, !cache
  return %n : tensor<?x8xf32>
}
lowbit.cache @cache : !cache

// -----

// Channels that arithmetic tells apart; values that come in or go out; weights with codes.

!square = !lowbit.weight<8x8, #lowbit.format<f32>>
!codes = !lowbit.weight<8x8, #lowbit.format<int4, row, scale f16>>
// CHECK-LABEL: func.func @gate(
// CHECK-NOT: rotate
func.func @gate(%ids: tensor<?xi64>, %w: !square) -> tensor<?x8xf32> {
  %x = lowbit.embedding %ids, %w : (tensor<?xi64>, !square) -> tensor<?x8xf32>
  // expected-warning @below {{keeps the channels of embedded tokens as they are: 'arith.mulf' tells its channels apart}}
  %p = arith.mulf %x, %x : tensor<?x8xf32>
  %y = lowbit.linear %p, %w : (tensor<?x8xf32>, !square) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

func.func @divides(%ids: tensor<?xi64>, %w: !square, %one: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %x = lowbit.embedding %ids, %w : (tensor<?xi64>, !square) -> tensor<?x8xf32>
  // expected-warning @below {{'arith.divf' tells its channels apart}}
  %p = arith.divf %one, %x : tensor<?x8xf32>
  return %p : tensor<?x8xf32>
}

func.func @leaves(%ids: tensor<?xi64>, %w: !square) -> tensor<?x8xf32> {
  %x = lowbit.embedding %ids, %w : (tensor<?xi64>, !square) -> tensor<?x8xf32>
  // expected-warning @below {{it leaves the model}}
  return %x : tensor<?x8xf32>
}

// expected-warning @below {{it comes from outside of the model}}
func.func @comes(%ids: tensor<?xi64>, %w: !square, %more: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %x = lowbit.embedding %ids, %w : (tensor<?xi64>, !square) -> tensor<?x8xf32>
  %y = arith.addf %x, %more : tensor<?x8xf32>
  %z = lowbit.linear %y, %w : (tensor<?x8xf32>, !square) -> tensor<?x8xf32>
  return %z : tensor<?x8xf32>
}

func.func @quantized(%ids: tensor<?xi64>, %w: !square, %c: !codes) -> tensor<?x8xf32> {
  %x = lowbit.embedding %ids, %w : (tensor<?xi64>, !square) -> tensor<?x8xf32>
  // expected-warning @below {{the weight here is quantized already}}
  %y = lowbit.linear %x, %c : (tensor<?x8xf32>, !codes) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

func.func private @elsewhere(tensor<?x8xf32>) -> tensor<?x8xf32>
func.func @reads(%ids: tensor<?xi64>, %w: !square) -> tensor<?x8xf32> {
  %x = lowbit.embedding %ids, %w : (tensor<?xi64>, !square) -> tensor<?x8xf32>
  // expected-warning @below {{a function that is not here reads it}}
  %y = call @elsewhere(%x) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
func.func @makes(%ids: tensor<?xi64>, %w: !square, %h: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %x = lowbit.embedding %ids, %w : (tensor<?xi64>, !square) -> tensor<?x8xf32>
  // expected-warning @below {{a function that is not here makes it}}
  %more = call @elsewhere(%h) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %y = arith.addf %x, %more : tensor<?x8xf32>
  %z = lowbit.linear %y, %w : (tensor<?x8xf32>, !square) -> tensor<?x8xf32>
  return %z : tensor<?x8xf32>
}

// -----

// The stream is wider than a head: attention can take it neither as queries nor into a cache. What a cache holds is
// rotated only with all that reads it.

!square = !lowbit.weight<8x8, #lowbit.format<f32>>
!cache = !lowbit.cache<heads 2, size 4>
lowbit.cache @cache : !cache
// CHECK-LABEL: func.func @queries(
// CHECK-NOT: rotate
func.func @queries(%ids: tensor<?xi64>, %past: index, %w: !square) -> tensor<?x8xf32> {
  %c = lowbit.get @cache : !cache
  %x = lowbit.embedding %ids, %w : (tensor<?xi64>, !square) -> tensor<?x8xf32>
  %v = lowbit.linear %x, %w : (tensor<?x8xf32>, !square) -> tensor<?x8xf32>
  %k = lowbit.linear %x, %w : (tensor<?x8xf32>, !square) -> tensor<?x8xf32>
  lowbit.append %k, %v to %c at %past : tensor<?x8xf32>, !cache
  // expected-warning @below {{keeps the channels of embedded tokens as they are: attention reads it, head by head}}
  %a = lowbit.attention %x, %c at %past heads 2 scale 0.5 : tensor<?x8xf32>, !cache
  // expected-warning @below {{keeps the channels of heads as they are: 'math.tanh' tells its channels apart}}
  %t = math.tanh %a : tensor<?x8xf32>
  return %t : tensor<?x8xf32>
}

// -----

// Keys that are values too.

!square = !lowbit.weight<8x8, #lowbit.format<f32>>
!cache = !lowbit.cache<heads 2, size 4>
lowbit.cache @cache : !cache
// CHECK-LABEL: func.func @keys(
// CHECK-NOT: rotate
func.func @keys(%x: tensor<?x8xf32>, %past: index, %w: !square) {
  %c = lowbit.get @cache : !cache
  %v = lowbit.linear %x, %w : (tensor<?x8xf32>, !square) -> tensor<?x8xf32>
  // expected-warning @below {{keeps the channels of heads as they are: a cache takes it, head by head}}
  lowbit.append %v, %v to %c at %past : tensor<?x8xf32>, !cache
  return
}
