// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writing a module's text.
#pragma once

#include "test/kernels/Weights.h"

#include "llvm/Support/FormatVariadic.h"

namespace halftone::test {

/// `pattern` with {0}, {1} .. replaced by the arguments.
template <class... Arguments> std::string write(const char *pattern, Arguments &&...arguments) {
  return llvm::formatv(pattern, std::forward<Arguments>(arguments)...).str();
}

inline std::string tensor(int64_t tokens, int64_t channels) { return write("tensor<{0}x{1}xf32>", tokens, channels); }

/// int8 activations whose blocks are those of `format`.
inline std::string activation(int64_t tokens, int64_t channels, const formats::Format &format) {
  return write("!lowbit.activation<{0}x{1}, {2}>", tokens, channels,
               attribute(formats::Format::integer(8, format.block, formats::Scalar::F32)));
}

/// A function that gets the weights `w_name` .. by their names.
inline std::string get(const std::string &value, const std::string &name, const std::string &type) {
  return write("  %{0} = lowbit.get @{1} : {2}\n", value, name, type);
}

} // namespace halftone::test
