// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Elements as float and int64, from every type that converts, and comparing tensors.
#include "lib/onnx/TensorData.h"

#include "test/onnx/ModelBuilder.h"

#include <cmath>
#include <limits>

using namespace halftone;
using namespace halftone::onnx;
using namespace halftone::test;
using testing::ElementsAre;
using testing::HasSubstr;

/// A reader over a file of these bytes.
static WeightReader reader(const TemporaryFolder &folder, ElementType type, std::vector<int64_t> shape,
                           const std::string &bytes) {
  auto file = std::make_shared<const io::MappedFile>(std::move(*io::MappedFile::open(folder.write("w", bytes))));
  Expected<WeightReader> opened = WeightReader::open(file, 0, type, std::move(shape), "w");
  if (!opened) {
    ADD_FAILURE() << opened.error().message;
    std::abort();
  }
  return std::move(*opened);
}

TEST(WeightReader, ConvertsToFloat) {
  TemporaryFolder folder;
  const auto floats = [&](ElementType type, const std::string &bytes, int64_t count = 2) {
    return *reader(folder, type, {count}, bytes).allFloats();
  };
  EXPECT_THAT(floats(ElementType::float32, raw<float>({1.5f, -0.1f})), ElementsAre(1.5f, -0.1f));
  EXPECT_THAT(floats(ElementType::float64, raw<double>({1.5, 0.1})), ElementsAre(1.5f, 0.1f));
  EXPECT_THAT(floats(ElementType::float16, raw<uint16_t>({0x3c00, 0xc100})), ElementsAre(1.0f, -2.5f));
  EXPECT_THAT(floats(ElementType::bfloat16, raw<uint16_t>({0x3f80, 0xc020})), ElementsAre(1.0f, -2.5f));
  EXPECT_THAT(floats(ElementType::int8, raw<int8_t>({-128, 127})), ElementsAre(-128, 127));
  EXPECT_THAT(floats(ElementType::uint16, raw<uint16_t>({0, 65535})), ElementsAre(0, 65535));
  EXPECT_THAT(floats(ElementType::int4, "\x8f\x07", 3), ElementsAre(-1, -8, 7));
  EXPECT_THAT(floats(ElementType::uint4, "\x8f\x07", 3), ElementsAre(15, 8, 7));
  EXPECT_THAT(floats(ElementType::uint2, "\xe4", 4), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(floats(ElementType::int2, "\xe4", 4), ElementsAre(0, 1, -2, -1));
  EXPECT_THAT(floats(ElementType::boolean, raw<uint8_t>({0, 1})), ElementsAre(0, 1));
}

TEST(WeightReader, NotFiniteValuesPassThrough) {
  TemporaryFolder folder;
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> values =
      *reader(folder, ElementType::float32, {3}, raw<float>({infinity, -infinity, std::nanf("")})).allFloats();
  EXPECT_EQ(values[0], infinity);
  EXPECT_EQ(values[1], -infinity);
  EXPECT_TRUE(std::isnan(values[2]));
}

TEST(WeightReader, ConvertsToIntegers) {
  TemporaryFolder folder;
  EXPECT_THAT(*reader(folder, ElementType::int64, {2}, raw<int64_t>({INT64_MIN, INT64_MAX})).allIntegers(),
              ElementsAre(INT64_MIN, INT64_MAX));
  EXPECT_THAT(*reader(folder, ElementType::boolean, {2}, raw<uint8_t>({0, 255})).allIntegers(), ElementsAre(0, 1));
  EXPECT_EQ(reader(folder, ElementType::uint64, {2}, raw<uint64_t>({0, UINT64_MAX})).allIntegers().error().message,
            "w: element 1 is 18446744073709551615, above 9223372036854775807");
  EXPECT_EQ(reader(folder, ElementType::float32, {1}, raw<float>({1})).allIntegers().error().message,
            "w: elements are float32, integers are wanted");
  EXPECT_EQ(reader(folder, ElementType::float8e4m3fn, {1}, "1").allFloats().error().message,
            "w: elements are float8e4m3fn, which does not convert to float32");
}

TEST(WeightReader, Rows) {
  TemporaryFolder folder;
  const WeightReader weight = reader(folder, ElementType::int8, {2, 1, 3}, raw<int8_t>({0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(weight.rows(), 2u);
  EXPECT_EQ(weight.columns(), 3u);
  std::vector<float> row(3);
  ASSERT_TRUE(weight.readRow(1, row));
  EXPECT_THAT(row, ElementsAre(3, 4, 5));
  EXPECT_EQ(weight.readRow(2, row).error().message, "w: 3 elements from 6 are wanted, the tensor has 6");
  weight.release(0, 100);
  ASSERT_TRUE(weight.readRow(0, row));
  EXPECT_THAT(row, ElementsAre(0, 1, 2));
}

TEST(WeightReader, ScalarsAndEmptyTensors) {
  TemporaryFolder folder;
  EXPECT_THAT(*reader(folder, ElementType::float32, {}, raw<float>({7})).allFloats(), ElementsAre(7));
  EXPECT_TRUE(reader(folder, ElementType::float32, {0, 4}, "").allFloats()->empty());
}

TEST(WeightReader, OutsideTheFile) {
  TemporaryFolder folder;
  const auto file =
      std::make_shared<const io::MappedFile>(std::move(*io::MappedFile::open(folder.write("w", "12345678"))));
  const auto refusal = [&](uint64_t offset, std::vector<int64_t> shape) {
    return WeightReader::open(file, offset, ElementType::float32, std::move(shape), "w").error().message;
  };
  EXPECT_EQ(refusal(4, {2}), "w: " + folder / "w" + ": 8 bytes at 4 are wanted, the file has 8");
  EXPECT_EQ(refusal(0, {INT64_MAX, 2}), "w: no tensor can be float32 [9223372036854775807, 2]");
  EXPECT_EQ(refusal(0, {INT64_MAX, 2, 0}), "w: no tensor can be float32 [9223372036854775807, 2, 0]");
}

TEST(SameContent, ComparesBitForBit) {
  TemporaryFolder folder;
  const auto matrix = [&](std::vector<int64_t> shape, std::vector<float> values) {
    return reader(folder, ElementType::float32, std::move(shape), raw(values));
  };
  const WeightReader a = matrix({2, 3}, {0, 1, 2, 3, 4, 5});
  EXPECT_TRUE(sameContent(a, matrix({2, 3}, {0, 1, 2, 3, 4, 5})));
  EXPECT_FALSE(sameContent(a, matrix({2, 3}, {0, 1, 2, 3, 4, 6})));
  EXPECT_FALSE(sameContent(a, matrix({2, 3}, {-0.f, 1, 2, 3, 4, 5})));
  EXPECT_FALSE(sameContent(a, matrix({3, 2}, {0, 1, 2, 3, 4, 5})));
  EXPECT_FALSE(sameContent(a, reader(folder, ElementType::int32, {2, 3}, raw<float>({0, 1, 2, 3, 4, 5}))));
  EXPECT_TRUE(sameContent(a, matrix({3, 2}, {0, 3, 1, 4, 2, 5}), true));
  EXPECT_FALSE(sameContent(a, matrix({3, 2}, {0, 3, 1, 4, 2, 6}), true));
  EXPECT_FALSE(sameContent(a, matrix({2, 3}, {0, 3, 1, 4, 2, 5}), true));
}

TEST(SameContent, LargeMatrices) {
  TemporaryFolder folder;
  constexpr int64_t rows = 1537, columns = 1031; // 6 MB: more than one block, no multiple of a tile
  std::vector<float> values(rows * columns), transposed(rows * columns);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      transposed[j * rows + i] = values[i * columns + j] = static_cast<float>(i * 7919 + j);
  const WeightReader a = reader(folder, ElementType::float32, {rows, columns}, raw(values));
  EXPECT_TRUE(sameContent(a, reader(folder, ElementType::float32, {rows, columns}, raw(values))));
  EXPECT_TRUE(sameContent(a, reader(folder, ElementType::float32, {columns, rows}, raw(transposed)), true));
  values.back() = transposed.back() = 0.5f;
  EXPECT_FALSE(sameContent(a, reader(folder, ElementType::float32, {rows, columns}, raw(values))));
  EXPECT_FALSE(sameContent(a, reader(folder, ElementType::float32, {columns, rows}, raw(transposed)), true));
}
