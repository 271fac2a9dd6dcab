// RUN: qopt %s --lower-embedding | FileCheck %s
// The tile that holds the token's row is decoded, the row's lane taken out of it.

!w = !lowbit.weight<20x8, #lowbit.format<int4, block 8, scale f16>, #kernel.layout<lanes 16, group 4>>
!f = !lowbit.weight<20x2, #lowbit.format<bf16>, #kernel.layout<lanes 16, group 1>>

// CHECK-LABEL: func.func @codes(
// CHECK-SAME: %[[IDS:[^:]*]]: memref<3xi64>
func.func @codes(%ids: memref<3xi64>, %w: !w, %out: memref<3x8xf32>) {
  // CHECK: scf.forall (%[[T:.*]]) in (3) {
  // CHECK: %[[ID:.*]] = memref.load %[[IDS]][%[[T]]]
  // CHECK: %[[ROW:.*]] = arith.index_cast %[[ID]]
  // CHECK: %[[LANE:.*]] = arith.remui %[[ROW]]
  // CHECK: %[[TILE:.*]] = arith.divui %[[ROW]]
  // CHECK: %[[SCALE:.*]] = vector.extract %{{.*}}[%[[LANE]]] : f32 from vector<16xf32>
  // CHECK: %{{.*}}:2 = kernel.decode
  // CHECK: %[[CODE:.*]] = vector.extract %{{.*}} : i8 from vector<64xi8>
  // CHECK: %[[WIDE:.*]] = arith.extui %[[CODE]]
  // CHECK: %[[DISTANCE:.*]] = arith.subi %[[WIDE]]
  // CHECK: %[[VALUE:.*]] = arith.sitofp %[[DISTANCE]]
  // CHECK: arith.mulf %[[VALUE]], %[[SCALE]]
  // CHECK: memref.store
  // CHECK-COUNT-7: memref.store
  // CHECK-NOT: memref.store
  // CHECK: kernel.barrier
  lowbit.kernel outs(%out : memref<3x8xf32>) attributes {schedule = #kernel.schedule<lanes 16, tiles 3, tokens 4, dot "vpdpbusd.512">} {
    %t = bufferization.to_tensor %ids restrict : memref<3xi64> to tensor<3xi64>
    %1 = lowbit.embedding %t, %w : (tensor<3xi64>, !w) -> tensor<3x8xf32>
    lowbit.yield %1 : tensor<3x8xf32>
  }
  return
}

// CHECK-LABEL: func.func @plain(
// CHECK: vector.extract %{{.*}} : bf16 from vector<16xbf16>
// CHECK: arith.extf %{{.*}} : bf16 to f32
func.func @plain(%ids: memref<1xi64>, %w: !f, %out: memref<1x2xf32>) {
  lowbit.kernel outs(%out : memref<1x2xf32>) attributes {schedule = #kernel.schedule<lanes 16, tiles 3, tokens 4, dot "multiply-add">} {
    %t = bufferization.to_tensor %ids restrict : memref<1xi64> to tensor<1xi64>
    %1 = lowbit.embedding %t, %w : (tensor<1xi64>, !f) -> tensor<1x2xf32>
    lowbit.yield %1 : tensor<1x2xf32>
  }
  return
}
