// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Arithmetic on linear forms. A product with one element of a known tensor remembers which element it was: that is how
// the angles of a rotation are found whatever way the graph spells it.
#include "passes/import/Operator.h"

using namespace mlir;
using namespace halftone::importer;

Tensor halftone::importer::negateForms(const Tensor &a) {
  Tensor result = a;
  for (Form &form : result.forms)
    for (Term &term : form)
      term.coefficient = -term.coefficient;
  return result;
}

/// Multiplies `form` by element `index` of the known tensor `factor`.
static void scale(Form &form, const Tensor &known, Value factor, int64_t index, bool divides) {
  float by = known.floats[index];
  bool isScalar = known.elements() == 1;
  for (Term &term : form) {
    term.coefficient = divides ? term.coefficient / by : term.coefficient * by;
    if (isScalar)
      continue;
    term.manyFactors |= static_cast<bool>(term.factor) || divides;
    term.factor = factor;
    term.factorIndex = index;
  }
}

/// A rotation has two terms an element; a few more may cancel on the way. Sums of sums would double without end.
static constexpr size_t mostTerms = 16;

static bool hasForms(const Tensor &tensor) { return tensor.content == Tensor::Content::Forms; }
static bool hasFloats(const Tensor &tensor) { return tensor.content == Tensor::Content::Floats; }

Tensor halftone::importer::combineForms(StringRef name, const Call &call, ArrayRef<int64_t> shape) {
  const Tensor &a = call.input(0), &b = call.input(1);
  Tensor result = Tensor::ofShape(hasForms(a) ? a.elementType : b.elementType, shape);
  bool scales = (name == "Mul" && (hasFloats(a) || hasFloats(b))) || (name == "Div" && hasFloats(b));
  bool sums = (name == "Add" || name == "Sub") && hasForms(a) && hasForms(b);
  if ((!scales && !sums) || result.elements() > mostElements)
    return result;
  std::vector<int64_t> left = positions(shape, broadcastStrides(a.shape, shape)),
                       right = positions(shape, broadcastStrides(b.shape, shape));
  result.content = Tensor::Content::Forms;
  for (size_t i = 0; i < left.size(); ++i) {
    Form form = hasForms(a) ? a.forms[left[i]] : b.forms[right[i]];
    if (scales) {
      size_t known = hasForms(a) ? 1 : 0;
      scale(form, call.input(known), call.node.getInputs()[known], known ? right[i] : left[i], name == "Div");
    } else {
      for (Term term : b.forms[right[i]]) {
        term.coefficient = name == "Sub" ? -term.coefficient : term.coefficient;
        form.push_back(term);
      }
    }
    if (form.size() > mostTerms)
      return Tensor::ofShape(result.elementType, shape);
    result.forms.push_back(std::move(form));
  }
  return result;
}
