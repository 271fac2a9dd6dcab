// RUN: qopt %s | qopt | FileCheck %s
// RUN: qopt %s --mlir-print-op-generic | qopt | FileCheck %s
// Every attribute and operation of the kernel dialect survives printing and reading, short and generic.

// CHECK: halftone.target = #kernel.target<"x86_64-unknown-linux-gnu", cpu "icelake-server", features "+avx512vnni", vector 512>
module attributes {halftone.target = #kernel.target<"x86_64-unknown-linux-gnu", cpu "icelake-server", features "+avx512vnni", vector 512>} {

// CHECK: lowbit.weight @w : !lowbit.weight<16x32, <f32>> in "m.bin" at 0 {layout = #kernel.layout<lanes 16, group 4>}
lowbit.weight @w : !lowbit.weight<16x32, #lowbit.format<f32>> in "m.bin" at 0 {layout = #kernel.layout<lanes 16, group 4>}
// CHECK: lowbit.weight @v : !lowbit.weight<16x32, <f32>> in "m.bin" at 0 {layout = #kernel.unpacked}
lowbit.weight @v : !lowbit.weight<16x32, #lowbit.format<f32>> in "m.bin" at 0 {layout = #kernel.unpacked}

// CHECK-LABEL: func.func @places
func.func @places(%w: !lowbit.weight<16x32, #lowbit.format<f32>>, %c: !lowbit.cache<heads 2, size 8>,
                  %codes: memref<1x32xi8>, %scales: memref<1x1xf32>, %sums: memref<1x1xi32>) {
  // CHECK: kernel.memory %{{.*}} : <16x32, <f32>> -> memref<?xi8, strided<[1], offset: ?>>
  %m = kernel.memory %w : !lowbit.weight<16x32, #lowbit.format<f32>> -> memref<?xi8, strided<[1], offset: ?>>
  // CHECK: kernel.keys %{{.*}} : <heads 2, size 8> -> memref<?x2x8x16xf32>
  %k = kernel.keys %c : !lowbit.cache<heads 2, size 8> -> memref<?x2x8x16xf32>
  // CHECK: kernel.values %{{.*}} : <heads 2, size 8> -> memref<?x2x16x8xf32>
  %v = kernel.values %c : !lowbit.cache<heads 2, size 8> -> memref<?x2x16x8xf32>
  // CHECK: kernel.activation %{{.*}}, %{{.*}}, %{{.*}} : memref<1x32xi8>, memref<1x1xf32>, memref<1x1xi32> -> <1x32, <int8, block 32, scale f32>>
  %a = kernel.activation %codes, %scales, %sums
    : memref<1x32xi8>, memref<1x1xf32>, memref<1x1xi32> -> !lowbit.activation<1x32, #lowbit.format<int8, block 32, scale f32>>
  return
}

// CHECK-LABEL: func.func @arithmetic
func.func @arithmetic(%line: vector<64xi8>, %bytes: vector<8xi8>, %zero: i32, %sum: i32, %x: vector<4xi8>,
                      %s: vector<16xf32>) -> vector<16xf32> {
  // CHECK: %[[C:.*]]:2 = kernel.decode %{{.*}} {format = #lowbit.format<int4, block 32, scale f16>} : vector<64xi8> -> vector<64xi8>, vector<64xi8>
  %c:2 = kernel.decode %line {format = #lowbit.format<int4, block 32, scale f16>} : vector<64xi8> -> vector<64xi8>, vector<64xi8>
  // CHECK: %[[Z:.*]] = kernel.decode_zeros %{{.*}} {format = #lowbit.format<int4, block 32, scale f16, zero_point>} : vector<8xi8> -> vector<16xi32>
  %z = kernel.decode_zeros %bytes {format = #lowbit.format<int4, block 32, scale f16, zero_point>} : vector<8xi8> -> vector<16xi32>
  // CHECK: kernel.lookup %[[C]]#0 in [-127, -104, -83, -65] : vector<64xi8>
  %l = kernel.lookup %c#0 in [-127, -104, -83, -65] : vector<64xi8>
  // CHECK: kernel.dot_init zero %{{.*}} sum %{{.*}} by "vpdpbusd.512" : (i32, i32) -> vector<16xi32>
  %i = kernel.dot_init zero %zero sum %sum by "vpdpbusd.512" : (i32, i32) -> vector<16xi32>
  // CHECK: kernel.dot_init zero %[[Z]] sum %{{.*}} by "vpdpbusd.512" : (vector<16xi32>, i32) -> vector<16xi32>
  %j = kernel.dot_init zero %z sum %sum by "vpdpbusd.512" : (vector<16xi32>, i32) -> vector<16xi32>
  // CHECK: kernel.dot_init by "multiply-add" : vector<16xf32>
  %f = kernel.dot_init by "multiply-add" : vector<16xf32>
  // CHECK: kernel.dot_step %{{.*}}, [%[[C]]#0, %[[C]]#1], [%{{.*}}, %{{.*}}] by "vpdpbusd.512" {highest = 15 : i64} : vector<16xi32>, vector<64xi8>, vector<4xi8>
  %t = kernel.dot_step %j, [%c#0, %c#1], [%x, %x] by "vpdpbusd.512" {highest = 15 : i64} : vector<16xi32>, vector<64xi8>, vector<4xi8>
  // CHECK: kernel.dot_finish %{{.*}} scale %{{.*}} into %{{.*}} by "vpdpbusd.512" : vector<16xi32>, vector<16xf32>
  %r = kernel.dot_finish %t scale %s into %f by "vpdpbusd.512" : vector<16xi32>, vector<16xf32>
  return %r : vector<16xf32>
}

// CHECK-LABEL: func.func @team
func.func @team() -> (index, index) {
  // CHECK: kernel.thread
  %thread = kernel.thread
  // CHECK: kernel.threads
  %threads = kernel.threads
  // CHECK: kernel.barrier
  kernel.barrier
  return %thread, %threads : index, index
}
}
