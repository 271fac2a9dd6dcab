// RUN: qopt %s --pass-pipeline='builtin.module(pin-formats{formats=*.q=int8-g32,layers.1.*=int3-g32-asym,table=f16})' | FileCheck %s
// RUN: qopt %s --pass-pipeline='builtin.module(pin-formats{formats=*.q=int8-g32,layers.1.*=int3-g32-asym},assign-formats{format=int4-g32 activations=f32})' \
// RUN:   | FileCheck %s --check-prefix=ASSIGNED
// RUN: not qopt %s --pin-formats="formats=*.q=int8-g32,*.v=int4-g32" 2>&1 | FileCheck %s --check-prefix=UNUSED
// RUN: not qopt %s --pin-formats="formats=*.norm=int8-g32" 2>&1 | FileCheck %s --check-prefix=NORM
// RUN: not qopt %s --pin-formats="formats=*=int8-g32,*.q=int4-g32" 2>&1 | FileCheck %s --check-prefix=LATE
// RUN: not qopt %s --pin-formats="formats=layers" 2>&1 | FileCheck %s --check-prefix=PAIR
// RUN: not qopt %s --pin-formats="formats=*=int9" 2>&1 | FileCheck %s --check-prefix=FORMAT

// UNUSED: error: formats: no weight of a linear or embedding is called '*.v', or an earlier pin has them all
// NORM: error: formats: no weight of a linear or embedding is called '*.norm'
// LATE: error: formats: no weight of a linear or embedding is called '*.q', or an earlier pin has them all
// PAIR: error: formats: 'layers' is not GLOB=FORMAT
// FORMAT: error: formats: *=int9:

// The first pin counts.
// CHECK: lowbit.weight @table : {{.*}} {wanted = #lowbit.format<f16>}
// CHECK: lowbit.weight @layers.0.q : {{.*}} {wanted = #lowbit.format<int8, block 32, scale f16>}
// CHECK: lowbit.weight @layers.0.o : {{.*}} at 147456{{$}}
// CHECK: lowbit.weight @layers.1.q : {{.*}} {wanted = #lowbit.format<int8, block 32, scale f16>}
// CHECK: lowbit.weight @layers.1.o : {{.*}} {wanted = #lowbit.format<int3, block 32, scale f16, zero_point>}
// CHECK: lowbit.weight @layers.2.q : {{.*}} {wanted = #lowbit.format<int8, block 32, scale f16>}

// Layers 0 and 2 agree and share the block, layer 1 gets one of its own. No decision by name is left.
// ASSIGNED-NOT: wanted
// ASSIGNED-LABEL: func.func private @block(
// ASSIGNED: lowbit.linear {{.*}} {format = #lowbit.format<int8, block 32, scale f16>}
// ASSIGNED: lowbit.linear {{.*}} {format = #lowbit.format<int4, block 32, scale f16>}
// ASSIGNED-LABEL: func.func private @block_0(
// ASSIGNED: lowbit.linear {{.*}} {format = #lowbit.format<int8, block 32, scale f16>}
// ASSIGNED: lowbit.linear {{.*}} {format = #lowbit.format<int3, block 32, scale f16, zero_point>}
// ASSIGNED-LABEL: func.func @forward
// ASSIGNED: call @block(
// ASSIGNED: call @block_0(
// ASSIGNED: call @block(

lowbit.weight @table : !lowbit.weight<512x64, #lowbit.format<f32>> in "m.onnx" at 0
lowbit.weight @layers.0.norm : !lowbit.weight<64, #lowbit.format<f32>> in "m.onnx" at 131072
lowbit.weight @layers.0.q : !lowbit.weight<64x64, #lowbit.format<f32>> in "m.onnx" at 131328
lowbit.weight @layers.0.o : !lowbit.weight<64x64, #lowbit.format<f32>> in "m.onnx" at 147456
lowbit.weight @layers.1.q : !lowbit.weight<64x64, #lowbit.format<f32>> in "m.onnx" at 163840
lowbit.weight @layers.1.o : !lowbit.weight<64x64, #lowbit.format<f32>> in "m.onnx" at 180224
lowbit.weight @layers.2.q : !lowbit.weight<64x64, #lowbit.format<f32>> in "m.onnx" at 196608
lowbit.weight @layers.2.o : !lowbit.weight<64x64, #lowbit.format<f32>> in "m.onnx" at 212992

func.func private @block(%x: tensor<?x64xf32>, %norm: !lowbit.weight<64, #lowbit.format<f32>>, %q: !lowbit.weight<64x64, #lowbit.format<f32>>,
                         %o: !lowbit.weight<64x64, #lowbit.format<f32>>) -> tensor<?x64xf32> {
  %n = lowbit.rms_norm %x scale %norm epsilon 1.0e-05 : tensor<?x64xf32>, !lowbit.weight<64, #lowbit.format<f32>>
  %0 = lowbit.linear %n, %q : (tensor<?x64xf32>, !lowbit.weight<64x64, #lowbit.format<f32>>) -> tensor<?x64xf32>
  %1 = lowbit.linear %0, %o : (tensor<?x64xf32>, !lowbit.weight<64x64, #lowbit.format<f32>>) -> tensor<?x64xf32>
  %y = arith.addf %x, %1 : tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

func.func @forward(%tokens: tensor<?xi64>) -> tensor<?x64xf32> {
  %table = lowbit.get @table : !lowbit.weight<512x64, #lowbit.format<f32>>
  %norm = lowbit.get @layers.0.norm : !lowbit.weight<64, #lowbit.format<f32>>
  %q0 = lowbit.get @layers.0.q : !lowbit.weight<64x64, #lowbit.format<f32>>
  %o0 = lowbit.get @layers.0.o : !lowbit.weight<64x64, #lowbit.format<f32>>
  %q1 = lowbit.get @layers.1.q : !lowbit.weight<64x64, #lowbit.format<f32>>
  %o1 = lowbit.get @layers.1.o : !lowbit.weight<64x64, #lowbit.format<f32>>
  %q2 = lowbit.get @layers.2.q : !lowbit.weight<64x64, #lowbit.format<f32>>
  %o2 = lowbit.get @layers.2.o : !lowbit.weight<64x64, #lowbit.format<f32>>
  %x = lowbit.embedding %tokens, %table : (tensor<?xi64>, !lowbit.weight<512x64, #lowbit.format<f32>>) -> tensor<?x64xf32>
  %a = call @block(%x, %norm, %q0, %o0) : (tensor<?x64xf32>, !lowbit.weight<64, #lowbit.format<f32>>, !lowbit.weight<64x64, #lowbit.format<f32>>, !lowbit.weight<64x64, #lowbit.format<f32>>) -> tensor<?x64xf32>
  %b = call @block(%a, %norm, %q1, %o1) : (tensor<?x64xf32>, !lowbit.weight<64, #lowbit.format<f32>>, !lowbit.weight<64x64, #lowbit.format<f32>>, !lowbit.weight<64x64, #lowbit.format<f32>>) -> tensor<?x64xf32>
  %c = call @block(%b, %norm, %q2, %o2) : (tensor<?x64xf32>, !lowbit.weight<64, #lowbit.format<f32>>, !lowbit.weight<64x64, #lowbit.format<f32>>, !lowbit.weight<64x64, #lowbit.format<f32>>) -> tensor<?x64xf32>
  return %c : tensor<?x64xf32>
}
