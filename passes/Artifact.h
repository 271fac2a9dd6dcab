// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What compiling can give: the values of --emit.
#pragma once

#include "passes/Stage.h"

namespace halftone {

/// A form of the compiled model. Libraries and objects hold all of it and come with a header, FILE.h; texts are of the
/// code alone.
enum class Artifact { Executable, Library, Object, Mlir, Llvm, Assembly };

struct ArtifactRow {
  llvm::StringLiteral name;
  Stage stage; ///< the one that makes it, the last to run
  bool isText;
};

/// Indexed by Artifact. The MLIR is what neither --stop-after=lower (still kernel operations) nor --stop-after=codegen
/// (the LLVM dialect) shows: kernels in vector and scf with the processor's instructions.
inline constexpr std::array<ArtifactRow, 6> artifacts = {{
    {"exe", Stage::Package, false},
    {"lib", Stage::Package, false},
    {"obj", Stage::Package, false},
    {"mlir", Stage::Codegen, true},
    {"llvm", Stage::Codegen, true},
    {"asm", Stage::Codegen, true},
}};

/// Whether the model becomes a part of another program.
inline bool isForOthers(Artifact artifact) { return artifact == Artifact::Library || artifact == Artifact::Object; }

inline const ArtifactRow &row(Artifact artifact) { return artifacts[static_cast<size_t>(artifact)]; }

/// The artifact of that name, if there is one.
inline std::optional<Artifact> parseArtifact(llvm::StringRef text) {
  for (size_t i = 0; i < artifacts.size(); ++i)
    if (artifacts[i].name == text)
      return static_cast<Artifact>(i);
  return std::nullopt;
}

} // namespace halftone
