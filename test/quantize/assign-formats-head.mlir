// RUN: qopt %s --assign-formats="format=int4-g32 head-format=int8-g32" | FileCheck %s
// The head is found behind elementwise operations that read one value twice, each looked at once.

lowbit.weight @head : !lowbit.weight<64x32, #lowbit.format<f32>> in "m.onnx" at 0
// CHECK-LABEL: func.func @forward
// CHECK: lowbit.linear {{.*}}format = #lowbit.format<int8,
func.func @forward(%x: tensor<?x32xf32>) -> tensor<?x64xf32> {
  %w = lowbit.get @head : !lowbit.weight<64x32, #lowbit.format<f32>>
  %0 = lowbit.linear %x, %w : (tensor<?x32xf32>, !lowbit.weight<64x32, #lowbit.format<f32>>) -> tensor<?x64xf32>
  %1 = arith.addf %0, %0 : tensor<?x64xf32>
  %2 = arith.addf %1, %1 : tensor<?x64xf32>
  %3 = arith.addf %2, %2 : tensor<?x64xf32>
  %4 = arith.addf %3, %3 : tensor<?x64xf32>
  %5 = arith.addf %4, %4 : tensor<?x64xf32>
  %6 = arith.addf %5, %5 : tensor<?x64xf32>
  %7 = arith.addf %6, %6 : tensor<?x64xf32>
  %8 = arith.addf %7, %7 : tensor<?x64xf32>
  %9 = arith.addf %8, %8 : tensor<?x64xf32>
  %10 = arith.addf %9, %9 : tensor<?x64xf32>
  %11 = arith.addf %10, %10 : tensor<?x64xf32>
  %12 = arith.addf %11, %11 : tensor<?x64xf32>
  %13 = arith.addf %12, %12 : tensor<?x64xf32>
  %14 = arith.addf %13, %13 : tensor<?x64xf32>
  %15 = arith.addf %14, %14 : tensor<?x64xf32>
  %16 = arith.addf %15, %15 : tensor<?x64xf32>
  %17 = arith.addf %16, %16 : tensor<?x64xf32>
  %18 = arith.addf %17, %17 : tensor<?x64xf32>
  %19 = arith.addf %18, %18 : tensor<?x64xf32>
  %20 = arith.addf %19, %19 : tensor<?x64xf32>
  %21 = arith.addf %20, %20 : tensor<?x64xf32>
  %22 = arith.addf %21, %21 : tensor<?x64xf32>
  %23 = arith.addf %22, %22 : tensor<?x64xf32>
  %24 = arith.addf %23, %23 : tensor<?x64xf32>
  %25 = arith.addf %24, %24 : tensor<?x64xf32>
  %26 = arith.addf %25, %25 : tensor<?x64xf32>
  %27 = arith.addf %26, %26 : tensor<?x64xf32>
  %28 = arith.addf %27, %27 : tensor<?x64xf32>
  %29 = arith.addf %28, %28 : tensor<?x64xf32>
  %30 = arith.addf %29, %29 : tensor<?x64xf32>
  %31 = arith.addf %30, %30 : tensor<?x64xf32>
  %32 = arith.addf %31, %31 : tensor<?x64xf32>
  %33 = arith.addf %32, %32 : tensor<?x64xf32>
  %34 = arith.addf %33, %33 : tensor<?x64xf32>
  %35 = arith.addf %34, %34 : tensor<?x64xf32>
  %36 = arith.addf %35, %35 : tensor<?x64xf32>
  %37 = arith.addf %36, %36 : tensor<?x64xf32>
  %38 = arith.addf %37, %37 : tensor<?x64xf32>
  %39 = arith.addf %38, %38 : tensor<?x64xf32>
  %40 = arith.addf %39, %39 : tensor<?x64xf32>
  %41 = arith.addf %40, %40 : tensor<?x64xf32>
  %42 = arith.addf %41, %41 : tensor<?x64xf32>
  %43 = arith.addf %42, %42 : tensor<?x64xf32>
  %44 = arith.addf %43, %43 : tensor<?x64xf32>
  %45 = arith.addf %44, %44 : tensor<?x64xf32>
  %46 = arith.addf %45, %45 : tensor<?x64xf32>
  %47 = arith.addf %46, %46 : tensor<?x64xf32>
  %48 = arith.addf %47, %47 : tensor<?x64xf32>
  %49 = arith.addf %48, %48 : tensor<?x64xf32>
  %50 = arith.addf %49, %49 : tensor<?x64xf32>
  %51 = arith.addf %50, %50 : tensor<?x64xf32>
  %52 = arith.addf %51, %51 : tensor<?x64xf32>
  %53 = arith.addf %52, %52 : tensor<?x64xf32>
  %54 = arith.addf %53, %53 : tensor<?x64xf32>
  %55 = arith.addf %54, %54 : tensor<?x64xf32>
  %56 = arith.addf %55, %55 : tensor<?x64xf32>
  %57 = arith.addf %56, %56 : tensor<?x64xf32>
  %58 = arith.addf %57, %57 : tensor<?x64xf32>
  %59 = arith.addf %58, %58 : tensor<?x64xf32>
  %60 = arith.addf %59, %59 : tensor<?x64xf32>
  return %60 : tensor<?x64xf32>
}

// RUN: echo 'func.func @forward(%%x: tensor<?x32xf32>) -> tensor<?x32xf32> { %%0 = "other.thing"(%%x) : (tensor<?x32xf32>) -> tensor<?x32xf32> return %%0 : tensor<?x32xf32> }' \
// RUN:   | qopt -allow-unregistered-dialect --assign-formats=format=int4-g32 | FileCheck %s --check-prefix=UNKNOWN
// UNKNOWN: other.thing
