// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Statistics in files: what was written comes back, and what belongs to something else does not.
#include "lib/calibrate/StatisticsFile.h"

#include "test/io/TemporaryFolder.h"

#include <gmock/gmock.h>

#include <algorithm>

using namespace halftone;
using namespace halftone::calibrate;
using halftone::test::TemporaryFolder;
using safetensors::ElementType;
using testing::ElementsAre;
using testing::IsEmpty;

static const Fingerprint fingerprint = {std::string(64, 'a'), std::string(64, 'b'), "int4"};

/// Statistics of values that differ from each other, and by `seed`.
static Statistics make(int64_t columns, Gather gather, float seed) {
  std::vector<float> values(3 * columns);
  for (float &value : values)
    value = seed++ / 8;
  Accumulator accumulator(columns, gather, matrix::serially);
  EXPECT_TRUE(accumulator.add({values.data(), 3, columns}));
  return accumulator.finish();
}

static StatisticsWriter create(const std::string &path, const std::vector<StatisticsDeclaration> &declarations) {
  Expected<StatisticsWriter> writer = StatisticsWriter::create(path, fingerprint, declarations);
  if (!writer) {
    ADD_FAILURE() << writer.error().message;
    std::abort();
  }
  return std::move(*writer);
}

template <class T> static std::string refusal(const T &tried) { return tried ? "no error" : tried.error().message; }

TEST(StatisticsFile, ComeBackWhateverTheirOrder) {
  TemporaryFolder folder;
  std::vector<StatisticsDeclaration> declarations = {
      {"layers.0.q", 5, Gather::everything, {"layers.0.q", "layers.0.k"}},
      {"layers.0.down", 7, Gather::hessian | Gather::range},
      {"head", 5, Gather::nothing},
      {"head.tokens", 1, Gather::magnitude}};
  for (const char *name : {"first", "second"}) {
    StatisticsWriter writer = create(folder / name, declarations);
    for (const auto &[name, columns, gather, weights] : declarations)
      ASSERT_TRUE(writer.write(name, make(columns, gather, static_cast<float>(name.size()))));
    ASSERT_TRUE(writer.commit());
    std::ranges::reverse(declarations);
  }
  EXPECT_EQ(folder.read("first"), folder.read("second"));
  const Expected<StatisticsFile> file = StatisticsFile::open(folder / "first");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(file->fingerprint(), fingerprint);
  EXPECT_THAT(file->names(), ElementsAre("head", "head.tokens", "layers.0.down", "layers.0.q"));
  EXPECT_TRUE(file->contains("layers.0.q"));
  EXPECT_FALSE(file->contains("layers.0"));
  for (const char *weight : {"layers.0.q", "layers.0.k"})
    EXPECT_EQ(*file->nameFor(weight), "layers.0.q");
  EXPECT_EQ(file->nameFor("layers.0.down"), nullptr);
  for (const auto &[name, columns, gather, weights] : declarations) {
    const Expected<Statistics> read = file->read(name);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, make(columns, gather, static_cast<float>(name.size())));
    EXPECT_EQ(read->gathered(), gather);
  }
  EXPECT_EQ(file->read("layers.0").error().message, file->path() + ": it has no statistics 'layers.0'");
}

TEST(StatisticsFile, HoldsTheTensorsThatItsHeaderSays) {
  TemporaryFolder folder;
  StatisticsWriter writer = create(folder / "a", {{"q", 2, Gather::everything}});
  ASSERT_TRUE(writer.write("q", make(2, Gather::everything, 1)));
  ASSERT_TRUE(writer.commit());
  const Expected<safetensors::File> file = safetensors::File::open(folder / "a");
  ASSERT_TRUE(file) << file.error().message;
  std::vector<std::string> found;
  for (const safetensors::Tensor &tensor : file->tensors())
    found.push_back(tensor.name + " " + describe(tensor.type, tensor.shape));
  EXPECT_THAT(found, ElementsAre("q.hessian F64 [2, 2]", "q.highest F32 [2]", "q.lowest F32 [2]", "q.mean_abs F32 [2]",
                                 "q.mean_square F32 [2]", "q.seen I64 [2]", "q.tokens I64 []"));
  EXPECT_EQ(file->metadata(), (safetensors::Metadata{{"halftone_statistics", "1"},
                                                     {"model", fingerprint.model},
                                                     {"data", fingerprint.data},
                                                     {"options", fingerprint.options}}));
}

TEST(StatisticsFile, OfSomethingElseAreRefused) {
  TemporaryFolder folder;
  const std::string path = folder / "a", start = path + ": statistics of ";
  ASSERT_TRUE(create(path, {}).commit());
  const std::string other(64, 'c');
  const Expected<StatisticsFile> file = StatisticsFile::open(path);
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_TRUE(file->check(fingerprint));
  const std::pair<Fingerprint, const char *> cases[] = {
      {{other, fingerprint.data, fingerprint.options}, "another model: aaaaaaaa..., here cccccccc..."},
      {{fingerprint.model, other, fingerprint.options}, "other data: bbbbbbbb..., here cccccccc..."},
      {{fingerprint.model, fingerprint.data, "int3"}, "other options: int4, here int3"},
      {{other, fingerprint.data, "int3"},
       "another model: aaaaaaaa..., here cccccccc...; other options: int4, here int3"},
  };
  for (const auto &[expected, error] : cases)
    EXPECT_EQ(refusal(file->check(expected)), start + error);
}

TEST(StatisticsWriter, WritesWhatWasDeclaredOnce) {
  TemporaryFolder folder;
  const std::string path = folder / "a";
  EXPECT_EQ(StatisticsWriter::create(path, fingerprint, std::vector<StatisticsDeclaration>{{"q", 1}, {"q", 2}})
                .error()
                .message,
            path + ": statistics 'q' are declared twice");
  {
    StatisticsWriter writer = create(path, {{"k", 2, Gather::range}, {"q", 2, Gather::range}});
    EXPECT_EQ(writer.write("v", make(2, Gather::range, 1)).error().message,
              path + ": statistics 'v' were not declared, or are written twice");
    EXPECT_EQ(writer.write("q", make(3, Gather::range, 1)).error().message,
              path + ": statistics 'q' have 3 columns, range; declared were 2 columns, range");
    EXPECT_EQ(writer.write("q", make(2, Gather::hessian | Gather::magnitude, 1)).error().message,
              path + ": statistics 'q' have 2 columns, hessian, magnitude; declared were 2 columns, range");
    ASSERT_TRUE(writer.write("q", make(2, Gather::range, 1)));
    EXPECT_EQ(writer.write("q", make(2, Gather::range, 1)).error().message,
              path + ": statistics 'q' were not declared, or are written twice");
    EXPECT_EQ(writer.commit().error().message, path + ": statistics 'k' were not written");
  }
  EXPECT_THAT(folder.list(), IsEmpty());
}

//===-- Files that are no statistics ------------------------------------------------------------------------------===//

/// Writes a safetensors file of zeros.
static void writeZeros(const std::string &path, const std::vector<safetensors::Declaration> &tensors,
                       const safetensors::Metadata &metadata) {
  Expected<safetensors::Writer> writer = safetensors::Writer::create(path, tensors, metadata);
  ASSERT_TRUE(writer) << writer.error().message;
  for (const safetensors::Declaration &tensor : tensors)
    ASSERT_TRUE(writer->write(tensor.name, std::vector<std::byte>(*byteSize(tensor.type, tensor.shape))));
  ASSERT_TRUE(writer->commit());
}

TEST(StatisticsFile, RefusesMetadataThatIsNotItsOwn) {
  TemporaryFolder folder;
  const std::string path = folder / "a";
  const std::pair<safetensors::Metadata, const char *> cases[] = {
      {{}, "no statistics: its metadata has no 'halftone_statistics'"},
      {{{"halftone_statistics", "2"}}, "version 2 of files of statistics, 1 is known"},
      {{{"halftone_statistics", "1"}, {"model", "m"}, {"data", "d"}}, "its metadata has no 'options'"},
  };
  for (const auto &[metadata, error] : cases) {
    writeZeros(path, {}, metadata);
    EXPECT_EQ(refusal(StatisticsFile::open(path)), path + ": " + error);
  }
  EXPECT_EQ(refusal(StatisticsFile::open(folder.write("a", "text"))),
            path + ": not a safetensors file: it has 4 bytes, the length of the header alone takes 8");
}

TEST(StatisticsFile, RefusesTensorsThatDoNotFit) {
  TemporaryFolder folder;
  const std::string path = folder / "a";
  const safetensors::Metadata metadata = {
      {"halftone_statistics", "1"}, {"model", "m"}, {"data", "d"}, {"options", "o"}};
  const safetensors::Declaration tokens = {"q.tokens", ElementType::i64, {}}, seen = {"q.seen", ElementType::i64, {3}},
                                 hessian = {"q.hessian", ElementType::f64, {3, 3}};
  const std::pair<std::vector<safetensors::Declaration>, const char *> cases[] = {
      {{{"q.tokens", ElementType::f64, {}}, seen}, "tensor 'q.tokens' is F64 [], I64 [] is wanted"},
      {{{"q.tokens", ElementType::i64, {2}}, seen}, "tensor 'q.tokens' is I64 [2], I64 [] is wanted"},
      {{tokens}, "it has no tensor 'q.seen' with one dimension"},
      {{tokens, {"q.seen", ElementType::i64, {1, 3}}}, "it has no tensor 'q.seen' with one dimension"},
      {{tokens, {"q.seen", ElementType::i32, {3}}}, "tensor 'q.seen' is I32 [3], I64 [3] is wanted"},
      {{tokens, seen, {"q.hessian", ElementType::f64, {3, 4}}},
       "tensor 'q.hessian' is F64 [3, 4], F64 [3, 3] is wanted"},
      {{tokens, seen, {"q.hessian", ElementType::f32, {3, 3}}},
       "tensor 'q.hessian' is F32 [3, 3], F64 [3, 3] is wanted"},
      {{tokens, seen, {"q.mean_square", ElementType::f32, {3}}}, "it has no tensor 'q.mean_abs'"},
      {{tokens, seen, hessian, {"q.lowest", ElementType::f32, {2}}, {"q.highest", ElementType::f32, {3}}},
       "tensor 'q.lowest' is F32 [2], F32 [3] is wanted"},
      {{tokens, seen, hessian, {"q.other", ElementType::f32, {2}}}, "no error"},
  };
  for (const auto &[tensors, error] : cases) {
    writeZeros(path, tensors, metadata);
    const Expected<StatisticsFile> file = StatisticsFile::open(path);
    ASSERT_TRUE(file) << file.error().message;
    const Expected<Statistics> read = file->read("q");
    EXPECT_EQ(read ? path + ": no error" : read.error().message, path + ": " + error);
  }
}
