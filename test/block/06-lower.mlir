// The last kernel of the block in 05-fuse.mlir, down projection and residual for one token, as the lower stage leaves it
// for a processor with 512-bit vectors and vpdpbusd: handles are offsets into the weight segment, buffers places in the
// arena, a parallel loop this thread's share of it. kernel.decode knows the format, kernel.dot_* the instruction.
// Written by hand: the aim, and the test of the syntax and of the stage.

// It reads as it prints, and is lowered.
// RUN: rm -rf %t && mkdir %t
// RUN: qopt %s --verify-lowered > %t/wanted.mlir
// RUN: qopt %t/wanted.mlir | diff %t/wanted.mlir -
// RUN: FileCheck %s < %t/wanted.mlir

// The stage makes the same of 05-fuse.mlir, given weights.
// RUN: head -c 400000 /dev/zero > %t/zeros
// RUN: sed 's@in "[a-z.]*" at@in "%t/zeros" at@' %S/05-fuse.mlir > %t/fused.mlir
// RUN: qopt %t/fused.mlir --choose-kernels --pack-weights=work=%t/segment --place-buffers --lower-linear --lower-rows --lower-rope \
// RUN:   --lower-attention --lower-embedding --split-threads --canonicalize --cse --plan-memory --bind-memory --verify-lowered > %t/lowered.mlir
// RUN: FileCheck %s < %t/lowered.mlir

// CHECK: func.func private @block_1(%[[WEIGHTS:[^:]*]]: memref<70368744177664xi8>, %{{[^:]*}}: memref<70368744177664xi8>, %[[TEAM:[^:]*]]: !llvm.ptr, %[[THREAD:[^:]*]]: index, %[[THREADS:[^:]*]]: index, %[[ARENA:[^:]*]]: memref<70368744177664xi8>
// CHECK: memref.reinterpret_cast %[[WEIGHTS]] to offset: [%{{.*}}], sizes: [70368744177664], strides: [1]
// A tile of 16 rows has five blocks of 288 bytes and a short one of 160.
// CHECK: %[[TILE:.*]] = arith.muli %{{.*}}, %c1600
// CHECK: %[[WHOLE:.*]] = scf.for %[[B:.*]] = %c0 to %c5 step %c1 iter_args(%[[TOTAL:.*]] = %{{.*}}) -> (vector<16xf32>) {
// CHECK: %[[WITHIN:.*]] = arith.muli %[[B]], %c288
// CHECK: %[[BLOCK:.*]] = arith.addi %[[TILE]], %[[WITHIN]]
// CHECK: memref.prefetch
// CHECK: %[[ACC:.*]] = kernel.dot_init zero %c8_i32 sum %{{.*}} by "vpdpbusd.512"
// CHECK: %[[C:.*]]:8 = kernel.decode
// CHECK-COUNT-8: vector.load {{.*}} memref<1x172xi8>, vector<4xi8>
// CHECK: kernel.dot_step %[[ACC]], [%[[C]]#0, %[[C]]#1, %[[C]]#2, %[[C]]#3, %[[C]]#4, %[[C]]#5, %[[C]]#6, %[[C]]#7]
// CHECK: kernel.dot_finish %{{.*}} scale %{{.*}} into %[[TOTAL]]
// CHECK: scf.yield
// CHECK: %{{.*}}:3 = kernel.decode
// CHECK: %[[D:.*]] = kernel.dot_finish %{{.*}} scale %{{.*}} into %[[WHOLE]]
// CHECK: %[[H:.*]] = vector.load {{.*}} memref<1x64xf32>, vector<16xf32>
// CHECK: %[[Y:.*]] = arith.addf %[[H]], %[[D]]
// CHECK: vector.store %[[Y]]
// CHECK: call @halftone_barrier(%[[TEAM]], %[[THREADS]], %{{.*}})
// CHECK: return
!memory = memref<70368744177664xi8>
!bytes = memref<?xi8, strided<[1], offset: ?>>

module attributes {halftone.target = #kernel.target<"x86_64-unknown-linux-gnu", cpu "icelake-server", features "", vector 512>} {
  func.func private @halftone_barrier(!llvm.ptr, index, index)

  func.func private @block_1(%weights: !memory, %cache: !memory, %team: !llvm.ptr, %thread: index, %threads: index,
                             %arena: !memory, %down: index, %out: memref<1x64xf32>) {
    %zeros = arith.constant dense<0.0> : vector<16xf32>
    %c8_i32 = arith.constant 8 : i32
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %c5 = arith.constant 5 : index
    %c8 = arith.constant 8 : index
    %c12 = arith.constant 12 : index
    %c16 = arith.constant 16 : index
    %c20 = arith.constant 20 : index
    %c24 = arith.constant 24 : index
    %c28 = arith.constant 28 : index
    %c32 = arith.constant 32 : index
    %c64 = arith.constant 64 : index
    %c128 = arith.constant 128 : index
    %c160 = arith.constant 160 : index
    %c164 = arith.constant 164 : index
    %c168 = arith.constant 168 : index
    %c192 = arith.constant 192 : index
    %c256 = arith.constant 256 : index
    %c288 = arith.constant 288 : index
    %c320 = arith.constant 320 : index
    %c1440 = arith.constant 1440 : index
    %c1600 = arith.constant 1600 : index
    %c4096 = arith.constant 4096 : index

    // The buffers: codes, scales and sums of the input, and the residual.
    %codes = memref.view %arena[%c0][] : !memory to memref<1x172xi8>
    %scales = memref.view %arena[%c192][] : !memory to memref<1x6xf32>
    %sums = memref.view %arena[%c256][] : !memory to memref<1x6xi32>
    %h = memref.view %arena[%c320][] : !memory to memref<1x64xf32>

    // Four tiles: this thread's are those from 4 * thread / threads on.
    %done = arith.muli %thread, %c4 : index
    %first = arith.divui %done, %threads : index
    %next = arith.addi %thread, %c1 : index
    %due = arith.muli %next, %c4 : index
    %last = arith.divui %due, %threads : index
    scf.for %tile = %first to %last step %c1 {
      %row = arith.muli %tile, %c16 : index
      %window = memref.reinterpret_cast %weights to offset: [%down], sizes: [70368744177664], strides: [1] : !memory to memref<70368744177664xi8, strided<[1], offset: ?>>
      %w = memref.cast %window : memref<70368744177664xi8, strided<[1], offset: ?>> to !bytes
      %at = arith.muli %tile, %c1600 : index

      // Five blocks of 32 columns, 16 rows each.
      %whole = scf.for %b = %c0 to %c5 step %c1 iter_args(%total = %zeros) -> (vector<16xf32>) {
        %within = arith.muli %b, %c288 : index
        %block = arith.addi %at, %within : index
        %ahead = arith.addi %block, %c4096 : index
        memref.prefetch %w[%ahead], read, locality<3>, data : !bytes
        %column = arith.muli %b, %c32 : index
        %sum = memref.load %sums[%c0, %b] : memref<1x6xi32>
        %acc = kernel.dot_init zero %c8_i32 sum %sum by "vpdpbusd.512" : (i32, i32) -> vector<16xi32>

        // Four lines of 64 bytes are eight vectors of codes; vector j holds the columns 4 j .. 4 j + 3 of each row.
        %l0 = vector.load %w[%block] : !bytes, vector<64xi8>
        %b1 = arith.addi %block, %c64 : index
        %l1 = vector.load %w[%b1] : !bytes, vector<64xi8>
        %b2 = arith.addi %block, %c128 : index
        %l2 = vector.load %w[%b2] : !bytes, vector<64xi8>
        %b3 = arith.addi %block, %c192 : index
        %l3 = vector.load %w[%b3] : !bytes, vector<64xi8>
        %c:8 = kernel.decode %l0, %l1, %l2, %l3 {format = #lowbit.format<int4, block 32, scale f16>}
                 : vector<64xi8>, vector<64xi8>, vector<64xi8>, vector<64xi8>
                -> vector<64xi8>, vector<64xi8>, vector<64xi8>, vector<64xi8>, vector<64xi8>, vector<64xi8>, vector<64xi8>, vector<64xi8>
        %x0 = vector.load %codes[%c0, %column] : memref<1x172xi8>, vector<4xi8>
        %i1 = arith.addi %column, %c4 : index
        %x1 = vector.load %codes[%c0, %i1] : memref<1x172xi8>, vector<4xi8>
        %i2 = arith.addi %column, %c8 : index
        %x2 = vector.load %codes[%c0, %i2] : memref<1x172xi8>, vector<4xi8>
        %i3 = arith.addi %column, %c12 : index
        %x3 = vector.load %codes[%c0, %i3] : memref<1x172xi8>, vector<4xi8>
        %i4 = arith.addi %column, %c16 : index
        %x4 = vector.load %codes[%c0, %i4] : memref<1x172xi8>, vector<4xi8>
        %i5 = arith.addi %column, %c20 : index
        %x5 = vector.load %codes[%c0, %i5] : memref<1x172xi8>, vector<4xi8>
        %i6 = arith.addi %column, %c24 : index
        %x6 = vector.load %codes[%c0, %i6] : memref<1x172xi8>, vector<4xi8>
        %i7 = arith.addi %column, %c28 : index
        %x7 = vector.load %codes[%c0, %i7] : memref<1x172xi8>, vector<4xi8>
        %dot = kernel.dot_step %acc, [%c#0, %c#1, %c#2, %c#3, %c#4, %c#5, %c#6, %c#7], [%x0, %x1, %x2, %x3, %x4, %x5, %x6, %x7]
                 by "vpdpbusd.512" {highest = 15 : i64} : vector<16xi32>, vector<64xi8>, vector<4xi8>

        // The scales of 16 rows, times the activations' one.
        %b4 = arith.addi %block, %c256 : index
        %raw = vector.load %w[%b4] : !bytes, vector<32xi8>
        %half = vector.bitcast %raw : vector<32xi8> to vector<16xf16>
        %ws = arith.extf %half : vector<16xf16> to vector<16xf32>
        %s = memref.load %scales[%c0, %b] : memref<1x6xf32>
        %xs = vector.broadcast %s : f32 to vector<16xf32>
        %scale = arith.mulf %ws, %xs : vector<16xf32>
        %sofar = kernel.dot_finish %dot scale %scale into %total by "vpdpbusd.512" : vector<16xi32>, vector<16xf32>
        scf.yield %sofar : vector<16xf32>
      }

      // The last block has 12 columns: three vectors in two lines.
      %short = arith.addi %at, %c1440 : index
      %sum = memref.load %sums[%c0, %c5] : memref<1x6xi32>
      %acc = kernel.dot_init zero %c8_i32 sum %sum by "vpdpbusd.512" : (i32, i32) -> vector<16xi32>
      %l0 = vector.load %w[%short] : !bytes, vector<64xi8>
      %s1 = arith.addi %short, %c64 : index
      %l1 = vector.load %w[%s1] : !bytes, vector<64xi8>
      %c:3 = kernel.decode %l0, %l1 {format = #lowbit.format<int4, block 32, scale f16>}
               : vector<64xi8>, vector<64xi8> -> vector<64xi8>, vector<64xi8>, vector<64xi8>
      %x0 = vector.load %codes[%c0, %c160] : memref<1x172xi8>, vector<4xi8>
      %x1 = vector.load %codes[%c0, %c164] : memref<1x172xi8>, vector<4xi8>
      %x2 = vector.load %codes[%c0, %c168] : memref<1x172xi8>, vector<4xi8>
      %dot = kernel.dot_step %acc, [%c#0, %c#1, %c#2], [%x0, %x1, %x2] by "vpdpbusd.512" {highest = 15 : i64} : vector<16xi32>, vector<64xi8>, vector<4xi8>
      %s2 = arith.addi %short, %c128 : index
      %raw = vector.load %w[%s2] : !bytes, vector<32xi8>
      %half = vector.bitcast %raw : vector<32xi8> to vector<16xf16>
      %ws = arith.extf %half : vector<16xf16> to vector<16xf32>
      %s = memref.load %scales[%c0, %c5] : memref<1x6xf32>
      %xs = vector.broadcast %s : f32 to vector<16xf32>
      %scale = arith.mulf %ws, %xs : vector<16xf32>
      %d = kernel.dot_finish %dot scale %scale into %whole by "vpdpbusd.512" : vector<16xi32>, vector<16xf32>

      %residual = vector.load %h[%c0, %row] : memref<1x64xf32>, vector<16xf32>
      %y = arith.addf %residual, %d : vector<16xf32>
      vector.store %y, %out[%c0, %row] : memref<1x64xf32>, vector<16xf32>
    }
    %site = arith.constant -1 : index
    call @halftone_barrier(%team, %threads, %site) : (!llvm.ptr, index, index) -> ()
    return
  }
}
