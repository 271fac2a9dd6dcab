// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a pass did, for people: qopt --remarks-filter='recognise-.*' --remark-format=emitRemark.
#pragma once

#include "mlir/IR/Remarks.h"

namespace halftone {

/// Begins the remark that `pass` rewrote, or decided about, what stands at `location`; `<<` adds in which way. Costs
/// nothing where nobody asked for remarks.
inline mlir::remark::detail::InFlightRemark rewrote(mlir::Location location, llvm::StringRef pass) {
  return mlir::remark::passed(location, mlir::remark::RemarkOpts::name("rewrite").category(pass));
}

} // namespace halftone
