// RUN: qopt %s --split-input-file --choose-kernels | FileCheck %s
// RUN: qopt %s --split-input-file --choose-kernels=reference | FileCheck %s --check-prefix=REFERENCE
// The target's table of dot instructions decides the layout of each weight and the schedule of each kernel.

// CHECK: lowbit.weight @int4 {{.*}} {layout = #kernel.layout<lanes 16, group 4>}
// CHECK: lowbit.weight @plain {{.*}} {layout = #kernel.layout<lanes 16, group 1>}
// CHECK: lowbit.weight @norm : !lowbit.weight<8, <f32>> in "weights" at 0{{$}}
// CHECK: #kernel.schedule<lanes 16, tiles 3, tokens 8, dot "multiply-add">
// CHECK-NEXT: lowbit.rms_norm
// CHECK: #kernel.schedule<lanes 16, tiles 3, tokens 4, dot "vpdpbusd.512">
// CHECK-NEXT: lowbit.linear
// CHECK: #kernel.schedule<lanes 16, tiles 3, tokens 8, dot "multiply-add">
// CHECK-NEXT: lowbit.linear

// REFERENCE: lowbit.weight @int4 {{.*}} {layout = #kernel.unpacked}
// REFERENCE: lowbit.weight @plain {{.*}} {layout = #kernel.unpacked}
// REFERENCE: lowbit.weight @norm : !lowbit.weight<8, <f32>> in "weights" at 0{{$}}
// REFERENCE-NOT: kernel.schedule
module attributes {halftone.target = #kernel.target<"x86_64-unknown-linux-gnu", cpu "icelake-server", features "", vector 512>} {
  lowbit.weight @int4 : !lowbit.weight<20x8, #lowbit.format<int4, block 8, scale f16>> in "weights" at 0
  lowbit.weight @plain : !lowbit.weight<20x8, #lowbit.format<f32>> in "weights" at 0
  lowbit.weight @norm : !lowbit.weight<8, #lowbit.format<f32>> in "weights" at 0
  func.func @decode(%x: tensor<1x8xf32>) -> (tensor<1x20xf32>, tensor<1x20xf32>) {
    %int4 = lowbit.get @int4 : !lowbit.weight<20x8, #lowbit.format<int4, block 8, scale f16>>
    %plain = lowbit.get @plain : !lowbit.weight<20x8, #lowbit.format<f32>>
    %norm = lowbit.get @norm : !lowbit.weight<8, #lowbit.format<f32>>
    %a = lowbit.kernel {
      %n = lowbit.rms_norm %x scale %norm epsilon 1.0e-05 : tensor<1x8xf32>, !lowbit.weight<8, #lowbit.format<f32>>
      %q = lowbit.quantize_activation %n : tensor<1x8xf32> -> !lowbit.activation<1x8, #lowbit.format<int8, block 8, scale f32>>
      lowbit.yield %q : !lowbit.activation<1x8, #lowbit.format<int8, block 8, scale f32>>
    } : !lowbit.activation<1x8, #lowbit.format<int8, block 8, scale f32>>
    %y = lowbit.kernel {
      %1 = lowbit.linear %a, %int4 : (!lowbit.activation<1x8, #lowbit.format<int8, block 8, scale f32>>, !lowbit.weight<20x8, #lowbit.format<int4, block 8, scale f16>>) -> tensor<1x20xf32>
      lowbit.yield %1 : tensor<1x20xf32>
    } : tensor<1x20xf32>
    %z = lowbit.kernel {
      %1 = lowbit.linear %x, %plain : (tensor<1x8xf32>, !lowbit.weight<20x8, #lowbit.format<f32>>) -> tensor<1x20xf32>
      lowbit.yield %1 : tensor<1x20xf32>
    } : tensor<1x20xf32>
    return %y, %z : tensor<1x20xf32>, tensor<1x20xf32>
  }
}

// -----

// Without the instruction, one for any level takes its place; without a target the plainest processor is meant. The
// weight is found through the call.
// CHECK: lowbit.weight @table {{.*}} {layout = #kernel.layout<lanes 8, group 4>}
// CHECK: #kernel.schedule<lanes 8, tiles 2, tokens 2, dot "pmaddwd.256">
module attributes {halftone.target = #kernel.target<"x86_64-unknown-linux-gnu", cpu "x86-64-v3", features "", vector 256>} {
  lowbit.weight @table : !lowbit.weight<20x8, #lowbit.format<int8, row, scale f32>> in "weights" at 0
  func.func private @embed(%t: tensor<1xi64>, %table: !lowbit.weight<20x8, #lowbit.format<int8, row, scale f32>>) -> tensor<1x8xf32> {
    %x = lowbit.kernel {
      %1 = lowbit.embedding %t, %table : (tensor<1xi64>, !lowbit.weight<20x8, #lowbit.format<int8, row, scale f32>>) -> tensor<1x8xf32>
      lowbit.yield %1 : tensor<1x8xf32>
    } : tensor<1x8xf32>
    return %x : tensor<1x8xf32>
  }
  func.func @decode(%t: tensor<1xi64>) -> tensor<1x8xf32> {
    %table = lowbit.get @table : !lowbit.weight<20x8, #lowbit.format<int8, row, scale f32>>
    %x = call @embed(%t, %table) : (tensor<1xi64>, !lowbit.weight<20x8, #lowbit.format<int8, row, scale f32>>) -> tensor<1x8xf32>
    return %x : tensor<1x8xf32>
  }
}

// -----

// Two columns of bf16 share a lane.
// CHECK: lowbit.weight @plain {{.*}} {layout = #kernel.layout<lanes 4, group 2>}
module {
  lowbit.weight @plain : !lowbit.weight<20x8, #lowbit.format<bf16>> in "weights" at 0
  func.func @decode(%x: tensor<1x8xf32>) -> tensor<1x20xf32> {
    %w = lowbit.get @plain : !lowbit.weight<20x8, #lowbit.format<bf16>>
    %y = lowbit.linear %x, %w : (tensor<1x8xf32>, !lowbit.weight<20x8, #lowbit.format<bf16>>) -> tensor<1x20xf32>
    return %y : tensor<1x20xf32>
  }
}

// -----

// Several targets share the weights: the widest vectors give the lanes of all, each has its own instruction.
// CHECK: lowbit.weight @shared {{.*}} {layout = #kernel.layout<lanes 16, group 4>}
// CHECK: func.func @decode(
// CHECK: #kernel.schedule<lanes 16, tiles 3, tokens 4, dot "vpdpbusd.512">
// CHECK: func.func @decode.1(
// CHECK: #kernel.schedule<lanes 16, tiles 1, tokens 2, dot "pmaddubsw.256">
#wide = #kernel.target<"x86_64-unknown-linux-gnu", cpu "x86-64-v4", features "+avx512vnni", vector 512>
#narrow = #kernel.target<"x86_64-unknown-linux-gnu", cpu "x86-64-v3", features "", vector 256>
module attributes {halftone.targets = [#wide, #narrow]} {
  lowbit.weight @shared : !lowbit.weight<20x8, #lowbit.format<int4, block 8, scale f16>> in "weights" at 0
  func.func @decode(%a: !lowbit.activation<1x8, #lowbit.format<int8, block 8, scale f32>>) -> tensor<1x20xf32> attributes {halftone.target = #wide} {
    %w = lowbit.get @shared : !lowbit.weight<20x8, #lowbit.format<int4, block 8, scale f16>>
    %y = lowbit.kernel {
      %1 = lowbit.linear %a, %w : (!lowbit.activation<1x8, #lowbit.format<int8, block 8, scale f32>>, !lowbit.weight<20x8, #lowbit.format<int4, block 8, scale f16>>) -> tensor<1x20xf32>
      lowbit.yield %1 : tensor<1x20xf32>
    } : tensor<1x20xf32>
    return %y : tensor<1x20xf32>
  }
  func.func @decode.1(%a: !lowbit.activation<1x8, #lowbit.format<int8, block 8, scale f32>>) -> tensor<1x20xf32> attributes {halftone.target = #narrow} {
    %w = lowbit.get @shared : !lowbit.weight<20x8, #lowbit.format<int4, block 8, scale f16>>
    %y = lowbit.kernel {
      %1 = lowbit.linear %a, %w : (!lowbit.activation<1x8, #lowbit.format<int8, block 8, scale f32>>, !lowbit.weight<20x8, #lowbit.format<int4, block 8, scale f16>>) -> tensor<1x20xf32>
      lowbit.yield %1 : tensor<1x20xf32>
    } : tensor<1x20xf32>
    return %y : tensor<1x20xf32>
  }
}

// -----

// Where bytes are multiplied as signed ones, levels above 127 are stored 128 less than they are.
// CHECK: lowbit.weight @bytes {{.*}} {layout = #kernel.layout<lanes 16, group 4, less 128>}
// CHECK: lowbit.weight @nibbles {{.*}} {layout = #kernel.layout<lanes 16, group 4>}
// CHECK: #kernel.schedule<lanes 16, tiles 1, tokens 2, dot "sdot.less">
// CHECK: #kernel.schedule<lanes 16, tiles 1, tokens 2, dot "sdot">
module attributes {halftone.target = #kernel.target<"aarch64-unknown-linux-gnu", cpu "neoverse-n1", features "", vector 512>} {
  lowbit.weight @bytes : !lowbit.weight<20x8, #lowbit.format<int8, block 8, scale f16>> in "weights" at 0
  lowbit.weight @nibbles : !lowbit.weight<20x8, #lowbit.format<int4, block 8, scale f16>> in "weights" at 0
  func.func @decode(%a: !lowbit.activation<1x8, #lowbit.format<int8, block 8, scale f32>>) -> (tensor<1x20xf32>, tensor<1x20xf32>) {
    %bytes = lowbit.get @bytes : !lowbit.weight<20x8, #lowbit.format<int8, block 8, scale f16>>
    %nibbles = lowbit.get @nibbles : !lowbit.weight<20x8, #lowbit.format<int4, block 8, scale f16>>
    %y = lowbit.kernel {
      %1 = lowbit.linear %a, %bytes : (!lowbit.activation<1x8, #lowbit.format<int8, block 8, scale f32>>, !lowbit.weight<20x8, #lowbit.format<int8, block 8, scale f16>>) -> tensor<1x20xf32>
      lowbit.yield %1 : tensor<1x20xf32>
    } : tensor<1x20xf32>
    %z = lowbit.kernel {
      %1 = lowbit.linear %a, %nibbles : (!lowbit.activation<1x8, #lowbit.format<int8, block 8, scale f32>>, !lowbit.weight<20x8, #lowbit.format<int4, block 8, scale f16>>) -> tensor<1x20xf32>
      lowbit.yield %1 : tensor<1x20xf32>
    } : tensor<1x20xf32>
    return %y, %z : tensor<1x20xf32>, tensor<1x20xf32>
  }
}
