// RUN: qopt %s --split-input-file --split-targets | FileCheck %s
// Every function once per target, calls within a target; weights and caches stay one.

#a = #kernel.target<"x86_64-unknown-linux-gnu", cpu "x86-64-v4", features "+avx512vnni", vector 512>
#b = #kernel.target<"x86_64-unknown-linux-gnu", cpu "x86-64-v3", features "", vector 256>
module attributes {halftone.targets = [#a, #b]} {
  // CHECK-COUNT-1: lowbit.weight @w
  lowbit.weight @w : !lowbit.weight<8x8, #lowbit.format<f32>> in "weights" at 0
  // CHECK: func.func private @outside()
  func.func private @outside()
  // CHECK: func.func private @block() attributes {halftone.target = #kernel.target<{{.*}} cpu "x86-64-v4", {{.*}}>}
  func.func private @block() {
    // CHECK: call @outside
    call @outside() : () -> ()
    return
  }
  // CHECK: func.func @decode() attributes {halftone.target = #kernel.target<{{.*}} cpu "x86-64-v4", {{.*}}>}
  // CHECK: call @block()
  func.func @decode() {
    call @block() : () -> ()
    return
  }
  // CHECK: func.func private @block.1() attributes {halftone.target = #kernel.target<{{.*}} cpu "x86-64-v3", {{.*}}>}
  // CHECK: call @outside
  // CHECK: func.func @decode.1() attributes {halftone.target = #kernel.target<{{.*}} cpu "x86-64-v3", {{.*}}>}
  // CHECK: call @block.1()
  // CHECK-NOT: func.func
}

// -----

// One target stays with the module.
// CHECK: module attributes {halftone.target = #
// CHECK: func.func @decode() {
module attributes {halftone.target = #kernel.target<"x86_64-unknown-linux-gnu", cpu "x86-64-v3", features "", vector 256>} {
  func.func @decode() {
    return
  }
}
