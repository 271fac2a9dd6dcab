// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Blocks and batches of an order of columns.
#include "lib/quantize/Batches.h"

#include <gmock/gmock.h>

using namespace halftone::quantize;
using testing::ElementsAre;
using testing::Optional;

namespace {

using Columns = std::vector<int64_t>;

TEST(Batches, BlocksEndWhereAnotherBegins) {
  EXPECT_THAT(blockEnds(Columns{0, 1, 2, 3, 4}, 2), Optional(ElementsAre(2, 4, 5)));
  EXPECT_THAT(blockEnds(Columns{4, 1, 0, 2, 3}, 2), Optional(ElementsAre(1, 3, 5))) << "the short one comes first";
  EXPECT_THAT(blockEnds(Columns{2, 0, 1}, 8), Optional(ElementsAre(3)));
  EXPECT_EQ(blockEnds(Columns{0, 2, 1, 3}, 2), std::nullopt) << "blocks are torn apart";
}

TEST(Batches, HoldWholeBlocksOrPartsOfOne) {
  EXPECT_THAT(batchEnds(Columns{3, 6, 9, 10}, 8), ElementsAre(6, 10));
  EXPECT_THAT(batchEnds(Columns{8, 16}, 8), ElementsAre(8, 16));
  EXPECT_THAT(batchEnds(Columns{20, 23}, 8), ElementsAre(8, 16, 23))
      << "the rest of a block, and one that fits beside it";
  EXPECT_THAT(batchEnds(Columns{3, 23, 33}, 8), ElementsAre(3, 11, 19, 23, 31, 33));
  EXPECT_THAT(batchEnds(Columns{5}, 8), ElementsAre(5));
}

} // namespace
