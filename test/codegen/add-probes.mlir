// RUN: qopt %s --add-probes | FileCheck %s
// RUN: qopt %s --add-probes --lower-dot | FileCheck %s --check-prefix=LOWERED
// A probe for each instruction of a target: its register tile of steps, whose operands come from memory in turn.

// 3 tiles of 8 tokens, 64 products each: 2 * 24 * 64 operations.
// CHECK: func.func @halftone_probe_0(%[[MEMORY:.*]]: memref<{{[0-9]*}}xi8>, %[[N:.*]]: index) attributes {halftone.probe = "vpdpbusd.512", halftone.probe_operations = 3072 : i64, halftone.target = #[[A:.*]]}
// CHECK-COUNT-24: vector.load {{.*}} vector<16xi32>
// CHECK: scf.for %{{.*}} = %{{.*}} to %[[N]] step %{{.*}} iter_args(%[[ROUND:.*]] = %{{.*}}
// CHECK-COUNT-3: vector.load {{.*}} vector<64xi8>
// CHECK-COUNT-8: vector.load {{.*}} vector<4xi8>
// CHECK: arith.select
// The levels of the smallest codes.
// CHECK-COUNT-24: kernel.dot_step {{.*}} by "vpdpbusd.512" {highest = 7 : i64}
// CHECK: scf.yield
// CHECK-COUNT-24: vector.store
// LOWERED-COUNT-24: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
//
// CHECK: func.func @halftone_probe_1({{.*}} attributes {halftone.probe = "multiply-add"
// CHECK-SAME: halftone.target = #[[A]]}
// CHECK: memref.view {{.*}} to memref<{{[0-9]*}}xf32>
// CHECK: kernel.dot_step {{.*}} by "multiply-add" {highest = 0 : i64}
//
// CHECK: func.func @halftone_probe_0.1({{.*}} attributes {halftone.probe = "pmaddubsw.256"
// CHECK-SAME: halftone.target = #[[B:.*]]}
// Activations wider than levels.
// CHECK: func.func @halftone_probe_1.1({{.*}} attributes {halftone.probe = "multiply-add-f16"
// CHECK: vector.load {{.*}} memref<{{[0-9]*}}xf16>, vector<8xf16>
// CHECK: vector.load {{.*}} memref<{{[0-9]*}}xf32>, vector<1xf32>
// CHECK-NOT: halftone_probe_2
#a = #kernel.target<"x86_64-unknown-linux-gnu", cpu "x86-64-v4", features "+avx512vnni", vector 512>
#b = #kernel.target<"x86_64-unknown-linux-gnu", cpu "x86-64-v3", features "", vector 256>
module attributes {halftone.targets = [#a, #b]} {
  func.func @f(%acc: vector<16xi32>, %l: vector<64xi8>, %x: vector<4xi8>, %sum: vector<16xf32>, %w: vector<16xf32>, %y: vector<1xf32>) attributes {halftone.target = #a} {
    %0 = kernel.dot_step %acc, [%l], [%x] by "vpdpbusd.512" {highest = 255 : i64} : vector<16xi32>, vector<64xi8>, vector<4xi8>
    %1 = kernel.dot_step %acc, [%l], [%x] by "vpdpbusd.512" {highest = 7 : i64} : vector<16xi32>, vector<64xi8>, vector<4xi8>
    %2 = kernel.dot_step %sum, [%w], [%y] by "multiply-add" {highest = 0 : i64} : vector<16xf32>, vector<16xf32>, vector<1xf32>
    return
  }
  func.func @f.1(%acc: vector<16xi32>, %l: vector<64xi8>, %x: vector<4xi8>, %sum: vector<8xf32>, %w: vector<8xf16>, %y: vector<1xf32>) attributes {halftone.target = #b} {
    %0 = kernel.dot_step %acc, [%l], [%x] by "pmaddubsw.256" {highest = 15 : i64} : vector<16xi32>, vector<64xi8>, vector<4xi8>
    %1 = kernel.dot_step %sum, [%w], [%y] by "multiply-add-f16" {highest = 0 : i64} : vector<8xf32>, vector<8xf16>, vector<1xf32>
    return
  }
}
