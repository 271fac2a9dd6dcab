// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How the tool ends when something from outside ends it.
#pragma once

namespace halftone::tool {

/// Whatever ends the tool, no work file is left: on SIGINT, SIGTERM, SIGHUP and SIGPIPE it ends as the signal would
/// have ended it; on SIGBUS, which is a mapped file that cannot be read any more, with an error that names the file. A
/// limit on file sizes is an error of write().
void handleSignals();

} // namespace halftone::tool
