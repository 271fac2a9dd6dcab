// RUN: %python -c "import array; array.array('f', [x % 7 - 3 for x in range(64 * 3)]).tofile(open(r'%t.bin', 'wb'))"
// RUN: sed s@WEIGHTS@%t.bin@ %s | qopt -split-input-file --rtn=work=%t.work | FileCheck %s

// Each weight gets a place on a cache line, its new type goes wherever its handle does, what it lost stands beside it.
// A weight that nobody wants quantized stays where it is.

// CHECK: lowbit.weight @a : !lowbit.weight<3x32, <int4, block 32, scale f16>> in "{{.*}}.work" at 0 {error = 0.08
// CHECK: lowbit.weight @norm : !lowbit.weight<64, <f32>> in "{{.*}}.bin" at 0
// CHECK: lowbit.weight @b : !lowbit.weight<3x32, <int4, block 32, scale f16>> in "{{.*}}.work" at 64 {error = 0.08
// CHECK: lowbit.weight @table : !lowbit.weight<3x32, <f16>> in "{{.*}}.work" at 128 {error = 0.000000e+00
lowbit.weight @a : !lowbit.weight<3x32, #lowbit.format<f32>> in "WEIGHTS" at 0
lowbit.weight @norm : !lowbit.weight<64, #lowbit.format<f32>> in "WEIGHTS" at 0
lowbit.weight @b : !lowbit.weight<3x32, #lowbit.format<f32>> in "WEIGHTS" at 384 transposed
lowbit.weight @table : !lowbit.weight<3x32, #lowbit.format<f32>> in "WEIGHTS" at 0
// CHECK-LABEL: func.func private @block(
// CHECK-SAME: %[[X:[^:]*]]: tensor<?x32xf32>, %[[W:[^:]*]]: !lowbit.weight<3x32, <int4, block 32, scale f16>>
func.func private @block(%x: tensor<?x32xf32>, %w: !lowbit.weight<3x32, #lowbit.format<f32>>) -> tensor<?x3xf32> {
  // CHECK: lowbit.linear %{{.*}}, %[[W]] {format = #lowbit.format<int4, block 32, scale f16>} : (tensor<?x32xf32>, <3x32, <int4
  %y = lowbit.linear %x, %w {format = #lowbit.format<int4, block 32, scale f16>, method = "rtn"}
    : (tensor<?x32xf32>, !lowbit.weight<3x32, #lowbit.format<f32>>) -> tensor<?x3xf32>
  return %y : tensor<?x3xf32>
}
// CHECK-LABEL: func.func @forward
func.func @forward(%x: tensor<?x32xf32>, %tokens: tensor<?xi64>) -> (tensor<?x3xf32>, tensor<?x3xf32>, tensor<?x32xf32>) {
  // CHECK: lowbit.get @a : !lowbit.weight<3x32, <int4, block 32, scale f16>>
  %a = lowbit.get @a : !lowbit.weight<3x32, #lowbit.format<f32>>
  %b = lowbit.get @b : !lowbit.weight<3x32, #lowbit.format<f32>>
  %table = lowbit.get @table : !lowbit.weight<3x32, #lowbit.format<f32>>
  // CHECK-COUNT-2: call @block(%{{.*}}) : (tensor<?x32xf32>, !lowbit.weight<3x32, <int4, block 32, scale f16>>)
  %0 = call @block(%x, %a) : (tensor<?x32xf32>, !lowbit.weight<3x32, #lowbit.format<f32>>) -> tensor<?x3xf32>
  %1 = call @block(%x, %b) : (tensor<?x32xf32>, !lowbit.weight<3x32, #lowbit.format<f32>>) -> tensor<?x3xf32>
  // CHECK: lowbit.embedding %{{.*}}, %{{.*}} {format = #lowbit.format<f16>} : (tensor<?xi64>, <3x32, <f16>>)
  %2 = lowbit.embedding %tokens, %table {format = #lowbit.format<f16>, method = "rtn"}
    : (tensor<?xi64>, !lowbit.weight<3x32, #lowbit.format<f32>>) -> tensor<?x32xf32>
  return %0, %1, %2 : tensor<?x3xf32>, tensor<?x3xf32>, tensor<?x32xf32>
}

// -----

// A function called with weights of different final types becomes one per signature, and so do those it calls; calls of
// equal types share.

lowbit.weight @a : !lowbit.weight<3x32, #lowbit.format<f32>> in "WEIGHTS" at 0
lowbit.weight @b : !lowbit.weight<3x32, #lowbit.format<f32>> in "WEIGHTS" at 384
lowbit.weight @c : !lowbit.weight<3x32, #lowbit.format<f32>> in "WEIGHTS" at 0
// CHECK-LABEL: func.func private @inner(
// CHECK-SAME: !lowbit.weight<3x32, <int8, row, scale f16>>
// CHECK: func.func private @[[INNER:.*]](
// CHECK-SAME: !lowbit.weight<3x32, <f32>>
func.func private @inner(%x: tensor<?x32xf32>, %w: !lowbit.weight<3x32, #lowbit.format<f32>>) -> tensor<?x3xf32> {
  %y = lowbit.linear %x, %w : (tensor<?x32xf32>, !lowbit.weight<3x32, #lowbit.format<f32>>) -> tensor<?x3xf32>
  return %y : tensor<?x3xf32>
}
// CHECK: func.func private @block(
// CHECK-SAME: !lowbit.weight<3x32, <int8, row, scale f16>>
// CHECK: call @inner(
// CHECK: func.func private @[[BLOCK:.*]](
// CHECK-SAME: !lowbit.weight<3x32, <f32>>
// CHECK: call @[[INNER]](
// CHECK-NOT: func.func private
func.func private @block(%x: tensor<?x32xf32>, %w: !lowbit.weight<3x32, #lowbit.format<f32>>) -> tensor<?x3xf32> {
  %y = call @inner(%x, %w) : (tensor<?x32xf32>, !lowbit.weight<3x32, #lowbit.format<f32>>) -> tensor<?x3xf32>
  return %y : tensor<?x3xf32>
}
// CHECK: func.func @forward
// CHECK: call @block({{.*}}<int8, row, scale f16>
// CHECK: call @[[BLOCK]]({{.*}}<3x32, <f32>
// CHECK: call @block({{.*}}<int8, row, scale f16>
// CHECK: lowbit.linear
func.func @forward(%x: tensor<?x32xf32>) {
  %a = lowbit.get @a : !lowbit.weight<3x32, #lowbit.format<f32>>
  %b = lowbit.get @b : !lowbit.weight<3x32, #lowbit.format<f32>>
  %c = lowbit.get @c : !lowbit.weight<3x32, #lowbit.format<f32>>
  %0 = call @block(%x, %a) : (tensor<?x32xf32>, !lowbit.weight<3x32, #lowbit.format<f32>>) -> tensor<?x3xf32>
  %1 = call @block(%x, %b) : (tensor<?x32xf32>, !lowbit.weight<3x32, #lowbit.format<f32>>) -> tensor<?x3xf32>
  %2 = call @block(%x, %c) : (tensor<?x32xf32>, !lowbit.weight<3x32, #lowbit.format<f32>>) -> tensor<?x3xf32>
  %3 = lowbit.linear %x, %a {format = #lowbit.format<int8, row, scale f16>, method = "rtn"}
    : (tensor<?x32xf32>, !lowbit.weight<3x32, #lowbit.format<f32>>) -> tensor<?x3xf32>
  %4 = lowbit.linear %x, %c {format = #lowbit.format<int8, row, scale f16>, method = "rtn"}
    : (tensor<?x32xf32>, !lowbit.weight<3x32, #lowbit.format<f32>>) -> tensor<?x3xf32>
  return
}

// -----

// Nothing to do: no file is needed, methods of other passes stay.

// CHECK-LABEL: func.func @other
// CHECK: lowbit.linear {{.*}}method = "gptq"
lowbit.weight @w : !lowbit.weight<64x64, #lowbit.format<f32>> in "missing.onnx" at 0
func.func @other(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %w = lowbit.get @w : !lowbit.weight<64x64, #lowbit.format<f32>>
  %0 = lowbit.linear %x, %w {format = #lowbit.format<int4, row, scale f16>, method = "gptq"} : (tensor<?x64xf32>, !lowbit.weight<64x64, #lowbit.format<f32>>) -> tensor<?x64xf32>
  return %0 : tensor<?x64xf32>
}
