// RUN: qopt %s -split-input-file -verify-diagnostics --assign-formats="format=int8-row-asym method=rtn"
// RUN: qopt %s -split-input-file --assign-formats="format=int8-row-asym activations=f32 method=rtn" | FileCheck %s --check-prefix=F32
// RUN: qopt %s -split-input-file --assign-formats="format=int8-g32-asym method=rtn" | FileCheck %s --check-prefix=BLOCKS
// RUN: qopt %s -split-input-file --assign-formats="format=int8-row method=rtn" | FileCheck %s --check-prefix=BLOCKS

// Blocks whose sums of products overflow 32 bits: 255 * 127 * 66312 is the first above 2^31 - 1. Without activations in
// integers there are no such sums, with short blocks or codes of less magnitude they are small enough.

lowbit.weight @fits : !lowbit.weight<2x66311, #lowbit.format<f32>> in "m.onnx" at 0
// expected-error @below {{m.onnx: weight 'long' cannot become int8-row-asym with int8 activations: a block of 66312 columns overflows a sum of 32 bits, at most 66311 fit: choose smaller blocks or activations in f32}}
lowbit.weight @long : !lowbit.weight<2x66312, #lowbit.format<f32>> in "m.onnx" at 0
// F32-LABEL: func.func @f
// BLOCKS-LABEL: func.func @f
func.func @f(%x: tensor<?x66311xf32>, %y: tensor<?x66312xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>) {
  %fits = lowbit.get @fits : !lowbit.weight<2x66311, #lowbit.format<f32>>
  %long = lowbit.get @long : !lowbit.weight<2x66312, #lowbit.format<f32>>
  // F32-COUNT-2: lowbit.linear {{.*}} {format = #lowbit.format<int8, row, scale f16, zero_point>, method = "rtn"}
  // BLOCKS-COUNT-2: lowbit.linear {{.*}} {activations = "int8"
  %0 = lowbit.linear %x, %fits : (tensor<?x66311xf32>, !lowbit.weight<2x66311, #lowbit.format<f32>>) -> tensor<?x2xf32>
  %1 = lowbit.linear %y, %long : (tensor<?x66312xf32>, !lowbit.weight<2x66312, #lowbit.format<f32>>) -> tensor<?x2xf32>
  return %0, %1 : tensor<?x2xf32>, tensor<?x2xf32>
}

// -----

// The weight is named through a call and a derivation as well.

// expected-error @below {{m.onnx: weight 'long' cannot become int8-row-asym}}
lowbit.weight @long : !lowbit.weight<2x66312, #lowbit.format<f32>> in "m.onnx" at 0
lowbit.weight @factors : !lowbit.weight<66312, #lowbit.format<f32>> in "m.onnx" at 0
func.func private @block(%x: tensor<?x66312xf32>, %w: !lowbit.weight<2x66312, #lowbit.format<f32>>,
                         %g: !lowbit.weight<66312, #lowbit.format<f32>>) -> tensor<?x2xf32> {
  %s = lowbit.scale_columns %w, %g : (!lowbit.weight<2x66312, #lowbit.format<f32>>, !lowbit.weight<66312, #lowbit.format<f32>>) -> !lowbit.weight<2x66312, #lowbit.format<f32>>
  %0 = lowbit.linear %x, %s : (tensor<?x66312xf32>, !lowbit.weight<2x66312, #lowbit.format<f32>>) -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}
// F32-LABEL: func.func @f
// BLOCKS-LABEL: func.func @f
func.func @f(%x: tensor<?x66312xf32>) -> tensor<?x2xf32> {
  %w = lowbit.get @long : !lowbit.weight<2x66312, #lowbit.format<f32>>
  %g = lowbit.get @factors : !lowbit.weight<66312, #lowbit.format<f32>>
  %0 = call @block(%x, %w, %g) : (tensor<?x66312xf32>, !lowbit.weight<2x66312, #lowbit.format<f32>>, !lowbit.weight<66312, #lowbit.format<f32>>) -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}
