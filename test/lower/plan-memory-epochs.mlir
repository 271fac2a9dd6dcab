// RUN: qopt %s --plan-memory | FileCheck %s --check-prefix=CHECK-ARENA
// Two loops of one kernel: what the first reads last and the second writes first are never in the same memory, because
// no barrier keeps a fast thread from the second loop while a slow one is in the first. After a barrier they may be.

func.func @loops(%out: memref<16xf32>, %i: index) {
  %read = memref.alloc() : memref<16xf32>
  %written = memref.alloc() : memref<16xf32>
  %later = memref.alloc() : memref<16xf32>
  %x = memref.load %out[%i] : memref<16xf32>
  memref.store %x, %read[%i] : memref<16xf32>
  kernel.barrier
  %y = memref.load %read[%i] : memref<16xf32>
  memref.store %y, %written[%i] : memref<16xf32>
  kernel.barrier
  %z = memref.load %written[%i] : memref<16xf32>
  memref.store %z, %later[%i] : memref<16xf32>
  kernel.barrier
  %w = memref.load %later[%i] : memref<16xf32>
  memref.store %w, %out[%i] : memref<16xf32>
  return
}
// `read` and `written` meet in the second epoch, `written` and `later` in the third: two places serve all three.
// CHECK-ARENA: module
// CHECK-ARENA-SAME: halftone.arena_bytes = 128
