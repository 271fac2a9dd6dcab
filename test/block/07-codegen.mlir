// The short last block of the kernel in 06-lower.mlir, halfway through the codegen stage: decode became shifts and masks,
// dot the processor's instruction. What follows is upstream's way to the LLVM dialect, where a person sees no more.
// Written by hand: the aim, and the test of the syntax and of the passes.

// It reads as it prints.
// RUN: rm -rf %t && mkdir %t
// RUN: qopt %s > %t/wanted.mlir
// RUN: qopt %t/wanted.mlir | diff %t/wanted.mlir -
// RUN: FileCheck %s < %t/wanted.mlir

// The passes make the same of 06-lower.mlir; then no kernel operation is left, and all of it becomes LLVM's dialect.
// RUN: qopt %S/06-lower.mlir --lower-decode --lower-lookup --lower-dot --approximate-math --canonicalize --cse > %t/expanded.mlir
// RUN: FileCheck %s < %t/expanded.mlir
// RUN: not grep 'kernel\.[a-z_]* ' %t/expanded.mlir

// The 12 columns begin 5 * 288 bytes into the tile: two lines, three vectors of codes.
// CHECK: %[[AT:.*]] = arith.addi %{{.*}}, %c1440 : index
// CHECK: %[[SUM:.*]] = memref.load {{.*}} memref<1x6xi32>
// CHECK: %[[EIGHTFOLD:.*]] = arith.muli %[[SUM]], %c8_i32 : i32
// CHECK: %[[MINUS:.*]] = arith.subi %c0_i32, %[[EIGHTFOLD]] : i32
// CHECK: %[[START:.*]] = vector.broadcast %[[MINUS]] : i32 to vector<16xi32>
// CHECK: %[[L0:.*]] = vector.load %{{.*}}[%[[AT]]]
// CHECK: %[[L1:.*]] = vector.load
// CHECK: %[[C0:.*]] = arith.andi %[[L0]], %[[NIBBLES:.*]] : vector<64xi8>
// CHECK: %[[C1:.*]] = arith.shrui %[[L0]]
// CHECK: %[[C2:.*]] = arith.andi %[[L1]], %[[NIBBLES]]
// CHECK: vector.load {{.*}}%c160] : memref<1x172xi8>, vector<4xi8>
// CHECK: vector.load {{.*}}%c164] : memref<1x172xi8>, vector<4xi8>
// CHECK: vector.load {{.*}}%c168] : memref<1x172xi8>, vector<4xi8>
// CHECK: %[[A0:.*]] = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%[[START]], %[[C0]],
// CHECK: %[[A1:.*]] = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%[[A0]], %[[C1]],
// CHECK: %[[A2:.*]] = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%[[A1]], %[[C2]],
// CHECK: %[[SCALE:.*]] = arith.mulf %{{.*}}, %{{.*}} : vector<16xf32>
// CHECK: %[[F:.*]] = arith.sitofp %[[A2]]
// CHECK: %[[P:.*]] = arith.mulf %[[F]], %[[SCALE]] fastmath<contract>
// CHECK: arith.addf %[[P]], %{{.*}} fastmath<contract> : vector<16xf32>
!bytes = memref<70368744177664xi8, strided<[1], offset: ?>>

module attributes {halftone.target = #kernel.target<"x86_64-unknown-linux-gnu", cpu "icelake-server", features "", vector 512>} {
  func.func private @short_block(%w: !bytes, %tile: index, %codes: memref<1x172xi8>, %scales: memref<1x6xf32>,
                                 %sums: memref<1x6xi32>, %total: vector<16xf32>) -> vector<16xf32> {
    %four = arith.constant dense<4> : vector<64xi8>
    %nibbles = arith.constant dense<15> : vector<64xi8>
    %c0_i32 = arith.constant 0 : i32
    %c8_i32 = arith.constant 8 : i32
    %c0 = arith.constant 0 : index
    %c5 = arith.constant 5 : index
    %c64 = arith.constant 64 : index
    %c128 = arith.constant 128 : index
    %c160 = arith.constant 160 : index
    %c164 = arith.constant 164 : index
    %c168 = arith.constant 168 : index
    %c1440 = arith.constant 1440 : index

    // Minus the zero point times the sum of the activations, the same in every lane.
    %at = arith.addi %tile, %c1440 : index
    %sum = memref.load %sums[%c0, %c5] : memref<1x6xi32>
    %eightfold = arith.muli %sum, %c8_i32 : i32
    %minus = arith.subi %c0_i32, %eightfold : i32
    %start = vector.broadcast %minus : i32 to vector<16xi32>

    // Low nibbles are one vector, high ones the next.
    %l0 = vector.load %w[%at] : !bytes, vector<64xi8>
    %at1 = arith.addi %at, %c64 : index
    %l1 = vector.load %w[%at1] : !bytes, vector<64xi8>
    %code0 = arith.andi %l0, %nibbles : vector<64xi8>
    %code1 = arith.shrui %l0, %four : vector<64xi8>
    %code2 = arith.andi %l1, %nibbles : vector<64xi8>

    // Four activations in every lane, then the instruction.
    %x0 = vector.load %codes[%c0, %c160] : memref<1x172xi8>, vector<4xi8>
    %x1 = vector.load %codes[%c0, %c164] : memref<1x172xi8>, vector<4xi8>
    %x2 = vector.load %codes[%c0, %c168] : memref<1x172xi8>, vector<4xi8>
    %word0 = vector.bitcast %x0 : vector<4xi8> to vector<1xi32>
    %scalar0 = vector.extract %word0[0] : i32 from vector<1xi32>
    %spread0 = vector.broadcast %scalar0 : i32 to vector<16xi32>
    %lanes0 = vector.bitcast %spread0 : vector<16xi32> to vector<64xi8>
    %a0 = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%start, %code0, %lanes0) : (vector<16xi32>, vector<64xi8>, vector<64xi8>) -> vector<16xi32>
    %word1 = vector.bitcast %x1 : vector<4xi8> to vector<1xi32>
    %scalar1 = vector.extract %word1[0] : i32 from vector<1xi32>
    %spread1 = vector.broadcast %scalar1 : i32 to vector<16xi32>
    %lanes1 = vector.bitcast %spread1 : vector<16xi32> to vector<64xi8>
    %a1 = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%a0, %code1, %lanes1) : (vector<16xi32>, vector<64xi8>, vector<64xi8>) -> vector<16xi32>
    %word2 = vector.bitcast %x2 : vector<4xi8> to vector<1xi32>
    %scalar2 = vector.extract %word2[0] : i32 from vector<1xi32>
    %spread2 = vector.broadcast %scalar2 : i32 to vector<16xi32>
    %lanes2 = vector.bitcast %spread2 : vector<16xi32> to vector<64xi8>
    %a2 = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%a1, %code2, %lanes2) : (vector<16xi32>, vector<64xi8>, vector<64xi8>) -> vector<16xi32>

    // The scales of 16 rows times the activations' one; a product and a sum that may be one operation.
    %at2 = arith.addi %at, %c128 : index
    %raw = vector.load %w[%at2] : !bytes, vector<32xi8>
    %half = vector.bitcast %raw : vector<32xi8> to vector<16xf16>
    %ws = arith.extf %half : vector<16xf16> to vector<16xf32>
    %s = memref.load %scales[%c0, %c5] : memref<1x6xf32>
    %xs = vector.broadcast %s : f32 to vector<16xf32>
    %scale = arith.mulf %ws, %xs : vector<16xf32>
    %f = arith.sitofp %a2 : vector<16xi32> to vector<16xf32>
    %p = arith.mulf %f, %scale fastmath<contract> : vector<16xf32>
    %y = arith.addf %p, %total fastmath<contract> : vector<16xf32>
    return %y : vector<16xf32>
  }
}
