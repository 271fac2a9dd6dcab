// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the program knows about itself and its machine: segments, facts, the info's JSON, processor features.
#include "lib/runtime/Info.h"
#include "lib/runtime/Processor.h"
#include "lib/runtime/Weights.h"

#include "test/runtime/FakeModel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

using namespace halftone;
using namespace halftone::runtime;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(Weights, AreTheLastLoadedSegment) {
  Elf64_Phdr headers[4] = {};
  const uint32_t types[] = {PT_LOAD, PT_LOAD, PT_NOTE, PT_NULL};
  for (size_t index = 0; index < 4; ++index) {
    headers[index].p_type = types[index];
    headers[index].p_vaddr = 0x1000 + 0x4000 * index;
    headers[index].p_filesz = 10 * (index + 1);
  }
  const auto segment = lastSegment(headers, 0x70000);
  ASSERT_TRUE(segment);
  EXPECT_EQ(reinterpret_cast<uint64_t>(segment->data()), 0x75000U);
  EXPECT_EQ(segment->size(), 20U);
  EXPECT_FALSE(lastSegment(std::span(headers).subspan(2), 0));
}

TEST(Weights, ASizeThatIsNotTheModelsIsAnError) {
  EXPECT_THAT(findWeights(int64_t(1) << 40).error().message, HasSubstr("expected 1099511627776"));
}

TEST(Facts, DamagedOnesAreRefused) {
  const Facts good = test::fakeFacts(300, 50);
  EXPECT_TRUE(checkFacts(good));
  const auto errorWith = [&](int64_t Facts::*member, int64_t value) {
    Facts facts = good;
    facts.segment_bytes = 100;
    facts.*member = value;
    const Status status = checkFacts(facts);
    return status ? "no error" : status.error().message;
  };
  EXPECT_EQ(errorWith(&Facts::abi, 1), "the model was compiled for ABI 1, this runtime has 3");
  EXPECT_EQ(errorWith(&Facts::vocabulary, 0), "the model's facts are damaged: vocabulary is 0");
  EXPECT_THAT(errorWith(&Facts::chunk, -1), HasSubstr("chunk is -1"));
  EXPECT_THAT(errorWith(&Facts::token_step, 0), HasSubstr("token_step is 0"));
  EXPECT_THAT(errorWith(&Facts::token_step, 3), HasSubstr("token_step is 3, chunk 4"));
  EXPECT_THAT(errorWith(&Facts::cache_positions, 0), HasSubstr("cache_positions is 0"));
  EXPECT_THAT(errorWith(&Facts::cache_bytes, INT64_MAX), HasSubstr("cache_bytes is"));
  EXPECT_THAT(errorWith(&Facts::tokenizer_bytes, 101), HasSubstr("tokenizer lies outside"));
  EXPECT_THAT(errorWith(&Facts::tokenizer_offset, 101), HasSubstr("tokenizer lies outside"));
  EXPECT_THAT(errorWith(&Facts::info_offset, -1), HasSubstr("info lies outside"));
  EXPECT_EQ(errorWith(&Facts::info_bytes, 100), "no error");
}

TEST(Info, ListsKernels) {
  const char *json = R"({"a": {"kernels": []}, "kernels": [["decode", "linear \"8x8\"", 64, 128, 0, ["dot", "other"]],
    ["block", "attention", 0, 0, 32, []]], "weights": []})";
  const auto kernels = kernelsIn(json);
  ASSERT_TRUE(kernels && kernels->size() == 2);
  EXPECT_EQ((*kernels)[0].function, "decode");
  EXPECT_EQ((*kernels)[0].does, "linear \"8x8\"");
  EXPECT_EQ((*kernels)[0].bytes, 64);
  EXPECT_EQ((*kernels)[0].operations, 128);
  EXPECT_EQ((*kernels)[0].dots, (std::vector<std::string>{"dot", "other"}));
  EXPECT_EQ((*kernels)[1].positionBytes, 32);
  EXPECT_TRUE((*kernels)[1].dots.empty());
  EXPECT_TRUE(kernelsIn(R"({"kernels": []})")->empty());
  EXPECT_EQ(kernelsIn(R"({"weights": []})").error().message, "it has no list of kernels");
  EXPECT_EQ(kernelsIn(R"({"kernels": [["a", "b", 1, 2, 3, []], ["a", "b", 1, -2, 3, []]]})").error().message,
            "kernel 1 is not what it should be");
  const std::string_view whole = json;
  for (size_t size = 0; size < whole.find("\"weights\"") - 3; ++size)
    EXPECT_FALSE(kernelsIn(whole.substr(0, size))) << size;
}

TEST(Info, FindsValuesOfTheOutermostObject) {
  const char *json = R"( {"source": {"format": "inner", "list": [1, {"a": "]}"}]}, "format" : "int4-g32",
    "bits_per_weight": 4.63, "quoted": "a\"b\\c\u0041\u00e9\n", "empty": "", "last":true} )";
  EXPECT_EQ(findInJson(json, "format"), "int4-g32");
  EXPECT_EQ(findInJson(json, "bits_per_weight"), "4.63");
  EXPECT_EQ(findInJson(json, "quoted"), "a\"b\\cA?\n");
  EXPECT_EQ(findInJson(json, "empty"), "");
  EXPECT_EQ(findInJson(json, "last"), "true");
  EXPECT_EQ(findInJson(json, "source"), std::nullopt);
  EXPECT_EQ(findInJson(json, "list"), std::nullopt);
  EXPECT_EQ(findInJson(json, "missing"), std::nullopt);
}

TEST(Info, BrokenJsonHasNoValues) {
  const std::string whole = R"({"a": {"b": ["x", 1]}, "c": "d\u0041", "key": 1})";
  for (size_t size = 0; size < whole.size() - 1; ++size)
    if (size < whole.find("1}"))
      EXPECT_EQ(findInJson(std::string_view(whole).substr(0, size), "key"), std::nullopt) << size;
  EXPECT_EQ(findInJson(whole, "key"), "1");
  EXPECT_EQ(findInJson("[1]", "key"), std::nullopt);
  EXPECT_EQ(findInJson("{\"key\"", "key"), std::nullopt);
}

TEST(Info, TheLineOfFactsHasThemAll) {
  Facts facts = test::fakeFacts(300, 50);
  facts.parameters = 15191712;
  facts.weight_bytes = 9592832;
  EXPECT_EQ(factsLine(facts, R"({"format": "int4-g32", "bits_per_weight": 5.0})", {200, 0.25, 2, 7}),
            "15191712 parameters, int4-g32, 5.00 bits per weight, 9592832 bytes, 200 tokens at 800.0 tokens/s, 2 "
            "threads, seed 7");
  EXPECT_EQ(
      factsLine(facts, "", {0, 0, 1, std::nullopt}),
      "15191712 parameters, unknown format, 5.05 bits per weight, 9592832 bytes, 0 tokens at 0.0 tokens/s, 1 thread");
}

TEST(Processor, LackingAreTheWantedKnownAndAbsent) {
  const std::vector<Feature> features = {{"avx2", "avx2", true},
                                         {"avx512vnni", "avx512_vnni", false},
                                         {"amx-int8", "amx_int8", false},
                                         {"sse3", "pni", false}};
  EXPECT_THAT(lackingFeatures("+avx2,+avx512vnni,-amx-int8,+cmov,+sse3", features), ElementsAre("avx512_vnni", "pni"));
  EXPECT_THAT(lackingFeatures("", features), ElementsAre());
  EXPECT_THAT(lackingFeatures("+avx2", features), ElementsAre());
  EXPECT_THAT(lackingFeatures(",,+,avx512vnni", features), ElementsAre());
}

// The kernel probes the same bits; where it lists its findings, ours must be the same.
TEST(Processor, TheProbeAgreesWithTheKernel) {
  std::ifstream cpuinfo("/proc/cpuinfo");
  std::string flags;
  for (std::string line; std::getline(cpuinfo, line);)
    if (line.starts_with("flags") || line.starts_with("Features")) {
      flags = line.substr(line.find(':') + 1) + " ";
      break;
    }
  if (flags.empty())
    GTEST_SKIP() << "no flags in /proc/cpuinfo";
  for (const Feature &feature : probeFeatures())
    if (feature.shown != "avx_vnni_int8") // Linux knows it but does not list it
      EXPECT_EQ(feature.present, flags.find(" " + std::string(feature.shown) + " ") != std::string::npos)
          << feature.shown;
}
