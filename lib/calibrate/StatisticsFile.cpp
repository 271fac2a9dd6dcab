// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One list says which tensors statistics have: declaring, writing and reading walk through it.
#include "lib/calibrate/StatisticsFile.h"

#include <algorithm>

namespace halftone::calibrate {

using safetensors::ElementType;

static constexpr std::string_view tokensSuffix = ".tokens", seenSuffix = ".seen";
static constexpr std::string_view versionKey = "halftone_statistics", version = "1", weightKey = "inputs of ";

template <class T> static constexpr ElementType elementType = ElementType::f32;
template <> constexpr ElementType elementType<double> = ElementType::f64;
template <> constexpr ElementType elementType<int64_t> = ElementType::i64;

/// Calls visit(suffix, values, dimensions) for each tensor that statistics of `gather` have: what its name ends with,
/// the vector it is in, and how many dimensions of `columns` it has. The number of tokens is the one tensor not among
/// them.
template <class AnyStatistics, class Visit>
static void forEachPart(AnyStatistics &statistics, Gather gather, const Visit &visit) {
  visit(seenSuffix, statistics.seen, 1);
  if (has(gather, Gather::hessian))
    visit(".hessian", statistics.hessian, 2);
  if (has(gather, Gather::magnitude)) {
    visit(".mean_abs", statistics.meanAbs, 1);
    visit(".mean_square", statistics.meanSquare, 1);
  }
  if (has(gather, Gather::range)) {
    visit(".lowest", statistics.lowest, 1);
    visit(".highest", statistics.highest, 1);
  }
}

static std::string join(std::string_view name, std::string_view suffix) {
  return std::string(name) + std::string(suffix);
}

static std::vector<uint64_t> shapeOf(int64_t columns, int dimensions) {
  return std::vector<uint64_t>(dimensions, static_cast<uint64_t>(columns));
}

//===-- Writing ---------------------------------------------------------------------------------------------------===//

static void declare(const StatisticsDeclaration &declaration, std::vector<safetensors::Declaration> &tensors) {
  tensors.push_back({join(declaration.name, tokensSuffix), ElementType::i64, {}});
  const Statistics none;
  forEachPart(none, declaration.gather, [&]<class T>(std::string_view suffix, const std::vector<T> &, int dimensions) {
    tensors.push_back({join(declaration.name, suffix), elementType<T>, shapeOf(declaration.columns, dimensions)});
  });
}

Expected<StatisticsWriter> StatisticsWriter::create(std::string path, const Fingerprint &fingerprint,
                                                    std::span<const StatisticsDeclaration> declarations,
                                                    const io::AtomicFileOptions &options) {
  std::vector<safetensors::Declaration> tensors;
  safetensors::Metadata metadata = {{std::string(versionKey), std::string(version)},
                                    {"model", fingerprint.model},
                                    {"data", fingerprint.data},
                                    {"options", fingerprint.options}};
  Pending pending;
  for (const StatisticsDeclaration &declaration : declarations) {
    if (!pending.emplace(declaration.name, declaration).second)
      return Error{path + ": statistics '" + declaration.name + "' are declared twice"};
    declare(declaration, tensors);
    for (const std::string &weight : declaration.weights)
      metadata[join(weightKey, weight)] = declaration.name;
  }
  Expected<safetensors::Writer> writer =
      safetensors::Writer::create(std::move(path), std::move(tensors), std::move(metadata), options);
  if (!writer)
    return writer.error();
  return StatisticsWriter(std::move(*writer), std::move(pending));
}

/// "288 columns, hessian, range"
static std::string describe(int64_t columns, Gather gather) {
  return std::to_string(columns) + " columns, " + describe(gather);
}

Status StatisticsWriter::write(std::string_view name, const Statistics &statistics) {
  const auto found = pending.find(name);
  if (found == pending.end())
    return Error{writer.path() + ": statistics '" + std::string(name) + "' were not declared, or are written twice"};
  const StatisticsDeclaration &declaration = found->second;
  if (statistics.columns != declaration.columns || statistics.gathered() != declaration.gather)
    return Error{writer.path() + ": statistics '" + declaration.name + "' have " +
                 describe(statistics.columns, statistics.gathered()) + "; declared were " +
                 describe(declaration.columns, declaration.gather)};
  Status written = writer.write(join(name, tokensSuffix), std::as_bytes(std::span(&statistics.tokens, 1)));
  forEachPart(statistics, declaration.gather, [&](std::string_view suffix, const auto &values, int) {
    if (written)
      written = writer.write(join(name, suffix), std::as_bytes(std::span(values)));
  });
  if (written)
    pending.erase(found);
  return written;
}

Status StatisticsWriter::commit() {
  if (!pending.empty())
    return Error{writer.path() + ": statistics '" + pending.begin()->first + "' were not written"};
  return writer.commit();
}

//===-- Reading ---------------------------------------------------------------------------------------------------===//

/// As much of a hash as tells it from others.
static std::string shorten(const std::string &hash) { return hash.size() > 12 ? hash.substr(0, 8) + "..." : hash; }

/// Fails naming every part that differs.
static Status compare(const Fingerprint &made, const Fingerprint &expected) {
  std::string differences;
  const auto check = [&](const char *what, const std::string &of, const std::string &wanted) {
    if (of != wanted)
      differences += (differences.empty() ? "" : "; ") + (what + (": " + shorten(of))) + ", here " + shorten(wanted);
  };
  check("another model", made.model, expected.model);
  check("other data", made.data, expected.data);
  check("other options", made.options, expected.options);
  return differences.empty() ? Status() : Error{"statistics of " + differences};
}

static Expected<Fingerprint> readFingerprint(const safetensors::Metadata &metadata) {
  Fingerprint result;
  const auto found = metadata.find(std::string(versionKey));
  if (found == metadata.end())
    return Error{"no statistics: its metadata has no '" + std::string(versionKey) + "'"};
  if (found->second != version)
    return Error{"version " + found->second + " of files of statistics, " + std::string(version) + " is known"};
  for (const auto &[key, place] :
       {std::pair("model", &result.model), {"data", &result.data}, {"options", &result.options}}) {
    const auto value = metadata.find(key);
    if (value == metadata.end())
      return Error{"its metadata has no '" + std::string(key) + "'"};
    *place = value->second;
  }
  return result;
}

Expected<StatisticsFile> StatisticsFile::open(std::string path) {
  Expected<safetensors::File> file = safetensors::File::open(std::move(path));
  if (!file)
    return file.error();
  Expected<Fingerprint> made = readFingerprint(file->metadata());
  if (!made)
    return Error{file->path() + ": " + made.error().message};
  std::vector<std::string> names;
  for (const safetensors::Tensor &tensor : file->tensors())
    if (tensor.name.ends_with(tokensSuffix))
      names.push_back(tensor.name.substr(0, tensor.name.size() - tokensSuffix.size()));
  std::ranges::sort(names);
  return StatisticsFile(std::move(*file), std::move(*made), std::move(names));
}

Status StatisticsFile::check(const Fingerprint &expected) const {
  if (Status same = compare(made, expected); !same)
    return Error{path() + ": " + same.error().message};
  return {};
}

bool StatisticsFile::contains(std::string_view name) const { return std::ranges::binary_search(list, name); }

const std::string *StatisticsFile::nameFor(std::string_view weight) const {
  const auto found = file.metadata().find(join(weightKey, weight));
  return found == file.metadata().end() ? nullptr : &found->second;
}

/// The tensor called `name`, which must have this type and shape.
static Expected<const safetensors::Tensor *> find(const safetensors::File &file, const std::string &name,
                                                  ElementType type, const std::vector<uint64_t> &shape) {
  const safetensors::Tensor *tensor = file.find(name);
  if (!tensor)
    return Error{file.path() + ": it has no tensor '" + name + "'"};
  if (tensor->type != type || tensor->shape != shape)
    return Error{file.path() + ": tensor '" + name + "' is " + describe(tensor->type, tensor->shape) + ", " +
                 describe(type, shape) + " is wanted"};
  return tensor;
}

template <class T>
static Status copy(const safetensors::File &file, const std::string &name, const std::vector<uint64_t> &shape,
                   std::vector<T> &values) {
  const Expected<const safetensors::Tensor *> tensor = find(file, name, elementType<T>, shape);
  if (!tensor)
    return tensor.error();
  const std::span<const std::byte> bytes = file.data(**tensor);
  values.resize(bytes.size() / sizeof(T));
  std::ranges::copy(bytes, std::as_writable_bytes(std::span(values)).begin());
  file.release(**tensor);
  return {};
}

/// What was gathered, seen from the tensors that there are.
static Gather findGathered(const safetensors::File &file, std::string_view name) {
  const auto ifAny = [&](Gather part) {
    bool isThere = false;
    const Statistics none;
    forEachPart(none, part, [&](std::string_view suffix, const auto &, int) {
      isThere |= suffix != seenSuffix && file.find(join(name, suffix));
    });
    return isThere ? part : Gather::nothing;
  };
  return ifAny(Gather::hessian) | ifAny(Gather::magnitude) | ifAny(Gather::range);
}

Expected<Statistics> StatisticsFile::read(std::string_view name) const {
  if (!contains(name))
    return Error{path() + ": it has no statistics '" + std::string(name) + "'"};
  std::vector<int64_t> tokens;
  Status copied = copy(file, join(name, tokensSuffix), {}, tokens);
  const safetensors::Tensor *seen = file.find(join(name, seenSuffix));
  if (copied && (!seen || seen->shape.size() != 1))
    copied = Error{path() + ": it has no tensor '" + join(name, seenSuffix) + "' with one dimension"};
  if (!copied)
    return copied.error();
  Statistics result;
  result.columns = static_cast<int64_t>(seen->shape[0]);
  result.tokens = tokens[0];
  forEachPart(result, findGathered(file, name), [&](std::string_view suffix, auto &values, int dimensions) {
    if (copied)
      copied = copy(file, join(name, suffix), shapeOf(result.columns, dimensions), values);
  });
  if (!copied)
    return copied.error();
  return result;
}

} // namespace halftone::calibrate
