// RUN: qopt %s --split-input-file --verify-diagnostics --lower-dot
// Nothing is expanded to an instruction that the target lacks, also when verify-lowered was not asked.

module attributes {halftone.target = #kernel.target<"x86_64-unknown-linux-gnu", cpu "x86-64-v3", features "", vector 256>} {
  func.func @missing(%acc: vector<8xi32>, %c: vector<32xi8>, %x: vector<4xi8>) -> vector<8xi32> {
    // expected-error @below {{the target has no dot instruction 'vpdpbusd.256'}}
    %y = kernel.dot_step %acc, [%c], [%x] by "vpdpbusd.256" {highest = 15 : i64} : vector<8xi32>, vector<32xi8>, vector<4xi8>
    return %y : vector<8xi32>
  }
}

// -----

// A level too high for 16-bit lanes, a group of another size, and floats by an instruction for integers.
module attributes {halftone.target = #kernel.target<"x86_64-unknown-linux-gnu", cpu "x86-64-v3", features "", vector 256>} {
  func.func @highest(%acc: vector<8xi32>, %c: vector<32xi8>, %x: vector<4xi8>) -> vector<8xi32> {
    // expected-error @below {{the dot instruction 'pmaddubsw.256' does not take levels up to 255 in 'vector<32xi8>' with 'vector<4xi8>'}}
    %y = kernel.dot_step %acc, [%c], [%x] by "pmaddubsw.256" {highest = 255 : i64} : vector<8xi32>, vector<32xi8>, vector<4xi8>
    return %y : vector<8xi32>
  }
  func.func @group(%acc: vector<8xi32>, %c: vector<16xi8>, %x: vector<2xi8>) -> vector<8xi32> {
    // expected-error @below {{does not take levels up to 15 in 'vector<16xi8>' with 'vector<2xi8>'}}
    %y = kernel.dot_step %acc, [%c], [%x] by "pmaddwd.256" {highest = 15 : i64} : vector<8xi32>, vector<16xi8>, vector<2xi8>
    return %y : vector<8xi32>
  }
  func.func @floats(%acc: vector<8xf32>, %c: vector<32xi8>, %x: vector<4xi8>) -> vector<8xf32> {
    // expected-error @below {{does not take levels up to 0 in 'vector<32xi8>' with 'vector<4xi8>'}}
    %y = kernel.dot_step %acc, [%c], [%x] by "pmaddwd.256" {highest = 0 : i64} : vector<8xf32>, vector<32xi8>, vector<4xi8>
    return %y : vector<8xf32>
  }
}
