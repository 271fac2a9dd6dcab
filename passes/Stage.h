// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The eight words that name the folders of passes/ and test/, the dumps and the values of --stop-after.
#pragma once

#include "llvm/ADT/StringRef.h"

#include <array>
#include <optional>

namespace halftone {

/// A stage of the way from a model to a binary, in order.
enum class Stage { Import, Prepare, Calibrate, Quantize, Fuse, Lower, Codegen, Package };

/// The stages' names, indexed by Stage.
inline constexpr std::array<llvm::StringLiteral, 8> stageNames = {"import", "prepare", "calibrate", "quantize",
                                                                  "fuse",   "lower",   "codegen",   "package"};

inline llvm::StringRef name(Stage stage) { return stageNames[static_cast<size_t>(stage)]; }

/// The stage of that name, if there is one.
inline std::optional<Stage> parseStage(llvm::StringRef text) {
  for (size_t i = 0; i < stageNames.size(); ++i)
    if (stageNames[i] == text)
      return static_cast<Stage>(i);
  return std::nullopt;
}

} // namespace halftone
