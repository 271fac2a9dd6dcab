// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The tokenizer as a command, for test_tokenizer.py: text lines in, ids out, or the other way round.
// usage: tokenize MODEL [lines | whole | decode] < input
//   lines   each line of the input is a text; prints its ids on a line
//   whole   the input is one text
//   decode  each line is ids; prints the bytes they decode to, in hexadecimal, on a line
#include "lib/tokenizer/Tokenizer.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>

using namespace halftone;

static std::string readAll(std::istream &stream) {
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

template <class T> static T orDie(Expected<T> result) {
  if (result)
    return std::move(*result);
  std::cerr << "error: " << result.error().message << "\n";
  std::exit(1);
}

static void printIds(const tokenizer::Tokenizer &tokenizer, std::string_view text) {
  const char *separator = "";
  for (int64_t id : orDie(tokenizer.encode(text))) {
    std::cout << separator << id;
    separator = " ";
  }
  std::cout << "\n";
}

static void printText(const tokenizer::Tokenizer &tokenizer, const std::string &line) {
  std::istringstream ids(line);
  tokenizer::DecodeState state;
  std::string bytes;
  for (int64_t id; ids >> id;)
    if (Status status = tokenizer.decode(id, state, bytes); !status)
      orDie<int>(status.error());
  for (unsigned char byte : bytes)
    std::printf("%02x", byte);
  std::printf("\n");
}

int main(int argc, char **argv) {
  if (argc < 2)
    return 1;
  std::ifstream file(argv[1], std::ios::binary);
  const std::string model = readAll(file);
  const auto tokenizer = orDie(tokenizer::readTokenizer(model));
  const std::string mode = argc > 2 ? argv[2] : "lines";
  if (mode == "whole") {
    printIds(*tokenizer, readAll(std::cin));
    return 0;
  }
  for (std::string line; std::getline(std::cin, line);)
    mode == "decode" ? printText(*tokenizer, line) : printIds(*tokenizer, line);
  return 0;
}
