// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/package/Info.h"

#include "test/io/TemporaryFolder.h"

#include <gmock/gmock.h>

namespace halftone::package {
namespace {

using testing::HasSubstr;

TEST(HashFile, NamesTheFileWithoutItsFolder) {
  const test::TemporaryFolder folder;
  const Expected<HashedFile> hashed = hashFile(folder.write("model.onnx", "abc"));
  ASSERT_TRUE(hashed);
  EXPECT_EQ(hashed->name, "model.onnx");
  EXPECT_EQ(hashed->sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"); // FIPS 180-2, appendix B.1
}

TEST(HashFile, HashesMoreThanABlock) {
  const test::TemporaryFolder folder;
  const std::string content(5'000'000, 'a');
  const Expected<HashedFile> hashed = hashFile(folder.write("large", content));
  ASSERT_TRUE(hashed);
  // python3 -c 'import hashlib; print(hashlib.sha256(b"a" * 5000000).hexdigest())'
  EXPECT_EQ(hashed->sha256, "7f4a285193573e707fcb6398222c00f044745cd2930e41d28d30da87d6ca183f");
}

TEST(HashFile, SaysWhatIsMissing) {
  const Expected<HashedFile> hashed = hashFile("nowhere.onnx");
  ASSERT_FALSE(hashed);
  EXPECT_EQ(hashed.error().message, "nowhere.onnx: cannot open: No such file or directory");
}

ModelInfo storiesInfo() {
  ModelInfo info;
  info.files = {{"stories.onnx", "12ab"}, {"stories.onnx.data", "34cd"}};
  info.tokenizer = {"tokenizer.model", "56ef"};
  info.format = "int4-g32";
  info.embeddingFormat = info.headFormat = "int8-g32";
  info.weights = {{"embedding", {512, 64}, "int8-g32", 34816}, {"norm", {64}, "f32", 256}};
  info.parameters = 1000;
  info.weightBytes = 563;
  info.decodeBytes = 448;
  info.context = 256;
  info.triple = "x86_64-unknown-linux-gnu";
  info.targets = {{"icelake-server", "+avx2,+avx512vnni"}, {"x86-64-v3", "+avx2,+fma"}};
  info.options = {{"untie", "false"}, {"lower_reference", "false"}};
  return info;
}

TEST(InfoJson, IsSortedAndReadable) {
  EXPECT_EQ(infoJson(storiesInfo()), R"({
  "bits_per_weight": 4.504,
  "context": 256,
  "decode_bytes": 448,
  "embedding_format": "int8-g32",
  "files": [
    {
      "name": "stories.onnx",
      "sha256": "12ab"
    },
    {
      "name": "stories.onnx.data",
      "sha256": "34cd"
    }
  ],
  "format": "int4-g32",
  "head_format": "int8-g32",
  "name": "stories",
  "options": {
    "lower_reference": "false",
    "untie": "false"
  },
  "parameters": 1000,
  "source": "stories.onnx",
  "targets": [
    {
      "cpu": "icelake-server",
      "features": "+avx2,+avx512vnni"
    },
    {
      "cpu": "x86-64-v3",
      "features": "+avx2,+fma"
    }
  ],
  "tokenizer": {
    "name": "tokenizer.model",
    "sha256": "56ef"
  },
  "triple": "x86_64-unknown-linux-gnu",
  "version": ")" HALFTONE_VERSION R"(",
  "weight_bytes": 563,
  "weights": [
    ["embedding",[512,64],"int8-g32",34816],
    ["norm",[64],"f32",256]
  ]
}
)");
}

TEST(InfoJson, SaysThatThereIsNoTokenizer) {
  ModelInfo info = storiesInfo();
  info.tokenizer.reset();
  EXPECT_THAT(infoJson(info), HasSubstr("\"tokenizer\": null,"));
}

TEST(InfoJson, SaysThatThereAreNoWeights) {
  ModelInfo info = storiesInfo();
  info.weights.clear();
  EXPECT_THAT(infoJson(info), HasSubstr("\"weights\": []\n}"));
}

TEST(InfoJson, StaysValidForAnyName) {
  ModelInfo info = storiesInfo();
  info.files[0].name = "a\"b\n\xff.onnx";
  EXPECT_THAT(infoJson(info), HasSubstr("\"source\": \"a\\\"b\\n\xef\xbf\xbd.onnx\""));
}

} // namespace
} // namespace halftone::package
