// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// SentencePiece models small enough to check by hand: merges, fallbacks, user defined and unused pieces, spaces, and
// wrong files.
#include "lib/tokenizer/SentencePiece.h"

#include "test/tokenizer/ModelBytes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace halftone;
using namespace halftone::tokenizer;
using namespace halftone::tokenizer::test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Ids: 0 <unk>, 1 <s>, 2 </s>, 3 ▁, 4 a, 5 b, 6 ab, 7 ▁a, 8 ▁ab, 9 ba.
static std::string smallBpe(bool byteFallback = false) {
  return reservedPieces() + piece("▁", -10) + piece("a", -11) + piece("b", -12) + piece("ab", -1) + piece("▁a", -3) +
         piece("▁ab", -2) + piece("ba", -0.5F) + (byteFallback ? bytePieces() : "") + trainer(2, byteFallback) +
         keepingNormalizer();
}

struct Loaded {
  std::string bytes;
  std::unique_ptr<Tokenizer> tokenizer;

  explicit Loaded(std::string given) : bytes(std::move(given)) {
    auto read = readTokenizer(bytes);
    EXPECT_TRUE(read) << read.error().message;
    tokenizer = std::move(*read);
  }
  std::vector<int64_t> encode(std::string_view text) const {
    auto ids = tokenizer->encode(text);
    EXPECT_TRUE(ids) << ids.error().message;
    return *ids;
  }
  std::string decode(const std::vector<int64_t> &ids) const {
    DecodeState state;
    std::string text;
    for (int64_t id : ids)
      EXPECT_TRUE(tokenizer->decode(id, state, text));
    return text;
  }
};

static std::string errorOf(std::string_view bytes) {
  auto read = readTokenizer(bytes);
  return read ? "no error" : read.error().message;
}

TEST(SentencePiece, MergesTheBestScoredPairFirst) {
  const Loaded model(smallBpe());
  EXPECT_THAT(model.encode("ab"), ElementsAre(8));        // ab before ▁a, then ▁ab
  EXPECT_THAT(model.encode("aba"), ElementsAre(7, 9));    // ba is better than ab; ▁a stays
  EXPECT_THAT(model.encode("bab"), ElementsAre(3, 9, 5)); // leftovers stay single
  EXPECT_THAT(model.encode("a ab"), ElementsAre(7, 8));
}

TEST(SentencePiece, LeftmostWinsAmongEqualScores) {
  const Loaded model(reservedPieces() + piece("a", -5) + piece("aa", -1) + trainer(2, false) +
                     bytesField(3, numberField(3, 0) + numberField(4, 0)));
  EXPECT_THAT(model.encode("aaa"), ElementsAre(4, 3));
}

TEST(SentencePiece, EmptyTextHasNoIdsNotEvenThePrefix) {
  const Loaded model(smallBpe());
  EXPECT_THAT(model.encode(""), IsEmpty());
  EXPECT_THAT(model.encode(" "), ElementsAre(3, 3));
}

TEST(SentencePiece, UnknownNeighboursAreOneUnknownWithoutByteFallback) {
  EXPECT_THAT(Loaded(smallBpe()).encode("axyzb"), ElementsAre(7, 0, 5));
}

TEST(SentencePiece, UnknownCharactersBecomeTheirBytesWithByteFallback) {
  const Loaded model(smallBpe(true));
  EXPECT_THAT(model.encode("aé"), ElementsAre(7, 10 + 0xc3, 10 + 0xa9));
  EXPECT_EQ(model.decode(model.encode("aé\nb")), "aé\nb");
}

TEST(SentencePiece, BytesThatAreNotUtf8AreReadAsReplacementCharacters) {
  const Loaded model(smallBpe(true));
  EXPECT_EQ(model.decode(model.encode("a\xff\xc3")), "a\uFFFD\uFFFD");
}

TEST(SentencePiece, UserDefinedSymbolsAreNeverCutNorMerged) {
  const Loaded model(smallBpe() + piece("bb", 0, 4) + piece("bbb", 0, 4) + piece("abb", 5));
  EXPECT_THAT(model.encode("abb"), ElementsAre(7, 10));
  EXPECT_THAT(model.encode("abbbb"), ElementsAre(7, 11, 5)); // the longest one first
}

TEST(SentencePiece, UnusedPiecesServeOnlyAsSteps) {
  // ▁ab is unused: where nothing longer grows from it, it falls back into its halves.
  const std::string head =
      reservedPieces() + piece("▁", -10) + piece("a", -11) + piece("b", -12) + piece("ab", -1) + piece("▁ab", -2, 5);
  const std::string tail = trainer(2, false) + keepingNormalizer();
  EXPECT_THAT(Loaded(head + tail).encode("ab"), ElementsAre(3, 6));
  EXPECT_THAT(Loaded(head + piece("▁abb", -3) + tail).encode("abb"), ElementsAre(8));
}

TEST(SentencePiece, UnigramTakesTheBestSum) {
  const Loaded model(reservedPieces() + piece("▁", -2) + piece("a", -2) + piece("b", -2) + piece("ab", -5) +
                     piece("▁a", -3) + trainer(1, false) + keepingNormalizer());
  EXPECT_THAT(model.encode("ab"), ElementsAre(7, 5)); // -5 against -6 and -7
  EXPECT_THAT(model.encode("bxa"), ElementsAre(3, 5, 0, 4));
}

TEST(SentencePiece, DecodingDropsThePrefixSpaceOnce) {
  const Loaded model(smallBpe());
  EXPECT_EQ(model.decode({7, 8}), "a ab");
  EXPECT_EQ(model.decode({1, 7, 2, 7}), "a a"); // control pieces are invisible and do not count as a beginning
  EXPECT_EQ(model.decode({3, 3, 4}), " a");
  EXPECT_EQ(model.decode({0, 4}), " \u2047 a");
}

TEST(SentencePiece, WhereEncodingDropsLeadingSpacesDecodingDoesToo) {
  const Loaded model(reservedPieces() + piece("▁", -10) + piece("a", -11) + trainer(2, false) +
                     bytesField(3, numberField(4, 1)));
  EXPECT_THAT(model.encode("  a   a "), ElementsAre(3, 4, 3, 4));
  EXPECT_EQ(model.decode({3, 3, 4, 3, 4}), "a a");
}

TEST(SentencePiece, BeginAndEndAreFoundByTheirPieces) {
  const Loaded model(smallBpe());
  EXPECT_EQ(model.tokenizer->beginToken(), 1);
  EXPECT_EQ(model.tokenizer->endToken(), 2);
  const Loaded none(piece("<unk>", 0, 2) + piece("[end]", 0, 3) + piece("a", -1) +
                    bytesField(2, numberField(3, 2) + bytesField(47, "[end]")) + keepingNormalizer());
  EXPECT_EQ(none.tokenizer->beginToken(), std::nullopt);
  EXPECT_EQ(none.tokenizer->endToken(), 1);
}

TEST(SentencePiece, IdsOutsideTheVocabularyAreErrors) {
  const Loaded model(smallBpe());
  DecodeState state;
  std::string text;
  EXPECT_EQ(model.tokenizer->decode(10, state, text).error().message,
            "token 10 is not in the tokenizer's vocabulary of 10");
  EXPECT_FALSE(model.tokenizer->decode(-1, state, text));
  EXPECT_EQ(text, "");
}

TEST(SentencePiece, EveryTruncationIsAnError) {
  const std::string whole = smallBpe(true);
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_NE(errorOf(std::string(whole, 0, size)), "no error") << size;
}

TEST(SentencePiece, ErrorsNameThePlace) {
  EXPECT_EQ(errorOf(""), "byte 0: the tokenizer file is empty");
  EXPECT_THAT(errorOf("{\"model\": {}}"), HasSubstr("byte 0: this is JSON"));
  EXPECT_THAT(errorOf("\x7f"
                      "ELF"),
              HasSubstr("byte 0: not a SentencePiece model"));
  EXPECT_EQ(errorOf(bytesField(1, "abc").substr(0, 4)), "byte 0: field 1 has 3 bytes, but only 2 are left");
  const std::string good = reservedPieces();
  const std::string at = "byte " + std::to_string(good.size());
  EXPECT_EQ(errorOf(good + bytesField(1, floatField(2, 1))), at + ": piece 3 has no text");
  EXPECT_EQ(errorOf(good + bytesField(1, bytesField(1, "a") + numberField(2, 1))),
            "byte " + std::to_string(good.size() + 5) + ": score has wire type 0, expected 5");
  EXPECT_THAT(errorOf(good + piece("a", 0, 9)), HasSubstr("a piece has type 9, known are 1 to 6"));
  EXPECT_THAT(errorOf(good + piece("a", __builtin_nanf(""))), HasSubstr("not finite"));
  EXPECT_EQ(errorOf(good + bytesField(2, numberField(3, 3))),
            "byte " + std::to_string(good.size() + 2) + ": model_type is 3, read are 1 (unigram) and 2 (BPE)");
  EXPECT_THAT(errorOf(good + "\x0b"), HasSubstr(at + ": wire type 3 of field 1 is unknown"));
  EXPECT_THAT(errorOf(good + std::string(11, '\xff')), HasSubstr("an integer has more than 10 bytes"));
}

TEST(SentencePiece, InconsistentModelsAreRefused) {
  const std::string plain = trainer(2, false) + keepingNormalizer(), bytes = trainer(2, true) + keepingNormalizer();
  EXPECT_EQ(errorOf(piece("a", 0) + plain), "none of the 1 pieces is the unknown one");
  EXPECT_EQ(errorOf(reservedPieces() + piece("?", 0, 2) + plain),
            "piece 3 ('?'): a second unknown piece, the first is piece 0");
  EXPECT_EQ(errorOf(reservedPieces() + piece("a", 0) + piece("a", 0) + plain),
            "pieces 3 and 4 have the same text, 'a'");
  EXPECT_EQ(errorOf(reservedPieces() + piece("<0x00>", 0, 6) + plain),
            "piece 3 ('<0x00>'): a byte piece, although byte_fallback is false");
  EXPECT_EQ(errorOf(reservedPieces() + piece("<0xG0>", 0, 6) + bytes),
            "piece 3 ('<0xG0>'): a byte piece must be spelled <0x00> to <0xFF>");
  EXPECT_EQ(errorOf(reservedPieces() + bytes), "byte_fallback needs 256 byte pieces, the model has 0");
  EXPECT_THAT(errorOf(reservedPieces() + bytesField(5, bytesField(2, "xxxxxxx"))), HasSubstr("denormalizer_spec"));
  const std::string cut = reservedPieces() + trainer(2, false);
  EXPECT_EQ(errorOf(cut),
            "byte " + std::to_string(cut.size()) + ": the file ends without a normalizer_spec; was it truncated?");
}

TEST(SentencePiece, DamagedCharsmapsAreRefusedOrHarmless) {
  const auto withCharsmap = [](std::string_view blob) {
    return reservedPieces() + piece("▁", -1) + piece("a", -2) + trainer(2, false) + bytesField(3, bytesField(2, blob));
  };
  EXPECT_THAT(errorOf(withCharsmap("abc")), HasSubstr("precompiled_charsmap of 3 bytes"));
  EXPECT_THAT(errorOf(withCharsmap(std::string("\x00\x01\x00\x00zzzz", 8))),
              HasSubstr("cannot hold a double array of 256"));
  // Units that send every step outside the array.
  const Loaded wild(withCharsmap(std::string("\x08\x00\x00\x00", 4) + std::string(8, '\xff') + "r"));
  EXPECT_THAT(wild.encode("a"), ElementsAre(3, 4));
}
