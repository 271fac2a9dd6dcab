// RUN: qopt %s -split-input-file -verify-diagnostics --awq

// What cannot take factors is left alone, and a remark says why. (A fold that can needs data: awq.mlir.)

#f32 = #lowbit.format<f32>
#int4 = #lowbit.format<int4, block 8, scale f16>
lowbit.weight @w : !lowbit.weight<8x8, #f32> in "m.onnx" at 0
func.func @noProducer(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %w = lowbit.get @w : !lowbit.weight<8x8, #f32>
  // expected-remark@+1 {{awq does not scale this: no norm and no linear gives it that could take the inverse}}
  %0 = math.tanh %x : tensor<?x8xf32>
  %1 = lowbit.linear %0, %w {format = #int4, method = "awq,rtn"} : (tensor<?x8xf32>, !lowbit.weight<8x8, #f32>) -> tensor<?x8xf32>
  return %1 : tensor<?x8xf32>
}

// -----

#f32 = #lowbit.format<f32>
#int4 = #lowbit.format<int4, block 8, scale f16>
lowbit.weight @g : !lowbit.weight<8, #f32> in "m.onnx" at 0
lowbit.weight @w : !lowbit.weight<8x8, #f32> in "m.onnx" at 32
func.func @otherReader(%x: tensor<?x8xf32>) -> (tensor<?x8xf32>, tensor<?x8xf32>) {
  %g = lowbit.get @g : !lowbit.weight<8, #f32>
  %w = lowbit.get @w : !lowbit.weight<8x8, #f32>
  // expected-remark@+1 {{awq does not scale this: something else than linears reads it}}
  %0 = lowbit.rms_norm %x scale %g epsilon 1.0e-05 : tensor<?x8xf32>, !lowbit.weight<8, #f32>
  %1 = lowbit.linear %0, %w {format = #int4, method = "awq,rtn"} : (tensor<?x8xf32>, !lowbit.weight<8x8, #f32>) -> tensor<?x8xf32>
  return %1, %0 : tensor<?x8xf32>, tensor<?x8xf32>
}

// -----

// A tied table serves as head too.

#f32 = #lowbit.format<f32>
#int4 = #lowbit.format<int4, block 8, scale f16>
lowbit.weight @g : !lowbit.weight<8, #f32> in "m.onnx" at 0
lowbit.weight @table : !lowbit.weight<16x8, #f32> in "m.onnx" at 32
func.func @tied(%tokens: tensor<?xi64>) -> tensor<?x16xf32> {
  %g = lowbit.get @g : !lowbit.weight<8, #f32>
  %t = lowbit.get @table : !lowbit.weight<16x8, #f32>
  %x = lowbit.embedding %tokens, %t {format = #int4} : (tensor<?xi64>, !lowbit.weight<16x8, #f32>) -> tensor<?x8xf32>
  // expected-remark@+1 {{awq does not scale this: weight 'table' is read elsewhere too}}
  %0 = lowbit.rms_norm %x scale %g epsilon 1.0e-05 : tensor<?x8xf32>, !lowbit.weight<8, #f32>
  %1 = lowbit.linear %0, %t {format = #int4} : (tensor<?x8xf32>, !lowbit.weight<16x8, #f32>) -> tensor<?x16xf32>
  return %1 : tensor<?x16xf32>
}

// -----

// Two calls share the producer, here a norm's scale.

#f32 = #lowbit.format<f32>
#int4 = #lowbit.format<int4, block 8, scale f16>
lowbit.weight @g : !lowbit.weight<8, #f32> in "m.onnx" at 0
lowbit.weight @a : !lowbit.weight<8x8, #f32> in "m.onnx" at 32
lowbit.weight @b : !lowbit.weight<8x8, #f32> in "m.onnx" at 288
func.func private @block(%x: tensor<?x8xf32>, %g: !lowbit.weight<8, #f32>, %w: !lowbit.weight<8x8, #f32>) -> tensor<?x8xf32> {
  // expected-remark@+1 {{awq does not scale this: weight 'g' is read elsewhere too}}
  %0 = lowbit.rms_norm %x scale %g epsilon 1.0e-05 : tensor<?x8xf32>, !lowbit.weight<8, #f32>
  %1 = lowbit.linear %0, %w {format = #int4, method = "awq,rtn"} : (tensor<?x8xf32>, !lowbit.weight<8x8, #f32>) -> tensor<?x8xf32>
  return %1 : tensor<?x8xf32>
}
func.func @shared(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %g = lowbit.get @g : !lowbit.weight<8, #f32>
  %a = lowbit.get @a : !lowbit.weight<8x8, #f32>
  %b = lowbit.get @b : !lowbit.weight<8x8, #f32>
  %0 = call @block(%x, %g, %a) : (tensor<?x8xf32>, !lowbit.weight<8, #f32>, !lowbit.weight<8x8, #f32>) -> tensor<?x8xf32>
  %1 = call @block(%0, %g, %b) : (tensor<?x8xf32>, !lowbit.weight<8, #f32>, !lowbit.weight<8x8, #f32>) -> tensor<?x8xf32>
  return %1 : tensor<?x8xf32>
}

// -----

// A value head that serves two queries, and a cache that a second attention reads.

#f32 = #lowbit.format<f32>
#int4 = #lowbit.format<int4, block 8, scale f16>
lowbit.weight @v : !lowbit.weight<4x8, #f32> in "m.onnx" at 0
lowbit.weight @u : !lowbit.weight<8x8, #f32> in "m.onnx" at 128
lowbit.weight @o : !lowbit.weight<8x8, #f32> in "m.onnx" at 384
lowbit.cache @few : !lowbit.cache<heads 1, size 4>
lowbit.cache @twice : !lowbit.cache<heads 2, size 4>
func.func @attention(%x: tensor<?x8xf32>, %k: tensor<?x4xf32>, %past: index) -> (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>) {
  %v = lowbit.get @v : !lowbit.weight<4x8, #f32>
  %u = lowbit.get @u : !lowbit.weight<8x8, #f32>
  %o = lowbit.get @o : !lowbit.weight<8x8, #f32>
  %few = lowbit.get @few : !lowbit.cache<heads 1, size 4>
  %twice = lowbit.get @twice : !lowbit.cache<heads 2, size 4>
  %0 = lowbit.linear %x, %v {format = #f32} : (tensor<?x8xf32>, !lowbit.weight<4x8, #f32>) -> tensor<?x4xf32>
  lowbit.append %k, %0 to %few at %past : tensor<?x4xf32>, !lowbit.cache<heads 1, size 4>
  // expected-remark@+1 {{no norm and no linear gives it}}
  %1 = lowbit.attention %x, %few at %past heads 2 scale 0.5 : tensor<?x8xf32>, !lowbit.cache<heads 1, size 4>
  %2 = lowbit.linear %1, %o {format = #int4, method = "awq"} : (tensor<?x8xf32>, !lowbit.weight<8x8, #f32>) -> tensor<?x8xf32>
  %3 = lowbit.linear %x, %u {format = #f32} : (tensor<?x8xf32>, !lowbit.weight<8x8, #f32>) -> tensor<?x8xf32>
  lowbit.append %x, %3 to %twice at %past : tensor<?x8xf32>, !lowbit.cache<heads 2, size 4>
  // expected-remark@+1 {{no norm and no linear gives it}}
  %4 = lowbit.attention %x, %twice at %past heads 2 scale 0.5 : tensor<?x8xf32>, !lowbit.cache<heads 2, size 4>
  %5 = lowbit.linear %4, %o {format = #int4, method = "awq"} : (tensor<?x8xf32>, !lowbit.weight<8x8, #f32>) -> tensor<?x8xf32>
  %6 = lowbit.attention %2, %twice at %past heads 2 scale 0.5 : tensor<?x8xf32>, !lowbit.cache<heads 2, size 4>
  return %2, %5, %6 : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>
}

// -----

// Linears that wait for another method are none of awq's business.

#f32 = #lowbit.format<f32>
#int4 = #lowbit.format<int4, block 8, scale f16>
lowbit.weight @w : !lowbit.weight<8x8, #f32> in "m.onnx" at 0
func.func @others(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %w = lowbit.get @w : !lowbit.weight<8x8, #f32>
  %0 = lowbit.linear %x, %w {format = #int4, method = "gptq"} : (tensor<?x8xf32>, !lowbit.weight<8x8, #f32>) -> tensor<?x8xf32>
  %1 = lowbit.linear %0, %w {format = #f32} : (tensor<?x8xf32>, !lowbit.weight<8x8, #f32>) -> tensor<?x8xf32>
  return %1 : tensor<?x8xf32>
}
