// RUN: qopt %s --verify-diagnostics --lower-dot
// Nothing is expanded to an instruction that the target lacks, also when verify-lowered was not asked.

module attributes {halftone.target = #kernel.target<"x86_64-unknown-linux-gnu", cpu "x86-64-v3", features "", vector 256>} {
  func.func @missing(%acc: vector<8xi32>, %c: vector<32xi8>, %x: vector<4xi8>) -> vector<8xi32> {
    // expected-error @below {{the target has no dot instruction 'vpdpbusd.256'}}
    %y = kernel.dot_step %acc, [%c], [%x] by "vpdpbusd.256" {highest = 15 : i64} : vector<8xi32>, vector<32xi8>, vector<4xi8>
    return %y : vector<8xi32>
  }
}
