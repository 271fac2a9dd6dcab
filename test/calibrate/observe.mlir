// RUN: qopt %s --pass-pipeline='builtin.module(func.func(observe{gather=hessian,range}))' | FileCheck %s
// RUN: qopt %s --pass-pipeline='builtin.module(func.func(observe,drop-observations))' | FileCheck %s --check-prefix=DROPPED
// RUN: not qopt %s --pass-pipeline='builtin.module(func.func(observe{gather=mean}))' 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// UNKNOWN: error: 'lowbit.observe' op C1: gathers ["mean"]; what there is, each once: hessian, magnitude, range
// DROPPED-NOT: lowbit.observe

// One observation of a value, however many linears read it, right after it is there.
// CHECK-LABEL: func.func @block
// CHECK-SAME: (%[[X:.*]]: tensor<?x8xf32>
// CHECK-NEXT: %[[N:.*]] = lowbit.rms_norm %[[X]]
// CHECK-NEXT: lowbit.observe %[[N]] gather ["hessian", "range"] : tensor<?x8xf32>
// CHECK-NEXT: %[[Q:.*]] = lowbit.linear %[[N]]
// CHECK-NEXT: lowbit.observe %[[Q]] gather ["hessian", "range"] : tensor<?x4xf32>
// CHECK-NEXT: lowbit.linear %[[N]]
// CHECK-NEXT: lowbit.linear %[[Q]]
// CHECK-NEXT: return
func.func @block(%x: tensor<?x8xf32>, %w: !lowbit.weight<4x8, <f32>>, %v: !lowbit.weight<4x4, <f32>>) -> (tensor<?x4xf32>, tensor<?x4xf32>) {
  %n = lowbit.rms_norm %x epsilon 1.0e-05 : tensor<?x8xf32>
  %q = lowbit.linear %n, %w : (tensor<?x8xf32>, <4x8, <f32>>) -> tensor<?x4xf32>
  %k = lowbit.linear %n, %w : (tensor<?x8xf32>, <4x8, <f32>>) -> tensor<?x4xf32>
  %o = lowbit.linear %q, %v : (tensor<?x4xf32>, <4x4, <f32>>) -> tensor<?x4xf32>
  return %k, %o : tensor<?x4xf32>, tensor<?x4xf32>
}
