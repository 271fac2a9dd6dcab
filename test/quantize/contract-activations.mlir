// RUN: qopt %s -split-input-file -verify-diagnostics --contract-activations | FileCheck %s

// One for all linears of equal blocks, another for other blocks, right after the producer; row stays row.

// CHECK-LABEL: func.func @shared(
// CHECK-SAME: %[[X:.*]]: tensor<?x64xf32>, %[[P:.*]]: !lowbit{{.*}}, %[[Q:.*]]: !lowbit{{.*}}, %[[R:.*]]: !lowbit
func.func @shared(%x: tensor<?x64xf32>, %p: !lowbit.weight<64x64, #lowbit.format<int4, block 32, scale f16>>,
                  %q: !lowbit.weight<96x64, #lowbit.format<int8, block 32, scale f16, zero_point>>,
                  %r: !lowbit.weight<64x64, #lowbit.format<int4, row, scale bf16>>)
    -> (tensor<?x64xf32>, tensor<?x96xf32>, tensor<?x64xf32>) {
  // CHECK: %[[N:.*]] = lowbit.rms_norm %[[X]]
  // CHECK-DAG: %[[A:.*]] = lowbit.quantize_activation %[[N]] : tensor<?x64xf32> -> <?x64, <int8, block 32, scale f32>>
  // CHECK-DAG: %[[B:.*]] = lowbit.quantize_activation %[[N]] : tensor<?x64xf32> -> <?x64, <int8, row, scale f32>>
  // CHECK: math.exp
  // CHECK: lowbit.linear %[[A]], %[[P]] : (!lowbit.activation<?x64, <int8, block 32, scale f32>>
  // CHECK: lowbit.linear %[[A]], %[[Q]] :
  // CHECK: lowbit.linear %[[B]], %[[R]] :
  // CHECK-NOT: quantize_activation
  %n = lowbit.rms_norm %x epsilon 1.0e-05 : tensor<?x64xf32>
  %e = math.exp %n : tensor<?x64xf32>
  %0 = lowbit.linear %n, %p {activations = "int8"} : (tensor<?x64xf32>, !lowbit.weight<64x64, #lowbit.format<int4, block 32, scale f16>>) -> tensor<?x64xf32>
  %1 = lowbit.linear %n, %q {activations = "int8"} : (tensor<?x64xf32>, !lowbit.weight<96x64, #lowbit.format<int8, block 32, scale f16, zero_point>>) -> tensor<?x96xf32>
  %2 = lowbit.linear %n, %r {activations = "int8"} : (tensor<?x64xf32>, !lowbit.weight<64x64, #lowbit.format<int4, row, scale bf16>>) -> tensor<?x64xf32>
  return %0, %1, %2 : tensor<?x64xf32>, tensor<?x96xf32>, tensor<?x64xf32>
}

// A linear without the decision keeps its f32 activations; a producer may be an argument.

// CHECK-LABEL: func.func @open(
// CHECK-SAME: %[[X:.*]]: tensor<?x64xf32>
func.func @open(%x: tensor<?x64xf32>, %p: !lowbit.weight<64x64, #lowbit.format<int4, block 32, scale f16>>) -> tensor<?x64xf32> {
  // CHECK-NEXT: %[[A:.*]] = lowbit.quantize_activation %[[X]]
  // CHECK-NEXT: lowbit.linear %[[X]],
  // CHECK-NEXT: lowbit.linear %[[A]],
  %0 = lowbit.linear %x, %p : (tensor<?x64xf32>, !lowbit.weight<64x64, #lowbit.format<int4, block 32, scale f16>>) -> tensor<?x64xf32>
  %1 = lowbit.linear %x, %p {activations = "int8"} : (tensor<?x64xf32>, !lowbit.weight<64x64, #lowbit.format<int4, block 32, scale f16>>) -> tensor<?x64xf32>
  return %1 : tensor<?x64xf32>
}

// -----

func.func @plain(%x: tensor<?x64xf32>, %p: !lowbit.weight<64x64, #lowbit.format<f32>>) -> tensor<?x64xf32> {
  // expected-error @below {{its weight is plain, '!lowbit.weight<64x64, <f32>>', so its activations have no blocks}}
  %0 = lowbit.linear %x, %p {activations = "int8"} : (tensor<?x64xf32>, !lowbit.weight<64x64, #lowbit.format<f32>>) -> tensor<?x64xf32>
  return %0 : tensor<?x64xf32>
}

// -----

func.func @element(%x: tensor<?x64xf32>, %p: !lowbit.weight<64x64, #lowbit.format<int4, row, scale f16>>) -> tensor<?x64xf32> {
  // expected-error @below {{activations cannot be "int4": they are integers of 8 bits}}
  %0 = lowbit.linear %x, %p {activations = "int4"} : (tensor<?x64xf32>, !lowbit.weight<64x64, #lowbit.format<int4, row, scale f16>>) -> tensor<?x64xf32>
  return %0 : tensor<?x64xf32>
}
