// RUN: qopt %s -split-input-file -verify-diagnostics --assign-formats="format=int4-g32 head-format=int4-g32"
// RUN: not qopt %s --assign-formats=format=int9-g32 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: not qopt %s --assign-formats="format=int4-g32 embedding-format=q4_0" 2>&1 | FileCheck %s --check-prefix=EMBEDDING
// RUN: not qopt %s --assign-formats="format=int4-g32 activations=int4" 2>&1 | FileCheck %s --check-prefix=ACTIVATIONS
// NAME: error: format: {{.*}}int9
// EMBEDDING: error: embedding-format: {{.*}}q4_0
// ACTIVATIONS: error: activations: 'int4' is neither f32 nor an integer element of 8 bits

// Tied, with two formats.

// expected-error @below {{m.onnx: weight 'model.embed_tokens.weight' is wanted as int8-g32 by lowbit.embedding and as int4-g32 by lowbit.linear: give both one format, or untie them}}
lowbit.weight @model.embed_tokens.weight : !lowbit.weight<512x64, #lowbit.format<f32>> in "m.onnx" at 0
func.func @forward(%tokens: tensor<?xi64>) -> tensor<?x512xf32> {
  %table = lowbit.get @model.embed_tokens.weight : !lowbit.weight<512x64, #lowbit.format<f32>>
  // expected-note @below {{the first reader}}
  %x = lowbit.embedding %tokens, %table : (tensor<?xi64>, !lowbit.weight<512x64, #lowbit.format<f32>>) -> tensor<?x64xf32>
  // expected-note @below {{the second reader}}
  %y = lowbit.linear %x, %table : (tensor<?x64xf32>, !lowbit.weight<512x64, #lowbit.format<f32>>) -> tensor<?x512xf32>
  return %y : tensor<?x512xf32>
}

// -----

// Codes cannot be turned into other codes without losing twice.

// expected-error @below {{m.onnx: weight 'w', '!lowbit.weight<96x64, <int8, block 32, scale f16>>', has codes already and cannot become int4-g32: only plain weights can be quantized}}
lowbit.weight @w : !lowbit.weight<96x64, #lowbit.format<int8, block 32, scale f16>> in "m.onnx" at 0
func.func @f(%x: tensor<?x64xf32>) -> tensor<?x96xf32> {
  %w = lowbit.get @w : !lowbit.weight<96x64, #lowbit.format<int8, block 32, scale f16>>
  %y = lowbit.linear %x, %w : (tensor<?x64xf32>, !lowbit.weight<96x64, #lowbit.format<int8, block 32, scale f16>>) -> tensor<?x96xf32>
  return %y : tensor<?x96xf32>
}
