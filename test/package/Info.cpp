// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/package/Info.h"

#include <gmock/gmock.h>

namespace halftone::package {
namespace {

using testing::HasSubstr;

ModelInfo storiesInfo() {
  ModelInfo info;
  info.files = {{"stories.onnx", "12ab"}, {"stories.onnx.data", "34cd"}};
  info.tokenizer = {"tokenizer.model", "56ef"};
  info.format = "int4-g32";
  info.embeddingFormat = info.headFormat = "int8-g32";
  info.weights = {{"embedding", {512, 64}, "int8-g32", 34816}, {"norm", {64}, "f32", 256}};
  info.kernels = {{"block_1", "2 linear 768x288 int4-g32", 2048, 4096, 0, {"vpdpbusd.512", "pmaddubsw.256"}},
                  {"block_1", "attention", 0, 0, 96, {}}};
  info.parameters = 1000;
  info.weightBytes = 563;
  info.decodeBytes = 448;
  info.context = 256;
  info.triple = "x86_64-unknown-linux-gnu";
  info.targets = {{"icelake-server", "+avx2,+avx512vnni"}, {"x86-64-v3", "+avx2,+fma"}};
  info.fallbacks = {{"layers.1.v", "bf16 by portable arithmetic"}};
  info.options = {{"untie", "false"}, {"lower_reference", "false"}};
  return info;
}

TEST(InfoJson, IsSortedAndReadable) {
  EXPECT_EQ(infoJson(storiesInfo()), R"({
  "bits_per_weight": 4.504,
  "context": 256,
  "decode_bytes": 448,
  "embedding_format": "int8-g32",
  "fallbacks": {
    "layers.1.v": "bf16 by portable arithmetic"
  },
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
  "kernels": [
    ["block_1","2 linear 768x288 int4-g32",2048,4096,0,["vpdpbusd.512","pmaddubsw.256"]],
    ["block_1","attention",0,0,96,[]]
  ],
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
