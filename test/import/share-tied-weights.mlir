// RUN: %python -c "import struct; m = [1, 2, 3, 4, 5, 6]; t = [1, 4, 2, 5, 3, 6]; o = [1, 4, 2, 5, 3, 7]; open(r'%t.bin', 'wb').write(struct.pack('<18f', *m, *t, *o))"
// RUN: sed 's|FILE|%t.bin|' %s | qopt --share-tied-weights | FileCheck %s
// RUN: not qopt %s --share-tied-weights 2>&1 | FileCheck %s --check-prefix=MISSING
// MISSING: error: FILE: cannot open: No such file or directory
// A matrix, its transposed copy, and one that differs in one element.

// CHECK: lowbit.weight @table
lowbit.weight @table : !lowbit.weight<2x3, <f32>> in "FILE" at 0
// CHECK-NOT: lowbit.weight @copy
lowbit.weight @copy : !lowbit.weight<2x3, <f32>> in "FILE" at 24 transposed
// CHECK: lowbit.weight @other
lowbit.weight @other : !lowbit.weight<2x3, <f32>> in "FILE" at 48 transposed

// CHECK-LABEL: @uses
// CHECK: %[[T:.*]] = lowbit.get @table
// CHECK: %[[C:.*]] = lowbit.get @table
// CHECK: %[[O:.*]] = lowbit.get @other
func.func @uses() -> (!lowbit.weight<2x3, <f32>>, !lowbit.weight<2x3, <f32>>, !lowbit.weight<2x3, <f32>>) {
  %t = lowbit.get @table : !lowbit.weight<2x3, <f32>>
  %c = lowbit.get @copy : !lowbit.weight<2x3, <f32>>
  %o = lowbit.get @other : !lowbit.weight<2x3, <f32>>
  return %t, %c, %o : !lowbit.weight<2x3, <f32>>, !lowbit.weight<2x3, <f32>>, !lowbit.weight<2x3, <f32>>
}
