// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators on single elements, in float32 and int64.
#include "passes/import/Operator.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace halftone::importer;

//===-- One input -------------------------------------------------------------------------------------------------===//

namespace {
struct Unary {
  StringLiteral name;
  float (*onFloat)(float);
  int64_t (*onInteger)(int64_t);
};
} // namespace

static constexpr Unary unaryTable[] = {
    {"Abs", [](float x) { return std::fabs(x); }, [](int64_t x) { return x < 0 ? wrapSub(0, x) : x; }},
    {"Ceil", [](float x) { return std::ceil(x); }, nullptr},
    {"Cos", [](float x) { return std::cos(x); }, nullptr},
    {"Erf", [](float x) { return std::erf(x); }, nullptr},
    {"Exp", [](float x) { return std::exp(x); }, nullptr},
    {"Floor", [](float x) { return std::floor(x); }, nullptr},
    {"Log", [](float x) { return std::log(x); }, nullptr},
    {"Neg", [](float x) { return -x; }, [](int64_t x) { return wrapSub(0, x); }},
    {"Not", nullptr, [](int64_t x) { return int64_t(x == 0); }},
    {"Reciprocal", [](float x) { return 1.0f / x; }, nullptr},
    {"Sigmoid", [](float x) { return 1.0f / (1.0f + std::exp(-x)); }, nullptr},
    {"Sin", [](float x) { return std::sin(x); }, nullptr},
    {"Sqrt", [](float x) { return std::sqrt(x); }, nullptr},
    {"Tanh", [](float x) { return std::tanh(x); }, nullptr},
};

static Outputs unary(const Call &call) {
  StringRef name = call.node.getOpType();
  const Unary &row = *llvm::find_if(unaryTable, [&](const Unary &row) { return row.name == name; });
  const Tensor &input = call.input(0);
  Tensor result = Tensor::ofShape(input.elementType, input.shape);
  if (input.content == Tensor::Content::Forms && name == "Neg")
    return SmallVector<Tensor, 1>{negateForms(input)};
  if (input.content == Tensor::Content::Floats && row.onFloat) {
    llvm::append_range(result.floats, llvm::map_range(input.floats, row.onFloat));
    result.content = Tensor::Content::Floats;
  } else if (input.content == Tensor::Content::Integers && row.onInteger) {
    llvm::append_range(result.integers, llvm::map_range(input.integers, row.onInteger));
    result.content = Tensor::Content::Integers;
  }
  return SmallVector<Tensor, 1>{result};
}

static Outputs isNan(const Call &call) {
  const Tensor &input = call.input(0);
  Tensor result = Tensor::ofShape(IntegerType::get(call.node.getContext(), 1), input.shape);
  if (input.content == Tensor::Content::Floats) {
    for (float x : input.floats)
      result.integers.push_back(std::isnan(x));
    result.content = Tensor::Content::Integers;
  }
  return SmallVector<Tensor, 1>{result};
}

//===-- Two inputs ------------------------------------------------------------------------------------------------===//

namespace {
struct Binary {
  StringLiteral name;
  float (*onFloat)(float, float);
  int64_t (*onInteger)(int64_t, int64_t);
  bool compares = false;
};
} // namespace

/// Rounds towards minus infinity, as ONNX's Mod with fmod = 0.
static int64_t floorMod(int64_t a, int64_t b) {
  if (b == 0 || b == -1)
    return 0;
  int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

static int64_t integerPower(int64_t base, int64_t exponent) {
  if (exponent == 2) // exact, as the square that it is when the graph runs
    return wrapMul(base, base);
  return truncated(std::pow(static_cast<double>(base), static_cast<double>(exponent)), 64);
}

/// A quotient by 0, which has no meaning, is the dividend, as when the graph runs.
static int64_t divide(int64_t a, int64_t b) { return b == 0 ? a : b == -1 ? wrapSub(0, a) : a / b; }

/// The rest with the sign of the dividend.
static int64_t truncatedMod(int64_t a, int64_t b) { return b == 0 || b == -1 ? 0 : a % b; }

static constexpr Binary binaryTable[] = {
    {"Add", [](float a, float b) { return a + b; }, wrapAdd},
    {"And", nullptr, [](int64_t a, int64_t b) { return int64_t(a && b); }, true},
    {"Div", [](float a, float b) { return a / b; }, divide},
    {"Equal", [](float a, float b) { return float(a == b); }, [](int64_t a, int64_t b) { return int64_t(a == b); },
     true},
    {"Greater", [](float a, float b) { return float(a > b); }, [](int64_t a, int64_t b) { return int64_t(a > b); },
     true},
    {"GreaterOrEqual", [](float a, float b) { return float(a >= b); },
     [](int64_t a, int64_t b) { return int64_t(a >= b); }, true},
    {"Less", [](float a, float b) { return float(a < b); }, [](int64_t a, int64_t b) { return int64_t(a < b); }, true},
    {"LessOrEqual", [](float a, float b) { return float(a <= b); },
     [](int64_t a, int64_t b) { return int64_t(a <= b); }, true},
    {"Max", larger, larger},
    {"Min", smaller, smaller},
    {"Mod", [](float a, float b) { return std::fmod(a, b); }, floorMod},
    {"Mul", [](float a, float b) { return a * b; }, wrapMul},
    {"Or", nullptr, [](int64_t a, int64_t b) { return int64_t(a || b); }, true},
    {"Pow", [](float a, float b) { return std::pow(a, b); }, integerPower},
    {"Sub", [](float a, float b) { return a - b; }, wrapSub},
    {"Xor", nullptr, [](int64_t a, int64_t b) { return int64_t(!a != !b); }, true},
};

/// The exponent of Pow may have another type than the base.
static Tensor withFloats(const Tensor &input) {
  Tensor result = input;
  if (input.content == Tensor::Content::Integers) {
    result.floats.assign(input.integers.begin(), input.integers.end());
    result.content = Tensor::Content::Floats;
  }
  return result;
}

static void combineKnown(const Binary &row, const Tensor &a, const Tensor &b, Tensor &result) {
  std::vector<int64_t> left = positions(result.shape, broadcastStrides(a.shape, result.shape)),
                       right = positions(result.shape, broadcastStrides(b.shape, result.shape));
  bool integers = a.content == Tensor::Content::Integers && row.onInteger;
  if (!integers && (a.content != Tensor::Content::Floats || !row.onFloat))
    return;
  for (size_t i = 0; i < left.size(); ++i) {
    if (integers)
      result.integers.push_back(row.onInteger(a.integers[left[i]], b.integers[right[i]]));
    else if (row.compares)
      result.integers.push_back(row.onFloat(a.floats[left[i]], b.floats[right[i]]) != 0);
    else
      result.floats.push_back(row.onFloat(a.floats[left[i]], b.floats[right[i]]));
  }
  result.content = integers || row.compares ? Tensor::Content::Integers : Tensor::Content::Floats;
}

static std::optional<Tensor> combine(const Call &call, const Tensor &a, const Tensor &b) {
  StringRef name = call.node.getOpType();
  Binary row = *llvm::find_if(binaryTable, [&](const Binary &row) { return row.name == name; });
  if (name == "Mod" && parameter(call.node, "fmod", int64_t(0)))
    row.onInteger = truncatedMod;
  SmallVector<int64_t> shape;
  if (!broadcast(a.shape, b.shape, shape))
    return std::nullopt;
  if (a.content == Tensor::Content::Forms || b.content == Tensor::Content::Forms) {
    Tensor forms = combineForms(name, call, shape);
    forms.elementType = row.compares ? IntegerType::get(call.node.getContext(), 1) : forms.elementType;
    return forms;
  }
  Type type = row.compares ? IntegerType::get(call.node.getContext(), 1) : a.elementType;
  Tensor result = Tensor::ofShape(type, shape);
  if (!a.isKnown() || !b.isKnown() || result.elements() > mostElements)
    return result;
  if (a.content == b.content)
    combineKnown(row, a, b, result);
  else if (name == "Pow" && a.isFloat())
    combineKnown(row, a, withFloats(b), result);
  return result;
}

/// Max and Min take any number of inputs, the others two.
static Outputs binary(const Call &call) {
  if (!call.has(0))
    return std::nullopt;
  std::optional<Tensor> result = call.input(0);
  for (size_t i = 1; i < call.inputs.size() && result; ++i)
    result = call.has(i) ? combine(call, *result, call.input(i)) : std::nullopt;
  if (!result)
    return std::nullopt;
  return SmallVector<Tensor, 1>{*result};
}

ArrayRef<Operator> halftone::importer::arithmeticOperators() {
  static const SmallVector<Operator> table = [] {
    SmallVector<Operator> rows = {{"IsNaN", isNan}};
    for (const Unary &row : unaryTable)
      rows.push_back({row.name, unary});
    for (const Binary &row : binaryTable)
      rows.push_back({row.name, binary});
    return rows;
  }();
  return table;
}
