// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Two panels over one axis.
#include "lib/report/Chart.h"

#include "lib/report/Columns.h"
#include "lib/report/Html.h"

#include <algorithm>
#include <cmath>

namespace halftone::report {
namespace {

/// In units of the picture, which is scaled to the page.
constexpr double width = 960, left = 56, right = 8, errorTop = 12, errorHeight = 230, gap = 34, bitsHeight = 90,
                 bottom = 34;
constexpr double bitsTop = errorTop + errorHeight + gap, height = bitsTop + bitsHeight + bottom;

std::string number(double value) { return decimal(value, 2); }

std::string text(double x, double y, const char *anchor, std::string_view content) {
  return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor + "\">" + escaped(content) +
         "</text>\n";
}

/// The least of 1, 2, 5 times a power of ten that divides `highest` into at most five steps.
double stepFor(double highest) {
  const double power = std::pow(10, std::floor(std::log10(highest / 5)));
  for (const double factor : {1., 2., 5.})
    if (highest / (factor * power) <= 5)
      return factor * power;
  return 10 * power;
}

/// A panel's vertical axis, from 0 on.
class Axis {
public:
  Axis(double top, double height, double highest)
      : top(top), height(height), step(stepFor(highest)), end(step * std::ceil(highest / step)) {}

  double at(double value) const { return top + height * (1 - value / end); }

  /// Lines across the panel, and what they stand for.
  template <class Label> std::string grid(Label label) const {
    std::string lines;
    for (int i = 0; i * step <= end * (1 + 1e-9); ++i) {
      const double y = at(i * step);
      lines += "<path class=\"" + std::string(i == 0 ? "axis" : "grid") + "\" d=\"M" + number(left) + " " + number(y) +
               "H" + number(width - right) + "\"/>\n" + text(left - 8, y + 4, "end", label(i * step));
    }
    return lines;
  }

private:
  double top, height, step, end;
};

class Chart {
public:
  Chart(const Report &report, const std::vector<const Tensor *> &marked)
      : isCalibrated(report::isCalibrated(report)), marked(marked) {
    for (const Tensor &tensor : report.tensors)
      if (tensor.role == Role::Linear || tensor.role == Role::Head)
        linears.push_back(&tensor);
  }

  std::string draw() const {
    if (linears.empty())
      return "";
    return "<svg viewBox=\"0 0 " + number(width) + " " + number(height) +
           "\" role=\"img\" aria-label=\"error and bits of each linear\">\n" + errors() + bits() + numbers() +
           "</svg>\n";
  }

private:
  double slot() const { return (width - left - right) / static_cast<double>(linears.size()); }
  double middle(size_t i) const { return left + (static_cast<double>(i) + 0.5) * slot(); }

  double largestError() const {
    double largest = 0;
    for (const Tensor *tensor : linears)
      largest = std::max({largest, tensor->weightError.value_or(0), tensor->outputError.value_or(0)});
    return largest;
  }

  std::string dot(size_t i, const std::optional<double> &error, const std::string &kind, const Axis &axis) const {
    if (!error)
      return "";
    const bool isMarked = std::ranges::find(marked, linears[i]) != marked.end();
    return "<circle class=\"" + kind + (isMarked ? " worst" : "") + "\" cx=\"" + number(middle(i)) + "\" cy=\"" +
           number(axis.at(*error)) + "\" r=\"" + number(std::clamp(slot() * 0.35, 1.5, 4.5)) + "\"><title>" +
           std::to_string(i + 1) + " " + escaped(linears[i]->name) + ": " + kind + " error " + percent(*error) +
           "</title></circle>\n";
  }

  std::string errors() const {
    const double largest = largestError();
    const Axis axis(errorTop, errorHeight, largest > 0 ? largest : 1);
    std::string result = axis.grid([](double value) { return decimal(100 * value, value < 0.01 ? 1 : 0) + " %"; });
    for (size_t i = 0; i < linears.size(); ++i)
      result += dot(i, linears[i]->weightError, isCalibrated ? "weight" : "output", axis);
    for (size_t i = 0; i < linears.size(); ++i)
      result += dot(i, linears[i]->outputError, "output", axis);
    return result;
  }

  std::string bits() const {
    double most = 0;
    for (const Tensor *tensor : linears)
      most = std::max(most, totalOf(*tensor).bits());
    const Axis axis(bitsTop, bitsHeight, most > 0 ? most : 1);
    std::string result = axis.grid([](double value) { return decimal(value, 0); });
    for (size_t i = 0; i < linears.size(); ++i) {
      const double value = totalOf(*linears[i]).bits(), bar = slot() * 0.7;
      result += "<rect class=\"bits\" x=\"" + number(middle(i) - bar / 2) + "\" y=\"" + number(axis.at(value)) +
                "\" width=\"" + number(bar) + "\" height=\"" + number(axis.at(0) - axis.at(value)) + "\"><title>" +
                std::to_string(i + 1) + " " + escaped(linears[i]->name) + ": " + decimal(value, 3) + " bits, " +
                escaped(linears[i]->format) + "</title></rect>\n";
    }
    return result;
  }

  /// Every so many linears their number, as the table has it; and what the panels show.
  std::string numbers() const {
    const size_t every = std::max<size_t>(1, static_cast<size_t>(stepFor(static_cast<double>(linears.size()) / 4)));
    std::string result;
    for (size_t i = 0; i < linears.size(); ++i)
      if (i == 0 || (i + 1) % every == 0)
        result += text(middle(i), bitsTop + bitsHeight + 14, "middle", std::to_string(i + 1));
    return result + text(left, bitsTop - 10, "start", "bits per weight") +
           text(width / 2, height - 4, "middle", "linears in the model's order, by their number in the table");
  }

  const bool isCalibrated;
  const std::vector<const Tensor *> &marked;
  std::vector<const Tensor *> linears;
};

} // namespace

std::string chart(const Report &report, const std::vector<const Tensor *> &marked) {
  return Chart(report, marked).draw();
}

} // namespace halftone::report
