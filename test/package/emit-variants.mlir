// RUN: qopt %s --split-input-file --emit-variants | FileCheck %s
// RUN: not qopt %S/Inputs/no-phases.mlir --emit-variants 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: error: no function 'halftone_decode'

// The table has what each processor must have and the addresses of its phases; its last entry is all null.
// CHECK: llvm.func @halftone_decode() attributes {{.*}}target_cpu = "x86-64-v4", target_features = #llvm.target_features<["+avx512vnni"]>
// CHECK: llvm.func @halftone_decode.1() attributes {{.*}}target_cpu = "x86-64-v3"
// CHECK: llvm.mlir.global internal constant @halftone_features("{{.*}}+avx512vnni{{.*}}\00")
// CHECK: llvm.mlir.global internal constant @halftone_features.1("{{.*}}+avx2{{.*}}\00")
// CHECK: llvm.mlir.global external constant @halftone_variants() {{.*}}: !llvm.array<3 x struct<(ptr, ptr, ptr, ptr)>>
// CHECK: llvm.mlir.zero
// CHECK: %[[F:.*]] = llvm.mlir.addressof @halftone_features.1
// CHECK: llvm.insertvalue %[[F]], %{{.*}}[1, 0]
// CHECK: %[[S:.*]] = llvm.mlir.addressof @halftone_score.1
// CHECK: llvm.insertvalue %[[S]], %{{.*}}[1, 3]
// CHECK: llvm.return
#a = #kernel.target<"x86_64-unknown-linux-gnu", cpu "x86-64-v4", features "+avx512vnni", vector 512>
#b = #kernel.target<"x86_64-unknown-linux-gnu", cpu "x86-64-v3", features "", vector 256>
module attributes {halftone.targets = [#a, #b]} {
  llvm.func @halftone_decode() attributes {halftone.target = #a} { llvm.return }
  llvm.func @halftone_prefill() attributes {halftone.target = #a} { llvm.return }
  llvm.func @halftone_score() attributes {halftone.target = #a} { llvm.return }
  llvm.func @halftone_decode.1() attributes {halftone.target = #b} { llvm.return }
  llvm.func @halftone_prefill.1() attributes {halftone.target = #b} { llvm.return }
  llvm.func @halftone_score.1() attributes {halftone.target = #b} { llvm.return }
}
