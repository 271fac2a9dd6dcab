// RUN: qopt %s --emit-model=symbol=stories | FileCheck %s
// RUN: not qopt %s --emit-model 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not qopt %s --emit-model=symbol=taken 2>&1 | FileCheck %s --check-prefix=TAKEN
// RUN: echo 'module {}' | not qopt --emit-model=symbol=stories 2>&1 | FileCheck %s --check-prefix=NOTHING
// NONE: error: symbol: '' is no name
// TAKEN: error: symbol: 'taken' is the name of something else
// NOTHING: error: no constant 'halftone_facts'

// Only the model's constant is seen from outside; weights and barrier come from elsewhere.
// CHECK: llvm.func @halftone_barrier(!llvm.ptr, i64, i64)
// CHECK: llvm.func internal @halftone_decode()
// CHECK: llvm.mlir.global internal constant @halftone_facts
// CHECK: llvm.mlir.global internal constant @halftone_variants
// CHECK: llvm.mlir.global external hidden constant @stories_weights() {{.*}}: !llvm.array<0 x i8>
// CHECK: llvm.mlir.global external constant @stories() {{.*}}: !llvm.struct<(ptr, ptr, ptr)> {
// CHECK: %[[FACTS:.*]] = llvm.mlir.addressof @halftone_facts
// CHECK: llvm.insertvalue %[[FACTS]], %{{.*}}[0]
// CHECK: %[[VARIANTS:.*]] = llvm.mlir.addressof @halftone_variants
// CHECK: llvm.insertvalue %[[VARIANTS]], %{{.*}}[1]
// CHECK: %[[WEIGHTS:.*]] = llvm.mlir.addressof @stories_weights
// CHECK: llvm.insertvalue %[[WEIGHTS]], %{{.*}}[2]
llvm.func @halftone_barrier(!llvm.ptr, i64, i64)
llvm.func @halftone_decode() { llvm.return }
llvm.mlir.global internal constant @taken(1 : i64) : i64
llvm.mlir.global external constant @halftone_facts(1 : i64) : i64
llvm.mlir.global external constant @halftone_variants(2 : i64) : i64
