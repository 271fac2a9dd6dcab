// RUN: qopt %s -split-input-file -verify-diagnostics
// Each numbered constraint of the lowbit dialect's types and operations, broken.

// !lowbit.weight C1.
// expected-error @below {{C1: a weight has one or two dimensions, not 3}}
func.func private @weight(!lowbit.weight<2x3x4, #lowbit.format<f32>>)

// -----

// expected-error @below {{C2: a weight's dimensions are known and positive, not 0}}
func.func private @weight(!lowbit.weight<0x4, #lowbit.format<f32>>)

// -----

// expected-error @below {{C2: a weight's dimensions are known and positive, not -9223372036854775808}}
func.func private @weight(!lowbit.weight<?x4, #lowbit.format<f32>>)

// -----

// expected-error @below {{C3: a weight of one dimension is plain, not int4-g32}}
func.func private @weight(!lowbit.weight<64, #lowbit.format<int4, block 32, scale f16>>)

// -----

// expected-error @below {{C3: an encoding orders a matrix, not a tensor of one dimension}}
func.func private @weight(!lowbit.weight<64, #lowbit.format<f32>, #kernel.unpacked>)

// -----

// Bytes that an int64_t does not count: 2^62 rows of 16 bytes.
// expected-error @below {{C4: a weight has at most 70368744177664 bytes, not those of 4611686018427387904x4 in f32}}
func.func private @weight(!lowbit.weight<4611686018427387904x4, #lowbit.format<f32>>)

// -----

// expected-error @below {{C4: a weight has at most 70368744177664 bytes, not those of 4x4611686018427387904 in int4-row}}
func.func private @weight(!lowbit.weight<4x4611686018427387904, #lowbit.format<int4, row, scale f16>>)

// -----

// One row more than fits: 2^42 rows of 16 bytes are the limit.
func.func private @fits(!lowbit.weight<4398046511104x4, #lowbit.format<f32>>)
// expected-error @below {{C4: a weight has at most 70368744177664 bytes, not those of 4398046511105x4 in f32}}
func.func private @weight(!lowbit.weight<4398046511105x4, #lowbit.format<f32>>)

// -----

// !lowbit.activation.
// expected-error @below {{C1: activations have two dimensions, tokens and channels, not 1}}
func.func private @activation(!lowbit.activation<64, #lowbit.format<int8, row, scale f32>>)

// -----

// expected-error @below {{C2: the channels of activations are known, 1 to 70368744177664, not 0}}
func.func private @activation(!lowbit.activation<?x0, #lowbit.format<int8, row, scale f32>>)

// -----

// expected-error @below {{C3: activations are int8 without a zero point and with scales in f32, or bf16, not int4-row-f32}}
func.func private @activation(!lowbit.activation<?x64, #lowbit.format<int4, row, scale f32>>)

// -----

// expected-error @below {{C3: activations are int8 without a zero point and with scales in f32, or bf16, not int8-row}}
func.func private @activation(!lowbit.activation<?x64, #lowbit.format<int8, row, scale f16>>)

// -----

// expected-error @below {{C3: activations are int8 without a zero point and with scales in f32, or bf16, not int8-row-asym-f32}}
func.func private @activation(!lowbit.activation<?x64, #lowbit.format<int8, row, scale f32, zero_point>>)

// -----

// !lowbit.cache.
// expected-error @below {{C1: a cache has at least one head of at least one channel, not 0 of 8}}
func.func private @cache(!lowbit.cache<heads 0, size 8>)

// -----

// expected-error @below {{C2: a position of a cache has at most 70368744177664 channels, not 4611686018427387904 of 8}}
func.func private @cache(!lowbit.cache<heads 4611686018427387904, size 8>)

// -----

// expected-error @below {{C3: a cache is stored in f16 or in codes of 8 or 4 bits with one f32 scale a head, not in int8-g4-f32 with heads of 8 channels}}
lowbit.cache @c : !lowbit.cache<heads 1, size 8, <int8, block 4, scale f32>>

// -----

// expected-error @below {{C3: a cache is stored in f16 or in codes of 8 or 4 bits with one f32 scale a head, not in int4-g7-f32 with heads of 7 channels}}
lowbit.cache @c : !lowbit.cache<heads 1, size 7, <int4, block 7, scale f32>>

// -----

// expected-error @below {{C3: a cache is stored in f16 or in codes of 8 or 4 bits with one f32 scale a head, not in f32 with heads of 8 channels}}
lowbit.cache @c : !lowbit.cache<heads 1, size 8, <f32>>

// -----

// #lowbit.format.
// expected-error @below {{int9}}
// expected-error @below {{failed to parse}}
func.func private @format(!lowbit.weight<8x8, #lowbit.format<int9, row, scale f16>>)

// -----

// lowbit.weight.
// expected-error @below {{C1: the offset is negative: -1}}
lowbit.weight @w : !lowbit.weight<8x8, #lowbit.format<f32>> in "m.bin" at -1

// -----

// expected-error @below {{C2: only a plain matrix can be stored transposed, not '!lowbit.weight<8x8, <int4, row, scale f16>>'}}
lowbit.weight @w : !lowbit.weight<8x8, #lowbit.format<int4, row, scale f16>> in "m.bin" at 0 transposed

// -----

// lowbit.get.
func.func @get() {
  // expected-error @below {{C1: no weight or cache is named @w}}
  %w = lowbit.get @w : !lowbit.weight<8x8, #lowbit.format<f32>>
  return
}

// -----

lowbit.weight @w : !lowbit.weight<8x8, #lowbit.format<f32>> in "m.bin" at 0
func.func @get() {
  // expected-error @below {{C2: @w is '!lowbit.weight<8x8, <f32>>', not '!lowbit.weight<8x9, <f32>>'}}
  %w = lowbit.get @w : !lowbit.weight<8x9, #lowbit.format<f32>>
  return
}

// -----

// lowbit.slice_rows.
func.func @slice(%m: !lowbit.weight<8x4, #lowbit.format<int4, row, scale f16>>) {
  // expected-error @below {{C1: the matrix is '!lowbit.weight<8x4, <int4, row, scale f16>>', the result '!lowbit.weight<4x4, <int4, row, scale f16>>'}}
  %w = lowbit.slice_rows %m from 0 : !lowbit.weight<8x4, #lowbit.format<int4, row, scale f16>> -> !lowbit.weight<4x4, #lowbit.format<int4, row, scale f16>>
  return
}

// -----

func.func @slice(%m: !lowbit.weight<8x4, #lowbit.format<f32>>) {
  // expected-error @below {{C1: the matrix is '!lowbit.weight<8x4, <f32>>', the result '!lowbit.weight<4x3, <f32>>'}}
  %w = lowbit.slice_rows %m from 0 : !lowbit.weight<8x4, #lowbit.format<f32>> -> !lowbit.weight<4x3, #lowbit.format<f32>>
  return
}

// -----

func.func @slice(%m: !lowbit.weight<8x4, #lowbit.format<f32>>) {
  // expected-error @below {{C2: 4 rows from 5 on do not lie within 8}}
  %w = lowbit.slice_rows %m from 5 : !lowbit.weight<8x4, #lowbit.format<f32>> -> !lowbit.weight<4x4, #lowbit.format<f32>>
  return
}

// -----

func.func @slice(%m: !lowbit.weight<8, #lowbit.format<f32>>) {
  // expected-error @below {{C2: 4 rows from -1 on do not lie within 8}}
  %w = lowbit.slice_rows %m from -1 : !lowbit.weight<8, #lowbit.format<f32>> -> !lowbit.weight<4, #lowbit.format<f32>>
  return
}

// -----

// lowbit.rotate_columns, lowbit.rotate_rows.
func.func @rotate(%m: !lowbit.weight<8, #lowbit.format<f32>>) {
  // expected-error @below {{C1: cannot rotate '!lowbit.weight<8, <f32>>'}}
  %w = lowbit.rotate_columns %m size 8 seed 0 : !lowbit.weight<8, #lowbit.format<f32>>
  return
}

// -----

func.func @rotate(%m: !lowbit.weight<8x8, #lowbit.format<int4, row, scale f16>>) {
  // expected-error @below {{C1: cannot rotate '!lowbit.weight<8x8, <int4, row, scale f16>>'}}
  %w = lowbit.rotate_rows %m size 8 seed 0 : !lowbit.weight<8x8, #lowbit.format<int4, row, scale f16>>
  return
}

// -----

func.func @rotate(%m: !lowbit.weight<8x12, #lowbit.format<f32>>) {
  // expected-error @below {{C2: blocks of 8 do not divide 12}}
  %w = lowbit.rotate_columns %m size 8 seed 0 : !lowbit.weight<8x12, #lowbit.format<f32>>
  return
}

// -----

func.func @rotate(%m: !lowbit.weight<8, #lowbit.format<f32>>) {
  // expected-error @below {{C2: blocks of 0 do not divide 8}}
  %w = lowbit.rotate_rows %m size 0 seed 0 : !lowbit.weight<8, #lowbit.format<f32>>
  return
}

// -----

// lowbit.widen.
func.func @widen(%m: !lowbit.weight<8, #lowbit.format<f16>>) {
  // expected-error @below {{C1: the weight is '!lowbit.weight<8, <f16>>', the result '!lowbit.weight<8, <bf16>>'}}
  %w = lowbit.widen %m : !lowbit.weight<8, #lowbit.format<f16>> -> !lowbit.weight<8, #lowbit.format<bf16>>
  return
}

// -----

func.func @widen(%m: !lowbit.weight<8, #lowbit.format<f16>>) {
  // expected-error @below {{C1: the weight is '!lowbit.weight<8, <f16>>', the result '!lowbit.weight<4, <f32>>'}}
  %w = lowbit.widen %m : !lowbit.weight<8, #lowbit.format<f16>> -> !lowbit.weight<4, #lowbit.format<f32>>
  return
}

// -----

// lowbit.add_bias.
func.func @bias(%x: tensor<?x8xf32>, %b: !lowbit.weight<4, #lowbit.format<f32>>) {
  // expected-error @below {{C1: the bias is '!lowbit.weight<4, <f32>>', the input 'tensor<?x8xf32>'}}
  %y = lowbit.add_bias %x, %b : tensor<?x8xf32>, !lowbit.weight<4, #lowbit.format<f32>>
  return
}

// -----

func.func @bias(%x: tensor<?x8xf32>, %b: !lowbit.weight<8, #lowbit.format<f16>>) {
  // expected-error @below {{C1: the bias is '!lowbit.weight<8, <f16>>', the input 'tensor<?x8xf32>'}}
  %y = lowbit.add_bias %x, %b : tensor<?x8xf32>, !lowbit.weight<8, #lowbit.format<f16>>
  return
}

// -----

// lowbit.scale_columns.
func.func @scale(%m: !lowbit.weight<8, #lowbit.format<f32>>) {
  // expected-error @below {{C1: needs a matrix and a row of factors, not '!lowbit.weight<8, <f32>>' and '!lowbit.weight<8, <f32>>'}}
  %w = lowbit.scale_columns %m, %m : (!lowbit.weight<8, #lowbit.format<f32>>, !lowbit.weight<8, #lowbit.format<f32>>) -> !lowbit.weight<8, #lowbit.format<f32>>
  return
}

// -----

func.func @scale(%m: !lowbit.weight<8x4, #lowbit.format<f32>>, %f: !lowbit.weight<8, #lowbit.format<f32>>) {
  // expected-error @below {{C2: columns and factors differ, 4 and 8}}
  %w = lowbit.scale_columns %m, %f : (!lowbit.weight<8x4, #lowbit.format<f32>>, !lowbit.weight<8, #lowbit.format<f32>>) -> !lowbit.weight<8x4, #lowbit.format<f32>>
  return
}

// -----

func.func @scale(%m: !lowbit.weight<8x8, #lowbit.format<int4, row, scale f16>>, %f: !lowbit.weight<8, #lowbit.format<f32>>) {
  // expected-error @below {{C3: only plain weights can be scaled, not '!lowbit.weight<8x8, <int4, row, scale f16>>' by '!lowbit.weight<8, <f32>>'}}
  %w = lowbit.scale_columns %m, %f : (!lowbit.weight<8x8, #lowbit.format<int4, row, scale f16>>, !lowbit.weight<8, #lowbit.format<f32>>) -> !lowbit.weight<8x8, #lowbit.format<f32>>
  return
}

// -----

func.func @scale(%m: !lowbit.weight<8x8, #lowbit.format<f32>>, %f: !lowbit.weight<8, #lowbit.format<f32>>) {
  // expected-error @below {{C4: the matrix is '!lowbit.weight<8x8, <f32>>', the result '!lowbit.weight<9x8, <f32>>'}}
  %w = lowbit.scale_columns %m, %f : (!lowbit.weight<8x8, #lowbit.format<f32>>, !lowbit.weight<8, #lowbit.format<f32>>) -> !lowbit.weight<9x8, #lowbit.format<f32>>
  return
}

// -----

func.func @scale(%m: !lowbit.weight<8x8, #lowbit.format<f32>>, %f: !lowbit.weight<8, #lowbit.format<f32>>) {
  // expected-error @below {{C4: the matrix is '!lowbit.weight<8x8, <f32>>', the result '!lowbit.weight<8x8, <int4, row, scale f16>>'}}
  %w = lowbit.scale_columns %m, %f : (!lowbit.weight<8x8, #lowbit.format<f32>>, !lowbit.weight<8, #lowbit.format<f32>>) -> !lowbit.weight<8x8, #lowbit.format<int4, row, scale f16>>
  return
}

// -----

// lowbit.embedding.
func.func @embedding(%ids: tensor<?xi64>, %w: !lowbit.weight<8, #lowbit.format<f32>>) {
  // expected-error @below {{C1: the table has 1 dimensions, not two}}
  %x = lowbit.embedding %ids, %w : (tensor<?xi64>, !lowbit.weight<8, #lowbit.format<f32>>) -> tensor<?x8xf32>
  return
}

// -----

func.func @embedding(%ids: tensor<?xi64>, %w: !lowbit.weight<8x4, #lowbit.format<f32>>) {
  // expected-error @below {{C2: the table has 4 columns, the result is 'tensor<?x8xf32>'}}
  %x = lowbit.embedding %ids, %w : (tensor<?xi64>, !lowbit.weight<8x4, #lowbit.format<f32>>) -> tensor<?x8xf32>
  return
}

// -----

func.func @embedding(%ids: tensor<3xi64>, %w: !lowbit.weight<8x4, #lowbit.format<f32>>) {
  // expected-error @below {{C3: the ids are 'tensor<3xi64>', the result is 'tensor<8x4xf32>'}}
  %x = lowbit.embedding %ids, %w : (tensor<3xi64>, !lowbit.weight<8x4, #lowbit.format<f32>>) -> tensor<8x4xf32>
  return
}

// -----

func.func @embedding(%ids: tensor<1x3xi64>, %w: !lowbit.weight<8x4, #lowbit.format<f32>>) {
  // expected-error @below {{operand #0 must be [tokens] of i64, but got 'tensor<1x3xi64>'}}
  %x = lowbit.embedding %ids, %w : (tensor<1x3xi64>, !lowbit.weight<8x4, #lowbit.format<f32>>) -> tensor<3x4xf32>
  return
}

// -----

// lowbit.linear.
func.func @linear(%x: tensor<4x8xf32>, %w: !lowbit.weight<8, #lowbit.format<f32>>) {
  // expected-error @below {{C1: the weight has 1 dimensions, not two}}
  %y = lowbit.linear %x, %w : (tensor<4x8xf32>, !lowbit.weight<8, #lowbit.format<f32>>) -> tensor<4x8xf32>
  return
}

// -----

func.func @linear(%x: tensor<4x7xf32>, %w: !lowbit.weight<8x8, #lowbit.format<f32>>) {
  // expected-error @below {{C2: weight and activation reduce over different sizes, 8 and 7}}
  %y = lowbit.linear %x, %w : (tensor<4x7xf32>, !lowbit.weight<8x8, #lowbit.format<f32>>) -> tensor<4x8xf32>
  return
}

// -----

func.func @linear(%x: tensor<4x8xf32>, %w: !lowbit.weight<8x8, #lowbit.format<f32>>) {
  // expected-error @below {{C3: the weight has 8 rows, the result is 'tensor<4x9xf32>'}}
  %y = lowbit.linear %x, %w : (tensor<4x8xf32>, !lowbit.weight<8x8, #lowbit.format<f32>>) -> tensor<4x9xf32>
  return
}

// -----

func.func @linear(%x: !lowbit.activation<4x8, #lowbit.format<int8, row, scale f32>>, %w: !lowbit.weight<8x8, #lowbit.format<int4, block 4, scale f16>>) {
  // expected-error @below {{C4: activations need a weight with the same blocks or elements}}
  %y = lowbit.linear %x, %w : (!lowbit.activation<4x8, #lowbit.format<int8, row, scale f32>>, !lowbit.weight<8x8, #lowbit.format<int4, block 4, scale f16>>) -> tensor<4x8xf32>
  return
}

// -----

func.func @linear(%x: !lowbit.activation<4x8, #lowbit.format<int8, row, scale f32>>, %w: !lowbit.weight<8x8, #lowbit.format<f32>>) {
  // expected-error @below {{C4: activations need a weight with the same blocks or elements}}
  %y = lowbit.linear %x, %w : (!lowbit.activation<4x8, #lowbit.format<int8, row, scale f32>>, !lowbit.weight<8x8, #lowbit.format<f32>>) -> tensor<4x8xf32>
  return
}

// -----

func.func @linear(%x: tensor<4x8xf32>, %w: !lowbit.weight<8x8, #lowbit.format<f32>>) {
  // expected-error @below {{C5: the input is 'tensor<4x8xf32>', the result 'tensor<9x8xf32>'}}
  %y = lowbit.linear %x, %w : (tensor<4x8xf32>, !lowbit.weight<8x8, #lowbit.format<f32>>) -> tensor<9x8xf32>
  return
}

// -----

func.func @linear(%x: !lowbit.activation<4x8, #lowbit.format<int8, row, scale f32>>, %w: !lowbit.weight<8x8, #lowbit.format<int4, row, scale f16>>) {
  // expected-error @below {{C5: the input is '!lowbit.activation<4x8, <int8, row, scale f32>>', the result 'tensor<9x8xf32>'}}
  %y = lowbit.linear %x, %w : (!lowbit.activation<4x8, #lowbit.format<int8, row, scale f32>>, !lowbit.weight<8x8, #lowbit.format<int4, row, scale f16>>) -> tensor<9x8xf32>
  return
}

// -----

// lowbit.rms_norm.
func.func @norm(%x: tensor<4x8xf32>, %s: !lowbit.weight<9, #lowbit.format<f32>>) {
  // expected-error @below {{C1: the scale is '!lowbit.weight<9, <f32>>', the input 'tensor<4x8xf32>'}}
  %y = lowbit.rms_norm %x scale %s epsilon 0.0 : tensor<4x8xf32>, !lowbit.weight<9, #lowbit.format<f32>>
  return
}

// -----

func.func @norm(%x: tensor<4x8xf32>, %s: !lowbit.weight<8, #lowbit.format<f16>>) {
  // expected-error @below {{C1: the scale is '!lowbit.weight<8, <f16>>', the input 'tensor<4x8xf32>'}}
  %y = lowbit.rms_norm %x scale %s epsilon 0.0 : tensor<4x8xf32>, !lowbit.weight<8, #lowbit.format<f16>>
  return
}

// -----

func.func @norm(%x: tensor<4x8xf32>) {
  // expected-error @below {{C2: the epsilon is -1.0}}
  %y = lowbit.rms_norm %x epsilon -1.0 : tensor<4x8xf32>
  return
}

// -----

func.func @norm(%x: tensor<1x4x8xf32>) {
  // expected-error @below {{operand #0 must be [tokens, channels] of f32, but got 'tensor<1x4x8xf32>'}}
  %y = lowbit.rms_norm %x epsilon 0.0 : tensor<1x4x8xf32>
  return
}

// -----

// lowbit.rope.
func.func @rope(%x: tensor<4x8xf32>, %t: !lowbit.weight<16x2, #lowbit.format<f32>>, %past: index) {
  // expected-error @below {{C1: 8 channels do not divide into 3 heads}}
  %y = lowbit.rope %x, %t, %t at %past heads 3 : tensor<4x8xf32>, !lowbit.weight<16x2, #lowbit.format<f32>>
  return
}

// -----

func.func @rope(%x: tensor<4x8xf32>, %t: !lowbit.weight<16, #lowbit.format<f32>>, %past: index) {
  // expected-error @below {{C2: the tables are '!lowbit.weight<16, <f32>>' and '!lowbit.weight<16, <f32>>'}}
  %y = lowbit.rope %x, %t, %t at %past heads 2 : tensor<4x8xf32>, !lowbit.weight<16, #lowbit.format<f32>>
  return
}

// -----

func.func @rope(%x: tensor<4x8xf32>, %t: !lowbit.weight<16x2, #lowbit.format<f16>>, %past: index) {
  // expected-error @below {{C2: the tables are '!lowbit.weight<16x2, <f16>>' and '!lowbit.weight<16x2, <f16>>'}}
  %y = lowbit.rope %x, %t, %t at %past heads 2 : tensor<4x8xf32>, !lowbit.weight<16x2, #lowbit.format<f16>>
  return
}

// -----

func.func @rope(%x: tensor<4x8xf32>, %t: !lowbit.weight<16x3, #lowbit.format<f32>>, %past: index) {
  // expected-error @below {{C3: 3 pairs do not fit into a head of 4}}
  %y = lowbit.rope %x, %t, %t at %past heads 2 : tensor<4x8xf32>, !lowbit.weight<16x3, #lowbit.format<f32>>
  return
}

// -----

// lowbit.append.
func.func @append(%k: tensor<4x8xf32>, %c: !lowbit.cache<heads 2, size 8>, %past: index) {
  // expected-error @below {{C1: keys or values are 'tensor<4x8xf32>', the cache '!lowbit.cache<heads 2, size 8>'}}
  lowbit.append %k, %k to %c at %past : tensor<4x8xf32>, !lowbit.cache<heads 2, size 8>
  return
}

// -----

// lowbit.attention.
func.func @attention(%q: tensor<4x24xf32>, %c: !lowbit.cache<heads 2, size 8>, %past: index) {
  // expected-error @below {{C1: the queries are 'tensor<4x24xf32>', not 2 heads of 8}}
  %y = lowbit.attention %q, %c at %past heads 2 scale 1.0 : tensor<4x24xf32>, !lowbit.cache<heads 2, size 8>
  return
}

// -----

// 2^61 + 3 heads of 8 are 24 channels to whoever multiplies in 64 bits.
func.func @attention(%q: tensor<4x24xf32>, %c: !lowbit.cache<heads 1, size 8>, %past: index) {
  // expected-error @below {{C1: the queries are 'tensor<4x24xf32>', not 2305843009213693955 heads of 8}}
  %y = lowbit.attention %q, %c at %past heads 2305843009213693955 scale 1.0 : tensor<4x24xf32>, !lowbit.cache<heads 1, size 8>
  return
}

// -----

func.func @attention(%q: tensor<4x24xf32>, %c: !lowbit.cache<heads 2, size 8>, %past: index) {
  // expected-error @below {{C2: 3 query heads do not divide by 2 of the cache}}
  %y = lowbit.attention %q, %c at %past heads 3 scale 1.0 : tensor<4x24xf32>, !lowbit.cache<heads 2, size 8>
  return
}

// -----

// lowbit.quantize_activation.
func.func @quantize(%x: tensor<4x8xf32>) {
  // expected-error @below {{C1: shapes differ, 'tensor<4x8xf32>' and '!lowbit.activation<5x8, <int8, row, scale f32>>'}}
  %y = lowbit.quantize_activation %x : tensor<4x8xf32> -> !lowbit.activation<5x8, #lowbit.format<int8, row, scale f32>>
  return
}

// -----

// lowbit.kernel.
func.func @kernel(%x: tensor<4x8xf32>) {
  // expected-error @below {{C1: results are 'tensor<4x9xf32>', yielded 'tensor<4x8xf32>'}}
  %y = lowbit.kernel {
    lowbit.yield %x : tensor<4x8xf32>
  } : tensor<4x9xf32>
  return
}

// -----

func.func @kernel(%x: tensor<4x8xf32>, %out: memref<4x8xf32>) {
  // expected-error @below {{C2: a kernel with outs has 1 results}}
  %y = lowbit.kernel outs(%out : memref<4x8xf32>) {
    lowbit.yield %x : tensor<4x8xf32>
  } : tensor<4x8xf32>
  return
}

// -----

func.func @kernel(%x: tensor<4x8xf32>) {
  // expected-error @below {{the region does not end in lowbit.yield}}
  lowbit.kernel {
    func.return
  }
  return
}

// -----

func.func @yield(%x: tensor<4x8xf32>) {
  // expected-error @below {{expects parent op 'lowbit.kernel'}}
  lowbit.yield %x : tensor<4x8xf32>
}

// -----

func.func @kernel(%x: tensor<4x8xf32>, %out: memref<4x8xf32>) {
  // expected-error @below {{C3: what is yielded takes 1 outs, not 2}}
  lowbit.kernel outs(%out, %out : memref<4x8xf32>, memref<4x8xf32>) {
    lowbit.yield %x : tensor<4x8xf32>
  }
  return
}

// -----

func.func @append(%k: tensor<4x16xf32>, %v: tensor<4x8xf32>, %c: !lowbit.cache<heads 2, size 8>, %past: index) {
  // expected-error @below {{C1: keys or values are 'tensor<4x8xf32>', the cache '!lowbit.cache<heads 2, size 8>'}}
  "lowbit.append"(%k, %v, %c, %past) : (tensor<4x16xf32>, tensor<4x8xf32>, !lowbit.cache<heads 2, size 8>, index) -> ()
  return
}

// -----

func.func @append(%k: tensor<4x16xf32>, %v: tensor<3x16xf32>, %c: !lowbit.cache<heads 2, size 8>, %past: index) {
  // expected-error @below {{C2: the keys are 'tensor<4x16xf32>', the values 'tensor<3x16xf32>'}}
  "lowbit.append"(%k, %v, %c, %past) : (tensor<4x16xf32>, tensor<3x16xf32>, !lowbit.cache<heads 2, size 8>, index) -> ()
  return
}

// -----

// What stands in a format is read field by field.
// expected-error @below {{no scale has the type 'asym'}}
// expected-error @below {{failed to parse}}
func.func private @format(!lowbit.weight<8x8, #lowbit.format<int4, block 32, scale asym>>)

// -----

// expected-error @below {{a block of 0 columns; a whole row is 'row'}}
// expected-error @below {{failed to parse}}
func.func private @format(!lowbit.weight<8x8, #lowbit.format<int4, block 0, scale f16>>)

// -----

// expected-error @below {{block -32 is not 1..65536, nor 0 for a whole row}}
// expected-error @below {{failed to parse}}
func.func private @format(!lowbit.weight<8x8, #lowbit.format<int4, block -32, scale f16>>)

// -----

// expected-error @below {{'e2m1' takes no zero point}}
// expected-error @below {{failed to parse}}
func.func private @format(!lowbit.weight<8x8, #lowbit.format<e2m1, block 32, scale f16, zero_point>>)

// -----

// expected-error @below {{expected '>'}}
// expected-error @below {{failed to parse}}
func.func private @format(!lowbit.weight<8x8, #lowbit.format<f32, row, scale f16>>)
