// RUN: qopt %s --split-input-file --outline-blocks | FileCheck %s
// Repeated layers become calls of one function; what only looks repeated does not.

// Two layers whose operations stand in different order: norms and linears mixed, appends before and after. The head's
// norm is like a layer's first, but belongs to none.
// CHECK-LABEL: func.func private @block
// CHECK-SAME: (%[[X:.*]]: tensor<?x8xf32>, %[[PAST:.*]]: index, %[[G:.*]]: !lowbit.weight<8, <f32>>, %[[Q:.*]]: !lowbit.weight<8x8, <f32>>, %[[K:.*]]: !lowbit.weight<8x8, <f32>>, %[[C:.*]]: !lowbit.cache<heads 2, size 4>) -> tensor<?x8xf32>
// CHECK-NEXT: %[[N:.*]] = lowbit.rms_norm %[[X]] scale %[[G]]
// CHECK-NEXT: %[[QX:.*]] = lowbit.linear %[[N]], %[[Q]]
// CHECK-NEXT: %[[KX:.*]] = lowbit.linear %[[N]], %[[K]]
// CHECK-NEXT: lowbit.append %[[KX]], %[[N]] to %[[C]] at %[[PAST]]
// CHECK-NEXT: %[[A:.*]] = lowbit.attention %[[QX]], %[[C]] at %[[PAST]]
// CHECK-NEXT: %[[Y:.*]] = arith.addf %[[X]], %[[A]]
// CHECK-NEXT: return %[[Y]]
// CHECK-LABEL: func.func @forward
// CHECK: %[[X0:.*]] = lowbit.embedding
// CHECK: %[[X1:.*]] = call @block(%[[X0]], %arg1, %[[G0:.*]], %[[Q0:.*]], %[[K0:.*]], %[[C0:.*]])
// CHECK: %[[X2:.*]] = call @block(%[[X1]], %arg1, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}})
// CHECK: lowbit.rms_norm %[[X2]]
// CHECK-NOT: call
lowbit.weight @table : !lowbit.weight<16x8, <f32>> in "a.onnx" at 0
lowbit.weight @g0 : !lowbit.weight<8, <f32>> in "a.onnx" at 512
lowbit.weight @g1 : !lowbit.weight<8, <f32>> in "a.onnx" at 544
lowbit.weight @g : !lowbit.weight<8, <f32>> in "a.onnx" at 576
lowbit.weight @q0 : !lowbit.weight<8x8, <f32>> in "a.onnx" at 1024
lowbit.weight @q1 : !lowbit.weight<8x8, <f32>> in "a.onnx" at 1280
lowbit.weight @k0 : !lowbit.weight<8x8, <f32>> in "a.onnx" at 1536
lowbit.weight @k1 : !lowbit.weight<8x8, <f32>> in "a.onnx" at 1792
lowbit.cache @c0 : !lowbit.cache<heads 2, size 4>
lowbit.cache @c1 : !lowbit.cache<heads 2, size 4>
func.func @forward(%tokens: tensor<?xi64>, %past: index) -> tensor<?x8xf32> {
  %table = lowbit.get @table : !lowbit.weight<16x8, <f32>>
  %g0 = lowbit.get @g0 : !lowbit.weight<8, <f32>>
  %g1 = lowbit.get @g1 : !lowbit.weight<8, <f32>>
  %g = lowbit.get @g : !lowbit.weight<8, <f32>>
  %q0 = lowbit.get @q0 : !lowbit.weight<8x8, <f32>>
  %q1 = lowbit.get @q1 : !lowbit.weight<8x8, <f32>>
  %k0 = lowbit.get @k0 : !lowbit.weight<8x8, <f32>>
  %k1 = lowbit.get @k1 : !lowbit.weight<8x8, <f32>>
  %c0 = lowbit.get @c0 : !lowbit.cache<heads 2, size 4>
  %c1 = lowbit.get @c1 : !lowbit.cache<heads 2, size 4>
  %x = lowbit.embedding %tokens, %table : (tensor<?xi64>, !lowbit.weight<16x8, <f32>>) -> tensor<?x8xf32>
  %n0 = lowbit.rms_norm %x scale %g0 epsilon 1.0e-05 : tensor<?x8xf32>, !lowbit.weight<8, <f32>>
  %kx0 = lowbit.linear %n0, %k0 : (tensor<?x8xf32>, !lowbit.weight<8x8, <f32>>) -> tensor<?x8xf32>
  lowbit.append %kx0, %n0 to %c0 at %past : tensor<?x8xf32>, !lowbit.cache<heads 2, size 4>
  %qx0 = lowbit.linear %n0, %q0 : (tensor<?x8xf32>, !lowbit.weight<8x8, <f32>>) -> tensor<?x8xf32>
  %a0 = lowbit.attention %qx0, %c0 at %past heads 2 scale 0.5 : tensor<?x8xf32>, !lowbit.cache<heads 2, size 4>
  %x1 = arith.addf %x, %a0 : tensor<?x8xf32>
  %n1 = lowbit.rms_norm %x1 scale %g1 epsilon 1.0e-05 : tensor<?x8xf32>, !lowbit.weight<8, <f32>>
  %qx1 = lowbit.linear %n1, %q1 : (tensor<?x8xf32>, !lowbit.weight<8x8, <f32>>) -> tensor<?x8xf32>
  %kx1 = lowbit.linear %n1, %k1 : (tensor<?x8xf32>, !lowbit.weight<8x8, <f32>>) -> tensor<?x8xf32>
  lowbit.append %kx1, %n1 to %c1 at %past : tensor<?x8xf32>, !lowbit.cache<heads 2, size 4>
  %a1 = lowbit.attention %qx1, %c1 at %past heads 2 scale 0.5 : tensor<?x8xf32>, !lowbit.cache<heads 2, size 4>
  %x2 = arith.addf %x1, %a1 : tensor<?x8xf32>
  %n = lowbit.rms_norm %x2 scale %g epsilon 1.0e-05 : tensor<?x8xf32>, !lowbit.weight<8, <f32>>
  return %n : tensor<?x8xf32>
}

// -----

// Layers of different width: nothing to outline.
// CHECK-NOT: @block
// CHECK-LABEL: func.func @forward
// CHECK-COUNT-2: lowbit.linear
lowbit.weight @a : !lowbit.weight<16x8, <f32>> in "a.onnx" at 0
lowbit.weight @b : !lowbit.weight<8x16, <f32>> in "a.onnx" at 512
func.func @forward(%x: tensor<?x8xf32>, %past: index) -> tensor<?x8xf32> {
  %a = lowbit.get @a : !lowbit.weight<16x8, <f32>>
  %b = lowbit.get @b : !lowbit.weight<8x16, <f32>>
  %y = lowbit.linear %x, %a : (tensor<?x8xf32>, !lowbit.weight<16x8, <f32>>) -> tensor<?x16xf32>
  %z = lowbit.linear %y, %b : (tensor<?x16xf32>, !lowbit.weight<8x16, <f32>>) -> tensor<?x8xf32>
  return %z : tensor<?x8xf32>
}

// -----

// Alike but for one number: the layers are two.
// CHECK-NOT: @block
// CHECK-LABEL: func.func @forward
// CHECK-COUNT-2: lowbit.rms_norm
func.func @forward(%x: tensor<?x8xf32>, %past: index) -> tensor<?x8xf32> {
  %y = lowbit.rms_norm %x epsilon 1.0e-05 : tensor<?x8xf32>
  %z = lowbit.rms_norm %y epsilon 1.0e-06 : tensor<?x8xf32>
  return %z : tensor<?x8xf32>
}

// -----

// Two values are carried from layer to layer.
// CHECK-LABEL: func.func private @block
// CHECK-SAME: (%[[A:.*]]: tensor<?x8xf32>, %[[B:.*]]: tensor<?x8xf32>) -> (tensor<?x8xf32>, tensor<?x8xf32>)
// CHECK-LABEL: func.func @forward
// CHECK: %[[R:.*]]:2 = call @block(%arg0, %arg1)
// CHECK: %[[S:.*]]:2 = call @block(%[[R]]#0, %[[R]]#1)
// CHECK: return %[[S]]#0, %[[S]]#1
func.func @forward(%a: tensor<?x8xf32>, %b: tensor<?x8xf32>) -> (tensor<?x8xf32>, tensor<?x8xf32>) {
  %c = arith.mulf %a, %b : tensor<?x8xf32>
  %d = arith.subf %c, %a : tensor<?x8xf32>
  %e = arith.mulf %c, %d : tensor<?x8xf32>
  %f = arith.subf %e, %c : tensor<?x8xf32>
  return %e, %f : tensor<?x8xf32>, tensor<?x8xf32>
}

// -----

// The second layer reads one weight where the first reads two: they are two arguments.
// CHECK-LABEL: func.func private @block
// CHECK-SAME: (%[[X:.*]]: tensor<?x8xf32>, %[[A:.*]]: !lowbit.weight<8x8, <f32>>, %[[B:.*]]: !lowbit.weight<8x8, <f32>>)
// CHECK-NEXT: %[[Y:.*]] = lowbit.linear %[[X]], %[[A]]
// CHECK-NEXT: %[[Z:.*]] = lowbit.linear %[[Y]], %[[B]]
// CHECK-NEXT: %[[S:.*]] = arith.addf %[[Y]], %[[Z]]
// CHECK-NEXT: return %[[S]]
// CHECK-LABEL: func.func @forward
// CHECK-DAG: %[[W:.*]] = lowbit.get @w
// CHECK-DAG: %[[V:.*]] = lowbit.get @v
// CHECK: %[[L:.*]] = call @block(%arg0, %[[W]], %[[V]])
// CHECK: call @block(%[[L]], %[[V]], %[[V]])
lowbit.weight @w : !lowbit.weight<8x8, <f32>> in "a.onnx" at 0
lowbit.weight @v : !lowbit.weight<8x8, <f32>> in "a.onnx" at 256
func.func @forward(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %w = lowbit.get @w : !lowbit.weight<8x8, <f32>>
  %v = lowbit.get @v : !lowbit.weight<8x8, <f32>>
  %y = lowbit.linear %x, %w : (tensor<?x8xf32>, !lowbit.weight<8x8, <f32>>) -> tensor<?x8xf32>
  %z = lowbit.linear %y, %v : (tensor<?x8xf32>, !lowbit.weight<8x8, <f32>>) -> tensor<?x8xf32>
  %s = arith.addf %y, %z : tensor<?x8xf32>
  %y1 = lowbit.linear %s, %v : (tensor<?x8xf32>, !lowbit.weight<8x8, <f32>>) -> tensor<?x8xf32>
  %z1 = lowbit.linear %y1, %v : (tensor<?x8xf32>, !lowbit.weight<8x8, <f32>>) -> tensor<?x8xf32>
  %s1 = arith.addf %y1, %z1 : tensor<?x8xf32>
  return %s1 : tensor<?x8xf32>
}

// -----

// Two handles of one cache: what attention reads was appended before, and is not what is appended after.
// CHECK-LABEL: func.func @forward
// CHECK: %[[R0:.*]] = lowbit.attention %[[X:.*]], %{{.*}} at
// CHECK: lowbit.append %[[X]], %[[X]] to
// CHECK: %[[R1:.*]] = lowbit.attention %[[X]], %{{.*}} at
// CHECK-DAG: lowbit.append %[[R1]], %[[R1]] to
// CHECK-DAG: %[[S:.*]] = arith.subf %[[R1]], %[[R0]]
// CHECK: return %[[S]]
lowbit.cache @c : !lowbit.cache<heads 2, size 4>
func.func @forward(%x: tensor<?x8xf32>, %past: index) -> tensor<?x8xf32> {
  %c0 = lowbit.get @c : !lowbit.cache<heads 2, size 4>
  %c1 = lowbit.get @c : !lowbit.cache<heads 2, size 4>
  %c2 = lowbit.get @c : !lowbit.cache<heads 2, size 4>
  %r0 = lowbit.attention %x, %c0 at %past heads 2 scale 0.5 : tensor<?x8xf32>, !lowbit.cache<heads 2, size 4>
  lowbit.append %x, %x to %c1 at %past : tensor<?x8xf32>, !lowbit.cache<heads 2, size 4>
  %r1 = lowbit.attention %x, %c2 at %past heads 2 scale 0.5 : tensor<?x8xf32>, !lowbit.cache<heads 2, size 4>
  lowbit.append %r1, %r1 to %c0 at %past : tensor<?x8xf32>, !lowbit.cache<heads 2, size 4>
  %s = arith.subf %r1, %r0 : tensor<?x8xf32>
  return %s : tensor<?x8xf32>
}
