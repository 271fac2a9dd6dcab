// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Collecting diagnostics, and spelling locations as users know them.
#include "passes/Diagnostics.h"

#include "mlir/IR/Location.h"

using namespace mlir;

namespace halftone {

/// The node or tensor that a location names; of several the first.
static StringRef nameOf(Location location) {
  if (auto name = dyn_cast<NameLoc>(location))
    return name.getName();
  if (auto call = dyn_cast<CallSiteLoc>(location))
    return nameOf(call.getCallee());
  if (auto fused = dyn_cast<FusedLoc>(location))
    for (Location part : fused.getLocations())
      if (StringRef name = nameOf(part); !name.empty())
        return name;
  return "";
}

DiagnosticCollector::DiagnosticCollector(MLIRContext &context, std::string source,
                                         std::function<void(const std::string &)> warn)
    : source(std::move(source)), warn(std::move(warn)), handler(&context, [this](Diagnostic &diagnostic) {
        collect(diagnostic);
        return success();
      }) {}

/// "quantized.mlir:5:3: ", where a module was read from a file.
static std::string lineOf(Location location) {
  auto place = location->findInstanceOf<FileLineColLoc>();
  if (!place)
    return "";
  return (place.getFilename().getValue() + ":" + Twine(place.getLine()) + ":" + Twine(place.getColumn()) + ": ").str();
}

/// Whether a text begins with "FILE: weight 'NAME'", or with the model's file.
static bool hasPlace(StringRef text, StringRef source, StringRef name) {
  const size_t at = text.find((" '" + name + "'").str());
  const auto [file, kind] = text.take_front(at).split(": ");
  return text.starts_with((source + ":").str()) || (at != StringRef::npos && !kind.empty() && !kind.contains(' '));
}

/// The text, behind file and node or line unless it begins with them itself.
std::string DiagnosticCollector::textOf(const Diagnostic &diagnostic) const {
  const std::string text = diagnostic.str();
  if (const std::string line = lineOf(diagnostic.getLocation()); !line.empty())
    return line + text;
  const StringRef name = nameOf(diagnostic.getLocation());
  if (name.empty() || hasPlace(text, source, name))
    return text;
  return source + (name == source ? ": " : ": '" + name.str() + "': ") + text;
}

void DiagnosticCollector::collect(Diagnostic &diagnostic) {
  if (diagnostic.getSeverity() == DiagnosticSeverity::Warning)
    warn(textOf(diagnostic));
  if (diagnostic.getSeverity() != DiagnosticSeverity::Error || !message.empty())
    return;
  message = textOf(diagnostic);
  for (const Diagnostic &note : diagnostic.getNotes())
    message += "\n  note: " + textOf(note);
}

Error DiagnosticCollector::error(StringRef what) const {
  return Error{message.empty() ? source + ": " + what.str() + " failed without saying why" : message};
}

} // namespace halftone
