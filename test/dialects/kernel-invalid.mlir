// RUN: qopt %s -split-input-file -verify-diagnostics
// Each numbered constraint of the kernel dialect's attributes and operations, broken.

// expected-error @below {{C1: lanes are 1 to 4096, not 0}}
lowbit.weight @w : !lowbit.weight<8x8, #lowbit.format<f32>> in "m.bin" at 0 {layout = #kernel.layout<lanes 0, group 4>}

// -----

// expected-error @below {{C1: columns of a group are 1 to 4096, not -1}}
// expected-error @below {{failed to parse}}
lowbit.weight @w : !lowbit.weight<8x8, #lowbit.format<f32>, #kernel.layout<lanes 16, group -1>> in "m.bin" at 0

// -----

// expected-error @below {{C1: lanes are 1 to 4096, not 4097}}
// expected-error @below {{failed to parse}}
lowbit.weight @w : !lowbit.weight<8x8, #lowbit.format<f32>, #kernel.layout<lanes 4097, group 4>> in "m.bin" at 0

// -----

// expected-error @below {{C1: lanes are 1 to 4096, not -16}}
func.func private @f() attributes {schedule = #kernel.schedule<lanes -16, tiles 3, tokens 4, dot "multiply-add">}

// -----

// expected-error @below {{C1: tokens are 1 to 4096, not 0}}
func.func private @f() attributes {schedule = #kernel.schedule<lanes 16, tiles 3, tokens 0, dot "multiply-add">}

// -----

// expected-error @below {{C1: vectors are 128, 256 or 512 bits wide, not 384}}
module attributes {halftone.target = #kernel.target<"x86_64-unknown-linux-gnu", cpu "x86-64", features "", vector 384>} {}

// -----

// kernel.decode.
func.func @decode(%l: vector<64xi8>) {
  // expected-error @below {{C1: 3 vectors need 2 lines, not 1}}
  %c:3 = kernel.decode %l {format = #lowbit.format<int4, block 32, scale f16>} : vector<64xi8> -> vector<64xi8>, vector<64xi8>, vector<64xi8>
  return
}

// -----

func.func @decode(%l: vector<64xi8>) {
  // expected-error @below {{C2: a line is 'vector<64xi8>', a vector 'vector<32xi8>'}}
  %c:2 = kernel.decode %l {format = #lowbit.format<int4, block 32, scale f16>} : vector<64xi8> -> vector<32xi8>, vector<32xi8>
  return
}

// -----

func.func @decode(%l: vector<64xi8>) {
  // expected-error @below {{C2: one vector is 'vector<64xi8>', another 'vector<32xi8>'}}
  %c:2 = kernel.decode %l {format = #lowbit.format<int4, block 32, scale f16>} : vector<64xi8> -> vector<64xi8>, vector<32xi8>
  return
}

// -----

// kernel.decode_zeros.
func.func @zeros(%b: vector<7xi8>) {
  // expected-error @below {{C1: 16 zero points take 8 bytes, not 7}}
  %z = kernel.decode_zeros %b {format = #lowbit.format<int4, block 32, scale f16, zero_point>} : vector<7xi8> -> vector<16xi32>
  return
}

// -----

// kernel.lookup.
func.func @lookup(%c: vector<64xi8>) {
  // expected-error @below {{C1: the table has 3 entries}}
  %v = kernel.lookup %c in [1, 2, 3] : vector<64xi8>
  return
}

// -----

func.func @lookup(%c: vector<64xi8>) {
  // expected-error @below {{C1: the table has 32 entries}}
  %v = kernel.lookup %c in [1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8] : vector<64xi8>
  return
}

// -----

// kernel.dot_step.
func.func @step(%acc: vector<16xi32>) {
  // expected-error @below {{C1: 0 vectors of levels, 0 groups of activations}}
  %r = "kernel.dot_step"(%acc) {highest = 15 : i64, instruction = "vpdpbusd.512"} : (vector<16xi32>) -> vector<16xi32>
  return
}

// -----

func.func @step(%acc: vector<16xi32>, %c: vector<32xi8>, %x: vector<4xi8>) {
  // expected-error @below {{C2: levels of 16 lanes are 'vector<32xi8>', activations 'vector<4xi8>'}}
  %r = kernel.dot_step %acc, [%c], [%x] by "vpdpbusd.512" {highest = 15 : i64} : vector<16xi32>, vector<32xi8>, vector<4xi8>
  return
}

// -----

func.func @step(%acc: vector<16xi32>, %c: vector<64xi8>, %d: vector<64xi4>, %x: vector<4xi8>) {
  // expected-error @below {{C3: the types differ: 'vector<64xi8>', 'vector<64xi4>'}}
  %r = "kernel.dot_step"(%acc, %c, %d, %x, %x) {highest = 15 : i64, instruction = "vpdpbusd.512"} : (vector<16xi32>, vector<64xi8>, vector<64xi4>, vector<4xi8>, vector<4xi8>) -> vector<16xi32>
  return
}

// -----

func.func @step(%acc: vector<16xi32>, %c: vector<64xi8>, %x: vector<4xi8>) {
  // expected-error @below {{C4: the highest level is 0 with an accumulator of 'vector<16xi32>'}}
  %r = kernel.dot_step %acc, [%c], [%x] by "vpdpbusd.512" {highest = 0 : i64} : vector<16xi32>, vector<64xi8>, vector<4xi8>
  return
}

// -----

func.func @step(%acc: vector<16xi32>, %c: vector<64xi8>, %x: vector<4xi8>) {
  // expected-error @below {{C4: the highest level is 256 with an accumulator of 'vector<16xi32>'}}
  %r = kernel.dot_step %acc, [%c], [%x] by "vpdpbusd.512" {highest = 256 : i64} : vector<16xi32>, vector<64xi8>, vector<4xi8>
  return
}

// -----

func.func @step(%acc: vector<16xf32>, %c: vector<16xf32>, %x: vector<1xf32>) {
  // expected-error @below {{C4: the highest level is 15 with an accumulator of 'vector<16xf32>'}}
  %r = kernel.dot_step %acc, [%c], [%x] by "multiply-add" {highest = 15 : i64} : vector<16xf32>, vector<16xf32>, vector<1xf32>
  return
}

// -----

// kernel.dot_finish.
func.func @finish(%acc: vector<16xi32>, %scale: vector<8xf32>, %total: vector<16xf32>) {
  // expected-error @below {{failed to verify that all of {scale, total, result} have same type}}
  %r = "kernel.dot_finish"(%acc, %scale, %total) {instruction = "vpdpbusd.512"} : (vector<16xi32>, vector<8xf32>, vector<16xf32>) -> vector<16xf32>
  return
}

// -----

func.func @finish(%acc: vector<8xi32>, %scale: vector<16xf32>, %total: vector<16xf32>) {
  // expected-error @below {{failed to verify that all of {accumulator, result} have same shape}}
  %r = "kernel.dot_finish"(%acc, %scale, %total) {instruction = "vpdpbusd.512"} : (vector<8xi32>, vector<16xf32>, vector<16xf32>) -> vector<16xf32>
  return
}

// -----

// expected-error @below {{C1: tiles are 1 to 4096, not 0}}
func.func private @f() attributes {schedule = #kernel.schedule<lanes 16, tiles 0, tokens 4, dot "multiply-add">}
