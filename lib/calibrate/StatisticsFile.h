// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Statistics by name in one safetensors file, so that calibrating once serves many runs. Tensors of the statistics
// "layers.0.q": layers.0.q.tokens I64 [], .seen I64 [columns], .hessian F64 [columns, columns], .mean_abs,
// .mean_square, .lowest, .highest F32 [columns]. The metadata "inputs of layers.0.k" = "layers.0.q" says which
// statistics are those of the inputs of linears with another weight.
#pragma once

#include "lib/calibrate/Statistics.h"
#include "lib/io/AtomicFile.h"
#include "lib/safetensors/File.h"
#include "lib/safetensors/Writer.h"

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace halftone::calibrate {

/// What statistics depend on, each as a hash that the caller makes (lib/io/Sha256.h).
struct Fingerprint {
  std::string model, data, options;

  friend bool operator==(const Fingerprint &, const Fingerprint &) = default;
};

/// The statistics that a file will hold, of which only the numbers are not known yet.
struct StatisticsDeclaration {
  std::string name;
  int64_t columns = 0;
  Gather gather = Gather::nothing;
  /// The weights of the linears whose inputs they are of.
  std::vector<std::string> weights = {};
};

/// Writes statistics one at a time, in any order; the file appears when all are there. The same statistics give the
/// same bytes, in whatever order they are declared and written.
class StatisticsWriter {
public:
  static Expected<StatisticsWriter> create(std::string path, const Fingerprint &fingerprint,
                                           std::span<const StatisticsDeclaration> declarations,
                                           const io::AtomicFileOptions &options = {});

  /// Fails when `name` was not declared so, was written before, or the disk refuses.
  Status write(std::string_view name, const Statistics &statistics);
  /// Puts the file in place; fails naming what was not written.
  Status commit();

private:
  using Pending = std::map<std::string, StatisticsDeclaration, std::less<>>;
  StatisticsWriter(safetensors::Writer writer, Pending pending)
      : writer(std::move(writer)), pending(std::move(pending)) {}

  safetensors::Writer writer;
  Pending pending; ///< what was not written yet
};

/// Statistics in a mapped file. Reading from several threads is safe.
class StatisticsFile {
public:
  /// Fails when `path` is no such file.
  static Expected<StatisticsFile> open(std::string path);

  /// Fails when it was made of another model, other data or with other options than `expected`: the error says of
  /// which, with both hashes.
  Status check(const Fingerprint &expected) const;

  const std::string &path() const { return file.path(); }
  const Fingerprint &fingerprint() const { return made; }
  /// Of all statistics, sorted.
  const std::vector<std::string> &names() const { return list; }
  bool contains(std::string_view name) const;
  /// The name of the statistics of the inputs of linears with the weight called `weight`; null when there are none.
  const std::string *nameFor(std::string_view weight) const;

  /// Copies the statistics `name` out, whose part of the file is then not kept in memory. Fails when there are none of
  /// that name, or their tensors do not fit together.
  Expected<Statistics> read(std::string_view name) const;

private:
  StatisticsFile(safetensors::File file, Fingerprint made, std::vector<std::string> list)
      : file(std::move(file)), made(std::move(made)), list(std::move(list)) {}

  safetensors::File file;
  Fingerprint made;
  std::vector<std::string> list;
};

} // namespace halftone::calibrate
