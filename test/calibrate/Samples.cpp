// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sequences from texts and arrays, with a tokenizer for which a token is a letter.
#include "lib/calibrate/Samples.h"

#include "lib/io/Npz.h"
#include "test/io/TemporaryFolder.h"
#include "test/tokenizer/Letters.h"

#include <gmock/gmock.h>

#include <map>

using namespace halftone;
using namespace halftone::calibrate;
using halftone::test::Letters;
using halftone::test::TemporaryFolder;
using testing::ElementsAre;
using testing::HasSubstr;

/// The sequences as text, the begin token as '^'.
static std::vector<std::string> texts(const Expected<Samples> &samples) {
  if (!samples)
    return {samples.error().message};
  std::vector<std::string> result;
  for (const auto &sequence : samples->sequences)
    result.emplace_back(sequence.begin(), sequence.end());
  return result;
}

static Expected<Samples> sample(std::string_view text, const SampleOptions &options,
                                std::optional<int64_t> begin = '^') {
  return sampleText(text, options, Letters(begin), 256);
}

static std::string refusal(const Expected<Samples> &samples) { return samples ? "no error" : samples.error().message; }

TEST(Samples, OfDocumentsAreCutOff) {
  const auto samples = sample("abcde<> f <><>gh", {.length = 4, .separator = "<>"});
  EXPECT_THAT(texts(samples), ElementsAre("^abc", "^f", "^gh"));
  EXPECT_EQ(samples->available, 3);
  EXPECT_EQ(samples->tokens(), 9);
  EXPECT_THAT(texts(sample("abcde<>f<>gh", {.length = 4, .separator = "<>"}, std::nullopt)), ElementsAre("abcd", "gh"));
}

TEST(Samples, OfATextWithoutTheSeparatorAreWindows) {
  for (const char *separator : {"", "<>"})
    EXPECT_THAT(texts(sample("abcdefgh", {.length = 4, .separator = separator})), ElementsAre("^abc", "^def", "^gh"));
  EXPECT_EQ(sample("abcdefgh", {.length = 4})->available, 3);
}

TEST(Samples, AreAFewOfManyInTheirOrder) {
  const std::string documents = "a<>b<>c<>d<>e<>f<>g<>h<>i<>j";
  const SampleOptions options = {.samples = 4, .length = 4, .seed = 1, .separator = "<>"};
  const auto chosen = sample(documents, options);
  ASSERT_TRUE(chosen);
  EXPECT_EQ(chosen->available, 10);
  ASSERT_EQ(chosen->sequences.size(), 4u);
  EXPECT_TRUE(std::ranges::is_sorted(texts(chosen)));
  EXPECT_EQ(texts(chosen), texts(sample(documents, options)));
  // The same on every machine: worked out by another implementation of generator and algorithm.
  EXPECT_THAT(texts(chosen), ElementsAre("^c", "^e", "^h", "^i"));
  EXPECT_EQ(texts(sample("abcdefghij", {.samples = 4, .length = 2, .seed = 1})), texts(chosen)); // windows
}

TEST(Samples, AllAreTakenWhenThereAreNoMore) {
  for (const int64_t wanted : {0, 3, 4})
    EXPECT_THAT(texts(sample("a<>b<>c", {.samples = wanted, .length = 4, .seed = 7, .separator = "<>"})),
                ElementsAre("^a", "^b", "^c"));
}

// Each of the 10 sets of 2 of 5 is equally likely: of 10000 draws 1000, with a standard deviation of sqrt(10000 * 0.1 *
// 0.9) = 30. Seeds are fixed, so that the test cannot fail by chance.
TEST(Samples, EachChoiceIsEquallyLikely) {
  std::map<std::vector<std::string>, int> counts;
  for (uint64_t seed = 0; seed < 10000; ++seed)
    ++counts[texts(sample("a<>b<>c<>d<>e", {.samples = 2, .length = 2, .seed = seed, .separator = "<>"}))];
  EXPECT_EQ(counts.size(), 10u);
  for (const auto &[choice, count] : counts)
    EXPECT_NEAR(count, 1000, 4 * 30);
}

TEST(Samples, FingerprintIsThatOfTheTokens) {
  const SampleOptions options = {.length = 4, .separator = "<>"};
  const std::string fingerprint = sample("ab<>cd", options)->fingerprint();
  EXPECT_EQ(fingerprint.size(), 64u);
  EXPECT_EQ(sample(" ab\n<>cd", options)->fingerprint(), fingerprint);
  EXPECT_NE(sample("cd<>ab", options)->fingerprint(), fingerprint);
  EXPECT_NE(sample("abc<>d", options)->fingerprint(), fingerprint);
  EXPECT_NE((Samples{{{1, 2}}}.fingerprint()), (Samples{{{1}, {2}}}.fingerprint()));
}

TEST(Samples, OfNothingAreAnError) {
  const SampleOptions options = {.length = 4, .separator = "<>"};
  EXPECT_EQ(refusal(sample("", options)), "no token to calibrate on: the text has 0 bytes");
  EXPECT_EQ(refusal(sample(" <>\n<>", options)),
            "no token to calibrate on: the text has 6 bytes, no document that is not empty");
  EXPECT_EQ(refusal(sample("a", {.length = 4}, std::nullopt)), "no token to calibrate on: the text has 1 bytes");
  EXPECT_EQ(refusal(sample("a<>bad", options)), "cannot be encoded");
  EXPECT_EQ(refusal(sample("abc", {.length = 1})), "sequences of at most 1 tokens; at least 2 are wanted");
}

TEST(Samples, TokensAreThoseOfTheModel) {
  EXPECT_EQ(refusal(sampleText("ab<>cdz", {.length = 4, .separator = "<>"}, Letters('^'), 'z')),
            "token 3 of sequence 1 has the id 122, outside of the model's vocabulary of 122");
}

TEST(Samples, ErrorsOfATextNameItsFile) {
  TemporaryFolder folder;
  const std::string path = folder.write("text", "");
  EXPECT_EQ(refusal(readTextSamples(path, {.length = 4}, Letters('^'), 256)),
            path + ": no token to calibrate on: the text has 0 bytes");
  EXPECT_EQ(refusal(readTextSamples(folder / "none", {.length = 4}, Letters('^'), 256)),
            folder / "none" + ": cannot open: No such file or directory");
  folder.write("text", "abc");
  EXPECT_THAT(texts(readTextSamples(path, {.length = 3}, Letters('^'), 256)), ElementsAre("^ab", "^c"));
}

//===-- Arrays ----------------------------------------------------------------------------------------------------===//

static Expected<Samples> readArray(const std::string &path, const SampleOptions &options = {.length = 8},
                                   const std::string &name = "") {
  return readTokenSamples(path, name, options, 100);
}

TEST(TokenSamples, AreTheRowsOfAnArray) {
  TemporaryFolder folder;
  const int32_t ids[] = {1, 2, 3, 4, 5, 99};
  ASSERT_TRUE(io::writeNpy(folder / "ids.npy", io::NpyType::int32, {2, 3}, ids));
  const auto all = readArray(folder / "ids.npy");
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_THAT(all->sequences, ElementsAre(ElementsAre(1, 2, 3), ElementsAre(4, 5, 99)));
  EXPECT_EQ(all->available, 2);
  EXPECT_THAT(readArray(folder / "ids.npy", {.length = 2})->sequences,
              ElementsAre(ElementsAre(1, 2), ElementsAre(4, 5)));
  EXPECT_EQ(readArray(folder / "ids.npy", {.samples = 1, .length = 2})->sequences.size(), 1u);
  // Columns that were cut off are not looked at.
  EXPECT_EQ(refusal(readTokenSamples(folder / "ids.npy", "", {.length = 3}, 99)),
            folder / "ids.npy" + ": token 2 of sequence 1 has the id 99, outside of the model's vocabulary of 99");
  EXPECT_TRUE(readTokenSamples(folder / "ids.npy", "", {.length = 2}, 99));
}

TEST(TokenSamples, MayLieInAnArchive) {
  TemporaryFolder folder;
  const int64_t first[] = {1, 2}, second[] = {3, 4};
  const io::NamedArray arrays[] = {{"a", io::NpyType::int64, {1, 2}, std::as_bytes(std::span(first))},
                                   {"b", io::NpyType::int64, {2, 1}, std::as_bytes(std::span(second))}};
  ASSERT_TRUE(io::writeNpz(folder / "one.npz", std::span(arrays).first(1)));
  ASSERT_TRUE(io::writeNpz(folder / "two.npz", arrays));
  EXPECT_THAT(readArray(folder / "one.npz")->sequences, ElementsAre(ElementsAre(1, 2)));
  EXPECT_THAT(readArray(folder / "two.npz", {.length = 8}, "b")->sequences,
              ElementsAre(ElementsAre(3), ElementsAre(4)));
  EXPECT_EQ(refusal(readArray(folder / "two.npz")),
            folder / "two.npz" + ": which array holds the token ids is not said; it has a, b");
  EXPECT_EQ(refusal(readArray(folder / "two.npz", {.length = 8}, "c")),
            folder / "two.npz" + ": it has no array 'c'; it has a, b");
  EXPECT_EQ(refusal(readTokenSamples(folder / "two.npz", "b", {.length = 8}, 3)),
            folder / "two.npz" +
                ": array 'b': token 0 of sequence 0 has the id 3, outside of the model's vocabulary of 3");
}

TEST(TokenSamples, SaysWhatIsWrong) {
  TemporaryFolder folder;
  const std::string path = folder / "ids.npy";
  const int64_t ids[] = {1, -2, 3, 4};
  const float floats[] = {1, 2};
  ASSERT_TRUE(io::writeNpy(path, io::NpyType::int64, {4}, ids));
  EXPECT_EQ(refusal(readArray(path)), path + ": int64 [4] is no array of token ids [sequences, tokens]");
  ASSERT_TRUE(io::writeNpy(path, io::NpyType::int64, {2, 2}, ids));
  EXPECT_EQ(refusal(readArray(path)),
            path + ": token 1 of sequence 0 has the id -2, outside of the model's vocabulary of 100");
  ASSERT_TRUE(io::writeNpy(path, io::NpyType::int64, {0, 4}, ids));
  EXPECT_EQ(refusal(readArray(path)), path + ": no token to calibrate on: the array is int64 [0, 4]");
  ASSERT_TRUE(io::writeNpy(path, io::NpyType::int64, {4, 0}, ids));
  EXPECT_EQ(refusal(readArray(path)), path + ": no token to calibrate on: the array is int64 [4, 0]");
  ASSERT_TRUE(io::writeNpy(path, io::NpyType::float32, {1, 2}, floats));
  EXPECT_EQ(refusal(readArray(path)), path + ": float32 [1, 2]: elements are float32, integers are wanted");
  EXPECT_THAT(refusal(readArray(folder.write("empty", ""))), HasSubstr("not an .npy file"));
  EXPECT_THAT(refusal(readArray(folder.write("zip", "PK\3\4"))), HasSubstr("zip"));
  EXPECT_THAT(refusal(readArray(path, {.length = 0})), HasSubstr("sequences of at most 0 tokens"));
}
