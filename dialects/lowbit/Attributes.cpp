// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Syntax of the format attribute: `lib/formats` decides what is a format, this file only how the IR spells it.
#include "dialects/lowbit/Lowbit.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

#define GET_ATTRDEF_CLASSES
#include "dialects/lowbit/Attributes.cpp.inc"

/// `, block N` or `, row`.
static ParseResult parseBlock(AsmParser &parser, std::string &name) {
  if (succeeded(parser.parseOptionalKeyword("row"))) {
    name += "-row";
    return success();
  }
  int64_t block;
  if (parser.parseKeyword("block") || parser.parseInteger(block))
    return failure();
  name += "-g" + std::to_string(block);
  return success();
}

Attribute FormatAttr::parse(AsmParser &parser, Type) {
  SMLoc where = parser.getCurrentLocation();
  StringRef element, scale;
  if (parser.parseLess() || parser.parseKeyword(&element))
    return {};
  std::string name = element.str();
  if (succeeded(parser.parseOptionalComma())) {
    if (parseBlock(parser, name) || parser.parseComma() || parser.parseKeyword("scale") || parser.parseKeyword(&scale))
      return {};
    if (succeeded(parser.parseOptionalComma())) {
      if (parser.parseKeyword("zero_point"))
        return {};
      name += "-asym";
    }
    if (scale != "f16")
      name += "-" + scale.str();
  }
  if (parser.parseGreater())
    return {};
  Expected<formats::Format> format = formats::parse(name);
  if (!format) {
    parser.emitError(where) << format.error().message;
    return {};
  }
  return FormatAttr::get(parser.getContext(), *format);
}

void FormatAttr::print(AsmPrinter &printer) const {
  const formats::Format &format = getValue();
  printer << "<" << formats::name(format.code);
  if (!format.isPlain()) {
    if (format.block == 0)
      printer << ", row";
    else
      printer << ", block " << format.block;
    printer << ", scale " << formats::name(formats::Code::floating(format.scale));
    if (format.zeroPoint)
      printer << ", zero_point";
  }
  printer << ">";
}

void LowbitDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/lowbit/Attributes.cpp.inc"
      >();
}
