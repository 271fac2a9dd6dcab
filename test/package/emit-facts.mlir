// RUN: qopt %s --emit-facts="weights-bytes=100 tokenizer-bytes=20 info-bytes=30" | FileCheck %s
// RUN: qopt %s --emit-facts="weights-bytes=128 info-bytes=30" | FileCheck %s --check-prefix=NONE
// The facts stand in the order of the struct in include/halftone/model.h; each part of the segment is 64-byte aligned.

// CHECK: llvm.mlir.global external constant @halftone_facts
// CHECK-SAME: dense<[3, 512, 256, 32, 8, 4096, 16, 8192, 260032, 146268, 110592, 520064, 222, 128, 20, 192, 30]> : tensor<17xi64>
// CHECK-SAME: alignment = 8
// CHECK-SAME: !llvm.array<17 x i64>

// Without a tokenizer its size is 0.
// NONE: dense<[3, 512, 256, 32, 8, 4096, 16, 8192, 260032, 146268, 110592, 520064, 158, 128, 0, 128, 30]>
module attributes {
  halftone.vocabulary = 512 : i64, halftone.context = 256 : i64, halftone.chunk = 32 : i64, halftone.token_step = 8 : i64,
  halftone.arena_bytes = 4096 : i64, halftone.cache_positions = 16 : i64, halftone.cache_bytes = 8192 : i64,
  halftone.parameters = 260032 : i64, halftone.weight_bytes = 146268 : i64, halftone.decode_bytes = 110592 : i64,
  halftone.prefill_operations = 520064 : i64
} {
}
