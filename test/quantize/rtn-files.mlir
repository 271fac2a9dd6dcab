// RUN: %python -c "import array; array.array('f', range(64)).tofile(open(r'%t.bin', 'wb'))"
// RUN: sed s@WEIGHTS@%t.bin@ %s | not qopt --rtn 2>&1 | FileCheck %s --check-prefix=WORK
// RUN: sed s@WEIGHTS@%t.bin@ %s | not qopt --rtn=work=%t.bin 2>&1 | FileCheck %s --check-prefix=INPUT
// RUN: sed s@WEIGHTS@%t.bin@ %s | not qopt --rtn=work=%t.missing/work 2>&1 | FileCheck %s --check-prefix=FOLDER
// WORK: error: rtn needs a file to write, work=FILE
// INPUT: error: {{.*}}.bin: the output would replace the input
// FOLDER: error: {{.*}}.missing/work: cannot create: No such file or directory

lowbit.weight @w : !lowbit.weight<8x8, #lowbit.format<f32>> in "WEIGHTS" at 0
func.func @f(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %w = lowbit.get @w : !lowbit.weight<8x8, #lowbit.format<f32>>
  %0 = lowbit.linear %x, %w {format = #lowbit.format<int4, row, scale f16>, method = "rtn"} : (tensor<?x8xf32>, !lowbit.weight<8x8, #lowbit.format<f32>>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}
