// RUN: qopt %s --split-input-file --emit-variants | FileCheck %s
// RUN: not qopt %S/Inputs/no-phases.mlir --emit-variants 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: error: no function 'halftone_decode'

// The table has what each processor must have and the addresses of its phases and of its probes; its last entry is all
// null, and so is that of the probes.
// CHECK: llvm.func @halftone_decode() attributes {{.*}}target_cpu = "x86-64-v4", target_features = #llvm.target_features<["+avx512vnni"]>
// CHECK: llvm.func @halftone_decode.1() attributes {{.*}}target_cpu = "x86-64-v3"
// CHECK: llvm.mlir.global internal constant @halftone_features("{{.*}}+avx512vnni{{.*}}\00")
// CHECK: llvm.mlir.global internal constant @halftone_probe_0_instruction("a dot\00")
// CHECK: llvm.mlir.global internal constant @halftone_probes() {{.*}}: !llvm.array<2 x struct<(ptr, i64, ptr)>>
// CHECK: %[[NAME:.*]] = llvm.mlir.addressof @halftone_probe_0_instruction
// CHECK: llvm.insertvalue %[[NAME]], %{{.*}}[0, 0]
// CHECK: %[[COUNT:.*]] = llvm.mlir.constant(3072 : i64)
// CHECK: llvm.insertvalue %[[COUNT]], %{{.*}}[0, 1]
// CHECK: %[[PROBE:.*]] = llvm.mlir.addressof @halftone_probe_0
// CHECK: llvm.insertvalue %[[PROBE]], %{{.*}}[0, 2]
// CHECK: llvm.mlir.global internal constant @halftone_features.1("{{.*}}+avx2{{.*}}\00")
// CHECK: llvm.mlir.global internal constant @halftone_probes.1() {{.*}}: !llvm.array<1 x struct<(ptr, i64, ptr)>>
// CHECK: llvm.mlir.global external constant @halftone_variants() {{.*}}: !llvm.array<3 x struct<(ptr, ptr, ptr, ptr, ptr)>>
// CHECK: llvm.mlir.zero
// CHECK: %[[F:.*]] = llvm.mlir.addressof @halftone_features.1
// CHECK: llvm.insertvalue %[[F]], %{{.*}}[1, 0]
// CHECK: %[[S:.*]] = llvm.mlir.addressof @halftone_score.1
// CHECK: llvm.insertvalue %[[S]], %{{.*}}[1, 3]
// CHECK: %[[P:.*]] = llvm.mlir.addressof @halftone_probes.1
// CHECK: llvm.insertvalue %[[P]], %{{.*}}[1, 4]
// CHECK: llvm.return
#a = #kernel.target<"x86_64-unknown-linux-gnu", cpu "x86-64-v4", features "+avx512vnni", vector 512>
#b = #kernel.target<"x86_64-unknown-linux-gnu", cpu "x86-64-v3", features "", vector 256>
module attributes {halftone.targets = [#a, #b]} {
  llvm.func @halftone_decode() attributes {halftone.target = #a} { llvm.return }
  llvm.func @halftone_prefill() attributes {halftone.target = #a} { llvm.return }
  llvm.func @halftone_score() attributes {halftone.target = #a} { llvm.return }
  llvm.func @halftone_probe_0() attributes {halftone.target = #a, halftone.probe = "a dot", halftone.probe_operations = 3072 : i64} { llvm.return }
  llvm.func @halftone_decode.1() attributes {halftone.target = #b} { llvm.return }
  llvm.func @halftone_prefill.1() attributes {halftone.target = #b} { llvm.return }
  llvm.func @halftone_score.1() attributes {halftone.target = #b} { llvm.return }
}
