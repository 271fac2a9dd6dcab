// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Header first, then each tensor at the offset that the header promised.
#include "lib/safetensors/Writer.h"

#include "lib/json/Quote.h"
#include "lib/tokenizer/Utf8.h"

#include <algorithm>
#include <array>
#include <optional>
#include <tuple>

namespace halftone::safetensors {

//===-- Header ----------------------------------------------------------------------------------------------------===//

static bool isUtf8(std::string_view text) {
  while (!text.empty()) {
    const size_t size = tokenizer::validCharacter(text);
    if (size == 0)
      return false;
    text.remove_prefix(size);
  }
  return true;
}

static Status checkName(const std::string &name) {
  if (name == metadataKey)
    return Error{"'" + name + "' is no name for a tensor"};
  return isUtf8(name) ? Status() : Error{"the name " + json::quote(name) + " is not UTF-8"};
}

static std::string print(std::span<const uint64_t> numbers) {
  std::string text;
  for (const uint64_t number : numbers)
    text += (text.empty() ? "" : ",") + std::to_string(number);
  return "[" + text + "]";
}

static std::string entryText(const Declaration &declaration, uint64_t begin, uint64_t end) {
  return json::quote(declaration.name) + ":{\"dtype\":\"" + std::string(name(declaration.type)) +
         "\",\"shape\":" + print(declaration.shape) + ",\"data_offsets\":" + print(std::array{begin, end}) + "}";
}

static std::string metadataText(const Metadata &metadata) {
  std::string text;
  for (const auto &[key, value] : metadata)
    text += (text.empty() ? "" : ",") + json::quote(key) + ":" + json::quote(value);
  return json::quote(metadataKey) + ":{" + text + "}";
}

/// The length and the header, filled up with spaces so that the data begins at a multiple of 8.
static Expected<std::string> finishHeader(std::string text) {
  text = "{" + text + "}";
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const uint64_t length = text.size();
  if (length > mostHeaderBytes)
    return Error{"the header would have " + std::to_string(length) + " bytes, allowed are " +
                 std::to_string(mostHeaderBytes)};
  return std::string(reinterpret_cast<const char *>(&length), sizeof length) + text;
}

//===-- Tensors ---------------------------------------------------------------------------------------------------===//

/// Checks a declaration and moves `end`, where the tensors before it end, behind it.
static Expected<uint64_t> place(const Declaration &declaration, uint64_t &end) {
  if (Status checked = checkName(declaration.name); !checked)
    return checked.error();
  const std::optional<uint64_t> bytes = byteSize(declaration.type, declaration.shape);
  if (!bytes || *bytes > mostDataBytes - end || declaration.shape.size() > mostDimensions)
    return Error{"tensor '" + declaration.name + "': " + describe(declaration.type, declaration.shape) +
                 " is too large for a safetensors file"};
  end += *bytes;
  return *bytes;
}

Expected<Writer> Writer::create(std::string path, std::vector<Declaration> declarations, const Metadata &metadata,
                                const io::AtomicFileOptions &options) {
  const auto fail = [&](const Error &error) { return Error{path + ": " + error.message}; };
  std::ranges::sort(declarations, [](const Declaration &left, const Declaration &right) {
    return std::tie(left.type, left.name) < std::tie(right.type, right.name);
  });
  std::string text = metadata.empty() ? "" : metadataText(metadata);
  std::vector<Place> places;
  uint64_t end = 0;
  for (Declaration &declaration : declarations) {
    const Expected<uint64_t> bytes = place(declaration, end);
    if (!bytes)
      return fail(bytes.error());
    text += (text.empty() ? "" : ",") + entryText(declaration, end - *bytes, end);
    places.push_back({std::move(declaration), end - *bytes, *bytes});
  }
  std::ranges::sort(places, {}, &Place::name);
  if (const auto twice = std::ranges::adjacent_find(places, {}, &Place::name); twice != places.end())
    return fail({"tensor '" + twice->name() + "' is declared twice"});
  const Expected<std::string> header = finishHeader(std::move(text));
  if (!header)
    return fail(header.error());
  Expected<io::AtomicFile> file = io::AtomicFile::create(path, options);
  if (!file)
    return file.error();
  if (Status written = file->write(header->data(), header->size()); !written)
    return written.error();
  return Writer(std::move(*file), std::move(places));
}

Writer::Place *Writer::findPlace(std::string_view name) {
  const auto found = std::ranges::lower_bound(places, name, {}, &Place::name);
  return found != places.end() && found->name() == name ? &*found : nullptr;
}

Status Writer::write(std::string_view name, std::span<const std::byte> bytes) {
  Place *place = findPlace(name);
  if (!place)
    return Error{path() + ": no tensor '" + std::string(name) + "' was declared"};
  if (bytes.size() > place->bytes - place->written)
    return Error{path() + ": tensor '" + place->name() + "' has " + std::to_string(place->bytes) + " bytes, " +
                 std::to_string(bytes.size()) + " more come after " + std::to_string(place->written)};
  if (Status written = file.writeAt(file.position() + place->offset + place->written, bytes.data(), bytes.size());
      !written)
    return written;
  place->written += bytes.size();
  return {};
}

Status Writer::commit() {
  for (const Place &place : places)
    if (place.written != place.bytes)
      return Error{path() + ": tensor '" + place.name() + "' has " + std::to_string(place.bytes) + " bytes, " +
                   std::to_string(place.written) + " were written"};
  return file.commit();
}

} // namespace halftone::safetensors
