// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Archives are written by LLVM, objects by lld.
#include "lib/link/Bundle.h"

#include "lib/link/Lld.h"

#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Support/Path.h"

namespace halftone::link {

static Error failure(const std::string &path, llvm::Error error) {
  return Error{path + ": " + llvm::toString(std::move(error))};
}

Status writeArchive(const std::vector<std::string> &objects, const std::string &output) {
  std::vector<llvm::NewArchiveMember> members;
  for (const std::string &object : objects) {
    llvm::Expected<llvm::NewArchiveMember> member = llvm::NewArchiveMember::getFile(object, /*Deterministic=*/true);
    if (!member)
      return failure(object, member.takeError());
    member->MemberName = llvm::sys::path::filename(object);
    members.push_back(std::move(*member));
  }
  if (llvm::Error error = llvm::writeArchive(output, members, llvm::SymtabWritingMode::NormalSymtab,
                                             llvm::object::Archive::K_GNU, /*Deterministic=*/true, /*Thin=*/false))
    return failure(output, std::move(error));
  return {};
}

Status linkRelocatable(const std::vector<std::string> &objects, const std::string &output) {
  // Mapped, as the output may be larger than memory; it gets its place on the disk before, so that a full one is an error.
  std::vector<std::string> arguments = {"-r", "--mmap-output-file", "-o", output};
  arguments.insert(arguments.end(), objects.begin(), objects.end());
  return runLld(arguments, output);
}

} // namespace halftone::link
