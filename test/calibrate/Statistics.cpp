// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Statistics against their definitions, and their independence of chunks and threads.
#include "lib/calibrate/Statistics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <thread>

using namespace halftone;
using namespace halftone::calibrate;
using testing::Each;
using testing::ElementsAre;

using Matrix = matrix::MatrixView<const float>;

/// From the last piece to the first.
static void backwards(int64_t count, const std::function<void(int64_t)> &body) {
  for (int64_t i = count; i-- > 0;)
    body(i);
}

/// Two threads, each every other piece.
static void onTwoThreads(int64_t count, const std::function<void(int64_t)> &body) {
  const auto run = [&](int64_t first) {
    for (int64_t i = first; i < count; i += 2)
      body(i);
  };
  std::thread other(run, 1);
  run(0);
  other.join();
}

/// Normal values in which column c is as large as c + 1, rarely zero. std::mt19937 is the same everywhere; the shape of
/// the distribution does not matter.
static std::vector<float> randomValues(int64_t tokens, int64_t columns) {
  std::mt19937 random(1);
  std::vector<float> values(tokens * columns);
  for (size_t i = 0; i < values.size(); ++i) {
    const float uniform = static_cast<float>(random()) * 0x1p-31f - 1;
    values[i] = random() % 16 == 0 ? 0 : uniform * static_cast<float>(i % columns + 1);
  }
  return values;
}

static Statistics gatherAll(Matrix values, Gather gather = Gather::everything,
                            const ParallelFor &parallelFor = matrix::serially) {
  Accumulator accumulator(values.columns, gather, parallelFor);
  const Status added = accumulator.add({values.data, values.rows, values.stride});
  EXPECT_TRUE(added) << added.error().message;
  return accumulator.finish();
}

// Small integers: every product and sum is exact.
TEST(Statistics, AreWhatTheirDefinitionsSay) {
  const float values[] = {1, -2, 0, //
                          3, 0,  0, //
                          0, 4,  0, //
                          2, 1,  -0.0f};
  const Statistics found = gatherAll({values, 4, 3});
  EXPECT_EQ(found.tokens, 4);
  EXPECT_EQ(found.columns, 3);
  EXPECT_EQ(found.gathered(), Gather::everything);
  EXPECT_THAT(found.seen, ElementsAre(3, 3, 0));
  EXPECT_THAT(found.hessian, ElementsAre(7, 0, 0, 0, 10.5, 0, 0, 0, 0)); // half of X^T X = [14, 0; 0, 21]
  EXPECT_THAT(found.meanAbs, ElementsAre(1.5, 1.75, 0));
  EXPECT_THAT(found.meanSquare, ElementsAre(3.5, 5.25, 0));
  EXPECT_THAT(found.lowest, ElementsAre(0, -2, 0));
  EXPECT_THAT(found.highest, ElementsAre(3, 4, 0));
  EXPECT_EQ(found.largest(), 4);
}

TEST(Statistics, LargestIsAMagnitude) {
  const float values[] = {1, -5};
  EXPECT_EQ(gatherAll({values, 1, 2}, Gather::range).largest(), 5);
  EXPECT_EQ(gatherAll({values, 1, 1}, Gather::range).lowest[0], 1); // not 0: there is no token with less
}

TEST(Statistics, OnlyWhatIsAskedForIsGathered) {
  const float values[] = {1, 2};
  for (const Gather gather : {Gather::nothing, Gather::hessian, Gather::magnitude, Gather::range,
                              Gather::magnitude | Gather::range, Gather::hessian | Gather::range}) {
    const Statistics found = gatherAll({values, 1, 2}, gather);
    EXPECT_EQ(found.gathered(), gather);
    EXPECT_EQ(found.hessian.empty(), !has(gather, Gather::hessian));
    EXPECT_EQ(found.meanSquare.empty(), !has(gather, Gather::magnitude));
    EXPECT_EQ(found.highest.empty(), !has(gather, Gather::range));
    EXPECT_THAT(found.seen, ElementsAre(1, 1));
  }
}

TEST(Statistics, OfNoTokenAreZero) {
  const Statistics found = gatherAll({nullptr, 0, 2});
  EXPECT_EQ(found.tokens, 0);
  EXPECT_THAT(found.seen, ElementsAre(0, 0));
  EXPECT_THAT(found.hessian, ElementsAre(0, 0, 0, 0));
  for (const auto &values : {found.meanAbs, found.meanSquare, found.lowest, found.highest})
    EXPECT_THAT(values, ElementsAre(0, 0));
}

// f32 products of at most 512 tokens: |error| <= 512 * 2^-24 * sum |x_i x_j| (lib/matrix/Gram.h), times 2 / tokens.
TEST(Statistics, HessianIsThatOfF64) {
  constexpr int64_t tokens = 1500, columns = 70;
  const std::vector<float> values = randomValues(tokens, columns);
  const Statistics found = gatherAll({values.data(), tokens, columns});
  for (int64_t i = 0; i < columns; ++i)
    for (int64_t j = 0; j < columns; ++j) {
      double sum = 0, magnitude = 0;
      for (int64_t token = 0; token < tokens; ++token) {
        const double product = static_cast<double>(values[token * columns + i]) * values[token * columns + j];
        sum += product;
        magnitude += std::abs(product);
      }
      EXPECT_NEAR(found.hessian[i * columns + j], 2.0 / tokens * sum, 2.0 / tokens * 512 * 0x1p-24 * magnitude);
      EXPECT_EQ(found.hessian[i * columns + j], found.hessian[j * columns + i]);
    }
}

TEST(Statistics, DoNotDependOnChunks) {
  constexpr int64_t tokens = 2500, columns = 70;
  const std::vector<float> values = randomValues(tokens, columns);
  const Statistics whole = gatherAll({values.data(), tokens, columns});
  for (const std::vector<int64_t> &cuts :
       {std::vector<int64_t>{1}, {1000}, {1024}, {1025}, {1, 1023, 1024}, {5, 2400}, {700, 1300, 1301, 2100}}) {
    Accumulator accumulator(columns, Gather::everything, matrix::serially);
    int64_t begin = 0;
    const auto addUpTo = [&](int64_t end) {
      ASSERT_TRUE(accumulator.add({values.data() + begin * columns, end - begin, columns}));
      begin = end;
    };
    for (const int64_t cut : cuts)
      addUpTo(cut);
    addUpTo(tokens);
    EXPECT_EQ(accumulator.tokens(), tokens);
    EXPECT_EQ(accumulator.finish(), whole);
  }
}

TEST(Statistics, DoNotDependOnThreads) {
  constexpr int64_t tokens = 1100, columns = 600; // several tiles and pieces of every loop
  const std::vector<float> values = randomValues(tokens, columns);
  const Matrix view(values.data(), tokens, columns);
  const Statistics serial = gatherAll(view);
  EXPECT_EQ(gatherAll(view, Gather::everything, backwards), serial);
  EXPECT_EQ(gatherAll(view, Gather::everything, onTwoThreads), serial);
}

TEST(Statistics, RowsMayLieApart) {
  constexpr int64_t tokens = 1100, columns = 5, stride = 9;
  const std::vector<float> values = randomValues(tokens, columns);
  std::vector<float> apart(tokens * stride, NAN);
  for (int64_t i = 0; i < tokens * columns; ++i)
    apart[i / columns * stride + i % columns] = values[i];
  EXPECT_EQ(gatherAll({apart.data(), tokens, columns, stride}), gatherAll({values.data(), tokens, columns}));
}

TEST(Statistics, RefuseWhatIsNoNumber) {
  constexpr int64_t tokens = 200, columns = 40;
  struct {
    float value;
    const char *error;
  } cases[] = {{NAN, " is NaN"},
               {-NAN, " is NaN"},
               {std::numeric_limits<float>::signaling_NaN(), " is NaN"},
               {INFINITY, " is infinite"},
               {-INFINITY, " is infinite"}};
  for (const auto &[value, error] : cases)
    for (const int64_t place : {0, 39, 40, 66 * 40 + 7, 199 * 40 + 39}) {
      std::vector<float> values(tokens * columns, std::numeric_limits<float>::max() * 1e-20f);
      values[place] = values.back() = value;
      Accumulator accumulator(columns, Gather::everything, backwards);
      const Status added = accumulator.add({values.data(), tokens, columns, 3, 10});
      ASSERT_FALSE(added);
      EXPECT_EQ(added.error().message, "token " + std::to_string(10 + place / columns) + " of sequence 3: column " +
                                           std::to_string(place % columns) + error);
      EXPECT_EQ(accumulator.tokens(), 0);
      EXPECT_THAT(accumulator.finish().seen, Each(0));
    }
}

TEST(Statistics, TakeTheLargestNumbers) {
  const float values[] = {std::numeric_limits<float>::max(), -std::numeric_limits<float>::denorm_min()};
  const Statistics found = gatherAll({values, 1, 2}, Gather::magnitude | Gather::range);
  EXPECT_EQ(found.meanAbs[0], values[0]);
  EXPECT_EQ(found.lowest[1], values[1]);
  EXPECT_THAT(found.seen, ElementsAre(1, 1));
}
