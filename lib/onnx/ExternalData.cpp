// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Resolving locations and checking offset and length against the file.
#include "lib/onnx/ExternalData.h"

#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdlib>
#include <filesystem>

namespace halftone::onnx {

/// An absolute path without symbolic links; "" when there is no such file.
static std::string realPath(const std::string &path) {
  char buffer[PATH_MAX];
  return realpath(path.c_str(), buffer) ? buffer : "";
}

ExternalData::ExternalData(const std::string &modelPath, const std::string &root,
                           std::vector<std::shared_ptr<const io::MappedFile>> &files)
    : files(files) {
  const std::string folder = std::filesystem::path(modelPath).parent_path().string();
  folders.push_back(folder.empty() ? "." : folder);
  if (!root.empty())
    folders.push_back(root);
}

bool ExternalData::isAllowed(const std::string &resolved) const {
  for (const std::string &folder : folders) {
    const std::string real = realPath(folder);
    if (!real.empty() && resolved.starts_with(real == "/" ? real : real + "/"))
      return true;
  }
  return false;
}

/// Whether the path leaves its folder by its spelling alone, so that whether such a file exists is not told.
static bool leavesFolder(const std::string &location) {
  const std::filesystem::path normal = std::filesystem::path(location).lexically_normal();
  return normal.is_absolute() || *normal.begin() == "..";
}

Expected<std::string> ExternalData::resolve(const std::string &location, const std::string &where) const {
  const std::string start = where + ": external data '" + location + "'";
  if (location.empty() || location.find('\0') != std::string::npos)
    return Error{where + ": external data without a location"};
  const bool absolute = location.front() == '/';
  const bool hasRoot = folders.size() > 1;
  const Error escape = {start + " lies outside the model's folder '" + folders[0] + "'" +
                        (hasRoot ? " and the external data root '" + folders[1] + "'"
                                 : "; an external data root can allow another folder")};
  if (absolute || (leavesFolder(location) && !hasRoot))
    return escape;
  for (const std::string &folder : folders) {
    const std::string resolved = realPath(folder + "/" + location);
    if (!resolved.empty())
      return isAllowed(resolved) ? Expected<std::string>(resolved) : escape;
  }
  return Error{start + " is missing: no such file in '" + folders[0] + "'" +
               (hasRoot ? " or '" + folders[1] + "'" : "")};
}

Expected<uint32_t> ExternalData::openFile(const std::string &location, const std::string &where) {
  if (const auto known = opened.find(location); known != opened.end())
    return known->second;
  Expected<std::string> path = resolve(location, where);
  if (!path)
    return path.error();
  Expected<io::MappedFile> file = io::MappedFile::open(*path);
  if (!file)
    return Error{where + ": external data: " + file.error().message};
  files.push_back(std::make_shared<const io::MappedFile>(std::move(*file)));
  return opened[location] = static_cast<uint32_t>(files.size() - 1);
}

/// The number under `key`, or `absent` when there is none.
static Expected<uint64_t> readNumber(const ExternalEntries &entries, const char *key, uint64_t absent,
                                     const std::string &where) {
  const auto entry = entries.find(key);
  if (entry == entries.end() || entry->second.empty())
    return absent;
  const std::string &text = entry->second;
  uint64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size())
    return Error{where + ": external data " + key + " '" + text + "' is not a number of bytes"};
  return value;
}

Expected<Location> ExternalData::locate(const ExternalEntries &entries, uint64_t wanted, const std::string &where) {
  const auto location = entries.find("location");
  Expected<uint32_t> file = openFile(location == entries.end() ? "" : location->second, where);
  if (!file)
    return file.error();
  const Expected<uint64_t> offset = readNumber(entries, "offset", 0, where);
  if (!offset)
    return offset.error();
  const Expected<uint64_t> length = readNumber(entries, "length", wanted, where);
  if (!length)
    return length.error();
  if (*length != wanted)
    return Error{where + " wants " + std::to_string(wanted) + " bytes, its external data has length " +
                 std::to_string(*length)};
  const uint64_t size = files[*file]->size();
  if (*offset > size || *length > size - *offset)
    return Error{where + ": external data '" + location->second + "' has " + std::to_string(size) + " bytes, offset " +
                 std::to_string(*offset) + " and length " + std::to_string(*length) + " go past its end"};
  return Location{*file, *offset, *length};
}

} // namespace halftone::onnx
