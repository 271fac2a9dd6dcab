// RUN: qopt %s | qopt | FileCheck %s
// One transformer block of two layers as the import stage leaves it: weights are names with a place in a file, the
// repeated block is one function, called per layer with its weights and its cache. Written by hand: the aim, and the
// test of the syntax.

// CHECK: module attributes {halftone.context = 256 : i64, halftone.source = "stories.onnx"}
module attributes {halftone.source = "stories.onnx", halftone.context = 256 : i64} {
  lowbit.weight @embedding : !lowbit.weight<512x64, #lowbit.format<f32>> in "stories.onnx" at 1024
  lowbit.weight @rope.cos : !lowbit.weight<256x4, #lowbit.format<f32>> in "work.bin" at 0
  lowbit.weight @rope.sin : !lowbit.weight<256x4, #lowbit.format<f32>> in "work.bin" at 4096
  // CHECK: lowbit.weight @layers.0.q : !lowbit.weight<64x64, <f32>> in "stories.onnx" at 132096 transposed
  lowbit.weight @layers.0.q : !lowbit.weight<64x64, #lowbit.format<f32>> in "stories.onnx" at 132096 transposed
  lowbit.weight @layers.0.k : !lowbit.weight<32x64, #lowbit.format<f32>> in "stories.onnx" at 148480 transposed
  lowbit.weight @layers.0.v : !lowbit.weight<32x64, #lowbit.format<f32>> in "stories.onnx" at 156672 transposed
  lowbit.weight @layers.0.o : !lowbit.weight<64x64, #lowbit.format<f32>> in "stories.onnx" at 164864 transposed
  lowbit.weight @layers.0.gate : !lowbit.weight<172x64, #lowbit.format<f32>> in "stories.onnx" at 181248 transposed
  lowbit.weight @layers.0.up : !lowbit.weight<172x64, #lowbit.format<f32>> in "stories.onnx" at 225280 transposed
  lowbit.weight @layers.0.down : !lowbit.weight<64x172, #lowbit.format<f32>> in "stories.onnx" at 269312 transposed
  lowbit.weight @layers.0.norm : !lowbit.weight<64, #lowbit.format<f32>> in "stories.onnx" at 313344
  lowbit.weight @norm : !lowbit.weight<64, #lowbit.format<f32>> in "stories.onnx" at 313600
  lowbit.cache @cache.0 : !lowbit.cache<heads 4, size 8>
  lowbit.cache @cache.1 : !lowbit.cache<heads 4, size 8>

  // CHECK-LABEL: func.func private @block
  func.func private @block(%x: tensor<?x64xf32>, %past: index,
      %cos: !lowbit.weight<256x4, #lowbit.format<f32>>, %sin: !lowbit.weight<256x4, #lowbit.format<f32>>,
      %cache: !lowbit.cache<heads 4, size 8>, %g1: !lowbit.weight<64, #lowbit.format<f32>>,
      %wq: !lowbit.weight<64x64, #lowbit.format<f32>>, %wk: !lowbit.weight<32x64, #lowbit.format<f32>>,
      %wv: !lowbit.weight<32x64, #lowbit.format<f32>>, %wo: !lowbit.weight<64x64, #lowbit.format<f32>>,
      %g2: !lowbit.weight<64, #lowbit.format<f32>>, %wgate: !lowbit.weight<172x64, #lowbit.format<f32>>,
      %wup: !lowbit.weight<172x64, #lowbit.format<f32>>, %wdown: !lowbit.weight<64x172, #lowbit.format<f32>>)
      -> tensor<?x64xf32> {
    // CHECK: %[[N:.*]] = lowbit.rms_norm %{{.*}} scale %{{.*}} epsilon 9.99999974E-6 : tensor<?x64xf32>, !lowbit.weight<64, <f32>>
    %n1 = lowbit.rms_norm %x scale %g1 epsilon 1.0e-05 : tensor<?x64xf32>, !lowbit.weight<64, #lowbit.format<f32>>
    %q = lowbit.linear %n1, %wq : (tensor<?x64xf32>, !lowbit.weight<64x64, #lowbit.format<f32>>) -> tensor<?x64xf32>
    %k = lowbit.linear %n1, %wk : (tensor<?x64xf32>, !lowbit.weight<32x64, #lowbit.format<f32>>) -> tensor<?x32xf32>
    %v = lowbit.linear %n1, %wv : (tensor<?x64xf32>, !lowbit.weight<32x64, #lowbit.format<f32>>) -> tensor<?x32xf32>
    // CHECK: lowbit.rope %{{.*}}, %{{.*}}, %{{.*}} at %{{.*}} heads 8 : tensor<?x64xf32>, !lowbit.weight<256x4, <f32>>
    %qr = lowbit.rope %q, %cos, %sin at %past heads 8 : tensor<?x64xf32>, !lowbit.weight<256x4, #lowbit.format<f32>>
    %kr = lowbit.rope %k, %cos, %sin at %past heads 4 : tensor<?x32xf32>, !lowbit.weight<256x4, #lowbit.format<f32>>
    // CHECK: lowbit.append %{{.*}}, %{{.*}} to %{{.*}} at %{{.*}} : tensor<?x32xf32>, <heads 4, size 8>
    lowbit.append %kr, %v to %cache at %past : tensor<?x32xf32>, !lowbit.cache<heads 4, size 8>
    // CHECK: lowbit.attention %{{.*}}, %{{.*}} at %{{.*}} heads 8 scale 0.353553385 : tensor<?x64xf32>, <heads 4, size 8>
    %a = lowbit.attention %qr, %cache at %past heads 8 scale 0.353553385 : tensor<?x64xf32>, !lowbit.cache<heads 4, size 8>
    %o = lowbit.linear %a, %wo : (tensor<?x64xf32>, !lowbit.weight<64x64, #lowbit.format<f32>>) -> tensor<?x64xf32>
    %h = arith.addf %x, %o : tensor<?x64xf32>
    %n2 = lowbit.rms_norm %h scale %g2 epsilon 1.0e-05 : tensor<?x64xf32>, !lowbit.weight<64, #lowbit.format<f32>>
    %gate = lowbit.linear %n2, %wgate : (tensor<?x64xf32>, !lowbit.weight<172x64, #lowbit.format<f32>>) -> tensor<?x172xf32>
    %up = lowbit.linear %n2, %wup : (tensor<?x64xf32>, !lowbit.weight<172x64, #lowbit.format<f32>>) -> tensor<?x172xf32>
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
    %d = lowbit.linear %m, %wdown : (tensor<?x172xf32>, !lowbit.weight<64x172, #lowbit.format<f32>>) -> tensor<?x64xf32>
    %y = arith.addf %h, %d : tensor<?x64xf32>
    return %y : tensor<?x64xf32>
  }

  // CHECK-LABEL: func.func @forward
  func.func @forward(%tokens: tensor<?xi64>, %past: index) -> tensor<?x512xf32> {
    %table = lowbit.get @embedding : !lowbit.weight<512x64, #lowbit.format<f32>>
    // CHECK: lowbit.embedding %{{.*}}, %{{.*}} : (tensor<?xi64>, <512x64, <f32>>) -> tensor<?x64xf32>
    %x = lowbit.embedding %tokens, %table : (tensor<?xi64>, !lowbit.weight<512x64, #lowbit.format<f32>>) -> tensor<?x64xf32>
    %cos = lowbit.get @rope.cos : !lowbit.weight<256x4, #lowbit.format<f32>>
    %sin = lowbit.get @rope.sin : !lowbit.weight<256x4, #lowbit.format<f32>>
    %c0 = lowbit.get @cache.0 : !lowbit.cache<heads 4, size 8>
    %c1 = lowbit.get @cache.1 : !lowbit.cache<heads 4, size 8>
    %q = lowbit.get @layers.0.q : !lowbit.weight<64x64, #lowbit.format<f32>>
    %k = lowbit.get @layers.0.k : !lowbit.weight<32x64, #lowbit.format<f32>>
    %v = lowbit.get @layers.0.v : !lowbit.weight<32x64, #lowbit.format<f32>>
    %o = lowbit.get @layers.0.o : !lowbit.weight<64x64, #lowbit.format<f32>>
    %gate = lowbit.get @layers.0.gate : !lowbit.weight<172x64, #lowbit.format<f32>>
    %up = lowbit.get @layers.0.up : !lowbit.weight<172x64, #lowbit.format<f32>>
    %down = lowbit.get @layers.0.down : !lowbit.weight<64x172, #lowbit.format<f32>>
    %g = lowbit.get @layers.0.norm : !lowbit.weight<64, #lowbit.format<f32>>
    %1 = call @block(%x, %past, %cos, %sin, %c0, %g, %q, %k, %v, %o, %g, %gate, %up, %down) : (tensor<?x64xf32>, index, !lowbit.weight<256x4, #lowbit.format<f32>>, !lowbit.weight<256x4, #lowbit.format<f32>>, !lowbit.cache<heads 4, size 8>, !lowbit.weight<64, #lowbit.format<f32>>, !lowbit.weight<64x64, #lowbit.format<f32>>, !lowbit.weight<32x64, #lowbit.format<f32>>, !lowbit.weight<32x64, #lowbit.format<f32>>, !lowbit.weight<64x64, #lowbit.format<f32>>, !lowbit.weight<64, #lowbit.format<f32>>, !lowbit.weight<172x64, #lowbit.format<f32>>, !lowbit.weight<172x64, #lowbit.format<f32>>, !lowbit.weight<64x172, #lowbit.format<f32>>) -> tensor<?x64xf32>
    %2 = call @block(%1, %past, %cos, %sin, %c1, %g, %q, %k, %v, %o, %g, %gate, %up, %down) : (tensor<?x64xf32>, index, !lowbit.weight<256x4, #lowbit.format<f32>>, !lowbit.weight<256x4, #lowbit.format<f32>>, !lowbit.cache<heads 4, size 8>, !lowbit.weight<64, #lowbit.format<f32>>, !lowbit.weight<64x64, #lowbit.format<f32>>, !lowbit.weight<32x64, #lowbit.format<f32>>, !lowbit.weight<32x64, #lowbit.format<f32>>, !lowbit.weight<64x64, #lowbit.format<f32>>, !lowbit.weight<64, #lowbit.format<f32>>, !lowbit.weight<172x64, #lowbit.format<f32>>, !lowbit.weight<172x64, #lowbit.format<f32>>, !lowbit.weight<64x172, #lowbit.format<f32>>) -> tensor<?x64xf32>
    %norm = lowbit.get @norm : !lowbit.weight<64, #lowbit.format<f32>>
    %n = lowbit.rms_norm %2 scale %norm epsilon 1.0e-05 : tensor<?x64xf32>, !lowbit.weight<64, #lowbit.format<f32>>
    %head = lowbit.get @embedding : !lowbit.weight<512x64, #lowbit.format<f32>>
    %logits = lowbit.linear %n, %head : (tensor<?x64xf32>, !lowbit.weight<512x64, #lowbit.format<f32>>) -> tensor<?x512xf32>
    return %logits : tensor<?x512xf32>
  }
}
