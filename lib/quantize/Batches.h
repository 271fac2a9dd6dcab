// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How an order of columns is cut for lazy updates.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace halftone::quantize {

/// Where the blocks end that follow each other in `order`, which names each column once, if each comes in one piece.
/// \param blockColumns columns of a block; the last one of the row may be short, wherever it comes.
std::optional<std::vector<int64_t>> blockEnds(std::span<const int64_t> order, int64_t blockColumns);

/// Where batches of at most `most` columns end: they hold as many whole blocks as fit, or a part of one. So when the
/// first column of a block comes, its other columns have taken all errors of the batches before, or are in the same
/// batch.
std::vector<int64_t> batchEnds(std::span<const int64_t> blockEnds, int64_t most);

} // namespace halftone::quantize
