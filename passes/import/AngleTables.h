// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The cosines and sines of a rotation for every position of the context: where the graph has them, evaluating them, and
// the work file that holds them.
#pragma once

#include "passes/import/Evaluate.h"

namespace halftone::importer {

/// Where one pair's cosine or sine stands: the element at `coordinates` of `factor`, with the position added along
/// `axis`, times `sign`.
struct AngleEntry {
  mlir::Value factor;
  llvm::SmallVector<int64_t> coordinates;
  unsigned axis = 0;
  float sign = 1;

  bool operator==(const AngleEntry &) const = default;
};

/// Both elements of a pair have its angle; most graphs repeat it in their tables.
struct AngleSource {
  std::vector<std::array<AngleEntry, 2>> pairs;

  bool operator==(const AngleSource &) const = default;
};

/// The entry that three terms for tokens 0, 1 and 2 agree on; nothing when the factor is no function of the token.
std::optional<AngleEntry> angleEntry(llvm::ArrayRef<const Term *> tokens, Evaluator &evaluator, bool negated);

/// The elements of an entry, by token, as an evaluation has them. Valid as long as the evaluation.
class AngleColumn {
public:
  AngleColumn(Evaluator &evaluator, const AngleEntry &entry);

  /// How many tokens there are; 0 where the factor is not known.
  int64_t size() const { return positions; }
  float operator[](int64_t token) const { return sign * first[token * step]; }

private:
  const float *first = nullptr;
  float sign;
  int64_t step = 0, positions = 0;
};

/// Rows of the smallest table that the angles are gathered from; nothing when they are computed.
std::optional<int64_t> gatheredRows(mlir::Value factor);

/// The table [context, pairs]; an error in words when the graph's values for some position are missing or differ.
Expected<std::vector<float>> angleTable(const AngleSource &source, int64_t context, WeightFiles &files);

/// Tables of equal content are one. Names them "rope.cos", "rope.cos.1", ... The work file may be none of `inputs`, and
/// none that the module's weights lie in.
class AngleTables {
public:
  AngleTables(mlir::ModuleOp module, std::string file, std::vector<std::string> inputs);

  /// A new handle, before `builder`'s insertion point, to the weight of this content.
  mlir::Value handle(mlir::OpBuilder &builder, mlir::Location location, llvm::StringRef name, int64_t context,
                     llvm::ArrayRef<float> table);
  /// Writes the work file, if there is any table.
  Status write() const;

private:
  struct Entry {
    lowbit::WeightOp weight;
    int64_t context = 0;
    std::vector<float> content;
  };
  mlir::ModuleOp module;
  std::string file;
  std::vector<std::string> inputs;
  std::vector<Entry> entries;
  uint64_t end = 0;
};

} // namespace halftone::importer
