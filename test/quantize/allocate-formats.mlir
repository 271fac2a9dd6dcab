// RUN: not qopt %s --allocate-formats="candidates=int4-g32 bits=5" 2>&1 | FileCheck %s --check-prefix=DATA
// RUN: not qopt %s --allocate-formats="bits=5" 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not qopt %s --allocate-formats="candidates=int4-g32 bits=1" 2>&1 | FileCheck %s --check-prefix=SMALL

// What a pass that nobody lends a runner says; what it chooses, test/tools/test_budget.py shows.

// DATA: error: allocate-formats: calibrate needs data, data=FILE.npz
// NONE: error: candidates: there are none
// SMALL: error: allocate-formats: linears: the smallest possible size is 2304 bytes, 512 are allowed

lowbit.weight @w : !lowbit.weight<64x64, #lowbit.format<f32>> in "m.onnx" at 0
func.func @block(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %w = lowbit.get @w : !lowbit.weight<64x64, #lowbit.format<f32>>
  %y = lowbit.linear %x, %w : (tensor<?x64xf32>, !lowbit.weight<64x64, #lowbit.format<f32>>) -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}
