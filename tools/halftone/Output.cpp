// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Standard output by LLVM's stream, which would end the program at its end for an error that nobody took.
#include "tools/halftone/Output.h"

#include "lib/io/SystemError.h"

#include "llvm/Support/raw_ostream.h"

namespace halftone::tool {

Status print(std::string_view text) {
  llvm::outs() << text;
  llvm::outs().flush();
  if (!llvm::outs().has_error())
    return {};
  const int code = llvm::outs().error().value();
  llvm::outs().clear_error();
  return io::systemError("standard output", "write", code);
}

} // namespace halftone::tool
