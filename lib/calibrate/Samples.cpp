// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Choosing comes before encoding where it can: of a large text only the documents that are taken are encoded.
#include "lib/calibrate/Samples.h"

#include "lib/calibrate/Choose.h"
#include "lib/evaluate/Sequences.h"
#include "lib/io/MappedFile.h"
#include "lib/io/Npz.h"
#include "lib/io/Sha256.h"

#include <algorithm>

namespace halftone::calibrate {

int64_t Samples::tokens() const {
  int64_t count = 0;
  for (const auto &sequence : sequences)
    count += static_cast<int64_t>(sequence.size());
  return count;
}

std::string Samples::fingerprint() const {
  io::Sha256 hash;
  for (const auto &sequence : sequences) {
    const auto length = static_cast<int64_t>(sequence.size());
    hash.update(std::as_bytes(std::span(&length, 1)));
    hash.update(std::as_bytes(std::span(sequence)));
  }
  return hash.finish();
}

//===-- Choosing and checking -------------------------------------------------------------------------------------===//

Status checkLength(const SampleOptions &options) {
  if (options.length >= 2)
    return {};
  return Error{"sequences of at most " + std::to_string(options.length) + " tokens; at least 2 are wanted"};
}

/// What was taken, once every token is one of the model's.
static Expected<Samples> finish(std::vector<std::vector<int64_t>> sequences, int64_t available, int64_t vocabulary) {
  for (size_t i = 0; i < sequences.size(); ++i)
    for (size_t place = 0; place < sequences[i].size(); ++place)
      if (const int64_t id = sequences[i][place]; id < 0 || id >= vocabulary)
        return Error{"token " + std::to_string(place) + " of sequence " + std::to_string(i) + " has the id " +
                     std::to_string(id) + ", outside of the model's vocabulary of " + std::to_string(vocabulary)};
  return Samples{std::move(sequences), available};
}

//===-- Texts -----------------------------------------------------------------------------------------------------===//

static void append(std::vector<evaluate::Sequence> from, std::vector<std::vector<int64_t>> &to) {
  for (evaluate::Sequence &sequence : from)
    to.push_back(std::move(sequence.tokens));
}

/// The sequences of the documents, those without a token left out.
static Expected<std::vector<std::vector<int64_t>>>
encode(std::span<const std::string_view> documents, const evaluate::Cut &cut, const tokenizer::Tokenizer &tokenizer) {
  std::vector<std::vector<int64_t>> sequences;
  for (const std::string_view document : documents) {
    Expected<std::vector<evaluate::Sequence>> found = evaluate::cutText(document, cut, tokenizer);
    if (!found)
      return found.error();
    append(std::move(*found), sequences);
  }
  return sequences;
}

Expected<Samples> sampleText(std::string_view text, const SampleOptions &options, const tokenizer::Tokenizer &tokenizer,
                             int64_t vocabulary) {
  if (Status checked = checkLength(options); !checked)
    return checked.error();
  const bool isDocuments = !options.separator.empty() && text.find(options.separator) != std::string_view::npos;
  // A sequence has one token more than are scored of it.
  const evaluate::Cut cut = {isDocuments ? options.separator : "", options.length - 1};
  std::vector<std::string_view> parts = isDocuments ? evaluate::documents(text, cut.separator) : std::vector{text};
  auto available = static_cast<int64_t>(parts.size());
  if (isDocuments)
    choose(parts, options.samples, options.seed);
  Expected<std::vector<std::vector<int64_t>>> sequences = encode(parts, cut, tokenizer);
  if (!sequences)
    return sequences.error();
  if (sequences->empty())
    return Error{"no token to calibrate on: the text has " + std::to_string(text.size()) + " bytes" +
                 (parts.empty() ? ", no document that is not empty" : "")};
  if (!isDocuments) {
    available = static_cast<int64_t>(sequences->size());
    choose(*sequences, options.samples, options.seed);
  }
  return finish(std::move(*sequences), available, vocabulary);
}

/// `result`, the path before its error.
static Expected<Samples> of(const std::string &path, Expected<Samples> result) {
  return result ? std::move(result) : Error{path + ": " + result.error().message};
}

Expected<Samples> readTextSamples(const std::string &path, const SampleOptions &options,
                                  const tokenizer::Tokenizer &tokenizer, int64_t vocabulary) {
  const Expected<io::MappedFile> file = io::MappedFile::open(path);
  if (!file)
    return file.error();
  const std::string_view text(reinterpret_cast<const char *>(file->bytes().data()), file->size());
  return of(path, sampleText(text, options, tokenizer, vocabulary));
}

//===-- Arrays ----------------------------------------------------------------------------------------------------===//

/// The rows of an array of ids, cut off.
static Expected<std::vector<std::vector<int64_t>>> rowsOf(const io::NamedArray &array, int64_t length) {
  const std::string shape = io::describe(array.type, array.shape);
  if (array.shape.size() != 2)
    return Error{shape + " is no array of token ids [sequences, tokens]"};
  const Expected<std::vector<int64_t>> ids = io::integers(shape, array.type, array.data);
  if (!ids)
    return ids.error();
  if (ids->empty())
    return Error{"no token to calibrate on: the array is " + shape};
  const auto columns = static_cast<size_t>(array.shape[1]);
  std::vector<std::vector<int64_t>> rows;
  for (size_t begin = 0; begin < ids->size(); begin += columns) {
    const auto row = std::span(*ids).subspan(begin, std::min(columns, static_cast<size_t>(length)));
    rows.emplace_back(row.begin(), row.end());
  }
  return rows;
}

static Expected<Samples> sampleArray(const io::NamedArray &array, const SampleOptions &options, int64_t vocabulary) {
  Expected<std::vector<std::vector<int64_t>>> rows = rowsOf(array, options.length);
  if (!rows)
    return rows.error();
  const auto available = static_cast<int64_t>(rows->size());
  choose(*rows, options.samples, options.seed);
  return finish(std::move(*rows), available, vocabulary);
}

/// The array called `name`, or the only one when `name` is empty.
static Expected<const io::NamedArray *> findArray(const io::NpzFile &file, const std::string &name) {
  if (name.empty() && file.arrays().size() == 1)
    return &file.arrays().front();
  if (const io::NamedArray *found = file.find(name); found && !name.empty())
    return found;
  std::string names;
  for (const io::NamedArray &array : file.arrays())
    names += (names.empty() ? "" : ", ") + array.name;
  return Error{(name.empty() ? "which array holds the token ids is not said" : "it has no array '" + name + "'") +
               "; it has " + (names.empty() ? "none" : names)};
}

static Expected<Samples> readArchive(const std::string &path, const std::string &name, const SampleOptions &options,
                                     int64_t vocabulary) {
  const Expected<io::NpzFile> file = io::NpzFile::open(path);
  if (!file)
    return file.error();
  const Expected<const io::NamedArray *> array = findArray(*file, name);
  if (!array)
    return of(path, array.error());
  return of(path + ": array '" + (*array)->name + "'", sampleArray(**array, options, vocabulary));
}

Expected<Samples> readTokenSamples(const std::string &path, const std::string &array, const SampleOptions &options,
                                   int64_t vocabulary) {
  if (Status checked = checkLength(options); !checked)
    return checked.error();
  const Expected<io::MappedFile> file = io::MappedFile::open(path);
  if (!file)
    return file.error();
  const std::string_view start(reinterpret_cast<const char *>(file->bytes().data()),
                               std::min<uint64_t>(2, file->size()));
  if (start == "PK") // a zip archive
    return readArchive(path, array, options, vocabulary);
  const Expected<io::NpyContent> content = io::parseNpy(path, file->bytes());
  if (!content)
    return content.error();
  return of(path, sampleArray({"", content->type, content->shape, content->data}, options, vocabulary));
}

} // namespace halftone::calibrate
