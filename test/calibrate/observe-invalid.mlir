// RUN: qopt %s -split-input-file -verify-diagnostics --pass-pipeline='builtin.module(func.func(observe))'

func.func @contracted(%x: !lowbit.activation<?x8, <int8, block 8, scale f32>>, %w: !lowbit.weight<4x8, <int4, block 8, scale f16>>) -> tensor<?x4xf32> {
  // expected-error@+1 {{its activations are contracted already: observe them before}}
  %y = lowbit.linear %x, %w : (!lowbit.activation<?x8, <int8, block 8, scale f32>>, <4x8, <int4, block 8, scale f16>>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

func.func @nothing(%x: tensor<?x8xf32>) {
  // expected-error@+1 {{C1: gathers nothing}}
  lowbit.observe %x gather [] : tensor<?x8xf32>
  return
}

// -----

func.func @twice(%x: tensor<?x8xf32>) {
  // expected-error@+1 {{C1: gathers ["range", "range"]}}
  lowbit.observe %x gather ["range", "range"] : tensor<?x8xf32>
  return
}
