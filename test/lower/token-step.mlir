// RUN: qopt %s --lower-rows --lower-attention --lower-linear --split-threads --canonicalize --cse --plan-memory --bind-memory | FileCheck %s
// A function whose calls may have fewer tokens than its types say computes those it is called with, and hands their number on.

!plain = !lowbit.weight<16x4, #lowbit.format<f32>, #kernel.layout<lanes 16, group 1>>

lowbit.weight @w : !plain in "w" at 0
lowbit.cache @cache : !lowbit.cache<heads 1, size 4>

// Arguments: weights, cache, team, thread, threads, then the number of tokens.
// CHECK-LABEL: func.func @some(
// CHECK-SAME: %{{[^:]*}}: memref<{{[0-9]*}}xi8>, %{{[^:]*}}: memref<{{[0-9]*}}xi8>, %{{[^:]*}}: !llvm.ptr, %[[THREAD:[^:]*]]: index, %[[THREADS:[^:]*]]: index, %[[TOKENS:[^:]*]]: index
func.func @some(%x: memref<16x4xf32>, %past: index, %y: memref<16x4xf32>, %z: memref<16x16xf32>) attributes {halftone.token_step = 8 : i64} {
  %cache = lowbit.get @cache : !lowbit.cache<heads 1, size 4>
  %w = lowbit.get @w : !plain
  // Rows: this thread's share of the tokens.
  // CHECK: %[[PART:.*]] = arith.muli %[[TOKENS]], %[[THREAD]]
  // CHECK: arith.divui %[[PART]], %[[THREADS]]
  // CHECK: call @halftone_barrier
  lowbit.kernel outs(%y : memref<16x4xf32>) attributes {schedule = #kernel.schedule<lanes 16, tiles 3, tokens 8, dot "multiply-add">} {
    %1 = bufferization.to_tensor %x restrict : memref<16x4xf32> to tensor<16x4xf32>
    %2 = arith.addf %1, %1 : tensor<16x4xf32>
    lowbit.yield %2 : tensor<16x4xf32>
  }
  // Attention: in groups of four.
  // CHECK: arith.divui %[[TOKENS]], %c4
  // CHECK: call @halftone_barrier
  lowbit.kernel outs(%y : memref<16x4xf32>) attributes {schedule = #kernel.schedule<lanes 16, tiles 3, tokens 8, dot "multiply-add">} {
    %1 = bufferization.to_tensor %x restrict : memref<16x4xf32> to tensor<16x4xf32>
    %2 = lowbit.attention %1, %cache at %past heads 1 scale 0.5 : tensor<16x4xf32>, !lowbit.cache<heads 1, size 4>
    lowbit.yield %2 : tensor<16x4xf32>
  }
  // A linear: groups of the schedule's.
  // CHECK: scf.for %{{.*}} = %c0 to %[[TOKENS]] step %c8
  // CHECK: call @halftone_barrier
  lowbit.kernel outs(%z : memref<16x16xf32>) attributes {schedule = #kernel.schedule<lanes 16, tiles 3, tokens 8, dot "multiply-add">} {
    %1 = bufferization.to_tensor %x restrict : memref<16x4xf32> to tensor<16x4xf32>
    %2 = lowbit.linear %1, %w : (tensor<16x4xf32>, !plain) -> tensor<16x16xf32>
    lowbit.yield %2 : tensor<16x16xf32>
  }
  return
}

// CHECK-LABEL: func.func @caller(
// CHECK-SAME: %{{[^:]*}}: index, %{{[^:]*}}: index, %[[COUNT:[^:]*]]: index
// CHECK: call @some(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %[[COUNT]],
func.func @caller(%x: memref<16x4xf32>, %past: index, %y: memref<16x4xf32>, %z: memref<16x16xf32>) attributes {halftone.token_step = 8 : i64} {
  call @some(%x, %past, %y, %z) : (memref<16x4xf32>, index, memref<16x4xf32>, memref<16x16xf32>) -> ()
  return
}
