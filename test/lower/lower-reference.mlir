// RUN: qopt %s --split-input-file --lower-reference --canonicalize | FileCheck %s
// RUN: not qopt %S/Inputs/unknown-operation.mlir --lower-reference 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// The oracle: one element at a time, no fused multiply-add, no vector.

// UNKNOWN: error: {{.*}}has no reference lowering

// CHECK-NOT: vector<
// CHECK-NOT: fastmath
// CHECK-NOT: lowbit.kernel

!a = !lowbit.activation<2x40, #lowbit.format<int8, block 32, scale f32>>
!w = !lowbit.weight<20x40, #lowbit.format<int4, block 32, scale f16>, #kernel.unpacked>

// CHECK-LABEL: func.func @integer(
// CHECK-SAME: %[[CODES:[^:]*]]: memref<2x64xi8>, %[[SCALES:[^:]*]]: memref<2x2xf32>
func.func @integer(%codes: memref<2x64xi8>, %scales: memref<2x2xf32>, %sums: memref<2x2xi32>, %w: !w, %out: memref<2x20xf32>) {
  // CHECK: %[[FLOATS:.*]] = kernel.memory %{{.*}} -> memref<?xf32
  // CHECK: %[[BYTES:.*]] = kernel.memory %{{.*}} -> memref<?xi8
  // CHECK: scf.forall (%[[N:.*]]) in (20) {
  // CHECK: scf.for %[[T:.*]] =
  // CHECK: %[[Y:.*]] = scf.for %[[B:.*]] = %{{.*}} iter_args(%[[TOTAL:.*]] = %{{.*}}) -> (f32) {
  // CHECK: %[[DOT:.*]] = scf.for %{{.*}} iter_args(%[[ACC:.*]] = %{{.*}}) -> (i32) {
  // CHECK: %[[X8:.*]] = memref.load %[[CODES]][%[[T]]
  // CHECK: %[[X:.*]] = arith.extsi %[[X8]]
  // CHECK: %[[CODE8:.*]] = memref.load %[[BYTES]]
  // CHECK: %[[ZERO8:.*]] = memref.load %[[BYTES]]
  // CHECK: %[[CODE:.*]] = arith.extui %[[CODE8]]
  // CHECK: %[[ZERO:.*]] = arith.extui %[[ZERO8]]
  // CHECK: %[[DISTANCE:.*]] = arith.subi %[[CODE]], %[[ZERO]]
  // CHECK: %[[PRODUCT:.*]] = arith.muli %[[DISTANCE]], %[[X]]
  // CHECK: %[[NEXT:.*]] = arith.addi %[[ACC]], %[[PRODUCT]]
  // CHECK: scf.yield %[[NEXT]]
  // CHECK: %[[WS:.*]] = memref.load %[[FLOATS]]
  // CHECK: %[[XS:.*]] = memref.load %[[SCALES]][%[[T]], %[[B]]]
  // CHECK: %[[SCALE:.*]] = arith.mulf %[[WS]], %[[XS]] : f32
  // CHECK: %[[F:.*]] = arith.sitofp %[[DOT]]
  // CHECK: %[[P:.*]] = arith.mulf %[[F]], %[[SCALE]] : f32
  // CHECK: %[[S:.*]] = arith.addf %[[TOTAL]], %[[P]] : f32
  // CHECK: memref.store %[[Y]], %{{.*}}[%[[T]], %[[N]]]
  // CHECK: kernel.barrier
  lowbit.kernel outs(%out : memref<2x20xf32>) {
    %a = kernel.activation %codes, %scales, %sums : memref<2x64xi8>, memref<2x2xf32>, memref<2x2xi32> -> !a
    %y = lowbit.linear %a, %w : (!a, !w) -> tensor<2x20xf32>
    lowbit.yield %y : tensor<2x20xf32>
  }
  return
}

// -----

// A value that stays in a fused kernel has memory of its own, written before a barrier and read after it.
// CHECK-LABEL: func.func @fused(
// CHECK: %[[NORM:.*]] = memref.alloc() : memref<2x8xf32>
// CHECK: scf.forall
// CHECK: math.sqrt
// CHECK: memref.store %{{.*}}, %[[NORM]]
// CHECK: kernel.barrier
// CHECK: memref.load %[[NORM]]
// CHECK: kernel.barrier
func.func @fused(%x: memref<2x8xf32>, %out: memref<2x8xf32>) {
  lowbit.kernel outs(%out : memref<2x8xf32>) {
    %1 = bufferization.to_tensor %x restrict : memref<2x8xf32> to tensor<2x8xf32>
    %2 = lowbit.rms_norm %1 epsilon 1.0e-05 : tensor<2x8xf32>
    %3 = arith.negf %2 : tensor<2x8xf32>
    lowbit.yield %3 : tensor<2x8xf32>
  }
  return
}

// -----

// Tables and matrices with f32 activations decode to f32: plain elements are read as they are.
// CHECK-LABEL: func.func @decoded(
// CHECK: arith.index_cast
// CHECK: arith.subi %{{.*}} : i32
// CHECK: arith.sitofp
// CHECK: arith.mulf
// CHECK: memref.store
// CHECK: kernel.barrier
// CHECK: scf.for %{{.*}} iter_args
// CHECK-NOT: arith.sitofp
// CHECK: arith.mulf
// CHECK: arith.addf
func.func @decoded(%ids: memref<1xi64>, %table: !lowbit.weight<4x8, #lowbit.format<int4, block 8, scale f16>, #kernel.unpacked>,
                   %x: memref<1x8xf32>, %w: !lowbit.weight<4x8, #lowbit.format<f32>, #kernel.unpacked>, %o1: memref<1x8xf32>, %o2: memref<1x4xf32>) {
  lowbit.kernel outs(%o1 : memref<1x8xf32>) {
    %t = bufferization.to_tensor %ids restrict : memref<1xi64> to tensor<1xi64>
    %1 = lowbit.embedding %t, %table : (tensor<1xi64>, !lowbit.weight<4x8, #lowbit.format<int4, block 8, scale f16>, #kernel.unpacked>) -> tensor<1x8xf32>
    lowbit.yield %1 : tensor<1x8xf32>
  }
  lowbit.kernel outs(%o2 : memref<1x4xf32>) {
    %t = bufferization.to_tensor %x restrict : memref<1x8xf32> to tensor<1x8xf32>
    %1 = lowbit.linear %t, %w : (tensor<1x8xf32>, !lowbit.weight<4x8, #lowbit.format<f32>, #kernel.unpacked>) -> tensor<1x4xf32>
    lowbit.yield %1 : tensor<1x4xf32>
  }
  return
}

// -----

// What is appended behind the tokens that there are could lie behind the cache.
lowbit.cache @cache : !lowbit.cache<heads 2, size 4>
// CHECK-LABEL: func.func @some(
func.func @some(%x: memref<16x8xf32>, %past: index, %y: memref<16x8xf32>) attributes {halftone.token_step = 8 : i64} {
  %cache = lowbit.get @cache : !lowbit.cache<heads 2, size 4>
  // CHECK: %[[TOKENS:.*]] = kernel.tokens
  // CHECK: %[[HEADS:.*]] = arith.muli %[[TOKENS]], %c2
  // CHECK: scf.forall (%{{.*}}) in (%[[HEADS]])
  // CHECK: %[[ROWS:.*]] = kernel.tokens
  // CHECK: scf.forall (%{{.*}}) in (%[[ROWS]])
  lowbit.kernel outs(%y : memref<16x8xf32>) {
    %1 = bufferization.to_tensor %x restrict : memref<16x8xf32> to tensor<16x8xf32>
    lowbit.append %1, %1 to %cache at %past : tensor<16x8xf32>, !lowbit.cache<heads 2, size 4>
    %2 = arith.addf %1, %1 : tensor<16x8xf32>
    lowbit.yield %2 : tensor<16x8xf32>
  }
  return
}
