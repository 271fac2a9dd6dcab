// RUN: rm -rf %t && mkdir %t && cd %t
// RUN: printf '\x21\x43\x00\x3c\x65\x87\x00\x40\x00\x00\x80\x3f\x00\x00\x00\x40\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c' > weights
// RUN: qopt %s --choose-kernels --pack-weights=work=segment | FileCheck %s
// RUN: od -An -v -tx1 segment | FileCheck %s --check-prefix=BYTES
// RUN: qopt %s --choose-kernels=reference --pack-weights=work=unpacked | FileCheck %s --check-prefix=UNPACKED
// RUN: od -An -v -tx1 unpacked | FileCheck %s --check-prefix=ARRAYS
// The file: two rows of int4 codes 1 2 3 4 with scale 1.0 and 5 6 7 8 with 2.0; the vector 1.0, 2.0; three rows of two
// f16, transposed.

// A call of decode reads 24 bytes of the matrix, 8 of the vector, 16 of the turned matrix.
// CHECK: halftone.decode_bytes = 48 : i64, halftone.weight_bytes = 144 : i64
// CHECK: lowbit.weight @matrix : !lowbit.weight<2x4, <int4, block 4, scale f16>, #kernel.layout<lanes 4, group 4>> in "segment" at 0{{$}}
// CHECK: lowbit.weight @vector : !lowbit.weight<2, <f32>> in "segment" at 64{{$}}
// CHECK: lowbit.weight @turned : !lowbit.weight<3x2, <f16>, #kernel.layout<lanes 4, group 1>> in "segment" at 128{{$}}
// CHECK-NOT: @unused

// One line of the plane of 4 bits, its high half empty; rows that do not exist are 0; four scales.
// BYTES:      01 02 03 04 05 06 07 08 00 00 00 00 00 00 00 00
// BYTES-NEXT: 00 3c 00 40 00 00 00 00
// BYTES:      00 00 80 3f 00 00 00 40
// One vector for each column: three rows and one that does not exist.
// BYTES:      01 02 03 04 05 06 00 00 07 08 09 0a 0b 0c 00 00

// UNPACKED: lowbit.weight @matrix : !lowbit.weight<2x4, <int4, block 4, scale f16>, #kernel.unpacked> in "segment" at 0{{$}}
// UNPACKED: lowbit.weight @vector : !lowbit.weight<2, <f32>> in "segment" at 192{{$}}
// UNPACKED: lowbit.weight @turned : !lowbit.weight<3x2, <f16>, #kernel.unpacked> in "segment" at 256{{$}}

// Codes, scales, zeros.
// ARRAYS:      01 02 03 04 05 06 07 08 00
// ARRAYS:      00 00 80 3f 00 00 00 40
// ARRAYS:      08 08 00
// ARRAYS:      00 00 80 3f 00 00 00 40
module {
  lowbit.weight @matrix : !lowbit.weight<2x4, #lowbit.format<int4, block 4, scale f16>> in "weights" at 0
  lowbit.weight @unused : !lowbit.weight<2x4, #lowbit.format<int4, block 4, scale f16>> in "nowhere" at 0
  lowbit.weight @vector : !lowbit.weight<2, #lowbit.format<f32>> in "weights" at 8
  lowbit.weight @turned : !lowbit.weight<3x2, #lowbit.format<f16>> in "weights" at 16 transposed

  // The new type reaches the callee, also where nothing uses it.
  // CHECK: func.func private @block(%{{.*}}, %{{.*}}: !lowbit.weight<3x2, <f16>, #kernel.layout<lanes 4, group 1>>)
  func.func private @block(%x: tensor<1x2xf32>, %w: !lowbit.weight<3x2, #lowbit.format<f16>>) -> tensor<1x2xf32> {
    return %x : tensor<1x2xf32>
  }
  func.func @decode(%a: !lowbit.activation<1x4, #lowbit.format<int8, block 4, scale f32>>, %x: tensor<1x2xf32>) -> (tensor<1x2xf32>, tensor<1x3xf32>) {
    // CHECK: lowbit.get @matrix : !lowbit.weight<2x4, <int4, block 4, scale f16>, #kernel.layout<lanes 4, group 4>>
    %m = lowbit.get @matrix : !lowbit.weight<2x4, #lowbit.format<int4, block 4, scale f16>>
    %again = lowbit.get @matrix : !lowbit.weight<2x4, #lowbit.format<int4, block 4, scale f16>>
    %v = lowbit.get @vector : !lowbit.weight<2, #lowbit.format<f32>>
    %t = lowbit.get @turned : !lowbit.weight<3x2, #lowbit.format<f16>>
    %y = lowbit.linear %a, %m : (!lowbit.activation<1x4, #lowbit.format<int8, block 4, scale f32>>, !lowbit.weight<2x4, #lowbit.format<int4, block 4, scale f16>>) -> tensor<1x2xf32>
    %n = lowbit.rms_norm %y scale %v epsilon 1.0e-05 : tensor<1x2xf32>, !lowbit.weight<2, #lowbit.format<f32>>
    %b = call @block(%n, %t) : (tensor<1x2xf32>, !lowbit.weight<3x2, #lowbit.format<f16>>) -> tensor<1x2xf32>
    %z = lowbit.linear %x, %t : (tensor<1x2xf32>, !lowbit.weight<3x2, #lowbit.format<f16>>) -> tensor<1x3xf32>
    return %b, %z : tensor<1x2xf32>, tensor<1x3xf32>
  }
}
