// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A folder for one test, removed with everything in it.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace halftone::test {

class TemporaryFolder {
public:
  TemporaryFolder() : path((std::filesystem::temp_directory_path() / "halftone-XXXXXX").string()) {
    if (!mkdtemp(path.data()))
      std::abort();
  }
  TemporaryFolder(const TemporaryFolder &) = delete;
  TemporaryFolder &operator=(const TemporaryFolder &) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(path); }

  std::string operator/(std::string_view name) const { return path + "/" + std::string(name); }

  /// Writes a new file, in place of one of that name, and gives its path. Truncating the old one instead would wait for
  /// the disk on some file systems.
  std::string write(std::string_view name, std::string_view content) const {
    std::filesystem::remove(*this / name);
    std::ofstream(*this / name, std::ios::binary) << content;
    return *this / name;
  }

  std::string read(std::string_view name) const {
    std::ifstream file(*this / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  /// Names of everything in the folder, sorted.
  std::vector<std::string> list() const {
    std::vector<std::string> names;
    for (const auto &entry : std::filesystem::directory_iterator(path))
      names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }

  std::string path;
};

} // namespace halftone::test
