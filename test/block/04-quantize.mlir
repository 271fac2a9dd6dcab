// The block of 01-import.mlir as the quantize stage leaves it with --format=int4-g32: each weight has its format and a
// place in a work file, what it lost beside it; linears read int8 activations, made once for all that read the same
// value. Nothing else has changed. Written by hand: the aim, and the test of the syntax and of the stage.

// It reads as it prints.
// RUN: rm -rf %t && mkdir %t
// RUN: qopt %s > %t/wanted.mlir
// RUN: qopt %t/wanted.mlir | diff %t/wanted.mlir -

// The stage makes the same of 01-import.mlir, given weights; but for files and errors, letter by letter.
// RUN: %python -c "import array; v = array.array('f', [(i * 7919 % 1009 - 504) / 4096 for i in range(313856 // 4)]); v.tofile(open(r'%t/stories.onnx', 'wb')); v[:2048].tofile(open(r'%t/work.bin', 'wb'))"
// RUN: sed 's@in "@in "%t/@' %S/01-import.mlir > %t/imported.mlir
// RUN: qopt %t/imported.mlir --assign-formats=format=int4-g32 --evaluate-weights=work=%t/derived.work --rtn=work=%t/quantized.work --check-weights \
// RUN:   --contract-activations --verify-quantized -o %t/quantized.mlir
// RUN: sed -e 's@in "%t/@in "@' -e 's@ {error = .*@@' %t/quantized.mlir > %t/have.mlir
// RUN: sed -e 's@ {error = .*@@' %t/wanted.mlir | diff - %t/have.mlir
// RUN: not ls %t/derived.work
module attributes {halftone.source = "stories.onnx", halftone.context = 256 : i64} {
  lowbit.weight @embedding : !lowbit.weight<512x64, #lowbit.format<int8, block 32, scale f16>> in "quantized.work" at 0 {error = 7.1e-03}
  lowbit.weight @rope.cos : !lowbit.weight<256x4, #lowbit.format<f32>> in "work.bin" at 0
  lowbit.weight @rope.sin : !lowbit.weight<256x4, #lowbit.format<f32>> in "work.bin" at 4096
  lowbit.weight @layers.0.q : !lowbit.weight<64x64, #lowbit.format<int4, block 32, scale f16>> in "quantized.work" at 34816 {error = 9.2e-02}
  lowbit.weight @layers.0.k : !lowbit.weight<32x64, #lowbit.format<int4, block 32, scale f16>> in "quantized.work" at 37120 {error = 9.2e-02}
  lowbit.weight @layers.0.v : !lowbit.weight<32x64, #lowbit.format<int4, block 32, scale f16>> in "quantized.work" at 38272 {error = 9.2e-02}
  lowbit.weight @layers.0.o : !lowbit.weight<64x64, #lowbit.format<int4, block 32, scale f16>> in "quantized.work" at 39424 {error = 9.2e-02}
  lowbit.weight @layers.0.gate : !lowbit.weight<172x64, #lowbit.format<int4, block 32, scale f16>> in "quantized.work" at 41728 {error = 9.2e-02}
  lowbit.weight @layers.0.up : !lowbit.weight<172x64, #lowbit.format<int4, block 32, scale f16>> in "quantized.work" at 47936 {error = 9.2e-02}
  lowbit.weight @layers.0.down : !lowbit.weight<64x172, #lowbit.format<int4, block 32, scale f16>> in "quantized.work" at 54144 {error = 9.2e-02}
  lowbit.weight @layers.0.norm : !lowbit.weight<64, #lowbit.format<f32>> in "stories.onnx" at 313344
  lowbit.weight @norm : !lowbit.weight<64, #lowbit.format<f32>> in "stories.onnx" at 313600
  lowbit.cache @cache.0 : !lowbit.cache<heads 4, size 8>
  lowbit.cache @cache.1 : !lowbit.cache<heads 4, size 8>

  func.func private @block(%x: tensor<?x64xf32>, %past: index,
      %cos: !lowbit.weight<256x4, #lowbit.format<f32>>, %sin: !lowbit.weight<256x4, #lowbit.format<f32>>,
      %cache: !lowbit.cache<heads 4, size 8>, %g1: !lowbit.weight<64, #lowbit.format<f32>>,
      %wq: !lowbit.weight<64x64, #lowbit.format<int4, block 32, scale f16>>, %wk: !lowbit.weight<32x64, #lowbit.format<int4, block 32, scale f16>>,
      %wv: !lowbit.weight<32x64, #lowbit.format<int4, block 32, scale f16>>, %wo: !lowbit.weight<64x64, #lowbit.format<int4, block 32, scale f16>>,
      %g2: !lowbit.weight<64, #lowbit.format<f32>>, %wgate: !lowbit.weight<172x64, #lowbit.format<int4, block 32, scale f16>>,
      %wup: !lowbit.weight<172x64, #lowbit.format<int4, block 32, scale f16>>, %wdown: !lowbit.weight<64x172, #lowbit.format<int4, block 32, scale f16>>)
      -> tensor<?x64xf32> {
    %n1 = lowbit.rms_norm %x scale %g1 epsilon 1.0e-05 : tensor<?x64xf32>, !lowbit.weight<64, #lowbit.format<f32>>
    %a1 = lowbit.quantize_activation %n1 : tensor<?x64xf32> -> !lowbit.activation<?x64, #lowbit.format<int8, block 32, scale f32>>
    %q = lowbit.linear %a1, %wq {format = #lowbit.format<int4, block 32, scale f16>} : (!lowbit.activation<?x64, #lowbit.format<int8, block 32, scale f32>>, !lowbit.weight<64x64, #lowbit.format<int4, block 32, scale f16>>) -> tensor<?x64xf32>
    %k = lowbit.linear %a1, %wk {format = #lowbit.format<int4, block 32, scale f16>} : (!lowbit.activation<?x64, #lowbit.format<int8, block 32, scale f32>>, !lowbit.weight<32x64, #lowbit.format<int4, block 32, scale f16>>) -> tensor<?x32xf32>
    %v = lowbit.linear %a1, %wv {format = #lowbit.format<int4, block 32, scale f16>} : (!lowbit.activation<?x64, #lowbit.format<int8, block 32, scale f32>>, !lowbit.weight<32x64, #lowbit.format<int4, block 32, scale f16>>) -> tensor<?x32xf32>
    %qr = lowbit.rope %q, %cos, %sin at %past heads 8 : tensor<?x64xf32>, !lowbit.weight<256x4, #lowbit.format<f32>>
    %kr = lowbit.rope %k, %cos, %sin at %past heads 4 : tensor<?x32xf32>, !lowbit.weight<256x4, #lowbit.format<f32>>
    lowbit.append %kr, %v to %cache at %past : tensor<?x32xf32>, !lowbit.cache<heads 4, size 8>
    %a = lowbit.attention %qr, %cache at %past heads 8 scale 0.353553385 : tensor<?x64xf32>, !lowbit.cache<heads 4, size 8>
    %a2 = lowbit.quantize_activation %a : tensor<?x64xf32> -> !lowbit.activation<?x64, #lowbit.format<int8, block 32, scale f32>>
    %o = lowbit.linear %a2, %wo {format = #lowbit.format<int4, block 32, scale f16>} : (!lowbit.activation<?x64, #lowbit.format<int8, block 32, scale f32>>, !lowbit.weight<64x64, #lowbit.format<int4, block 32, scale f16>>) -> tensor<?x64xf32>
    %h = arith.addf %x, %o : tensor<?x64xf32>
    %n2 = lowbit.rms_norm %h scale %g2 epsilon 1.0e-05 : tensor<?x64xf32>, !lowbit.weight<64, #lowbit.format<f32>>
    %a3 = lowbit.quantize_activation %n2 : tensor<?x64xf32> -> !lowbit.activation<?x64, #lowbit.format<int8, block 32, scale f32>>
    %gate = lowbit.linear %a3, %wgate {format = #lowbit.format<int4, block 32, scale f16>} : (!lowbit.activation<?x64, #lowbit.format<int8, block 32, scale f32>>, !lowbit.weight<172x64, #lowbit.format<int4, block 32, scale f16>>) -> tensor<?x172xf32>
    %up = lowbit.linear %a3, %wup {format = #lowbit.format<int4, block 32, scale f16>} : (!lowbit.activation<?x64, #lowbit.format<int8, block 32, scale f32>>, !lowbit.weight<172x64, #lowbit.format<int4, block 32, scale f16>>) -> tensor<?x172xf32>
    // Elementwise arithmetic is upstream's, on tensors: sigmoid(x) = 1 / (1 + exp(-x)).
    %c0 = arith.constant 0 : index
    %one = arith.constant 1.0 : f32
    %t = tensor.dim %gate, %c0 : tensor<?x172xf32>
    %ones = tensor.splat %one[%t] : tensor<?x172xf32>
    %neg = arith.negf %gate : tensor<?x172xf32>
    %exp = math.exp %neg : tensor<?x172xf32>
    %sum = arith.addf %exp, %ones : tensor<?x172xf32>
    %s = arith.divf %ones, %sum : tensor<?x172xf32>
    %act = arith.mulf %gate, %s : tensor<?x172xf32>
    %m = arith.mulf %act, %up : tensor<?x172xf32>
    %a4 = lowbit.quantize_activation %m : tensor<?x172xf32> -> !lowbit.activation<?x172, #lowbit.format<int8, block 32, scale f32>>
    %d = lowbit.linear %a4, %wdown {format = #lowbit.format<int4, block 32, scale f16>} : (!lowbit.activation<?x172, #lowbit.format<int8, block 32, scale f32>>, !lowbit.weight<64x172, #lowbit.format<int4, block 32, scale f16>>) -> tensor<?x64xf32>
    %y = arith.addf %h, %d : tensor<?x64xf32>
    return %y : tensor<?x64xf32>
  }

  func.func @forward(%tokens: tensor<?xi64>, %past: index) -> tensor<?x512xf32> {
    %table = lowbit.get @embedding : !lowbit.weight<512x64, #lowbit.format<int8, block 32, scale f16>>
    %x = lowbit.embedding %tokens, %table {format = #lowbit.format<int8, block 32, scale f16>} : (tensor<?xi64>, !lowbit.weight<512x64, #lowbit.format<int8, block 32, scale f16>>) -> tensor<?x64xf32>
    %cos = lowbit.get @rope.cos : !lowbit.weight<256x4, #lowbit.format<f32>>
    %sin = lowbit.get @rope.sin : !lowbit.weight<256x4, #lowbit.format<f32>>
    %c0 = lowbit.get @cache.0 : !lowbit.cache<heads 4, size 8>
    %c1 = lowbit.get @cache.1 : !lowbit.cache<heads 4, size 8>
    %q = lowbit.get @layers.0.q : !lowbit.weight<64x64, #lowbit.format<int4, block 32, scale f16>>
    %k = lowbit.get @layers.0.k : !lowbit.weight<32x64, #lowbit.format<int4, block 32, scale f16>>
    %v = lowbit.get @layers.0.v : !lowbit.weight<32x64, #lowbit.format<int4, block 32, scale f16>>
    %o = lowbit.get @layers.0.o : !lowbit.weight<64x64, #lowbit.format<int4, block 32, scale f16>>
    %gate = lowbit.get @layers.0.gate : !lowbit.weight<172x64, #lowbit.format<int4, block 32, scale f16>>
    %up = lowbit.get @layers.0.up : !lowbit.weight<172x64, #lowbit.format<int4, block 32, scale f16>>
    %down = lowbit.get @layers.0.down : !lowbit.weight<64x172, #lowbit.format<int4, block 32, scale f16>>
    %g = lowbit.get @layers.0.norm : !lowbit.weight<64, #lowbit.format<f32>>
    %1 = call @block(%x, %past, %cos, %sin, %c0, %g, %q, %k, %v, %o, %g, %gate, %up, %down) : (tensor<?x64xf32>, index, !lowbit.weight<256x4, #lowbit.format<f32>>, !lowbit.weight<256x4, #lowbit.format<f32>>, !lowbit.cache<heads 4, size 8>, !lowbit.weight<64, #lowbit.format<f32>>, !lowbit.weight<64x64, #lowbit.format<int4, block 32, scale f16>>, !lowbit.weight<32x64, #lowbit.format<int4, block 32, scale f16>>, !lowbit.weight<32x64, #lowbit.format<int4, block 32, scale f16>>, !lowbit.weight<64x64, #lowbit.format<int4, block 32, scale f16>>, !lowbit.weight<64, #lowbit.format<f32>>, !lowbit.weight<172x64, #lowbit.format<int4, block 32, scale f16>>, !lowbit.weight<172x64, #lowbit.format<int4, block 32, scale f16>>, !lowbit.weight<64x172, #lowbit.format<int4, block 32, scale f16>>) -> tensor<?x64xf32>
    %2 = call @block(%1, %past, %cos, %sin, %c1, %g, %q, %k, %v, %o, %g, %gate, %up, %down) : (tensor<?x64xf32>, index, !lowbit.weight<256x4, #lowbit.format<f32>>, !lowbit.weight<256x4, #lowbit.format<f32>>, !lowbit.cache<heads 4, size 8>, !lowbit.weight<64, #lowbit.format<f32>>, !lowbit.weight<64x64, #lowbit.format<int4, block 32, scale f16>>, !lowbit.weight<32x64, #lowbit.format<int4, block 32, scale f16>>, !lowbit.weight<32x64, #lowbit.format<int4, block 32, scale f16>>, !lowbit.weight<64x64, #lowbit.format<int4, block 32, scale f16>>, !lowbit.weight<64, #lowbit.format<f32>>, !lowbit.weight<172x64, #lowbit.format<int4, block 32, scale f16>>, !lowbit.weight<172x64, #lowbit.format<int4, block 32, scale f16>>, !lowbit.weight<64x172, #lowbit.format<int4, block 32, scale f16>>) -> tensor<?x64xf32>
    %norm = lowbit.get @norm : !lowbit.weight<64, #lowbit.format<f32>>
    %n = lowbit.rms_norm %2 scale %norm epsilon 1.0e-05 : tensor<?x64xf32>, !lowbit.weight<64, #lowbit.format<f32>>
    %a5 = lowbit.quantize_activation %n : tensor<?x64xf32> -> !lowbit.activation<?x64, #lowbit.format<int8, block 32, scale f32>>
    %head = lowbit.get @embedding : !lowbit.weight<512x64, #lowbit.format<int8, block 32, scale f16>>
    %logits = lowbit.linear %a5, %head {format = #lowbit.format<int8, block 32, scale f16>} : (!lowbit.activation<?x64, #lowbit.format<int8, block 32, scale f32>>, !lowbit.weight<512x64, #lowbit.format<int8, block 32, scale f16>>) -> tensor<?x512xf32>
    return %logits : tensor<?x512xf32>
  }
}
