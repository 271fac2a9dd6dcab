// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// safetensors files: what the Python package writes, and what is refused.
#include "lib/safetensors/File.h"

#include "test/io/TemporaryFolder.h"

#include <gmock/gmock.h>

using namespace halftone;
using namespace halftone::safetensors;
using halftone::test::TemporaryFolder;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

/// A file of this header and so many bytes of data: 0, 1, 2 ...
static std::string file(const std::string &header, size_t dataBytes) {
  const uint64_t length = header.size();
  std::string result(reinterpret_cast<const char *>(&length), sizeof length);
  result += header;
  for (size_t i = 0; i < dataBytes; ++i)
    result += static_cast<char>(i);
  return result;
}

/// The error that reading `content` gives, without the file's path.
static std::string refusal(const std::string &content) {
  TemporaryFolder folder;
  const std::string path = folder.write("a.safetensors", content);
  const Expected<File> opened = File::open(path);
  if (opened)
    return "no error";
  EXPECT_EQ(opened.error().message.substr(0, path.size() + 2), path + ": ");
  return opened.error().message.substr(path.size() + 2);
}

// safetensors 0.8.0: safetensors.numpy.save_file({"b": np.array([1.5, -2], np.float32), "a": np.array([[1], [2], [3]],
// np.int8), "half": np.array(0.5, np.float16)}, path, metadata={"k": "v\n\"é\""}).
TEST(SafetensorsFile, ReadsWhatThePythonPackageWrites) {
  TemporaryFolder folder;
  std::string content = file(
      "{\"__metadata__\":{\"k\":\"v\\n\\\"\xc3\xa9\\\"\"},"
      R"("b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"half":{"dtype":"F16","shape":[],"data_offsets":[8,10]},)"
      R"("a":{"dtype":"I8","shape":[3,1],"data_offsets":[10,13]}} )",
      0);
  content += std::string("\x00\x00\xc0\x3f\x00\x00\x00\xc0\x00\x38\x01\x02\x03", 13);
  const Expected<File> opened = File::open(folder.write("a", content));
  ASSERT_TRUE(opened) << opened.error().message;
  ASSERT_EQ(opened->tensors().size(), 3u);
  const Tensor *matrix = opened->find("a"), *vector = opened->find("b"), *scalar = opened->find("half");
  ASSERT_TRUE(matrix && vector && scalar);
  EXPECT_EQ(matrix->type, ElementType::i8);
  EXPECT_THAT(matrix->shape, ElementsAre(3, 1));
  EXPECT_THAT(opened->data(*matrix), ElementsAre(std::byte(1), std::byte(2), std::byte(3)));
  EXPECT_EQ(vector->type, ElementType::f32);
  EXPECT_THAT(vector->shape, ElementsAre(2));
  EXPECT_EQ(opened->data(*vector).size(), 8u);
  EXPECT_EQ(scalar->type, ElementType::f16);
  EXPECT_THAT(scalar->shape, IsEmpty());
  EXPECT_THAT(opened->metadata(), ElementsAre(Pair("k", "v\n\"\xc3\xa9\"")));
  EXPECT_EQ(opened->find("c"), nullptr);
  EXPECT_EQ(opened->find(""), nullptr);
}

TEST(SafetensorsFile, TensorsMayStandInAnyOrderAndBeEmpty) {
  TemporaryFolder folder;
  const std::string header = R"({"late":{"shape":[2],"data_offsets":[3,5],"dtype":"BOOL"},)"
                             R"("none":{"dtype":"F64","shape":[3,0],"data_offsets":[3,3]},)"
                             R"("early":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}   )";
  const Expected<File> opened = File::open(folder.write("a", file(header, 5)));
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_THAT(opened->data(*opened->find("early")), ElementsAre(std::byte(0), std::byte(1), std::byte(2)));
  EXPECT_THAT(opened->data(*opened->find("late")), ElementsAre(std::byte(3), std::byte(4)));
  EXPECT_THAT(opened->data(*opened->find("none")), IsEmpty());
  EXPECT_THAT(opened->metadata(), IsEmpty());
}

TEST(SafetensorsFile, OfNothingIsEmpty) {
  TemporaryFolder folder;
  const Expected<File> opened = File::open(folder.write("a", file("{}", 0)));
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_THAT(opened->tensors(), IsEmpty());
}

TEST(SafetensorsFile, SaysWhatIsWrongWithTheFile) {
  EXPECT_EQ(refusal(""), "not a safetensors file: it has 0 bytes, the length of the header alone takes 8");
  EXPECT_EQ(refusal("1234567"), "not a safetensors file: it has 7 bytes, the length of the header alone takes 8");
  EXPECT_EQ(refusal("not a header"), "not a safetensors file, or damaged: its header would have 7307125996937047918 "
                                     "bytes, allowed are 100000000");
  EXPECT_EQ(refusal(file("{}", 0).substr(0, 9)), "truncated: the header wants 2 bytes at 8, the file has 9");
  EXPECT_EQ(refusal(file("", 4)), "not a safetensors file: its header does not begin with '{'");
  EXPECT_EQ(refusal(file(" {}", 0)), "not a safetensors file: its header does not begin with '{'");
  EXPECT_EQ(refusal(file("{}x", 0)), "byte 10: the end is wanted, found 'x'");
  EXPECT_EQ(refusal(file("{}", 1)), "the tensors take 0 bytes of data, the file has 1");
}

namespace {

struct BadTensor {
  /// The entry of the tensor 'w'; the file has 4 bytes of data.
  const char *entry;
  const char *error;
};
constexpr BadTensor badTensors[] = {
    {R"([])", "byte 13: an object is wanted, found '['"},
    {R"({"shape":[4],"data_offsets":[0,4]})", "has no dtype"},
    {R"({"dtype":"U8","data_offsets":[0,4]})", "has no shape"},
    {R"({"dtype":"U8","shape":[4]})", "has no data_offsets"},
    {R"({"dtype":"U8","dtype":"I8","shape":[4],"data_offsets":[0,4]})",
     "byte 27: the key 'dtype' stands twice in one object"},
    {R"({"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]})",
     "unknown dtype 'F8_E4M3'; known are I64 F64 F32 I32 BF16 F16 I16 I8 U8 BOOL"},
    {R"({"dtype":8,"shape":[4],"data_offsets":[0,4]})", "byte 22: a string is wanted, found '8'"},
    {R"({"dtype":"U8","shape":4,"data_offsets":[0,4]})", "byte 35: an array is wanted, found '4'"},
    {R"({"dtype":"U8","shape":[-4],"data_offsets":[0,4]})",
     "byte 36: a whole number without a sign is wanted, found '-'"},
    {R"({"dtype":"U8","shape":[4.0],"data_offsets":[0,4]})",
     "byte 36: a whole number without a sign is wanted, found '4'"},
    {R"({"dtype":"U8","shape":[18446744073709551616],"data_offsets":[0,4]})",
     "byte 36: a number below 2^64 is wanted, found 18446744073709551616"},
    {R"({"dtype":"U8","shape":[4],"data_offsets":[0]})", "data_offsets are two numbers, found 1"},
    {R"({"dtype":"U8","shape":[4],"data_offsets":[0,2,4]})", "more than 2 numbers in an array"},
    {R"({"dtype":"U8","shape":[4],"data_offsets":[4,0]})", "ends at 0, before it begins at 4"},
    {R"({"dtype":"U8","shape":[4],"data_offsets":[0,4],"strides":[1]})",
     "unknown key 'strides'; known are dtype, shape, data_offsets"},
    {R"({"dtype":"F32","shape":[1,2],"data_offsets":[0,4]})", "F32 [1, 2] takes 8 bytes, data_offsets 0 to 4 hold 4"},
    {R"({"dtype":"U8","shape":[],"data_offsets":[0,4]})", "U8 [] takes 1 bytes, data_offsets 0 to 4 hold 4"},
    {R"({"dtype":"F64","shape":[4294967296,4294967296],"data_offsets":[0,4]})",
     "F64 [4294967296, 4294967296] takes more than 2^64 bytes, data_offsets 0 to 4 hold 4"},
};

struct BadPlaces {
  const char *header;
  const char *error;
};
constexpr BadPlaces badPlaces[] = {
    {R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})",
     "tensor 'b' begins at 2 of the data, tensor 'a' ends at 3"},
    {R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})",
     "tensor 'b' begins at 0 of the data, tensor 'a' ends at 4"},
    {R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})",
     "a gap before tensor 'b': it begins at 2 of the data, what is before it ends at 1"},
    {R"({"b":{"dtype":"U8","shape":[3],"data_offsets":[1,4]}})",
     "a gap before tensor 'b': it begins at 1 of the data, what is before it ends at 0"},
    {R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}})", "tensor 'a' ends at 8 of the data, which has 4 bytes"},
    {R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}})", "the tensors take 3 bytes of data, the file has 4"},
    {R"({"a":{"dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,18446744073709551615]}})",
     "tensor 'a' ends at 18446744073709551615 of the data, which has 4 bytes"},
    {R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[0],"data_offsets":[4,4]}})",
     "byte 61: the key 'a' stands twice in one object"},
};

struct BadMetadata {
  const char *metadata;
  const char *error;
};
constexpr BadMetadata badMetadata[] = {
    {R"("text")", "byte 24: an object is wanted, found '\"'"},
    {R"(null)", "byte 24: an object is wanted, found 'n'"},
    {R"({"a":1})", "'a': byte 29: a string is wanted, found '1'"},
    {R"({"a":{"b":"c"}})", "'a': byte 29: a string is wanted, found '{'"},
    {R"({"a":"b","a":"c"})", "byte 33: the key 'a' stands twice in one object"},
};

} // namespace

TEST(SafetensorsFile, SaysWhatIsWrongWithATensor) {
  for (const BadTensor &bad : badTensors)
    EXPECT_EQ(refusal(file(std::string(R"({"w":)") + bad.entry + "}", 4)), std::string("tensor 'w': ") + bad.error);
}

TEST(SafetensorsFile, TensorsFillTheData) {
  for (const BadPlaces &bad : badPlaces)
    EXPECT_EQ(refusal(file(bad.header, 4)), bad.error);
}

TEST(SafetensorsFile, SaysWhatIsWrongWithMetadata) {
  for (const BadMetadata &bad : badMetadata)
    EXPECT_EQ(refusal(file(std::string(R"({"__metadata__":)") + bad.metadata + "}", 0)),
              std::string("__metadata__: ") + bad.error);
}

TEST(SafetensorsFile, HasLimits) {
  std::string shape = "1";
  for (int i = 1; i < 64; ++i)
    shape += ",1";
  const auto header = [](const std::string &shape) {
    return R"({"w":{"dtype":"U8","shape":[)" + shape + R"(],"data_offsets":[0,1]}})";
  };
  EXPECT_EQ(refusal(file(header(shape), 1)), "no error");
  EXPECT_EQ(refusal(file(header(shape + ",1"), 1)), "tensor 'w': more than 64 numbers in an array");
}

TEST(SafetensorsFile, EveryCutIsAnError) {
  const std::string whole = file(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", 4);
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_NE(refusal(whole.substr(0, size)), "no error") << size;
  EXPECT_EQ(refusal(whole), "no error");
}
