// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The last stage: object, runtime, weights, tokenizer and facts into one executable.
#pragma once

#include "lib/io/WorkFolder.h"
#include "lib/link/WeightSegment.h"

#include <span>
#include <string>

namespace halftone::package {

/// The parts of a model's weight segment, in the order in which they lie there.
struct SegmentSources {
  /// The file that pack-weights wrote.
  const io::MappedFile &weights;
  /// The tokenizer's file as it was given; empty when the model has none.
  std::span<const std::byte> tokenizer;
  /// What infoJson gave.
  std::string_view info;
};

/// Links the file `object` of `work` with the runtime and writes the executable with its weight segment to the file
/// `name` of `work`, with mode 0777 before the umask, ready to be published.
Status packageExecutable(const io::WorkFolder &work, const std::string &object, const std::string &runtimeFolder,
                         const SegmentSources &segment, const std::string &name,
                         const link::SegmentProgress &progress = {});

} // namespace halftone::package
