// RUN: qopt %s --lower-linear | FileCheck %s
// The loop over tiles of rows; in it tokens, blocks, and for each block: decode once, a dot per token, scale.

!a = !lowbit.activation<1x72, #lowbit.format<int8, block 32, scale f32>>
!w = !lowbit.weight<20x72, #lowbit.format<int4, block 32, scale f16>, #kernel.layout<lanes 16, group 4>>

// CHECK-LABEL: func.func @decode(
// CHECK-SAME: %[[CODES:[^:]*]]: memref<1x72xi8>, %[[SCALES:[^:]*]]: memref<1x3xf32>, %[[SUMS:[^:]*]]: memref<1x3xi32>
// CHECK-SAME: %[[X:[^:]*]]: memref<1x20xf32>, %[[W:[^:]*]]: !lowbit.weight
// CHECK-SAME: %[[OUT:[^:]*]]: memref<1x20xf32>
func.func @decode(%codes: memref<1x72xi8>, %scales: memref<1x3xf32>, %sums: memref<1x3xi32>, %x: memref<1x20xf32>, %w: !w,
                  %out: memref<1x20xf32>) {
  // Two tiles, the second with 4 of its 16 rows.
  // CHECK: scf.forall (%[[TILE:.*]]) in (2) {
  // CHECK: %[[ROWS:.*]] = vector.create_mask %{{.*}} : vector<16xi1>
  // CHECK: scf.for
  // CHECK: %[[MEMORY:.*]] = kernel.memory %[[W]] : {{.*}} -> memref<?xi8

  // The whole blocks: weights fetched ahead, 4 lines of 2 vectors each, 8 groups of activations.
  // CHECK: scf.for %[[B:.*]] = %{{.*}} iter_args(%[[TOTAL:.*]] = %{{.*}}) -> (vector<16xf32>) {
  // CHECK-COUNT-5: memref.prefetch %[[MEMORY]]{{.*}} read, locality<3>, data
  // CHECK: %[[ZERO:.*]] = arith.constant 8 : i32
  // CHECK: %[[SUM:.*]] = memref.load %[[SUMS]][%{{.*}}, %[[B]]]
  // CHECK: %[[ACC:.*]] = kernel.dot_init zero %[[ZERO]] sum %[[SUM]] by "vpdpbusd.512"
  // CHECK-COUNT-4: vector.load %[[MEMORY]]{{.*}} vector<64xi8>
  // CHECK: %[[DECODED:.*]]:8 = kernel.decode {{.*}} {format = #lowbit.format<int4, block 32, scale f16>}
  // CHECK-COUNT-8: vector.load %[[CODES]]{{.*}} vector<4xi8>
  // CHECK: %[[DOT:.*]] = kernel.dot_step %[[ACC]], [%[[DECODED]]#0, {{.*}}, %[[DECODED]]#7], [{{.*}}] by "vpdpbusd.512" {highest = 15 : i64}
  // CHECK: vector.bitcast {{.*}} vector<32xi8> to vector<16xf16>
  // CHECK: %[[WEIGHTSCALE:.*]] = arith.extf
  // CHECK: memref.load %[[SCALES]][%{{.*}}, %[[B]]]
  // CHECK: %[[SCALE:.*]] = arith.mulf %[[WEIGHTSCALE]], %{{.*}} : vector<16xf32>
  // CHECK: %[[NEXT:.*]] = kernel.dot_finish %[[DOT]] scale %[[SCALE]] into %[[TOTAL]] by "vpdpbusd.512"
  // CHECK: scf.yield %[[NEXT]]

  // The last one is short: 8 columns, 2 vectors, one line.
  // CHECK: %{{.*}}:2 = kernel.decode %{{[^,]*}} {format
  // CHECK: %[[Y:.*]] = kernel.dot_finish

  // What follows the linear in the kernel comes before the store.
  // CHECK: %[[R:.*]] = vector.maskedload %[[X]]{{.*}} %[[ROWS]]
  // CHECK: %[[S:.*]] = arith.addf %[[R]], %[[Y]] : vector<16xf32>
  // CHECK: vector.maskedstore %[[OUT]]{{.*}} %[[ROWS]], %[[S]]
  // CHECK: kernel.barrier
  // CHECK-NOT: lowbit.kernel
  lowbit.kernel outs(%out : memref<1x20xf32>) attributes {schedule = #kernel.schedule<lanes 16, tiles 3, tokens 4, dot "vpdpbusd.512">} {
    %a = kernel.activation %codes, %scales, %sums : memref<1x72xi8>, memref<1x3xf32>, memref<1x3xi32> -> !a
    %r = bufferization.to_tensor %x restrict : memref<1x20xf32> to tensor<1x20xf32>
    %y = lowbit.linear %a, %w : (!a, !w) -> tensor<1x20xf32>
    %s = arith.addf %r, %y : tensor<1x20xf32>
    lowbit.yield %s : tensor<1x20xf32>
  }
  return
}

!plain = !lowbit.weight<16x3, #lowbit.format<f16>, #kernel.layout<lanes 16, group 1>>

// Seven tokens: four in the loop, then three; the weights are decoded once for each.
// CHECK-LABEL: func.func @tokens(
// CHECK: scf.forall
// CHECK: scf.for
// CHECK-NOT: memref.prefetch
// CHECK: %[[NONE:.*]] = kernel.dot_init by "multiply-add" : vector<16xf32>
// CHECK: %[[C:.*]]:3 = kernel.decode {{.*}} vector<16xf16>, vector<16xf16>, vector<16xf16>
// CHECK-COUNT-4: kernel.dot_step %[[NONE]], [%[[C]]#0, %[[C]]#1, %[[C]]#2]
// CHECK-COUNT-4: vector.store
// CHECK: }
// CHECK: kernel.decode
// CHECK-COUNT-3: kernel.dot_step
// CHECK-COUNT-3: vector.store
// CHECK-NOT: kernel.dot_step
func.func @tokens(%x: memref<7x3xf32>, %w: !plain, %out: memref<7x16xf32>) {
  lowbit.kernel outs(%out : memref<7x16xf32>) attributes {schedule = #kernel.schedule<lanes 16, tiles 3, tokens 4, dot "multiply-add">} {
    %r = bufferization.to_tensor %x restrict : memref<7x3xf32> to tensor<7x3xf32>
    %y = lowbit.linear %r, %w : (tensor<7x3xf32>, !plain) -> tensor<7x16xf32>
    lowbit.yield %y : tensor<7x16xf32>
  }
  return
}

!a4 = !lowbit.activation<1x4, #lowbit.format<int8, row, scale f32>>
!w4 = !lowbit.weight<16x4, #lowbit.format<int8, row, scale f32>, #kernel.layout<lanes 16, group 4>>
!wz = !lowbit.weight<16x4, #lowbit.format<int3, row, scale f32, zero_point>, #kernel.layout<lanes 16, group 4>>

// Linears that an operation joins share a loop; one that nothing joins has its own. Stored zero points are one per lane.
// CHECK-LABEL: func.func @joined(
// CHECK: scf.forall
// CHECK: kernel.decode
// CHECK: kernel.decode
// CHECK: arith.mulf %{{.*}}, %{{.*}} : vector<16xf32>
// CHECK: vector.store
// CHECK: scf.forall
// CHECK: kernel.decode_zeros %{{.*}} : vector<6xi8> -> vector<16xi32>
// CHECK: kernel.dot_init zero %{{.*}} : (vector<16xi32>, i32) -> vector<16xi32>
// CHECK: kernel.decode %{{[^,]*}}, %{{[^,]*}} {format = #lowbit.format<int3, row, scale f32, zero_point>}
// CHECK-NOT: scf.forall
func.func @joined(%codes: memref<1x4xi8>, %scales: memref<1x1xf32>, %sums: memref<1x1xi32>, %g: !w4, %u: !w4, %v: !wz,
                  %o1: memref<1x16xf32>, %o2: memref<1x16xf32>) {
  lowbit.kernel outs(%o1, %o2 : memref<1x16xf32>, memref<1x16xf32>) attributes {schedule = #kernel.schedule<lanes 16, tiles 3, tokens 4, dot "vpdpbusd.512">} {
    %a = kernel.activation %codes, %scales, %sums : memref<1x4xi8>, memref<1x1xf32>, memref<1x1xi32> -> !a4
    %1 = lowbit.linear %a, %g : (!a4, !w4) -> tensor<1x16xf32>
    %2 = lowbit.linear %a, %u : (!a4, !w4) -> tensor<1x16xf32>
    %3 = lowbit.linear %a, %v : (!a4, !wz) -> tensor<1x16xf32>
    %m = arith.mulf %1, %2 : tensor<1x16xf32>
    lowbit.yield %m, %3 : tensor<1x16xf32>, tensor<1x16xf32>
  }
  return
}

// A bias is loaded where the sums are, a vector of it for each tile.
// CHECK-LABEL: func.func @biased(
// CHECK: %[[B:.*]] = kernel.memory %{{.*}} : {{.*}} -> memref<?xf32
// CHECK: %[[V:.*]] = vector.load %[[B]]
// CHECK: %[[S:.*]] = arith.addf %{{.*}}, %[[V]] : vector<16xf32>
// CHECK: vector.store %[[S]]
func.func @biased(%x: memref<1x3xf32>, %w: !plain, %b: !lowbit.weight<16, #lowbit.format<f32>>, %out: memref<1x16xf32>) {
  lowbit.kernel outs(%out : memref<1x16xf32>) attributes {schedule = #kernel.schedule<lanes 16, tiles 3, tokens 4, dot "multiply-add">} {
    %r = bufferization.to_tensor %x restrict : memref<1x3xf32> to tensor<1x3xf32>
    %y = lowbit.linear %r, %w : (tensor<1x3xf32>, !plain) -> tensor<1x16xf32>
    %z = lowbit.add_bias %y, %b : tensor<1x16xf32>, !lowbit.weight<16, #lowbit.format<f32>>
    lowbit.yield %z : tensor<1x16xf32>
  }
  return
}
