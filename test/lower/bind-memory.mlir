// RUN: qopt %s --bind-memory | FileCheck %s
// Weight segment, cache, team, thread and threads are every function's first arguments; handles are offsets into them.

// A step of the cache holds 16 positions of both layers: 2 * (2 * 4 + 1 * 8) * 16 floats of 4 bytes.
// CHECK: module attributes {halftone.cache_bytes = 2048 : i64, halftone.cache_positions = 16 : i64}
// CHECK: func.func private @halftone_barrier(!llvm.ptr, index, index)
// CHECK-NOT: lowbit.weight
// CHECK-NOT: lowbit.cache
lowbit.weight @w : !lowbit.weight<4x8, #lowbit.format<int8, row, scale f32>, #kernel.layout<lanes 4, group 4>> in "segment" at 64
lowbit.weight @norm : !lowbit.weight<8, #lowbit.format<f32>> in "segment" at 128
lowbit.cache @cache.0 : !lowbit.cache<heads 2, size 4>
lowbit.cache @cache.1 : !lowbit.cache<heads 1, size 8>

// CHECK-LABEL: func.func private @block(
// CHECK-SAME: %[[WEIGHTS:[^:]*]]: memref<{{[0-9]*}}xi8>, %[[CACHE:[^:]*]]: memref<{{[0-9]*}}xi8>, %[[TEAM:[^:]*]]: !llvm.ptr, %[[THREAD:[^:]*]]: index, %[[THREADS:[^:]*]]: index
// CHECK-SAME: %[[W:[^:]*]]: index, %[[N:[^:]*]]: index, %[[C:[^:]*]]: index, %[[OUT:[^:]*]]: memref<1xf32>)
func.func private @block(%w: !lowbit.weight<4x8, #lowbit.format<int8, row, scale f32>, #kernel.layout<lanes 4, group 4>>,
                         %n: !lowbit.weight<8, #lowbit.format<f32>>, %c: !lowbit.cache<heads 1, size 8>, %out: memref<1xf32>) {
  %i = arith.constant 0 : index
  // CHECK: %[[BYTES:.*]] = memref.reinterpret_cast %[[WEIGHTS]] to offset: [%[[W]]]
  // CHECK: memref.cast %[[BYTES]]
  %b = kernel.memory %w : !lowbit.weight<4x8, #lowbit.format<int8, row, scale f32>, #kernel.layout<lanes 4, group 4>> -> memref<?xi8, strided<[1], offset: ?>>
  // CHECK: %[[FOUR:.*]] = arith.constant 4 : index
  // CHECK: %[[AT:.*]] = arith.divui %[[N]], %[[FOUR]]
  // CHECK: memref.reinterpret_cast %{{.*}} to offset: [%[[AT]]]
  %f = kernel.memory %n : !lowbit.weight<8, #lowbit.format<f32>> -> memref<?xf32, strided<[1], offset: ?>>
  // Keys first, then 1 * 16 * 8 floats of 4 bytes further the values; 512 floats to the next positions.
  // CHECK: %[[BEGIN:.*]] = arith.addi %[[C]],
  // CHECK: %[[KEYS:.*]] = arith.divui %[[BEGIN]],
  // CHECK: memref.reinterpret_cast %{{.*}} to offset: [%[[KEYS]]], sizes: [{{[0-9]+}}, 1, 8, 16], strides: [512, 128, 16, 1]
  %k = kernel.keys %c : !lowbit.cache<heads 1, size 8> -> memref<?x1x8x16xf32, strided<[?, 128, 16, 1], offset: ?>>
  // CHECK: %[[SKIP:.*]] = arith.constant 512 : index
  // CHECK: %[[BEGIN:.*]] = arith.addi %[[C]], %[[SKIP]]
  // CHECK: %[[VALUES:.*]] = arith.divui %[[BEGIN]],
  // CHECK: memref.reinterpret_cast %{{.*}} to offset: [%[[VALUES]]], sizes: [{{[0-9]+}}, 1, 16, 8], strides: [512, 128, 8, 1]
  %v = kernel.values %c : !lowbit.cache<heads 1, size 8> -> memref<?x1x16x8xf32, strided<[?, 128, 8, 1], offset: ?>>
  %t = kernel.thread
  %m = kernel.threads
  // CHECK: arith.addi %[[THREAD]], %[[THREADS]]
  %s = arith.addi %t, %m : index
  %x = memref.load %f[%s] : memref<?xf32, strided<[1], offset: ?>>
  %y = memref.load %k[%i, %i, %i, %i] : memref<?x1x8x16xf32, strided<[?, 128, 16, 1], offset: ?>>
  %z = memref.load %v[%i, %i, %i, %i] : memref<?x1x16x8xf32, strided<[?, 128, 8, 1], offset: ?>>
  memref.store %x, %out[%i] : memref<1xf32>
  // CHECK: call @halftone_barrier(%[[TEAM]], %[[THREADS]], %{{.*}})
  kernel.barrier
  return
}

// CHECK-LABEL: func.func @decode(
// CHECK-SAME: %[[WEIGHTS:[^:]*]]: memref<{{[0-9]*}}xi8>, %[[CACHE:[^:]*]]: memref<{{[0-9]*}}xi8>, %[[TEAM:[^:]*]]: !llvm.ptr, %[[THREAD:[^:]*]]: index, %[[THREADS:[^:]*]]: index
// CHECK-DAG: %[[W:.*]] = arith.constant 64 : index
// CHECK-DAG: %[[N:.*]] = arith.constant 128 : index
// CHECK-DAG: %[[C:.*]] = arith.constant 1024 : index
// CHECK: call @block(%[[WEIGHTS]], %[[CACHE]], %[[TEAM]], %[[THREAD]], %[[THREADS]], %[[W]], %[[N]], %[[C]], %{{.*}})
func.func @decode(%out: memref<1xf32>) {
  %w = lowbit.get @w : !lowbit.weight<4x8, #lowbit.format<int8, row, scale f32>, #kernel.layout<lanes 4, group 4>>
  %n = lowbit.get @norm : !lowbit.weight<8, #lowbit.format<f32>>
  // The second layer's cache lies 2 * 2 * 4 * 16 floats of 4 bytes after the first.
  %c = lowbit.get @cache.1 : !lowbit.cache<heads 1, size 8>
  call @block(%w, %n, %c, %out) : (!lowbit.weight<4x8, #lowbit.format<int8, row, scale f32>, #kernel.layout<lanes 4, group 4>>, !lowbit.weight<8, #lowbit.format<f32>>, !lowbit.cache<heads 1, size 8>, memref<1xf32>) -> ()
  return
}
