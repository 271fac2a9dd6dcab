// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Ctrl-C: the first one asks for a clean end, the second one kills.
#pragma once

namespace halftone::runtime {

/// From now on the first SIGINT only sets a flag, and writing to a closed pipe is an error code instead of a signal.
void catchInterrupts();

/// Whether a SIGINT came since catchInterrupts().
bool interrupted();

} // namespace halftone::runtime
