// RUN: qopt %s | qopt | FileCheck %s
// RUN: qopt %s --mlir-print-op-generic | qopt | FileCheck %s
// Every type, attribute and operation of the lowbit dialect survives printing and reading, short and generic.

// CHECK: lowbit.weight @table : !lowbit.weight<512x64, <int8, block 32, scale f16>> in "m.bin" at 0{{$}}
lowbit.weight @table : !lowbit.weight<512x64, #lowbit.format<int8, block 32, scale f16>> in "m.bin" at 0
// CHECK: lowbit.weight @plain : !lowbit.weight<64x64, <f32>> in "m.bin" at 64 transposed{{$}}
lowbit.weight @plain : !lowbit.weight<64x64, #lowbit.format<f32>> in "m.bin" at 64 transposed
// CHECK: lowbit.weight @norm : !lowbit.weight<64, <f32>> in "a \22b\22.bin" at 9223372036854775807 {error = 1.000000e+00 : f64}
lowbit.weight @norm : !lowbit.weight<64, #lowbit.format<f32>> in "a \"b\".bin" at 9223372036854775807 {error = 1.0 : f64}
// CHECK: lowbit.cache @cache.0 : !lowbit.cache<heads 2, size 16>
lowbit.cache @cache.0 : !lowbit.cache<heads 2, size 16>

// CHECK-LABEL: func.func private @formats(
// CHECK-SAME: !lowbit.weight<8x8, <f16>>
// CHECK-SAME: !lowbit.weight<8x8, <bf16>>
// CHECK-SAME: !lowbit.weight<8x8, <int4, row, scale f16>>
// CHECK-SAME: !lowbit.weight<8x8, <int3, block 64, scale bf16, zero_point>>
// CHECK-SAME: !lowbit.weight<8x8, <int2, block 1, scale f32>>
// CHECK-SAME: !lowbit.weight<8x8, <int8, block 65536, scale f16, zero_point>, #kernel.layout<lanes 16, group 4>>
// CHECK-SAME: !lowbit.weight<8x8, <f32>, #kernel.unpacked>
// CHECK-SAME: !lowbit.activation<?x8, <int8, row, scale f32>>
func.func private @formats(
  !lowbit.weight<8x8, #lowbit.format<f16>>,
  !lowbit.weight<8x8, #lowbit.format<bf16>>,
  !lowbit.weight<8x8, #lowbit.format<int4, row, scale f16>>,
  !lowbit.weight<8x8, #lowbit.format<int3, block 64, scale bf16, zero_point>>,
  !lowbit.weight<8x8, #lowbit.format<int2, block 1, scale f32>>,
  !lowbit.weight<8x8, #lowbit.format<int8, block 65536, scale f16, zero_point>, #kernel.layout<lanes 16, group 4>>,
  !lowbit.weight<8x8, #lowbit.format<f32>, #kernel.unpacked>,
  !lowbit.activation<?x8, #lowbit.format<int8, row, scale f32>>)

// CHECK-LABEL: func.func @forward
func.func @forward(%ids: tensor<?xi64>, %past: index) -> tensor<?x64xf32> {
  // CHECK: %[[TABLE:.*]] = lowbit.get @table : !lowbit.weight<512x64, <int8, block 32, scale f16>>
  %table = lowbit.get @table : !lowbit.weight<512x64, #lowbit.format<int8, block 32, scale f16>>
  %plain = lowbit.get @plain : !lowbit.weight<64x64, #lowbit.format<f32>>
  %norm = lowbit.get @norm : !lowbit.weight<64, #lowbit.format<f32>>
  // CHECK: %[[CACHE:.*]] = lowbit.get @cache.0 : !lowbit.cache<heads 2, size 16>
  %cache = lowbit.get @cache.0 : !lowbit.cache<heads 2, size 16>
  // CHECK: %[[SCALED:.*]] = lowbit.scale_columns %{{.*}}, %{{.*}} : (<64x64, <f32>>, <64, <f32>>) -> <64x64, <f32>>
  %scaled = lowbit.scale_columns %plain, %norm
    : (!lowbit.weight<64x64, #lowbit.format<f32>>, !lowbit.weight<64, #lowbit.format<f32>>) -> !lowbit.weight<64x64, #lowbit.format<f32>>
  // CHECK: lowbit.embedding %{{.*}}, %[[TABLE]] {format = #lowbit.format<f32>, method = "rtn"} : (tensor<?xi64>, <512x64, <int8, block 32, scale f16>>) -> tensor<?x64xf32>
  %x = lowbit.embedding %ids, %table {format = #lowbit.format<f32>, method = "rtn"}
    : (tensor<?xi64>, !lowbit.weight<512x64, #lowbit.format<int8, block 32, scale f16>>) -> tensor<?x64xf32>
  // CHECK: lowbit.rms_norm %{{.*}} scale %{{.*}} epsilon 9.99999974E-6 : tensor<?x64xf32>, !lowbit.weight<64, <f32>>
  %n = lowbit.rms_norm %x scale %norm epsilon 1.0e-05 : tensor<?x64xf32>, !lowbit.weight<64, #lowbit.format<f32>>
  // CHECK: lowbit.rms_norm %{{.*}} epsilon 0.000000e+00 : tensor<?x64xf32>{{$}}
  %m = lowbit.rms_norm %n epsilon 0.0 : tensor<?x64xf32>
  // CHECK: lowbit.linear %{{.*}}, %[[SCALED]] : (tensor<?x64xf32>, <64x64, <f32>>) -> tensor<?x64xf32>
  %q = lowbit.linear %m, %scaled : (tensor<?x64xf32>, !lowbit.weight<64x64, #lowbit.format<f32>>) -> tensor<?x64xf32>
  // CHECK: %[[A:.*]] = lowbit.quantize_activation %{{.*}} : tensor<?x64xf32> -> <?x64, <int8, block 32, scale f32>>
  %a = lowbit.quantize_activation %m : tensor<?x64xf32> -> !lowbit.activation<?x64, #lowbit.format<int8, block 32, scale f32>>
  // CHECK: lowbit.linear %[[A]], %[[TABLE]] : (!lowbit.activation<?x64, <int8, block 32, scale f32>>, <512x64, <int8, block 32, scale f16>>) -> tensor<?x512xf32>
  %y = lowbit.linear %a, %table : (!lowbit.activation<?x64, #lowbit.format<int8, block 32, scale f32>>, !lowbit.weight<512x64, #lowbit.format<int8, block 32, scale f16>>) -> tensor<?x512xf32>
  // CHECK: lowbit.rope %{{.*}}, %{{.*}}, %{{.*}} at %{{.*}} heads 4 : tensor<?x512xf32>, !lowbit.weight<64x64, <f32>>
  %r = lowbit.rope %y, %plain, %plain at %past heads 4 : tensor<?x512xf32>, !lowbit.weight<64x64, #lowbit.format<f32>>
  // CHECK: lowbit.rope %{{.*}}, %{{.*}}, %{{.*}} at %{{.*}} heads 2 interleaved : tensor<?x512xf32>, !lowbit.weight<64x64, <f32>>
  %s = lowbit.rope %r, %plain, %plain at %past heads 2 interleaved : tensor<?x512xf32>, !lowbit.weight<64x64, #lowbit.format<f32>>
  %k = tensor.extract_slice %s[0, 0] [1, 32] [1, 1] : tensor<?x512xf32> to tensor<1x32xf32>
  // CHECK: lowbit.append %{{.*}}, %{{.*}} to %[[CACHE]] at %{{.*}} : tensor<1x32xf32>, <heads 2, size 16>
  lowbit.append %k, %k to %cache at %past : tensor<1x32xf32>, !lowbit.cache<heads 2, size 16>
  // CHECK: lowbit.attention %{{.*}}, %[[CACHE]] at %{{.*}} heads 4 scale 2.500000e-01 : tensor<?x64xf32>, <heads 2, size 16>
  %o = lowbit.attention %q, %cache at %past heads 4 scale 0.25 : tensor<?x64xf32>, !lowbit.cache<heads 2, size 16>
  // CHECK: lowbit.kernel {
  // CHECK: lowbit.yield %{{.*}} : tensor<?x64xf32>
  // CHECK: } : tensor<?x64xf32>
  %z = lowbit.kernel {
    %0 = arith.addf %o, %m : tensor<?x64xf32>
    lowbit.yield %0 : tensor<?x64xf32>
  } : tensor<?x64xf32>
  return %z : tensor<?x64xf32>
}

// CHECK-LABEL: func.func @placed
func.func @placed(%x: tensor<1x8xf32>, %out: memref<1x8xf32>) {
  // CHECK: lowbit.kernel outs(%{{.*}} : memref<1x8xf32>) attributes {schedule = #kernel.schedule<lanes 16, tiles 3, tokens 4, dot "vpdpbusd.512">} {
  lowbit.kernel outs(%out : memref<1x8xf32>) attributes {schedule = #kernel.schedule<lanes 16, tiles 3, tokens 4, dot "vpdpbusd.512">} {
    %0 = arith.negf %x : tensor<1x8xf32>
    lowbit.yield %0 : tensor<1x8xf32>
  }
  // CHECK: lowbit.kernel {
  // CHECK-NEXT: lowbit.yield{{$}}
  lowbit.kernel {
    lowbit.yield
  }
  return
}

// CHECK-LABEL: func.func @parts
func.func @parts(%x: tensor<?x8xf32>, %w: !lowbit.weight<16x8, #lowbit.format<f32>>, %half: !lowbit.weight<16, #lowbit.format<f16>>) -> tensor<?x4xf32> {
  // CHECK: lowbit.widen %{{.*}} : <16, <f16>> -> <16, <f32>>
  %b = lowbit.widen %half : !lowbit.weight<16, #lowbit.format<f16>> -> !lowbit.weight<16, #lowbit.format<f32>>
  // CHECK: lowbit.slice_rows %{{.*}} from 12 : <16x8, <f32>> -> <4x8, <f32>>
  %v = lowbit.slice_rows %w from 12 : !lowbit.weight<16x8, #lowbit.format<f32>> -> !lowbit.weight<4x8, #lowbit.format<f32>>
  // CHECK: lowbit.rotate_columns %{{.*}} size 4 seed -1 : <4x8, <f32>>
  %vc = lowbit.rotate_columns %v size 4 seed -1 : !lowbit.weight<4x8, #lowbit.format<f32>>
  // CHECK: lowbit.rotate_rows %{{.*}} size 2 seed 7 : <16, <f32>>
  %br = lowbit.rotate_rows %b size 2 seed 7 : !lowbit.weight<16, #lowbit.format<f32>>
  // CHECK: lowbit.slice_rows %{{.*}} from 12 : <16, <f32>> -> <4, <f32>>
  %c = lowbit.slice_rows %b from 12 : !lowbit.weight<16, #lowbit.format<f32>> -> !lowbit.weight<4, #lowbit.format<f32>>
  %y = lowbit.linear %x, %v : (tensor<?x8xf32>, !lowbit.weight<4x8, #lowbit.format<f32>>) -> tensor<?x4xf32>
  // CHECK: lowbit.add_bias %{{.*}}, %{{.*}} : tensor<?x4xf32>, <4, <f32>>
  %z = lowbit.add_bias %y, %c : tensor<?x4xf32>, !lowbit.weight<4, #lowbit.format<f32>>
  return %z : tensor<?x4xf32>
}
