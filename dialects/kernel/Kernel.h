// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The kernel dialect in C++; its meaning stands in the .td files beside this one.
#pragma once

#include "dialects/lowbit/Lowbit.h"
#include "lib/formats/Packing.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include "dialects/kernel/Dialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/kernel/Attributes.h.inc"

#define GET_OP_CLASSES
#include "dialects/kernel/Ops.h.inc"

namespace halftone::kernel {

/// Memory whose size is the caller's business. The size is static so that functions take it as a bare pointer.
mlir::MemRefType byteMemory(mlir::MLIRContext *context);
/// The same memory as elements of one type.
mlir::MemRefType memoryOf(mlir::Type element);

/// Positions that stand side by side in a cache: the innermost dimension of its keys.
inline constexpr int64_t cachePositions = 16;

/// Bytes of a weight in the weight segment: in its encoding's order when it has one, else rows one after another.
int64_t packedBytes(lowbit::WeightType type);

/// The attribute of a module, or of one of its functions, that holds its target.
inline constexpr llvm::StringLiteral targetAttrName = "halftone.target";
/// The attribute of a module that holds its targets when there are several, best first.
inline constexpr llvm::StringLiteral targetsAttrName = "halftone.targets";
/// What a function is called in the copy for target `number`: the first keeps the names.
std::string nameForTarget(llvm::StringRef function, size_t number);
/// Renames what has the name `name` by chance, as a weight may. Says where it cannot.
mlir::LogicalResult freeName(mlir::SymbolTable &symbols, llvm::StringRef name);

/// The attribute of a function whose calls may have fewer tokens than its types say, a multiple of its value: what
/// `kernel.tokens` gives.
inline constexpr llvm::StringLiteral tokenStepAttrName = "halftone.token_step";

/// Attributes of a function that measures a dot instruction (add-probes): its name, and how many multiplications and
/// additions an iteration has.
inline constexpr llvm::StringLiteral probeAttrName = "halftone.probe",
                                     probeOperationsAttrName = "halftone.probe_operations";

/// The attribute of a lowbit.kernel that holds its schedule.
inline constexpr llvm::StringLiteral scheduleAttrName = "schedule";

/// The attribute of a lowbit.kernel that holds its number (number-kernels).
inline constexpr llvm::StringLiteral siteAttrName = "site";

/// The attribute of a lowbit.weight that holds the order it is to be packed in: #kernel.layout or #kernel.unpacked.
inline constexpr llvm::StringLiteral layoutAttrName = "layout";

/// The keys or values of a cache as memory, their strides still open (see kernel.keys, kernel.values); and the scales
/// of their codes.
mlir::Value keysOf(mlir::Value cache, mlir::OpBuilder &builder, mlir::Location loc);
mlir::Value valuesOf(mlir::Value cache, mlir::OpBuilder &builder, mlir::Location loc);
mlir::Value keyScalesOf(mlir::Value cache, mlir::OpBuilder &builder, mlir::Location loc);
mlir::Value valueScalesOf(mlir::Value cache, mlir::OpBuilder &builder, mlir::Location loc);

/// Where the parts of one tile of a cache begin, in bytes: keys first; and how many they all are.
struct CacheTile {
  explicit CacheTile(lowbit::CacheType type);
  int64_t values, keyScales, valueScales, bytes;
};

/// Channels that one element of a cache's memory holds: 2 in codes of 4 bits.
int64_t channelsPerElement(lowbit::CacheType type);

/// The buffers that hold a value: one for a tensor; codes, scales and sums for an activation (see kernel.activation).
llvm::SmallVector<mlir::MemRefType, 3> bufferTypes(mlir::Type type);

/// Bytes that a block of `length` activation codes takes in its buffer: groups of 4 are read at once.
inline int64_t paddedBlock(int64_t length) { return formats::divideUp(length, 4) * 4; }

} // namespace halftone::kernel
