// RUN: qopt %s --split-targets | FileCheck %s
// A tensor of the model may have the name of a function's copy.

#a = #kernel.target<"x86_64-unknown-linux-gnu", cpu "x86-64-v4", features "", vector 512>
#b = #kernel.target<"x86_64-unknown-linux-gnu", cpu "x86-64-v3", features "", vector 256>
module attributes {halftone.targets = [#a, #b]} {
  // CHECK: lowbit.weight @[[TABLE:decode.1_.*]] : !lowbit.weight<8x4, <f32>>
  lowbit.weight @decode.1 : !lowbit.weight<8x4, #lowbit.format<f32>> in "w.bin" at 0
  // CHECK: func.func @decode()
  // CHECK-NEXT: lowbit.get @[[TABLE]]
  func.func @decode() {
    %w = lowbit.get @decode.1 : !lowbit.weight<8x4, #lowbit.format<f32>>
    return
  }
  // CHECK: func.func @decode.1()
  // CHECK-NEXT: lowbit.get @[[TABLE]]
}
