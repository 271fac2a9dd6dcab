// RUN: qopt %s --bind-memory | FileCheck %s
// Caches of codes: keys, values, then the scales of both, f32, one for each head and position of a tile.

// 16 positions: 2 * 1 * 8 codes of a byte each and 2 scales; 2 * 2 * 4 codes of half a byte and 2 * 2 scales.
// 16 * (16 + 8 + 8 + 16) bytes.
// CHECK: module attributes {halftone.cache_bytes = 768 : i64, halftone.cache_positions = 16 : i64}
!bytes = !lowbit.cache<heads 1, size 8, <int8, block 8, scale f32>>
!halves = !lowbit.cache<heads 2, size 4, <int4, block 4, scale f32>>
lowbit.cache @cache.0 : !bytes
lowbit.cache @cache.1 : !halves

// CHECK-LABEL: func.func @decode(
// CHECK-SAME: %{{[^:]*}}: memref<{{[0-9]*}}xi8>, %[[CACHE:[^:]*]]: memref<{{[0-9]*}}xi8>
func.func @decode(%codes: memref<1xi8>, %scales: memref<1xf32>) {
  %i = arith.constant 0 : index
  // The first layer takes 16 * 24 bytes.
  // CHECK: %[[C:.*]] = arith.constant 384 : index
  %c = lowbit.get @cache.1 : !halves
  // CHECK: %[[NONE:.*]] = arith.constant 0 : index
  // CHECK: %[[KEYS:.*]] = arith.addi %[[C]], %[[NONE]]
  // CHECK: memref.reinterpret_cast %[[CACHE]] to offset: [%[[KEYS]]], sizes: [{{[0-9]+}}, 2, 2, 16], strides: [768, 32, 16, 1]
  %k = kernel.keys %c : !halves -> memref<?x2x2x16xi8, strided<[?, 32, 16, 1], offset: ?>>
  // CHECK: %[[SKIP:.*]] = arith.constant 64 : index
  // CHECK: %[[VALUES:.*]] = arith.addi %[[C]], %[[SKIP]]
  // CHECK: memref.reinterpret_cast %[[CACHE]] to offset: [%[[VALUES]]], sizes: [{{[0-9]+}}, 2, 16, 2], strides: [768, 32, 2, 1]
  %v = kernel.values %c : !halves -> memref<?x2x16x2xi8, strided<[?, 32, 2, 1], offset: ?>>
  // CHECK: %[[SKIP:.*]] = arith.constant 128 : index
  // CHECK: %[[BEGIN:.*]] = arith.addi %[[C]], %[[SKIP]]
  // CHECK: %[[SCALES:.*]] = arith.divui %[[BEGIN]]
  // CHECK: memref.reinterpret_cast %{{.*}} to offset: [%[[SCALES]]], sizes: [{{[0-9]+}}, 2, 1, 16], strides: [192, 16, 16, 1]
  %ks = kernel.key_scales %c : !halves -> memref<?x2x1x16xf32, strided<[?, 16, 16, 1], offset: ?>>
  // CHECK: arith.constant 256 : index
  // CHECK: memref.reinterpret_cast %{{.*}} sizes: [{{[0-9]+}}, 2, 1, 16], strides: [192, 16, 16, 1]
  %vs = kernel.value_scales %c : !halves -> memref<?x2x1x16xf32, strided<[?, 16, 16, 1], offset: ?>>
  %0 = memref.load %k[%i, %i, %i, %i] : memref<?x2x2x16xi8, strided<[?, 32, 16, 1], offset: ?>>
  %1 = memref.load %v[%i, %i, %i, %i] : memref<?x2x16x2xi8, strided<[?, 32, 2, 1], offset: ?>>
  %2 = arith.addi %0, %1 : i8
  memref.store %2, %codes[%i] : memref<1xi8>
  %3 = memref.load %ks[%i, %i, %i, %i] : memref<?x2x1x16xf32, strided<[?, 16, 16, 1], offset: ?>>
  %4 = memref.load %vs[%i, %i, %i, %i] : memref<?x2x1x16xf32, strided<[?, 16, 16, 1], offset: ?>>
  %5 = arith.addf %3, %4 : f32
  memref.store %5, %scales[%i] : memref<1xf32>
  return
}
