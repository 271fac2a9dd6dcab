// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The command line: every flag in both spellings, every refusal with its value, and help that lists what is parsed.
#include "lib/runtime/Options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace halftone::runtime;
using testing::HasSubstr;

static Options parse(std::vector<const char *> words) {
  auto options = parseOptions(words);
  EXPECT_TRUE(options) << options.error().message;
  return options ? *options : Options();
}

static std::string errorOf(std::vector<const char *> words) {
  auto options = parseOptions(words);
  return options ? "no error" : options.error().message;
}

TEST(Options, NothingGivenMeansTheDefaults) {
  const Options options = parse({});
  EXPECT_FALSE(options.prompt || options.newTokens || options.seed || options.threads || options.context);
  EXPECT_EQ(options.sampler.temperature, 0.8);
  EXPECT_EQ(options.sampler.topP, 0.95);
  EXPECT_EQ(options.sampler.topK, 40);
}

TEST(Options, EveryFlagTakesItsValueAsNextWordOrAfterEquals) {
  for (const Options &options : {parse({"Once upon", "-n", "200", "--temperature", "0.5", "--top-p", "0.9", "--top-k",
                                        "7", "--seed", "18446744073709551615", "--threads", "2", "--context", "99"}),
                                 parse({"-n=200", "--temperature=0.5", "--top-p=0.9", "--top-k=7",
                                        "--seed=18446744073709551615", "--threads=2", "--context=99", "Once upon"})}) {
    EXPECT_EQ(options.prompt, "Once upon");
    EXPECT_EQ(options.newTokens, 200);
    EXPECT_EQ(options.sampler.temperature, 0.5);
    EXPECT_EQ(options.sampler.topP, 0.9);
    EXPECT_EQ(options.sampler.topK, 7);
    EXPECT_EQ(options.seed, 18446744073709551615ULL);
    EXPECT_EQ(options.threads, 2);
    EXPECT_EQ(options.context, 99);
  }
  for (const Options &options : {parse({"--perplexity", "text", "--documents", "<|e|>", "--length", "7"}),
                                 parse({"--length=7", "--documents=<|e|>", "--perplexity=text"})}) {
    EXPECT_EQ(options.perplexity, "text");
    EXPECT_EQ(options.separator, "<|e|>");
    EXPECT_EQ(options.length, 7);
  }
  const Options prompts = parse({"--prompts=lines", "--documents", "<|e|>"});
  EXPECT_EQ(prompts.prompts, "lines");
  EXPECT_EQ(prompts.separator, "<|e|>");
  const Options files = parse({"--logits=a=b.npy", "-o", "c.npy"});
  EXPECT_EQ(files.logits, "a=b.npy");
  EXPECT_EQ(files.output, "c.npy");
}

TEST(Options, FlagsWithoutValue) {
  EXPECT_TRUE(parse({"--help"}).help && parse({"-h"}).help && parse({"--version"}).version && parse({"--info"}).info &&
              parse({"--tokens"}).tokens && parse({"--bench"}).bench);
  EXPECT_EQ(errorOf({"--info=yes"}), "--info takes no value, but there is one: 'yes'");
}

TEST(Options, TheLastOfEqualFlagsCounts) { EXPECT_EQ(parse({"-n", "1", "-n", "2"}).newTokens, 2); }

TEST(Options, APromptMayLookLikeAFlagAfterTwoDashes) {
  EXPECT_EQ(parse({"-n", "3", "--", "--help"}).prompt, "--help");
  EXPECT_EQ(parse({"-"}).prompt, "-");
  EXPECT_EQ(parse({""}).prompt, "");
}

TEST(Options, UnknownFlagsAndTwoPromptsAreErrors) {
  EXPECT_THAT(errorOf({"--temprature", "1"}), HasSubstr("unknown option '--temprature'; --help lists all"));
  EXPECT_THAT(errorOf({"-x"}), HasSubstr("unknown option '-x'"));
  EXPECT_THAT(errorOf({"Once", "upon"}), HasSubstr("two prompts, 'Once' and 'upon'"));
}

TEST(Options, BadValuesAreErrorsWithTheValueAndTheRange) {
  EXPECT_EQ(errorOf({"-n"}), "-n needs a value: N");
  EXPECT_EQ(errorOf({"--threads", "0"}), "--threads: '0' is not a whole number from 1 to 1024");
  EXPECT_EQ(errorOf({"--top-p", "0"}), "--top-p: '0' is not a number above 0 and up to 1");
  EXPECT_EQ(errorOf({"--temperature", "-1"}), "--temperature: '-1' is not a number from 0 to 1000");
  for (const char *value : {"", "x", "1x", " 1", "1.5", "-1", "99999999999999999999"})
    EXPECT_THAT(errorOf({"-n", value}), HasSubstr("'" + std::string(value) + "' is not a whole number")) << value;
  for (const char *value : {"", "x", "nan", "inf", "0x1p3", "1e999", "0.5.5", "1.1", "-"})
    EXPECT_THAT(errorOf({"--top-p", value}), HasSubstr("is not a number")) << value;
  EXPECT_THAT(errorOf({"--seed", "18446744073709551616"}), HasSubstr("is not a whole number"));
  EXPECT_THAT(errorOf({"--logits=", "-o", "x"}), HasSubstr("'' is not the name of a file"));
}

TEST(Options, LogitsAndOutputBelongTogether) {
  EXPECT_EQ(errorOf({"--logits", "ids.npy"}), "--logits needs -o, the file to write");
  EXPECT_EQ(errorOf({"-o", "logits.npy"}), "-o needs --logits");
  EXPECT_EQ(errorOf({"--logits", "a", "-o", "b", "text"}), "--logits takes no prompt, but there is one: 'text'");
}

TEST(Options, WhatIsDoneInsteadOfGeneratingExcludesAnother) {
  EXPECT_EQ(errorOf({"--perplexity", "text", "--bench"}), "--perplexity and --bench exclude one another");
  EXPECT_EQ(errorOf({"--bench", "--logits", "a", "-o", "b"}), "--logits and --bench exclude one another");
  EXPECT_EQ(errorOf({"--bench", "text"}), "--bench takes no prompt, but there is one: 'text'");
  EXPECT_EQ(errorOf({"--perplexity", "a", "-o", "b"}), "-o needs --logits");
}

TEST(Options, FiguresHaveOptionsOfTheirOwn) {
  EXPECT_EQ(errorOf({"--documents=<>"}), "--documents needs --perplexity or --prompts");
  EXPECT_EQ(errorOf({"--bench", "--length=3"}), "--length needs --perplexity");
  EXPECT_EQ(errorOf({"--json"}), "--json needs --perplexity, --bench or --profile");
  EXPECT_EQ(errorOf({"--runs", "3"}), "--decode, --depth, --prefill and --runs need --bench");
  EXPECT_EQ(errorOf({"--profile", "--depth=3"}), "--decode, --depth, --prefill and --runs need --bench");
  EXPECT_EQ(errorOf({"--perplexity=a", "--documents="}), "--documents: '' is not what stands between documents");
  EXPECT_THAT(errorOf({"--perplexity=a", "--length=0"}), HasSubstr("--length: '0' is not a whole number from 1"));
  EXPECT_TRUE(parse({"--bench", "--json"}).json && parse({"--profile", "--json"}).json &&
              parse({"--perplexity=a", "--json"}).json);
}

TEST(Options, HelpListsEveryFlagWithItsDefault) {
  const std::string help = helpText("stories");
  EXPECT_THAT(help, HasSubstr("usage: stories [PROMPT]"));
  for (const char *flag : {"-n N",
                           "--temperature T",
                           "--top-p P",
                           "--top-k K",
                           "--seed S",
                           "--threads N",
                           "--context N",
                           "--tokens",
                           "--prompts FILE",
                           "--logits IDS",
                           "-o FILE",
                           "--perplexity FILE",
                           "--documents SEPARATOR",
                           "--length N",
                           "--bench",
                           "--profile",
                           "--json",
                           "--info",
                           "--version",
                           "--help, -h"})
    EXPECT_THAT(help, HasSubstr("\n  " + std::string(flag))) << flag;
  const Options defaults;
  EXPECT_THAT(help, HasSubstr("(default: 0.8)"));
  EXPECT_EQ(defaults.sampler.temperature, 0.8);
  EXPECT_THAT(help, HasSubstr("(default: 0.95)"));
  EXPECT_EQ(defaults.sampler.topP, 0.95);
  EXPECT_THAT(help, HasSubstr("(default: 40)"));
  EXPECT_EQ(defaults.sampler.topK, 40);
}
