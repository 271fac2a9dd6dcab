// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What values are worth once they have been stored in a format.
#pragma once

#include "lib/formats/Format.h"
#include "passes/function/TensorBuilder.h"

namespace halftone::calibrate {

/// `values`, f32 [tokens, columns], as `format` gives them back: rounded when it is plain, else balanced codes times
/// the f32 scale of each block of columns, absmax / (2^(bits-1) - 1).
mlir::Value contracted(function::TensorBuilder &b, mlir::Value values, const formats::Format &format);

} // namespace halftone::calibrate
