// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// SHA-256 against the examples of FIPS 180-4 and against every way to cut a message.
#include "lib/io/Sha256.h"

#include <gtest/gtest.h>

using namespace halftone::io;

static std::string hash(const std::string &text) { return sha256Hex(std::as_bytes(std::span(text))); }

TEST(Sha256, PublishedExamples) {
  EXPECT_EQ(hash(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hash(std::string(1000000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PiecesGiveTheSameHash) {
  for (size_t length = 0; length < 200; ++length) {
    const std::string text(length, 'x');
    const std::span<const std::byte> bytes = std::as_bytes(std::span(text));
    Sha256 whole, cut;
    whole.update(bytes);
    for (size_t i = 0; i < length; i += 7)
      cut.update(bytes.subspan(i, std::min<size_t>(7, length - i)));
    EXPECT_EQ(whole.finish(), cut.finish()) << length;
  }
}
