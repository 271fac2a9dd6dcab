// RUN: qopt %s --split-input-file --verify-diagnostics --emit-entries

// expected-error @below {{no function 'decode'}}
module {
}

// -----

// expected-error @below {{has 1 arguments, not the 8 or 9 of a phase whose memory is bound}}
func.func @decode(%t: memref<1xi64>) {
  return
}

// -----

// expected-error @below {{has 'i64' as argument 6, not memory}}
func.func @decode(%w: memref<8xi8>, %c: memref<8xi8>, %team: !llvm.ptr, %i: index, %n: index, %a: memref<8xi8>, %t: i64,
                  %past: index) {
  return
}

// -----

// expected-error @below {{has logits of the type 'memref<512xf32>', not a row for each token}}
func.func @decode(%w: memref<8xi8>, %c: memref<8xi8>, %team: !llvm.ptr, %i: index, %n: index, %a: memref<8xi8>,
                  %t: memref<1xi64>, %past: index, %out: memref<512xf32>) {
  return
}
