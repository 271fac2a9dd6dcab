// RUN: qopt %s --quantize-cache=format=int8 | FileCheck %s
// RUN: qopt %s --quantize-cache=format=int8 --quantize-cache=format=f32 | FileCheck %s --check-prefix=BACK
// RUN: qopt %s --quantize-cache=format=f16 | FileCheck %s --check-prefix=F16
// RUN: not qopt %s --quantize-cache=format=int3 2>&1 | FileCheck %s --check-prefix=INT3
// RUN: not qopt %s --quantize-cache=format=nothing 2>&1 | FileCheck %s --check-prefix=NAME
// A cache's format stands in its type: wherever that is named, it changes.

// INT3: error: C3: a cache is stored in f16 or in codes of 8 or 4 bits with one f32 scale a head, not in int3-g4-f32 with heads of 4 channels
// NAME: error: no element of formats is called 'nothing'

// CHECK: lowbit.cache @cache.0 : !lowbit.cache<heads 2, size 4, <int8, block 4, scale f32>>
// BACK: lowbit.cache @cache.0 : !lowbit.cache<heads 2, size 4>
// F16: lowbit.cache @cache.0 : !lowbit.cache<heads 2, size 4, <f16>>
lowbit.cache @cache.0 : !lowbit.cache<heads 2, size 4>

// CHECK: func.func private @block(%{{.*}}: tensor<?x8xf32>, %{{.*}}: index, %{{.*}}: !lowbit.cache<heads 2, size 4, <int8, block 4, scale f32>>)
func.func private @block(%x: tensor<?x8xf32>, %past: index, %c: !lowbit.cache<heads 2, size 4>) {
  // CHECK: lowbit.append {{.*}}, <heads 2, size 4, <int8, block 4, scale f32>>
  lowbit.append %x, %x to %c at %past : tensor<?x8xf32>, !lowbit.cache<heads 2, size 4>
  return
}

// CHECK: func.func @decode
func.func @decode(%x: tensor<?x8xf32>, %past: index) {
  // CHECK: lowbit.get @cache.0 : !lowbit.cache<heads 2, size 4, <int8, block 4, scale f32>>
  %c = lowbit.get @cache.0 : !lowbit.cache<heads 2, size 4>
  // CHECK: call @block({{.*}}) : (tensor<?x8xf32>, index, !lowbit.cache<heads 2, size 4, <int8, block 4, scale f32>>) -> ()
  call @block(%x, %past, %c) : (tensor<?x8xf32>, index, !lowbit.cache<heads 2, size 4>) -> ()
  return
}
