// RUN: %python -c "import numpy; numpy.arange(200, dtype='f').tofile(r'%t.bin'); numpy.save(r'%t.npy', numpy.ones((1, 3, 8), 'f'))"
// RUN: sed s@WEIGHTS@%t.bin@ %s | qopt --pass-pipeline='builtin.module(observe{gather=magnitude},awq{data=%t.npy work=%t.work})' | FileCheck %s
// RUN: sed s@WEIGHTS@%t.bin@ %s | qopt --pass-pipeline='builtin.module(observe{gather=magnitude},awq{data=%t.npy work=%t.work},evaluate-weights{work=%t.derived})' \
// RUN:   | FileCheck %s --check-prefix=DERIVED

// Columns take factors, what gives the inputs the inverses: a norm's scale at the call that brings it; the rows of a
// linear, through attention, a bias and a product. Nothing changes inside the block but that its linears now wait for rtn.

#f32 = #lowbit.format<f32>
#int4 = #lowbit.format<int4, block 8, scale f16>
// CHECK: lowbit.weight @v : {{.*}}.bin"
// CHECK-NEXT: lowbit.weight @v.inverses : !lowbit.weight<8, <f32>> in "{{.*}}.work" at 64
// CHECK-NEXT: lowbit.weight @v.factors : !lowbit.weight<8, <f32>> in "{{.*}}.work" at 0
lowbit.weight @g : !lowbit.weight<8, #f32> in "WEIGHTS" at 0
lowbit.weight @v : !lowbit.weight<8x8, #f32> in "WEIGHTS" at 32
lowbit.weight @b : !lowbit.weight<8, #f32> in "WEIGHTS" at 288
lowbit.weight @o : !lowbit.weight<8x8, #f32> in "WEIGHTS" at 320
lowbit.cache @cache : !lowbit.cache<heads 2, size 4>

// CHECK-LABEL: func.func private @block(
// CHECK-NOT: scale_
// CHECK: lowbit.linear {{.*}} {format = #lowbit.format<int4, block 8, scale f16>, method = "rtn"}
// CHECK: lowbit.linear {{.*}} {format = #lowbit.format<int4, block 8, scale f16>} :
func.func private @block(%x: tensor<?x8xf32>, %past: index, %g: !lowbit.weight<8, #f32>, %v: !lowbit.weight<8x8, #f32>, %b: !lowbit.weight<8, #f32>,
                         %o: !lowbit.weight<8x8, #f32>, %cache: !lowbit.cache<heads 2, size 4>) -> tensor<?x8xf32> {
  %n = lowbit.rms_norm %x scale %g epsilon 1.0e-05 : tensor<?x8xf32>, !lowbit.weight<8, #f32>
  %0 = lowbit.linear %n, %v {format = #int4, method = "awq,rtn"} : (tensor<?x8xf32>, !lowbit.weight<8x8, #f32>) -> tensor<?x8xf32>
  %1 = lowbit.add_bias %0, %b : tensor<?x8xf32>, !lowbit.weight<8, #f32>
  lowbit.append %x, %1 to %cache at %past : tensor<?x8xf32>, !lowbit.cache<heads 2, size 4>
  %2 = lowbit.attention %x, %cache at %past heads 2 scale 0.5 : tensor<?x8xf32>, !lowbit.cache<heads 2, size 4>
  %3 = math.tanh %x : tensor<?x8xf32>
  %4 = arith.mulf %3, %2 : tensor<?x8xf32>
  %5 = lowbit.linear %4, %o {format = #int4, method = "awq"} : (tensor<?x8xf32>, !lowbit.weight<8x8, #f32>) -> tensor<?x8xf32>
  return %5 : tensor<?x8xf32>
}
// CHECK-LABEL: func.func @forward
// CHECK-DAG: %[[G:.*]] = lowbit.get @g :
// CHECK-DAG: %[[V:.*]] = lowbit.get @v :
// CHECK-DAG: %[[B:.*]] = lowbit.get @b :
// CHECK-DAG: %[[O:.*]] = lowbit.get @o :
// CHECK: %[[VF:.*]] = lowbit.get @v.factors
// CHECK-NEXT: %[[V1:.*]] = lowbit.scale_columns %[[V]], %[[VF]]
// CHECK-NEXT: %[[VI:.*]] = lowbit.get @v.inverses
// CHECK-NEXT: %[[G1:.*]] = lowbit.scale_rows %[[G]], %[[VI]]
// CHECK-NEXT: %[[OF:.*]] = lowbit.get @o.factors
// CHECK-NEXT: %[[O1:.*]] = lowbit.scale_columns %[[O]], %[[OF]]
// CHECK-NEXT: %[[OI:.*]] = lowbit.get @o.inverses
// CHECK-NEXT: %[[B1:.*]] = lowbit.scale_rows %[[B]], %[[OI]]
// CHECK-NEXT: %[[OI:.*]] = lowbit.get @o.inverses
// CHECK-NEXT: %[[V2:.*]] = lowbit.scale_rows %[[V1]], %[[OI]]
// CHECK-NEXT: call @block(%{{.*}}, %{{.*}}, %[[G1]], %[[V2]], %[[B1]], %[[O1]],
// DERIVED-LABEL: func.func @forward
// DERIVED-DAG: %[[G:.*]] = lowbit.get @g.scaled
// DERIVED-DAG: %[[V:.*]] = lowbit.get @v.scaled
// DERIVED-DAG: %[[B:.*]] = lowbit.get @b.scaled
// DERIVED-DAG: %[[O:.*]] = lowbit.get @o.scaled
// DERIVED: call @block(%{{.*}}, %{{.*}}, %[[G]], %[[V]], %[[B]], %[[O]],
func.func @forward(%x: tensor<?x8xf32>, %past: index) -> tensor<?x8xf32> {
  %g = lowbit.get @g : !lowbit.weight<8, #f32>
  %v = lowbit.get @v : !lowbit.weight<8x8, #f32>
  %b = lowbit.get @b : !lowbit.weight<8, #f32>
  %o = lowbit.get @o : !lowbit.weight<8x8, #f32>
  %cache = lowbit.get @cache : !lowbit.cache<heads 2, size 4>
  %0 = call @block(%x, %past, %g, %v, %b, %o, %cache)
    : (tensor<?x8xf32>, index, !lowbit.weight<8, #f32>, !lowbit.weight<8x8, #f32>, !lowbit.weight<8, #f32>, !lowbit.weight<8x8, #f32>, !lowbit.cache<heads 2, size 4>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}
