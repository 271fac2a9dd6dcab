// RUN: qopt %s -split-input-file -verify-diagnostics --verify-quantized

lowbit.weight @w : !lowbit.weight<64x64, #lowbit.format<int4, row, scale f16>> in "m.onnx" at 0
func.func @good(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %w = lowbit.get @w : !lowbit.weight<64x64, #lowbit.format<int4, row, scale f16>>
  %0 = lowbit.linear %x, %w {format = #lowbit.format<int4, row, scale f16>} : (tensor<?x64xf32>, !lowbit.weight<64x64, #lowbit.format<int4, row, scale f16>>) -> tensor<?x64xf32>
  return %0 : tensor<?x64xf32>
}

// -----

lowbit.weight @w : !lowbit.weight<64x64, #lowbit.format<f32>> in "m.onnx" at 0
func.func @undecided(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %w = lowbit.get @w : !lowbit.weight<64x64, #lowbit.format<f32>>
  // expected-error @below {{'lowbit.linear' op no format was assigned to its weight 'w'}}
  %0 = lowbit.linear %x, %w : (tensor<?x64xf32>, !lowbit.weight<64x64, #lowbit.format<f32>>) -> tensor<?x64xf32>
  return %0 : tensor<?x64xf32>
}

// -----

lowbit.weight @w : !lowbit.weight<64x64, #lowbit.format<f32>> in "m.onnx" at 0
func.func @unacted(%tokens: tensor<?xi64>) -> tensor<?x64xf32> {
  %w = lowbit.get @w : !lowbit.weight<64x64, #lowbit.format<f32>>
  // expected-error @below {{'lowbit.embedding' op its weight 'w' still waits for "rtn"}}
  %0 = lowbit.embedding %tokens, %w {format = #lowbit.format<int4, row, scale f16>, method = "rtn"} : (tensor<?xi64>, !lowbit.weight<64x64, #lowbit.format<f32>>) -> tensor<?x64xf32>
  return %0 : tensor<?x64xf32>
}

// -----

func.func @other(%x: tensor<?x64xf32>, %w: !lowbit.weight<64x64, #lowbit.format<f32>>) -> tensor<?x64xf32> {
  // expected-error @below {{'lowbit.linear' op its weight of argument 1 is f32, but was to be int4-row}}
  %0 = lowbit.linear %x, %w {format = #lowbit.format<int4, row, scale f16>} : (tensor<?x64xf32>, !lowbit.weight<64x64, #lowbit.format<f32>>) -> tensor<?x64xf32>
  return %0 : tensor<?x64xf32>
}

// -----

func.func @activations(%x: tensor<?x64xf32>, %w: !lowbit.weight<64x64, #lowbit.format<int4, row, scale f16>>) -> tensor<?x64xf32> {
  // expected-error @below {{'lowbit.linear' op its activations are not "int8" yet}}
  %0 = lowbit.linear %x, %w {activations = "int8", format = #lowbit.format<int4, row, scale f16>} : (tensor<?x64xf32>, !lowbit.weight<64x64, #lowbit.format<int4, row, scale f16>>) -> tensor<?x64xf32>
  return %0 : tensor<?x64xf32>
}

// -----

func.func @derived(%w: !lowbit.weight<64x64, #lowbit.format<f32>>, %g: !lowbit.weight<64, #lowbit.format<f32>>) {
  // expected-error @below {{'lowbit.scale_columns' op is still to be evaluated}}
  %0 = lowbit.scale_columns %w, %g : (!lowbit.weight<64x64, #lowbit.format<f32>>, !lowbit.weight<64, #lowbit.format<f32>>) -> !lowbit.weight<64x64, #lowbit.format<f32>>
  return
}
