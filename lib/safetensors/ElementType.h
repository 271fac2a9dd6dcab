// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The element types of safetensors files: one table of names and sizes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace halftone::safetensors {

/// In the order in which files hold them: the largest first, so that all lie aligned.
enum class ElementType : uint8_t { i64, f64, f32, i32, bf16, f16, i16, i8, u8, boolean };

/// "F64", as files spell it.
std::string_view name(ElementType type);
/// The type of that name; nothing when the table has none.
std::optional<ElementType> findElementType(std::string_view name);
/// "F64 F32 ...": all names, for errors.
std::string knownElementTypes();
/// Bytes of one element.
uint64_t byteSize(ElementType type);
/// Bytes of a whole tensor; nothing when they are more than 2^64.
std::optional<uint64_t> byteSize(ElementType type, std::span<const uint64_t> shape);
/// "F32 [288, 768]", for errors.
std::string describe(ElementType type, std::span<const uint64_t> shape);

} // namespace halftone::safetensors
