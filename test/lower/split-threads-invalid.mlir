// RUN: qopt %s --split-input-file --verify-diagnostics --split-threads
// Only what the lowerings make is split: one dimension, from 0 in steps of 1, written to memory.

func.func @window(%out: memref<18xf32>, %x: f32) {
  // expected-error @below {{only loops from 0 in steps of 1 are split among threads}}
  scf.forall (%i) = (5) to (10) step (2) {
    memref.store %x, %out[%i] : memref<18xf32>
  }
  return
}

// -----

func.func @plane(%out: memref<4x4xf32>, %x: f32) {
  // expected-error @below {{only loops of one dimension are split among threads, not of 2}}
  scf.forall (%i, %j) in (4, 4) {
    memref.store %x, %out[%i, %j] : memref<4x4xf32>
  }
  return
}

// -----

func.func @result(%start: tensor<4xf32>, %x: tensor<1xf32>) -> tensor<4xf32> {
  // expected-error @below {{only loops without results are split among threads: each writes to memory}}
  %0 = scf.forall (%i) in (4) shared_outs(%out = %start) -> (tensor<4xf32>) {
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %x into %out[%i] [1] [1] : tensor<1xf32> into tensor<4xf32>
    }
  }
  return %0 : tensor<4xf32>
}
