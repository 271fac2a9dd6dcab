// RUN: %python -c "import array; v = array.array('f', range(64)); v[37] = float('-inf'); v.tofile(open(r'%t.bin', 'wb'))"
// RUN: sed s@WEIGHTS@%t.bin@ %s | qopt -split-input-file -verify-diagnostics --check-weights

// Before the infinity, unused, or with codes: nothing to say.

lowbit.weight @early : !lowbit.weight<37, #lowbit.format<f32>> in "WEIGHTS" at 0
lowbit.weight @unused : !lowbit.weight<64, #lowbit.format<f32>> in "WEIGHTS" at 0
lowbit.weight @codes : !lowbit.weight<8x8, #lowbit.format<int8, row, scale f16>> in "missing.onnx" at 0
func.func @good() {
  %0 = lowbit.get @early : !lowbit.weight<37, #lowbit.format<f32>>
  %1 = lowbit.get @codes : !lowbit.weight<8x8, #lowbit.format<int8, row, scale f16>>
  return
}

// -----

// expected-error-re @below {{{{.*}}.bin: weight 'norm', row 0, column 37 is -inf}}
lowbit.weight @norm : !lowbit.weight<64, #lowbit.format<f32>> in "WEIGHTS" at 0
func.func @vector() {
  %0 = lowbit.get @norm : !lowbit.weight<64, #lowbit.format<f32>>
  return
}

// -----

// expected-error-re @below {{{{.*}}.bin: weight 'w', row 5, column 4 is -inf}}
lowbit.weight @w : !lowbit.weight<8x8, #lowbit.format<f32>> in "WEIGHTS" at 0 transposed
func.func @matrix() {
  %0 = lowbit.get @w : !lowbit.weight<8x8, #lowbit.format<f32>>
  return
}
