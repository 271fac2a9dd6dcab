// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Whatever is written is read back, in the Python package's own bytes.
#include "lib/safetensors/Writer.h"

#include "lib/safetensors/File.h"
#include "test/io/TemporaryFolder.h"

#include <gmock/gmock.h>

#include <cstring>

using namespace halftone;
using namespace halftone::safetensors;
using halftone::test::TemporaryFolder;
using testing::ElementsAre;
using testing::IsEmpty;

static std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

static std::string text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

static Writer create(const std::string &path, std::vector<Declaration> declarations, const Metadata &metadata = {}) {
  Expected<Writer> writer = Writer::create(path, std::move(declarations), metadata);
  if (!writer) {
    ADD_FAILURE() << writer.error().message;
    std::abort();
  }
  return std::move(*writer);
}

static std::string refusal(std::vector<Declaration> declarations) {
  TemporaryFolder folder;
  const Expected<Writer> writer = Writer::create(folder / "a", std::move(declarations));
  EXPECT_THAT(folder.list(), IsEmpty());
  return writer ? "no error" : writer.error().message.substr(folder.path.size() + 4);
}

// What safetensors 0.8.0 writes: see File.cpp.
TEST(SafetensorsWriter, WritesThePythonPackagesBytes) {
  TemporaryFolder folder;
  Writer writer = create(folder / "a",
                         {{"a", ElementType::i8, {3, 1}}, {"b", ElementType::f32, {2}}, {"half", ElementType::f16, {}}},
                         {{"k", "v"}});
  ASSERT_TRUE(writer.write("half", bytes({"\x00\x38", 2})));
  ASSERT_TRUE(writer.write("b", bytes({"\x00\x00\xc0\x3f\x00\x00\x00\xc0", 8})));
  ASSERT_TRUE(writer.write("a", bytes("\1\2\3")));
  ASSERT_TRUE(writer.commit());
  const std::string header = R"({"__metadata__":{"k":"v"},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                             R"("half":{"dtype":"F16","shape":[],"data_offsets":[8,10]},)"
                             R"("a":{"dtype":"I8","shape":[3,1],"data_offsets":[10,13]}})";
  const std::string padding((8 - header.size() % 8) % 8, ' ');
  const uint64_t length = header.size() + padding.size();
  EXPECT_EQ(folder.read("a"), std::string(reinterpret_cast<const char *>(&length), 8) + header + padding +
                                  std::string("\x00\x00\xc0\x3f\x00\x00\x00\xc0\x00\x38\x01\x02\x03", 13));
}

TEST(SafetensorsWriter, EveryTypeComesBackAligned) {
  TemporaryFolder folder;
  std::vector<Declaration> declarations;
  for (int i = 0; i <= static_cast<int>(ElementType::boolean); ++i) {
    const auto type = static_cast<ElementType>(i);
    declarations.push_back({std::string(name(type)), type, {3, 1}});
  }
  std::swap(declarations.front(), declarations.back());
  Writer writer = create(folder / "a", declarations);
  for (const Declaration &declaration : declarations)
    ASSERT_TRUE(writer.write(declaration.name, bytes(std::string(3 * byteSize(declaration.type), 'x'))));
  ASSERT_TRUE(writer.commit());
  const Expected<File> file = File::open(folder / "a");
  ASSERT_TRUE(file) << file.error().message;
  ASSERT_EQ(file->tensors().size(), declarations.size());
  for (const Declaration &declaration : declarations) {
    const Tensor *tensor = file->find(declaration.name);
    ASSERT_TRUE(tensor) << declaration.name;
    EXPECT_EQ(tensor->type, declaration.type);
    EXPECT_EQ(findElementType(declaration.name), declaration.type);
    EXPECT_THAT(tensor->shape, ElementsAre(3, 1));
    EXPECT_EQ(tensor->offset % byteSize(declaration.type), 0u) << declaration.name;
  }
}

TEST(SafetensorsWriter, OrderDoesNotMatterAndPiecesMayAlternate) {
  TemporaryFolder folder;
  const Declaration a{"a", ElementType::u8, {4}}, b{"b", ElementType::u8, {2, 2}}, none{"none", ElementType::f32, {0}};
  Writer first = create(folder / "first", {a, b, none}, {{"x", "1"}, {"y", "2"}});
  ASSERT_TRUE(first.write("a", bytes("abcd")));
  ASSERT_TRUE(first.write("b", bytes("efgh")));
  ASSERT_TRUE(first.commit());
  Writer second = create(folder / "second", {none, b, a}, {{"y", "2"}, {"x", "1"}});
  for (const auto &[name, piece] : {std::pair{"b", "e"}, {"a", "abc"}, {"b", "fgh"}, {"b", ""}, {"a", "d"}})
    ASSERT_TRUE(second.write(name, bytes(piece)));
  EXPECT_THAT(folder.list(), ElementsAre("first"));
  ASSERT_TRUE(second.commit());
  EXPECT_EQ(folder.read("first"), folder.read("second"));
  const Expected<File> file = File::open(folder / "first");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(text(file->data(*file->find("b"))), "efgh");
  EXPECT_EQ(file->metadata(), (Metadata{{"x", "1"}, {"y", "2"}}));
}

TEST(SafetensorsWriter, NamesAndMetadataAreAnyText) {
  TemporaryFolder folder;
  const std::string name = "a\"b\\c/\n\xc3\xa9 '{}";
  Writer writer = create(folder / "a", {{name, ElementType::u8, {}}, {"", ElementType::u8, {}}}, {{name, name}});
  ASSERT_TRUE(writer.write(name, bytes("1")));
  ASSERT_TRUE(writer.write("", bytes("2")));
  ASSERT_TRUE(writer.commit());
  const Expected<File> file = File::open(folder / "a");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(text(file->data(*file->find(name))), "1");
  EXPECT_EQ(text(file->data(*file->find(""))), "2");
  EXPECT_EQ(file->metadata().at(name), name);
}

TEST(SafetensorsWriter, RefusesDeclarationsThatCannotBe) {
  const ElementType u8 = ElementType::u8;
  EXPECT_EQ(refusal({{"a", u8, {1}}, {"b", u8, {1}}, {"a", ElementType::f32, {1}}}), "tensor 'a' is declared twice");
  EXPECT_EQ(refusal({{"__metadata__", u8, {1}}}), "'__metadata__' is no name for a tensor");
  EXPECT_EQ(refusal({{"a\xff", u8, {1}}}), "the name \"a\xef\xbf\xbd\" is not UTF-8");
  EXPECT_EQ(refusal({{"a", ElementType::f64, {1ull << 32, 1ull << 32}}}),
            "tensor 'a': F64 [4294967296, 4294967296] is too large for a safetensors file");
  EXPECT_EQ(refusal({{"a", u8, {1ull << 61}}, {"b", u8, {(1ull << 61) + 1}}}),
            "tensor 'b': U8 [2305843009213693953] is too large for a safetensors file");
  EXPECT_EQ(refusal({{std::string(100'000'000, 'a'), u8, {1}}}),
            "the header would have 100000056 bytes, allowed are 100000000");
}

TEST(SafetensorsWriter, RefusesMoreAndLessThanWasDeclared) {
  TemporaryFolder folder;
  {
    Writer writer = create(folder / "a", {{"w", ElementType::u8, {4}}, {"v", ElementType::u8, {1}}});
    ASSERT_TRUE(writer.write("w", bytes("ab")));
    EXPECT_EQ(writer.write("w", bytes("cde")).error().message,
              folder / "a" + ": tensor 'w' has 4 bytes, 3 more come after 2");
    EXPECT_EQ(writer.write("x", bytes("a")).error().message, folder / "a" + ": no tensor 'x' was declared");
    EXPECT_EQ(writer.commit().error().message, folder / "a" + ": tensor 'v' has 1 bytes, 0 were written");
    ASSERT_TRUE(writer.write("v", bytes("v")));
    EXPECT_EQ(writer.commit().error().message, folder / "a" + ": tensor 'w' has 4 bytes, 2 were written");
  }
  EXPECT_THAT(folder.list(), IsEmpty());
}

TEST(SafetensorsWriter, NeverReplacesAnInput) {
  TemporaryFolder folder;
  const std::string input = folder.write("in", "in");
  EXPECT_EQ(Writer::create(input, {}, {}, {.inputs = {input}}).error().message,
            input + ": the output would replace the input '" + input + "'");
}
