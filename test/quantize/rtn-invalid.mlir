// RUN: %python -c "import array; v = array.array('f', range(64)); v[37] = float('nan'); v.tofile(open(r'%t.bin', 'wb'))"
// RUN: rm -f %t.work
// RUN: sed s@WEIGHTS@%t.bin@ %s | qopt -split-input-file -verify-diagnostics --rtn=work=%t.work
// RUN: not ls %t.work

// A weight that is no number, by row and column: 37 = 4 * 8 + 5 of 8 columns.

// expected-error-re @below {{{{.*}}.bin: weight 'layers.0.q', row 4, column 5 is nan}}
lowbit.weight @layers.0.q : !lowbit.weight<8x8, #lowbit.format<f32>> in "WEIGHTS" at 0
func.func @nan(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %w = lowbit.get @layers.0.q : !lowbit.weight<8x8, #lowbit.format<f32>>
  %0 = lowbit.linear %x, %w {format = #lowbit.format<int4, row, scale f16>, method = "rtn"} : (tensor<?x8xf32>, !lowbit.weight<8x8, #lowbit.format<f32>>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

// Transposed in the file, the rows are the columns there.

// expected-error-re @below {{{{.*}}.bin: weight 'layers.0.q', row 5, column 4 is nan}}
lowbit.weight @layers.0.q : !lowbit.weight<8x8, #lowbit.format<f32>> in "WEIGHTS" at 0 transposed
func.func @nan(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %w = lowbit.get @layers.0.q : !lowbit.weight<8x8, #lowbit.format<f32>>
  %0 = lowbit.linear %x, %w {format = #lowbit.format<int4, row, scale f16>, method = "rtn"} : (tensor<?x8xf32>, !lowbit.weight<8x8, #lowbit.format<f32>>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

// expected-error-re @below {{{{.*}}.bin: {{.*}}240{{.*}}256}}
lowbit.weight @w : !lowbit.weight<8x8, #lowbit.format<f32>> in "WEIGHTS" at 240
func.func @short(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %w = lowbit.get @w : !lowbit.weight<8x8, #lowbit.format<f32>>
  %0 = lowbit.linear %x, %w {format = #lowbit.format<int4, row, scale f16>, method = "rtn"} : (tensor<?x8xf32>, !lowbit.weight<8x8, #lowbit.format<f32>>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

// expected-error @below {{missing.onnx: cannot open: No such file or directory}}
lowbit.weight @w : !lowbit.weight<8x8, #lowbit.format<f32>> in "missing.onnx" at 0
func.func @missing(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %w = lowbit.get @w : !lowbit.weight<8x8, #lowbit.format<f32>>
  %0 = lowbit.linear %x, %w {format = #lowbit.format<int4, row, scale f16>, method = "rtn"} : (tensor<?x8xf32>, !lowbit.weight<8x8, #lowbit.format<f32>>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

// expected-error @below {{weight 'w' is wanted as int4-row by lowbit.linear and as int8-row by lowbit.linear}}
lowbit.weight @w : !lowbit.weight<8x8, #lowbit.format<f32>> in "WEIGHTS" at 0
func.func @two(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %w = lowbit.get @w : !lowbit.weight<8x8, #lowbit.format<f32>>
  // expected-note @below {{the first reader}}
  %0 = lowbit.linear %x, %w {format = #lowbit.format<int4, row, scale f16>, method = "rtn"} : (tensor<?x8xf32>, !lowbit.weight<8x8, #lowbit.format<f32>>) -> tensor<?x8xf32>
  // expected-note @below {{the second reader}}
  %1 = lowbit.linear %0, %w {format = #lowbit.format<int8, row, scale f16>, method = "rtn"} : (tensor<?x8xf32>, !lowbit.weight<8x8, #lowbit.format<f32>>) -> tensor<?x8xf32>
  return %1 : tensor<?x8xf32>
}

// -----

// expected-error @below {{m.onnx: weight 'w' is '!lowbit.weight<8x8, <int8, row, scale f16>>': only plain weights can be quantized}}
lowbit.weight @w : !lowbit.weight<8x8, #lowbit.format<int8, row, scale f16>> in "m.onnx" at 0
func.func @codes(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %w = lowbit.get @w : !lowbit.weight<8x8, #lowbit.format<int8, row, scale f16>>
  %0 = lowbit.linear %x, %w {format = #lowbit.format<int4, row, scale f16>, method = "rtn"} : (tensor<?x8xf32>, !lowbit.weight<8x8, #lowbit.format<int8, row, scale f16>>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

lowbit.weight @w : !lowbit.weight<8x8, #lowbit.format<f32>> in "WEIGHTS" at 0
lowbit.weight @g : !lowbit.weight<8, #lowbit.format<f32>> in "WEIGHTS" at 0
func.func @derived(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %w = lowbit.get @w : !lowbit.weight<8x8, #lowbit.format<f32>>
  %g = lowbit.get @g : !lowbit.weight<8, #lowbit.format<f32>>
  %s = lowbit.scale_columns %w, %g : (!lowbit.weight<8x8, #lowbit.format<f32>>, !lowbit.weight<8, #lowbit.format<f32>>) -> !lowbit.weight<8x8, #lowbit.format<f32>>
  // expected-error @below {{'lowbit.linear' op waits for "rtn", but no lowbit.weight reaches it: derived weights are to be evaluated first}}
  %0 = lowbit.linear %x, %s {format = #lowbit.format<int4, row, scale f16>, method = "rtn"} : (tensor<?x8xf32>, !lowbit.weight<8x8, #lowbit.format<f32>>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}
