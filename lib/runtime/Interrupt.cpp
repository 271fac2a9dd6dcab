// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Signal handlers; the flag is the only thing a handler may touch.
#include "lib/runtime/Interrupt.h"

#include <csignal>

namespace halftone::runtime {

static volatile std::sig_atomic_t flag = 0;

static void setFlag(int) { flag = 1; }

void catchInterrupts() {
  struct sigaction action = {};
  action.sa_handler = setFlag;
  action.sa_flags = static_cast<int>(SA_RESETHAND); // the next one meets the default: the end
  sigaction(SIGINT, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

bool interrupted() { return flag != 0; }

} // namespace halftone::runtime
