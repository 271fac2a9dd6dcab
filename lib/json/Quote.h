// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Strings as JSON spells them. Also linked into the emitted binary.
#pragma once

#include <string>
#include <string_view>

namespace halftone::json {

/// `text` in quotation marks; bytes that are not UTF-8 become U+FFFD.
std::string quote(std::string_view text);

} // namespace halftone::json
