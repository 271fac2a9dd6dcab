// RUN: qopt %s --pass-results | FileCheck %s --check-prefix=PASS
// RUN: qopt %s --pass-results --eliminate-empty-tensors --bufferize-function | FileCheck %s --check-prefix=BUFFERS
// RUN: qopt %s --pass-results --eliminate-empty-tensors --bufferize-function --outline-loops | FileCheck %s --check-prefix=LOOPS
// RUN: qopt %s --pass-results --eliminate-empty-tensors --bufferize-function --outline-loops --duplicate-function-elimination \
// RUN:   | FileCheck %s --check-prefix=ONCE
// The borders of a function become the caller's memory, results are computed where they go, and equal loops are one function.

// PASS-LABEL: func.func @twice
// PASS-SAME: (%[[X:.*]]: memref<4xf32>, %[[NONE:.*]]: memref<1xf32>, %[[Y:.*]]: memref<4xf32>, %[[Z:.*]]: memref<4xf32>, %{{.*}}: memref<1xf32>)
// PASS: bufferization.to_tensor %[[X]] restrict : memref<4xf32>
// PASS-NOT: to_tensor %[[NONE]]
// PASS: bufferization.materialize_in_destination %{{.*}} in restrict writable %[[Y]]
// PASS: bufferization.materialize_in_destination %{{.*}} in restrict writable %[[Z]]
// PASS-NOT: materialize_in_destination
// PASS: return{{$}}

// Both results are written where they go, the second from the first, and neither by a call of a library.
// BUFFERS-LABEL: func.func @twice
// BUFFERS-NOT: memref.copy
// BUFFERS-NOT: memref.alloc
// BUFFERS-COUNT-2: linalg.generic
// BUFFERS-NOT: linalg.generic
// BUFFERS: return

// LOOPS: func.func private @loops_0({{.*}}) attributes {passthrough = ["noinline"]}
// LOOPS: linalg.generic
// LOOPS: func.func private @loops_1
// LOOPS-LABEL: func.func @twice
// LOOPS-NOT: linalg.generic
// LOOPS: call @loops_0
// LOOPS: call @loops_1

// ONCE: func.func private @[[F:loops_[0-9]+]]
// ONCE: arith.constant 2.0
// ONCE-LABEL: func.func @twice
// ONCE: call @[[F]](
// ONCE: call @[[F]](

#map = affine_map<(d0) -> (d0)>
func.func @twice(%x: tensor<4xf32>, %none: tensor<0xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<0xf32>) {
  %two = arith.constant 2.0 : f32
  %0 = tensor.empty() : tensor<4xf32>
  %1 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%0 : tensor<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %4 = arith.mulf %in, %two : f32
    linalg.yield %4 : f32
  } -> tensor<4xf32>
  %2 = tensor.empty() : tensor<4xf32>
  %3 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%1 : tensor<4xf32>) outs(%2 : tensor<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %4 = arith.mulf %in, %two : f32
    linalg.yield %4 : f32
  } -> tensor<4xf32>
  return %1, %3, %none : tensor<4xf32>, tensor<4xf32>, tensor<0xf32>
}

// What two results begin with is made for each: it becomes the memory of one of them.
// BUFFERS-LABEL: func.func @shared
// BUFFERS-SAME: (%[[A:.*]]: memref<4xf32>, %[[B:.*]]: memref<4xf32>)
// BUFFERS-NOT: memref.alloc
// BUFFERS-DAG: linalg.fill {{.*}} outs(%[[A]]
// BUFFERS-DAG: linalg.fill {{.*}} outs(%[[B]]
func.func @shared() -> (tensor<4xf32>, tensor<4xf32>) {
  %zero = arith.constant 0.0 : f32
  %a = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %b = arith.constant dense<[3.0, 4.0]> : tensor<2xf32>
  %0 = tensor.empty() : tensor<4xf32>
  %1 = linalg.fill ins(%zero : f32) outs(%0 : tensor<4xf32>) -> tensor<4xf32>
  %2 = tensor.insert_slice %a into %1[1] [2] [1] : tensor<2xf32> into tensor<4xf32>
  %3 = tensor.insert_slice %b into %1[1] [2] [1] : tensor<2xf32> into tensor<4xf32>
  return %2, %3 : tensor<4xf32>, tensor<4xf32>
}
