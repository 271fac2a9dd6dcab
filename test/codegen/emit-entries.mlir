// RUN: qopt %s --emit-entries | FileCheck %s
// RUN: qopt %s --emit-entries --symbol-dce | FileCheck %s --check-prefix=KEPT
// Each phase under the name and with the arguments of halftone/model.h; the other functions become internal.

// CHECK: module attributes {halftone.vocabulary = 512 : i64}
// KEPT: func.func private @score
// KEPT: func.func @halftone_score

// CHECK: func.func private @decode(
// CHECK-SAME: attributes {llvm.linkage = #llvm.linkage<internal>}
func.func @decode(%w: memref<70368744177664xi8>, %c: memref<70368744177664xi8>, %team: !llvm.ptr, %i: index, %n: index,
                  %a: memref<70368744177664xi8>, %t: memref<1xi64>, %past: index, %out: memref<1x512xf32>) {
  return
}
// CHECK: func.func private @prefill(
func.func @prefill(%w: memref<70368744177664xi8>, %c: memref<70368744177664xi8>, %team: !llvm.ptr, %i: index, %n: index,
                   %count: index, %a: memref<70368744177664xi8>, %t: memref<32xi64>, %past: index)
    attributes {halftone.token_step = 8 : i64} {
  return
}
// CHECK: func.func private @score(
func.func @score(%w: memref<70368744177664xi8>, %c: memref<70368744177664xi8>, %team: !llvm.ptr, %i: index, %n: index,
                 %count: index, %a: memref<70368744177664xi8>, %t: memref<32xi64>, %past: index, %out: memref<32x512xf32>)
    attributes {halftone.token_step = 8 : i64} {
  return
}

// weights, arena, cache, tokens, their count, logits, past, team, thread, threads
// CHECK: func.func @halftone_decode(
// CHECK-SAME: %[[W:[^:]*]]: memref<{{[0-9]*}}xi8>, %[[A:[^:]*]]: memref<{{[0-9]*}}xi8>, %[[C:[^:]*]]: memref<{{[0-9]*}}xi8>
// CHECK-SAME: %[[T:[^:]*]]: memref<1xi64>, %{{[^:]*}}: index, %[[L:[^:]*]]: memref<1x512xf32>, %[[P:[^:]*]]: index, %[[TEAM:[^:]*]]: !llvm.ptr
// CHECK-SAME: %[[I:[^:]*]]: index, %[[N:[^:]*]]: index)
// CHECK: call @decode(%[[W]], %[[C]], %[[TEAM]], %[[I]], %[[N]], %[[A]], %[[T]], %[[P]], %[[L]])

// prefill has the same arguments and does not touch the logits.
// CHECK: func.func @halftone_prefill(
// CHECK-SAME: memref<32xi64>, %[[COUNT:[^:]*]]: index, %[[L:[^:]*]]: !llvm.ptr, %[[P:[^:]*]]: index
// CHECK: call @prefill({{.*}}, %[[COUNT]], {{.*}}, %[[P]])
// CHECK: return
// CHECK: func.func @halftone_score(
// CHECK-SAME: memref<32xi64>, %[[COUNT:[^:]*]]: index, %{{[^:]*}}: memref<32x512xf32>
