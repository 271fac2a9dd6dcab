// RUN: %python -c "import array; w = array.array('f', [x % 7 - 3 for x in range(128)] + [1e-9 * (x % 7 - 3) for x in range(128)] + [0.0] * 64); w.extend([1e-9] * 32); w.extend([1.0] * 32); w.tofile(open(r'%t.bin', 'wb'))"
// RUN: sed s@WEIGHTS@%t.bin@ %s | qopt -verify-diagnostics --rtn=work=%t.work

// A weight of which little is left after rounding is said so; one whose blocks are all well, or zero, is not.

lowbit.weight @good : !lowbit.weight<4x32, #lowbit.format<f32>> in "WEIGHTS" at 0
// Scales in f16 end at 6e-8.
// expected-warning-re @below {{{{.*}}.bin: weight 'o_proj' loses much as int4-g32: the relative error is 1.000, 4 blocks that are not zero have the scale 0}}
lowbit.weight @o_proj : !lowbit.weight<4x32, #lowbit.format<f32>> in "WEIGHTS" at 512
lowbit.weight @zero : !lowbit.weight<2x32, #lowbit.format<f32>> in "WEIGHTS" at 1024
// One block of two is lost, though its share of the whole is small.
// expected-warning-re @below {{weight 'part' loses much as int4-g32: the relative error is {{0.[0-4][0-9]+}}, 1 blocks that are not zero have the scale 0}}
lowbit.weight @part : !lowbit.weight<2x32, #lowbit.format<f32>> in "WEIGHTS" at 1280
// Plain values underflow as well.
// expected-warning-re @below {{weight 'half' loses much as f16: the relative error is 1.000}}
lowbit.weight @half : !lowbit.weight<4x32, #lowbit.format<f32>> in "WEIGHTS" at 512
func.func @f(%x: tensor<?x32xf32>, %ids: tensor<?xi64>) -> (tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x32xf32>) {
  %good = lowbit.get @good : !lowbit.weight<4x32, #lowbit.format<f32>>
  %o_proj = lowbit.get @o_proj : !lowbit.weight<4x32, #lowbit.format<f32>>
  %zero = lowbit.get @zero : !lowbit.weight<2x32, #lowbit.format<f32>>
  %part = lowbit.get @part : !lowbit.weight<2x32, #lowbit.format<f32>>
  %half = lowbit.get @half : !lowbit.weight<4x32, #lowbit.format<f32>>
  %0 = lowbit.linear %x, %good {format = #lowbit.format<int4, block 32, scale f16>, method = "rtn"} : (tensor<?x32xf32>, !lowbit.weight<4x32, #lowbit.format<f32>>) -> tensor<?x4xf32>
  %1 = lowbit.linear %x, %o_proj {format = #lowbit.format<int4, block 32, scale f16>, method = "rtn"} : (tensor<?x32xf32>, !lowbit.weight<4x32, #lowbit.format<f32>>) -> tensor<?x4xf32>
  %2 = lowbit.linear %x, %zero {format = #lowbit.format<int4, block 32, scale f16>, method = "rtn"} : (tensor<?x32xf32>, !lowbit.weight<2x32, #lowbit.format<f32>>) -> tensor<?x2xf32>
  %3 = lowbit.linear %x, %part {format = #lowbit.format<int4, block 32, scale f16>, method = "rtn"} : (tensor<?x32xf32>, !lowbit.weight<2x32, #lowbit.format<f32>>) -> tensor<?x2xf32>
  %4 = lowbit.embedding %ids, %half {format = #lowbit.format<f16>, method = "rtn"} : (tensor<?xi64>, !lowbit.weight<4x32, #lowbit.format<f32>>) -> tensor<?x32xf32>
  return %0, %1, %2, %3, %4 : tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x32xf32>
}
