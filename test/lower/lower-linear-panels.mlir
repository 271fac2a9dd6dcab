// RUN: qopt %s --lower-linear | FileCheck %s
// Many tokens: a panel of tiles is decoded once into the thread's memory, then multiplied with a few tokens at a time.

!a = !lowbit.activation<32x1088, #lowbit.format<int8, block 32, scale f32>>
!w = !lowbit.weight<80x1088, #lowbit.format<int4, block 32, scale f16>, #kernel.layout<lanes 16, group 4>>

// CHECK-LABEL: func.func @prefill(
// CHECK-SAME: %[[CODES:[^:]*]]: memref<32x1088xi8>, %[[SCALES:[^:]*]]: memref<32x34xf32>, %[[INPUTSUMS:[^:]*]]: memref<32x34xi32>
// CHECK-SAME: %[[W:[^:]*]]: !lowbit.weight
func.func @prefill(%codes: memref<32x1088xi8>, %scales: memref<32x34xf32>, %sums: memref<32x34xi32>, %w: !w,
                   %out: memref<32x80xf32>) {
  // 34 blocks in three ranges of 12: two whole ones and one of 10. 8 vectors of 4 columns in each block.
  // CHECK: %[[MEMORY:.*]] = kernel.memory %[[W]]
  // CHECK: %[[LEVELS:.*]] = memref.alloca() {alignment = 64 : i64} : memref<96x3x64xi8>
  // CHECK: %[[STEPS:.*]] = memref.alloca() {alignment = 64 : i64} : memref<12x3x16xf32>
  // CHECK: %[[SUMS:.*]] = memref.alloca() {alignment = 64 : i64} : memref<32x3x16xf32>

  // 5 tiles: a panel of three, then one of two.
  // CHECK: scf.forall (%[[PANEL:.*]]) in (2) {
  // CHECK: %[[WHOLE:.*]] = arith.cmpi ult, %[[PANEL]]
  // CHECK: scf.if %[[WHOLE]] {

  // The sums begin at 0.
  // CHECK: scf.for
  // CHECK-COUNT-3: vector.store %{{.*}}, %[[SUMS]]

  // The two whole ranges: each tile's blocks are decoded ...
  // CHECK: scf.for
  // CHECK: scf.for
  // CHECK-COUNT-4: vector.load %[[MEMORY]]
  // CHECK: %[[DECODED:.*]]:8 = kernel.decode
  // CHECK-COUNT-8: vector.store %[[DECODED]]{{.*}}, %[[LEVELS]]
  // CHECK: vector.store %{{.*}}, %[[STEPS]]

  // ... and 3 tiles times 4 tokens are summed up over the range, all levels loaded once for 4 tokens.
  // CHECK: scf.for
  // CHECK-COUNT-12: vector.load %[[SUMS]]
  // CHECK: scf.for {{.*}} iter_args
  // CHECK-COUNT-12: kernel.dot_init
  // CHECK: scf.for {{.*}} iter_args
  // CHECK-COUNT-3: vector.load %[[LEVELS]]
  // CHECK-COUNT-4: vector.load %[[CODES]]
  // CHECK-COUNT-12: kernel.dot_step {{.*}} by "vpdpbusd.512" {highest = 15 : i64} : vector<16xi32>, vector<64xi8>, vector<4xi8>
  // CHECK-COUNT-84: kernel.dot_step
  // CHECK-NOT: kernel.dot_step
  // CHECK: scf.yield
  // CHECK-COUNT-12: kernel.dot_finish
  // CHECK: scf.yield
  // CHECK-COUNT-12: vector.store %{{.*}}, %[[SUMS]]

  // In the end each token's sums are stored, with whatever the kernel does to them.
  // CHECK: vector.load %[[SUMS]]
  // CHECK: vector.store
  // CHECK: } else {
  // CHECK-COUNT-8: kernel.dot_finish
  // CHECK: kernel.barrier
  lowbit.kernel outs(%out : memref<32x80xf32>) attributes {schedule = #kernel.schedule<lanes 16, tiles 3, tokens 4, dot "vpdpbusd.512">} {
    %a = kernel.activation %codes, %scales, %sums : memref<32x1088xi8>, memref<32x34xf32>, memref<32x34xi32> -> !a
    %y = lowbit.linear %a, %w : (!a, !w) -> tensor<32x80xf32>
    lowbit.yield %y : tensor<32x80xf32>
  }
  return
}

!plain = !lowbit.weight<16x700, #lowbit.format<f16>, #kernel.layout<lanes 16, group 1>>

// Plain elements need no decoding, and have no blocks: pieces of 512 columns that stay in the cache.
// CHECK-LABEL: func.func @plain(
// CHECK-NOT: memref.alloca() {{.*}}xi8>
// CHECK: scf.forall
// CHECK-COUNT-8: kernel.dot_step {{.*}} by "multiply-add-f16"
// CHECK: kernel.barrier
func.func @plain(%x: memref<8x700xf32>, %w: !plain, %out: memref<8x16xf32>) {
  lowbit.kernel outs(%out : memref<8x16xf32>) attributes {schedule = #kernel.schedule<lanes 16, tiles 3, tokens 8, dot "multiply-add-f16">} {
    %r = bufferization.to_tensor %x restrict : memref<8x700xf32> to tensor<8x700xf32>
    %y = lowbit.linear %r, %w : (tensor<8x700xf32>, !plain) -> tensor<8x16xf32>
    lowbit.yield %y : tensor<8x16xf32>
  }
  return
}
