// RUN: qopt %s --assign-formats="format=int4-g32 method=gptq" | FileCheck %s --check-prefix=GPTQ
// RUN: qopt %s --assign-formats=format=int4-g32 | FileCheck %s --check-prefix=ANY

// The method named is for weights of codes that only linears read; a table that is also the head is rounded to nearest.
// With no method named, whichever pass comes first acts.

// GPTQ-LABEL: func.func @forward
// GPTQ: lowbit.embedding {{.*}} method = "rtn"
// GPTQ: lowbit.linear {{.*}} method = "gptq"
// GPTQ: lowbit.linear {{.*}} method = "rtn"
// ANY-LABEL: func.func @forward
// ANY-NOT: method
lowbit.weight @w : !lowbit.weight<32x32, #lowbit.format<f32>> in "m.onnx" at 0
lowbit.weight @tied : !lowbit.weight<64x32, #lowbit.format<f32>> in "m.onnx" at 4096
func.func @forward(%tokens: tensor<?xi64>) -> tensor<?x64xf32> {
  %t = lowbit.get @tied : !lowbit.weight<64x32, #lowbit.format<f32>>
  %w = lowbit.get @w : !lowbit.weight<32x32, #lowbit.format<f32>>
  %x = lowbit.embedding %tokens, %t : (tensor<?xi64>, !lowbit.weight<64x32, #lowbit.format<f32>>) -> tensor<?x32xf32>
  %h = lowbit.linear %x, %w : (tensor<?x32xf32>, !lowbit.weight<32x32, #lowbit.format<f32>>) -> tensor<?x32xf32>
  %y = lowbit.linear %h, %t : (tensor<?x32xf32>, !lowbit.weight<64x32, #lowbit.format<f32>>) -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// So is it for weights that are still to be derived: each counts for itself.

// GPTQ-LABEL: func.func @derived
// GPTQ: lowbit.embedding {{.*}} method = "rtn"
// GPTQ: lowbit.linear {{.*}} method = "gptq"
func.func @derived(%tokens: tensor<?xi64>) -> tensor<?x16xf32> {
  %t = lowbit.get @tied : !lowbit.weight<64x32, #lowbit.format<f32>>
  %part = lowbit.slice_rows %t from 16 : !lowbit.weight<64x32, #lowbit.format<f32>> -> !lowbit.weight<16x32, #lowbit.format<f32>>
  %x = lowbit.embedding %tokens, %t : (tensor<?xi64>, !lowbit.weight<64x32, #lowbit.format<f32>>) -> tensor<?x32xf32>
  %h = lowbit.linear %x, %part : (tensor<?x32xf32>, !lowbit.weight<16x32, #lowbit.format<f32>>) -> tensor<?x16xf32>
  return %h : tensor<?x16xf32>
}
