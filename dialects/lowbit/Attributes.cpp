// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Syntax of the format attribute: `lib/formats` decides what is a format, this file only how the IR spells it.
#include "dialects/lowbit/Lowbit.h"
#include "lib/formats/Table.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace halftone;
using namespace halftone::lowbit;

#define GET_ATTRDEF_CLASSES
#include "dialects/lowbit/Attributes.cpp.inc"

/// `block N` or `row`.
static ParseResult parseBlock(AsmParser &parser, int64_t &block) {
  block = 0;
  if (succeeded(parser.parseOptionalKeyword("row")))
    return success();
  SMLoc where = parser.getCurrentLocation();
  if (parser.parseKeyword("block") || parser.parseInteger(block))
    return failure();
  return block == 0 ? parser.emitError(where, "a block of 0 columns; a whole row is 'row'") : success();
}

static ParseResult parseScale(AsmParser &parser, formats::Scalar &scale) {
  SMLoc where = parser.getCurrentLocation();
  StringRef name;
  if (parser.parseKeyword("scale") || parser.parseKeyword(&name))
    return failure();
  const auto *found =
      llvm::find_if(formats::allScalars, [&](auto type) { return name == StringRef(formats::scalarName(type)); });
  if (found == std::end(formats::allScalars))
    return parser.emitError(where, "no scale has the type '") << name << "'";
  scale = *found;
  return success();
}

/// What stands behind a code: `, block N, scale f16` or `, row, scale f16`, and `, zero_point` if it is stored.
static ParseResult parseBlocks(AsmParser &parser, formats::Format &format) {
  if (parser.parseComma() || parseBlock(parser, format.block) || parser.parseComma() ||
      parseScale(parser, format.scale))
    return failure();
  format.zeroPoint = succeeded(parser.parseOptionalComma());
  return format.zeroPoint ? parser.parseKeyword("zero_point") : success();
}

Attribute FormatAttr::parse(AsmParser &parser, Type) {
  SMLoc where = parser.getCurrentLocation();
  StringRef name;
  if (parser.parseLess() || parser.parseKeyword(&name))
    return {};
  const formats::Element *element = formats::findElement(std::string_view(name));
  if (!element) {
    parser.emitError(where) << "no element is called '" << name << "'; allowed are " << formats::allowedNames();
    return {};
  }
  formats::Format format{.code = element->code};
  if ((!format.isPlain() && parseBlocks(parser, format)) || parser.parseGreater())
    return {};
  if (Status status = formats::check(format); !status) {
    parser.emitError(where) << status.error().message;
    return {};
  }
  return FormatAttr::get(parser.getContext(), format);
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
