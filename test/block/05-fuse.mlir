// The block of 01-import.mlir as the fuse stage leaves it for one token: the function was cloned for each phase (decode
// stands here; prefill and score are the same with 32 tokens), and every operation on tokens is in a region that becomes
// one kernel. Operations only moved. Written by hand: the aim, and the test of the syntax and of the stage.

// It reads as it prints.
// RUN: rm -rf %t && mkdir %t
// RUN: qopt %s > %t/wanted.mlir
// RUN: qopt %t/wanted.mlir | diff %t/wanted.mlir -

// The stage makes the same of 04-quantize.mlir, letter by letter.
// RUN: qopt %S/04-quantize.mlir --specialize-phases=chunk=32 --canonicalize --cse --form-kernels > %t/fused.mlir
// RUN: sed -n '/func.func private @block_1(/,/^  }/p' %t/wanted.mlir > %t/wanted-block
// RUN: sed -n '/func.func private @block_1(/,/^  }/p' %t/fused.mlir | diff %t/wanted-block -
// RUN: sed -n '/func.func @decode(/,/^  }/p' %t/wanted.mlir > %t/wanted-decode
// RUN: sed -n '/func.func @decode(/,/^  }/p' %t/fused.mlir | diff %t/wanted-decode -
!angles = !lowbit.weight<256x4, #lowbit.format<f32>>
!norm = !lowbit.weight<64, #lowbit.format<f32>>
!cache = !lowbit.cache<heads 4, size 8>
!table = !lowbit.weight<512x64, #lowbit.format<int8, block 32, scale f16>>
!a64 = !lowbit.activation<1x64, #lowbit.format<int8, block 32, scale f32>>
!a172 = !lowbit.activation<1x172, #lowbit.format<int8, block 32, scale f32>>
!w64x64 = !lowbit.weight<64x64, #lowbit.format<int4, block 32, scale f16>>
!w32x64 = !lowbit.weight<32x64, #lowbit.format<int4, block 32, scale f16>>
!w172x64 = !lowbit.weight<172x64, #lowbit.format<int4, block 32, scale f16>>
!w64x172 = !lowbit.weight<64x172, #lowbit.format<int4, block 32, scale f16>>

module attributes {halftone.source = "stories.onnx", halftone.context = 256 : i64, halftone.chunk = 32 : i64,
                   halftone.target = #kernel.target<"x86_64-unknown-linux-gnu", cpu "icelake-server", features "", vector 512>} {
  lowbit.weight @embedding : !lowbit.weight<512x64, #lowbit.format<int8, block 32, scale f16>> in "quantized.work" at 0
  lowbit.weight @rope.cos : !lowbit.weight<256x4, #lowbit.format<f32>> in "work.bin" at 0
  lowbit.weight @rope.sin : !lowbit.weight<256x4, #lowbit.format<f32>> in "work.bin" at 4096
  lowbit.weight @layers.0.q : !lowbit.weight<64x64, #lowbit.format<int4, block 32, scale f16>> in "quantized.work" at 34816
  lowbit.weight @layers.0.k : !lowbit.weight<32x64, #lowbit.format<int4, block 32, scale f16>> in "quantized.work" at 37120
  lowbit.weight @layers.0.v : !lowbit.weight<32x64, #lowbit.format<int4, block 32, scale f16>> in "quantized.work" at 38272
  lowbit.weight @layers.0.o : !lowbit.weight<64x64, #lowbit.format<int4, block 32, scale f16>> in "quantized.work" at 39424
  lowbit.weight @layers.0.gate : !lowbit.weight<172x64, #lowbit.format<int4, block 32, scale f16>> in "quantized.work" at 41728
  lowbit.weight @layers.0.up : !lowbit.weight<172x64, #lowbit.format<int4, block 32, scale f16>> in "quantized.work" at 47936
  lowbit.weight @layers.0.down : !lowbit.weight<64x172, #lowbit.format<int4, block 32, scale f16>> in "quantized.work" at 54144
  lowbit.weight @layers.0.norm : !lowbit.weight<64, #lowbit.format<f32>> in "stories.onnx" at 313344
  lowbit.weight @norm : !lowbit.weight<64, #lowbit.format<f32>> in "stories.onnx" at 313600
  lowbit.cache @cache.0 : !lowbit.cache<heads 4, size 8>
  lowbit.cache @cache.1 : !lowbit.cache<heads 4, size 8>

  // One token through one layer.
  func.func private @block_1(%x: tensor<1x64xf32>, %past: index, %cos: !angles, %sin: !angles, %cache: !cache, %g1: !norm,
      %wq: !w64x64, %wk: !w32x64, %wv: !w32x64, %wo: !w64x64, %g2: !norm, %wgate: !w172x64, %wup: !w172x64, %wdown: !w64x172)
      -> tensor<1x64xf32> {
    %ones = arith.constant dense<1.0> : tensor<1x172xf32>
    // The norm and its codes: x is read once, int8 and scales are written.
    %a1 = lowbit.kernel {
      %n = lowbit.rms_norm %x scale %g1 epsilon 1.0e-05 : tensor<1x64xf32>, !norm
      %q = lowbit.quantize_activation %n : tensor<1x64xf32> -> !a64
      lowbit.yield %q : !a64
    } : !a64
    // Three matrices of the same input: one pass over all their rows.
    %qkv:3 = lowbit.kernel {
      %q = lowbit.linear %a1, %wq {format = #lowbit.format<int4, block 32, scale f16>} : (!a64, !w64x64) -> tensor<1x64xf32>
      %k = lowbit.linear %a1, %wk {format = #lowbit.format<int4, block 32, scale f16>} : (!a64, !w32x64) -> tensor<1x32xf32>
      %v = lowbit.linear %a1, %wv {format = #lowbit.format<int4, block 32, scale f16>} : (!a64, !w32x64) -> tensor<1x32xf32>
      lowbit.yield %q, %k, %v : tensor<1x64xf32>, tensor<1x32xf32>, tensor<1x32xf32>
    } : tensor<1x64xf32>, tensor<1x32xf32>, tensor<1x32xf32>
    %r:2 = lowbit.kernel {
      %q = lowbit.rope %qkv#0, %cos, %sin at %past heads 8 : tensor<1x64xf32>, !angles
      %k = lowbit.rope %qkv#1, %cos, %sin at %past heads 4 : tensor<1x32xf32>, !angles
      lowbit.yield %q, %k : tensor<1x64xf32>, tensor<1x32xf32>
    } : tensor<1x64xf32>, tensor<1x32xf32>
    lowbit.kernel {
      lowbit.append %r#1, %qkv#2 to %cache at %past : tensor<1x32xf32>, !cache
      lowbit.yield
    }
    %t = lowbit.kernel {
      %1 = lowbit.attention %r#0, %cache at %past heads 8 scale 0.353553385 : tensor<1x64xf32>, !cache
      lowbit.yield %1 : tensor<1x64xf32>
    } : tensor<1x64xf32>
    %a2 = lowbit.kernel {
      %q = lowbit.quantize_activation %t : tensor<1x64xf32> -> !a64
      lowbit.yield %q : !a64
    } : !a64
    // The residual is added where the product is stored.
    %h = lowbit.kernel {
      %o = lowbit.linear %a2, %wo {format = #lowbit.format<int4, block 32, scale f16>} : (!a64, !w64x64) -> tensor<1x64xf32>
      %1 = arith.addf %x, %o : tensor<1x64xf32>
      lowbit.yield %1 : tensor<1x64xf32>
    } : tensor<1x64xf32>
    %a3 = lowbit.kernel {
      %n = lowbit.rms_norm %h scale %g2 epsilon 1.0e-05 : tensor<1x64xf32>, !norm
      %q = lowbit.quantize_activation %n : tensor<1x64xf32> -> !a64
      lowbit.yield %q : !a64
    } : !a64
    // Gate and up row by row of both, multiplied before they are stored.
    %m = lowbit.kernel {
      %g = lowbit.linear %a3, %wgate {format = #lowbit.format<int4, block 32, scale f16>} : (!a64, !w172x64) -> tensor<1x172xf32>
      %u = lowbit.linear %a3, %wup {format = #lowbit.format<int4, block 32, scale f16>} : (!a64, !w172x64) -> tensor<1x172xf32>
      %neg = arith.negf %g : tensor<1x172xf32>
      %exp = math.exp %neg : tensor<1x172xf32>
      %sum = arith.addf %exp, %ones : tensor<1x172xf32>
      %s = arith.divf %ones, %sum : tensor<1x172xf32>
      %act = arith.mulf %g, %s : tensor<1x172xf32>
      %p = arith.mulf %act, %u : tensor<1x172xf32>
      lowbit.yield %p : tensor<1x172xf32>
    } : tensor<1x172xf32>
    %a4 = lowbit.kernel {
      %q = lowbit.quantize_activation %m : tensor<1x172xf32> -> !a172
      lowbit.yield %q : !a172
    } : !a172
    %y = lowbit.kernel {
      %d = lowbit.linear %a4, %wdown {format = #lowbit.format<int4, block 32, scale f16>} : (!a172, !w64x172) -> tensor<1x64xf32>
      %1 = arith.addf %h, %d : tensor<1x64xf32>
      lowbit.yield %1 : tensor<1x64xf32>
    } : tensor<1x64xf32>
    return %y : tensor<1x64xf32>
  }

  // One token through the model.
  func.func @decode(%tokens: tensor<1xi64>, %past: index) -> tensor<1x512xf32> {
    %table = lowbit.get @embedding : !table
    %x = lowbit.kernel {
      %1 = lowbit.embedding %tokens, %table {format = #lowbit.format<int8, block 32, scale f16>} : (tensor<1xi64>, !table) -> tensor<1x64xf32>
      lowbit.yield %1 : tensor<1x64xf32>
    } : tensor<1x64xf32>
    %cos = lowbit.get @rope.cos : !angles
    %sin = lowbit.get @rope.sin : !angles
    %c0 = lowbit.get @cache.0 : !cache
    %c1 = lowbit.get @cache.1 : !cache
    %q = lowbit.get @layers.0.q : !w64x64
    %k = lowbit.get @layers.0.k : !w32x64
    %v = lowbit.get @layers.0.v : !w32x64
    %o = lowbit.get @layers.0.o : !w64x64
    %gate = lowbit.get @layers.0.gate : !w172x64
    %up = lowbit.get @layers.0.up : !w172x64
    %down = lowbit.get @layers.0.down : !w64x172
    %g = lowbit.get @layers.0.norm : !norm
    %1 = call @block_1(%x, %past, %cos, %sin, %c0, %g, %q, %k, %v, %o, %g, %gate, %up, %down) : (tensor<1x64xf32>, index, !angles, !angles, !cache, !norm, !w64x64, !w32x64, !w32x64, !w64x64, !norm, !w172x64, !w172x64, !w64x172) -> tensor<1x64xf32>
    %2 = call @block_1(%1, %past, %cos, %sin, %c1, %g, %q, %k, %v, %o, %g, %gate, %up, %down) : (tensor<1x64xf32>, index, !angles, !angles, !cache, !norm, !w64x64, !w32x64, !w32x64, !w64x64, !norm, !w172x64, !w172x64, !w64x172) -> tensor<1x64xf32>
    %norm = lowbit.get @norm : !norm
    %a = lowbit.kernel {
      %n = lowbit.rms_norm %2 scale %norm epsilon 1.0e-05 : tensor<1x64xf32>, !norm
      %q8 = lowbit.quantize_activation %n : tensor<1x64xf32> -> !a64
      lowbit.yield %q8 : !a64
    } : !a64
    %logits = lowbit.kernel {
      %y = lowbit.linear %a, %table {format = #lowbit.format<int8, block 32, scale f16>} : (!a64, !table) -> tensor<1x512xf32>
      lowbit.yield %y : tensor<1x512xf32>
    } : tensor<1x512xf32>
    return %logits : tensor<1x512xf32>
  }
}
