// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A model for other programs: a library or an object file, and the header that declares it.
#pragma once

#include "passes/package/Package.h"

namespace halftone::package {

/// How object files become one.
enum class Bundle { Archive, Object };

/// Bundles the file `object` of `work`, which emit-model gave the name `symbol`, with its weight segment and the session
/// code of `runtimeFolder` into the file `name` of `work`, ready to be published.
Status packageLibrary(const io::WorkFolder &work, const std::string &object, const std::string &runtimeFolder,
                      const SegmentSources &segment, Bundle bundle, const std::string &symbol, const std::string &name,
                      const link::SegmentProgress &progress = {});

/// The text of the header: include/halftone/session.h, and the model's constant under `symbol`. Stands alone.
std::string headerText(const std::string &symbol, const std::string &model);

/// Where the header of a library or object at `path` goes: the same name with .h in place of the ending.
std::string headerPath(const std::string &path);

/// The C identifier that a library at `path` declares unless told otherwise: "lib/libstories-15M.a" gives stories_15M.
std::string symbolFor(const std::string &path);

/// Whether C takes `name` as the name of a constant.
bool isIdentifier(const std::string &name);

} // namespace halftone::package
