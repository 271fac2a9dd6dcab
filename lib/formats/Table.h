// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The table of element codes: what may be the first part of a format's name, and what may follow it.
#pragma once

#include "lib/formats/Format.h"

#include <span>
#include <string>

namespace halftone::formats {

/// One element code and what is legal with it. Plain elements take nothing; the others take any block of
/// 1..maxBlock or the whole row, and any scale type.
struct Element {
  Code code;
  /// Whether its blocks may store a zero (`-asym`).
  bool mayHaveZeroPoint = false;
  /// What activations are rounded to before they are multiplied with a plain element. Codes take integers per block.
  Scalar activations = Scalar::F32;
};

/// Every element, in the order in which they are listed to users.
std::span<const Element> elements();

/// The row of `code`, or null.
const Element *findElement(const Code &code);
/// The row of the element called `name`, or null.
const Element *findElement(std::string_view name);

/// What a format name may be, in words, made from the table.
std::string allowedNames();

} // namespace halftone::formats
