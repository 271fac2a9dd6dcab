// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// .npy files: what numpy writes, what we write, and what is refused.
#include "lib/io/Npy.h"

#include "test/io/TemporaryFolder.h"

#include <gmock/gmock.h>

using namespace halftone;
using namespace halftone::io;
using halftone::test::TemporaryFolder;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A file of version 1 around a header's text, which need not be padded to be readable.
static std::string npy(const std::string &header, const std::string &data) {
  std::string file("\x93NUMPY\x01\x00", 8);
  file += {static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  return file + header + data;
}

template <class T> static std::string raw(std::initializer_list<T> values) {
  return {reinterpret_cast<const char *>(values.begin()), values.size() * sizeof(T)};
}

/// The error that reading `content` gives, without the file's path.
static std::string refusal(const std::string &content) {
  TemporaryFolder folder;
  const Expected<NpyArray> array = NpyArray::open(folder.write("a.npy", content));
  if (array)
    return "no error";
  EXPECT_EQ(array.error().message.substr(0, folder.path.size() + 8), folder / "a.npy" + ": ");
  return array.error().message.substr(folder.path.size() + 8);
}

TEST(Npy, ReadsWhatNumpyWrites) {
  TemporaryFolder folder;
  // np.save of np.array([[1, 2, 3], [4, 5, 6]], np.int32), numpy 1.26.
  const std::string header = "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }";
  const Expected<NpyArray> array = NpyArray::open(
      folder.write("a.npy", npy(header + std::string(117 - header.size(), ' ') + "\n", raw({1, 2, 3, 4, 5, 6}))));
  ASSERT_TRUE(array) << array.error().message;
  EXPECT_EQ(array->type(), NpyType::int32);
  EXPECT_THAT(array->shape(), ElementsAre(2, 3));
  EXPECT_EQ(array->elements(), 6u);
  EXPECT_THAT(*array->integers(), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(array->floats().error().message, folder / "a.npy" + ": elements are int32, float32 or float64 are wanted");
}

TEST(Npy, ReadsLaterVersionsAnyKeyOrderAndUnalignedData) {
  TemporaryFolder folder;
  const std::string header = "{\"shape\":(2,),\"fortran_order\":True,\"descr\":\"<f8\"}";
  for (const char version : {2, 3}) {
    std::string file("\x93NUMPY", 6);
    file += {version, 0, static_cast<char>(header.size()), 0, 0, 0};
    const Expected<NpyArray> array = NpyArray::open(folder.write("a.npy", file + header + raw({1.5, -2.0})));
    ASSERT_TRUE(array) << array.error().message;
    EXPECT_THAT(*array->floats(), ElementsAre(1.5f, -2.0f));
  }
}

TEST(Npy, EveryTypeComesBack) {
  TemporaryFolder folder;
  for (int i = 0; i <= static_cast<int>(NpyType::float64); ++i) {
    const auto type = static_cast<NpyType>(i);
    SCOPED_TRACE(name(type));
    const std::string data(2 * 3 * byteSize(type), '\1');
    ASSERT_TRUE(writeNpy(folder / "a.npy", type, {2, 3}, data.data()));
    const Expected<NpyArray> array = NpyArray::open(folder / "a.npy");
    ASSERT_TRUE(array) << array.error().message;
    EXPECT_EQ(array->type(), type);
    EXPECT_THAT(array->shape(), ElementsAre(2, 3));
    EXPECT_EQ((folder.read("a.npy").size() - data.size()) % 64, 0u);
    if (type < NpyType::float16)
      EXPECT_EQ(array->integers()->size(), 6u);
    else
      EXPECT_THAT(array->integers().error().message, HasSubstr("integers are wanted"));
  }
}

TEST(Npy, ScalarsVectorsAndEmptyArrays) {
  TemporaryFolder folder;
  const std::vector<std::vector<uint64_t>> shapes = {{}, {1}, {4}, {0}, {3, 0, 2}, {2, 2, 1}};
  for (const std::vector<uint64_t> &shape : shapes) {
    const int64_t values[] = {7, 8, 9, 10};
    ASSERT_TRUE(writeNpy(folder / "a.npy", NpyType::int64, shape, values));
    const Expected<NpyArray> array = NpyArray::open(folder / "a.npy");
    ASSERT_TRUE(array) << array.error().message;
    EXPECT_EQ(array->shape(), shape);
  }
  EXPECT_THAT(folder.read("a.npy"), HasSubstr("'shape': (2, 2, 1), }"));
  ASSERT_TRUE(writeNpy(folder / "a.npy", NpyType::boolean, {1}, "\1"));
  EXPECT_THAT(folder.read("a.npy"), HasSubstr("{'descr': '|b1', 'fortran_order': False, 'shape': (1,), }"));
}

TEST(Npy, StreamsRows) {
  TemporaryFolder folder;
  Expected<NpyWriter> writer = NpyWriter::create(folder / "a.npy", NpyType::float32, {3, 2});
  ASSERT_TRUE(writer) << writer.error().message;
  for (const float row : {0.f, 1.f, 2.f}) {
    EXPECT_THAT(folder.list(), IsEmpty());
    const float values[] = {row, -row};
    ASSERT_TRUE(writer->write(values, sizeof values));
  }
  EXPECT_THAT(writer->write("more", 4).error().message,
              HasSubstr("a.npy: 4 bytes at 152 go past the array's end at 152"));
  ASSERT_TRUE(writer->commit());
  EXPECT_THAT(*NpyArray::open(folder / "a.npy")->floats(), ElementsAre(0, 0, 1, -1, 2, -2));
}

TEST(Npy, AnUnfinishedArrayIsNotCommitted) {
  TemporaryFolder folder;
  {
    Expected<NpyWriter> writer = NpyWriter::create(folder / "a.npy", NpyType::float32, {2});
    ASSERT_TRUE(writer->write("abcd", 4));
    EXPECT_THAT(writer->commit().error().message, HasSubstr("the array ends at 132, its shape wants 136 bytes"));
  }
  EXPECT_THAT(folder.list(), IsEmpty());
}

TEST(Npy, SaysWhatIsWrong) {
  const std::string data = raw({1.f, 2.f});
  EXPECT_EQ(refusal(""), "not an .npy file: it does not start with \\x93NUMPY");
  EXPECT_EQ(refusal("PK\3\4 an npz, say"), "not an .npy file: it does not start with \\x93NUMPY");
  EXPECT_EQ(refusal(std::string("\x93NUMPY\x04\0\0\0\0\0", 12)), "version 4 of the .npy format, 1 to 3 are known");
  EXPECT_EQ(refusal(std::string("\x93NUMPY\x02\0\0\0\0", 11)), "truncated in the header, at byte 11");
  EXPECT_EQ(refusal(std::string("\x93NUMPY\x01\0\x76\0{'descr'", 18)),
            "truncated: the header wants 118 bytes at 10, the file has 18");
  EXPECT_EQ(refusal(npy("{'descr': '<f4', 'fortran_order': False}", data)),
            "the header at byte 10 is not a dictionary of descr, fortran_order and shape");
  EXPECT_EQ(refusal(npy("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2)}", data)),
            "the array [1, 2] is in Fortran order, C order is wanted");
  EXPECT_EQ(refusal(npy("{'descr': '>f4', 'fortran_order': False, 'shape': (2,)}", data)),
            "elements are big endian ('>f4'), little endian is wanted");
  EXPECT_THAT(refusal(npy("{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}", data)),
              HasSubstr("unknown element type '<c8'; known are bool int8"));
  EXPECT_EQ(refusal(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", data)),
            "float32 [3] wants 12 bytes of data, the file has 8");
  EXPECT_EQ(refusal(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", data)),
            "float32 [1] wants 4 bytes of data, the file has 8");
  EXPECT_EQ(refusal(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", data)),
            "float32 [4294967296, 4294967296] wants more than 2^64 bytes of data, the file has 8");
  for (const char *bad :
       {"", "{", "{'shape': (2", "{'shape': 2}", "{'shape': (-2,)}", "{'shape': (2 2)}", "{'descr': [('a', '<f4')]}",
        "{'shape': (99999999999999999999,)}", "{'other': 1}", "{'descr': '"})
    EXPECT_THAT(refusal(npy(bad, data)), HasSubstr("is not a dictionary")) << bad;
}

TEST(Npy, UnsignedAboveTheRangeIsAnError) {
  TemporaryFolder folder;
  const uint64_t values[] = {1, UINT64_MAX};
  ASSERT_TRUE(writeNpy(folder / "a.npy", NpyType::uint64, {2}, values));
  EXPECT_EQ(NpyArray::open(folder / "a.npy")->integers().error().message,
            folder / "a.npy" + ": element 1 is 18446744073709551615, above 9223372036854775807");
}

TEST(Npy, TooLargeToWrite) {
  TemporaryFolder folder;
  EXPECT_EQ(NpyWriter::create(folder / "a.npy", NpyType::float32, {1ull << 62, 4}).error().message,
            folder / "a.npy" + ": float32 [4611686018427387904, 4] is too large for an .npy file");
}
