// RUN: qopt %s --assign-formats=format=int4-g32 | FileCheck %s

// A weight that is in the wanted format already has nothing to wait for.

lowbit.weight @w : !lowbit.weight<64x64, #lowbit.format<int4, block 32, scale f16>> in "m.onnx" at 0
// CHECK-LABEL: func.func @done
func.func @done(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %w = lowbit.get @w : !lowbit.weight<64x64, #lowbit.format<int4, block 32, scale f16>>
  // CHECK: lowbit.linear {{.*}} {activations = "int8", format = #lowbit.format<int4, block 32, scale f16>} :
  %y = lowbit.linear %x, %w : (tensor<?x64xf32>, !lowbit.weight<64x64, #lowbit.format<int4, block 32, scale f16>>) -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

