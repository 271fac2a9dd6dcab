// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Texts cut into documents and windows, with a tokenizer for which a token is a letter.
#include "lib/evaluate/Sequences.h"

#include "test/tokenizer/Letters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace halftone;
using namespace halftone::evaluate;
using halftone::test::Letters;
using testing::ElementsAre;
using testing::IsEmpty;

/// The sequences as text, the begin token as '^'.
static std::vector<std::string> cut(std::string_view text, const Cut &cut, std::optional<int64_t> begin = '^') {
  std::vector<std::string> result;
  const auto found = sequences(text, cut, Letters(begin));
  for (const Sequence &sequence : found ? *found : std::vector<Sequence>())
    result.emplace_back(sequence.tokens.begin(), sequence.tokens.end());
  return result;
}

TEST(Documents, AreStrippedAndNeverEmpty) {
  EXPECT_THAT(documents(" a b \n<>\n\tc\r\n<><> \n<>d", "<>"), ElementsAre("a b", "c", "d"));
  EXPECT_THAT(documents("a", "<>"), ElementsAre("a"));
  EXPECT_THAT(documents("<a<>", "<>"), ElementsAre("<a"));
  EXPECT_THAT(documents(" <>\n", "<>"), IsEmpty());
  EXPECT_THAT(documents("", "<>"), IsEmpty());
}

TEST(Sequences, OfDocumentsAreCutOff) { EXPECT_THAT(cut("abcde<>f<>gh", {"<>", 3}), ElementsAre("^abc", "^f", "^gh")); }

TEST(Sequences, OfATextAreWindowsThatScoreEveryTokenOnce) {
  EXPECT_THAT(cut("abcdefg", {"", 3}), ElementsAre("^abc", "^def", "^g"));
  EXPECT_THAT(cut("abcdef", {"", 3}), ElementsAre("^abc", "^def"));
  EXPECT_THAT(cut(" a\n", {"", 9}), ElementsAre("^ a\n"));
}

TEST(Sequences, WithoutABeginTokenStartWithTheTokenBefore) {
  EXPECT_THAT(cut("abcdefg", {"", 3}, std::nullopt), ElementsAre("abcd", "defg"));
  EXPECT_THAT(cut("abcdefgh", {"", 3}, std::nullopt), ElementsAre("abcd", "defg", "gh"));
  EXPECT_THAT(cut("abcde<>f<>gh", {"<>", 3}, std::nullopt), ElementsAre("abcd", "gh"));
}

TEST(Sequences, ReadAllButTheLastAndScoreAllButTheFirst) {
  const Sequence sequence{{1, 2, 3}};
  EXPECT_THAT(sequence.read(), ElementsAre(1, 2));
  EXPECT_THAT(sequence.scored(), ElementsAre(2, 3));
}

TEST(Sequences, OfNothingAreAnError) {
  const Letters letters('^');
  EXPECT_EQ(sequences("", {"", 3}, letters).error().message, "no token to score: the text has 0 bytes");
  EXPECT_EQ(sequences(" <>\n<>", {"<>", 3}, letters).error().message,
            "no token to score: the text has 6 bytes, no document that is not empty");
  EXPECT_EQ(sequences("a", {"", 3}, Letters(std::nullopt)).error().message, "no token to score: the text has 1 bytes");
  EXPECT_EQ(sequences("a<>bad", {"<>", 3}, letters).error().message, "cannot be encoded");
}

TEST(DefaultLength, IsTheContextOfAWindowAndAtMost256OfADocument) {
  EXPECT_EQ(defaultLength("", 4096), 4096);
  EXPECT_EQ(defaultLength("<>", 4096), 256);
  EXPECT_EQ(defaultLength("<>", 100), 100);
}
