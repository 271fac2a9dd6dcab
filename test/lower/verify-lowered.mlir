// RUN: qopt %s --split-input-file --verify-diagnostics --verify-lowered
// No lowbit operation is left, and every dot instruction is one that the target has.

module attributes {halftone.target = #kernel.target<"x86_64-unknown-linux-gnu", cpu "icelake-server", features "", vector 512>} {
  func.func @right(%s: i32) -> vector<16xi32> {
    %z = arith.constant 8 : i32
    %a = kernel.dot_init zero %z sum %s by "vpdpbusd.512" : (i32, i32) -> vector<16xi32>
    return %a : vector<16xi32>
  }
}

// -----

module attributes {halftone.target = #kernel.target<"x86_64-unknown-linux-gnu", cpu "x86-64-v4", features "", vector 512>} {
  func.func @missing(%s: i32) -> vector<16xi32> {
    %z = arith.constant 8 : i32
    // expected-error @below {{the dot instruction "vpdpbusd.512" needs avx512vnni, which the target #kernel.target<"x86_64-unknown-linux-gnu", cpu "x86-64-v4", features "", vector 512> lacks}}
    %a = kernel.dot_init zero %z sum %s by "vpdpbusd.512" : (i32, i32) -> vector<16xi32>
    return %a : vector<16xi32>
  }
}

// -----

module attributes {halftone.target = #kernel.target<"x86_64-unknown-linux-gnu", cpu "icelake-server", features "-avx512vnni", vector 512>} {
  func.func @removed(%s: i32) -> vector<16xi32> {
    %z = arith.constant 8 : i32
    // expected-error @below {{the dot instruction "vpdpbusd.512" needs avx512vnni}}
    %a = kernel.dot_init zero %z sum %s by "vpdpbusd.512" : (i32, i32) -> vector<16xi32>
    return %a : vector<16xi32>
  }
}

// -----

func.func @unknown(%s: i32) -> vector<16xi32> {
  %z = arith.constant 8 : i32
  // expected-error @below {{no target has the dot instruction "vpdpwhatever"}}
  %a = kernel.dot_init zero %z sum %s by "vpdpwhatever" : (i32, i32) -> vector<16xi32>
  return %a : vector<16xi32>
}

// -----

// expected-error @below {{is left after the lower stage}}
lowbit.weight @w : !lowbit.weight<8, #lowbit.format<f32>> in "segment" at 0

// -----

// An operation that nobody registered is none of lowbit's.
// RUN: echo '"other.thing"() : () -> ()' | qopt -allow-unregistered-dialect --verify-lowered | FileCheck %s
// CHECK: "other.thing"()
