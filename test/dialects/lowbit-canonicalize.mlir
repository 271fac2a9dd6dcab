// RUN: qopt %s --canonicalize --cse | FileCheck %s
// What the effects of the lowbit operations allow: dead ones go, equal ones meet, writes stay.

lowbit.weight @w : !lowbit.weight<8x8, #lowbit.format<f32>> in "m.bin" at 0
lowbit.cache @cache.0 : !lowbit.cache<heads 1, size 8>

// A kernel that writes to its outs is not dead, though what it computes is pure.
// CHECK-LABEL: func.func @outs
func.func @outs(%x: tensor<1x8xf32>, %out: memref<1x8xf32>) {
  // CHECK: lowbit.kernel outs(%{{.*}} : memref<1x8xf32>)
  // CHECK: arith.negf
  lowbit.kernel outs(%out : memref<1x8xf32>) {
    %0 = arith.negf %x : tensor<1x8xf32>
    lowbit.yield %0 : tensor<1x8xf32>
  }
  return
}

// CHECK-LABEL: func.func @dead
func.func @dead(%x: tensor<1x8xf32>) {
  // CHECK-NOT: lowbit.kernel
  %y = lowbit.kernel {
    %0 = arith.negf %x : tensor<1x8xf32>
    lowbit.yield %0 : tensor<1x8xf32>
  } : tensor<1x8xf32>
  // CHECK: return
  return
}

// Results that nobody reads go, and with them what only they needed; attributes stay.
// CHECK-LABEL: func.func @unread
func.func @unread(%x: tensor<1x8xf32>) -> tensor<1x8xf32> {
  // CHECK: %[[Y:.*]] = lowbit.kernel attributes {name = "k"} {
  // CHECK-NEXT: %[[SIN:.*]] = math.sin
  // CHECK-NEXT: lowbit.yield %[[SIN]] : tensor<1x8xf32>
  // CHECK-NEXT: } : tensor<1x8xf32>
  // CHECK-NEXT: return %[[Y]]
  %y:3 = lowbit.kernel attributes {name = "k"} {
    %0 = math.cos %x : tensor<1x8xf32>
    %1 = math.sin %x : tensor<1x8xf32>
    %2 = arith.negf %0 : tensor<1x8xf32>
    lowbit.yield %0, %1, %2 : tensor<1x8xf32>, tensor<1x8xf32>, tensor<1x8xf32>
  } : tensor<1x8xf32>, tensor<1x8xf32>, tensor<1x8xf32>
  return %y#1 : tensor<1x8xf32>
}

// A kernel that fills a cache stays for it, without a result.
// CHECK-LABEL: func.func @effect
func.func @effect(%x: tensor<1x8xf32>, %past: index) {
  %cache = lowbit.get @cache.0 : !lowbit.cache<heads 1, size 8>
  // CHECK: lowbit.kernel {
  // CHECK-NEXT: lowbit.append
  // CHECK-NEXT: lowbit.yield{{$}}
  // CHECK-NEXT: }{{$}}
  %y = lowbit.kernel {
    %0 = arith.negf %x : tensor<1x8xf32>
    lowbit.append %x, %x to %cache at %past : tensor<1x8xf32>, !lowbit.cache<heads 1, size 8>
    lowbit.yield %0 : tensor<1x8xf32>
  } : tensor<1x8xf32>
  return
}

// Two handles of one weight are one.
// CHECK-LABEL: func.func @get
func.func @get(%x: tensor<1x8xf32>) -> tensor<1x8xf32> {
  // CHECK-COUNT-1: lowbit.get @w
  // CHECK-NOT: lowbit.get
  %a = lowbit.get @w : !lowbit.weight<8x8, #lowbit.format<f32>>
  %b = lowbit.get @w : !lowbit.weight<8x8, #lowbit.format<f32>>
  %0 = lowbit.linear %x, %a : (tensor<1x8xf32>, !lowbit.weight<8x8, #lowbit.format<f32>>) -> tensor<1x8xf32>
  %1 = lowbit.linear %0, %b : (tensor<1x8xf32>, !lowbit.weight<8x8, #lowbit.format<f32>>) -> tensor<1x8xf32>
  return %1 : tensor<1x8xf32>
}

// A cache is memory: what is read before and after an append differs.
// CHECK-LABEL: func.func @cache
func.func @cache(%x: tensor<1x8xf32>, %past: index) -> (tensor<1x8xf32>, tensor<1x8xf32>) {
  %cache = lowbit.get @cache.0 : !lowbit.cache<heads 1, size 8>
  // CHECK: lowbit.attention
  // CHECK: lowbit.append
  // CHECK: lowbit.attention
  %a = lowbit.attention %x, %cache at %past heads 1 scale 1.0 : tensor<1x8xf32>, !lowbit.cache<heads 1, size 8>
  lowbit.append %x, %x to %cache at %past : tensor<1x8xf32>, !lowbit.cache<heads 1, size 8>
  %b = lowbit.attention %x, %cache at %past heads 1 scale 1.0 : tensor<1x8xf32>, !lowbit.cache<heads 1, size 8>
  return %a, %b : tensor<1x8xf32>, tensor<1x8xf32>
}
