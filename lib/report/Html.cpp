// Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The page: a heading, the picture, the worst, everything.
#include "lib/report/Html.h"

#include "lib/report/Chart.h"
#include "lib/report/Columns.h"

namespace halftone::report {

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text)
    switch (c) {
    case '&':
      result += "&amp;";
      break;
    case '<':
      result += "&lt;";
      break;
    case '>':
      result += "&gt;";
      break;
    case '"':
      result += "&quot;";
      break;
    case '\'':
      result += "&#39;";
      break;
    default:
      result += c;
    }
  return result;
}

/// How many of the worst stand in a table of their own, and are marked in the picture.
static constexpr size_t worstCount = 10;

static constexpr char style[] = R"(
:root { color-scheme: light dark; --paper: #fcfcfb; --ink: #1c1c1a; --soft: #64635e; --line: #e3e2dd; --blue: #2a6fd6;
  --pale: #a9c4ec; --red: #cc3333; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #171716; --ink: #ecebe7; --soft: #a3a19a; --line: #35342f; --blue: #6fa6f6; --pale: #34527f;
    --red: #f27d74; } }
body { margin: 2rem auto; max-width: 76rem; padding: 0 1.5rem; background: var(--paper); color: var(--ink);
  font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { margin: .2rem 0; color: var(--soft); }
.figures { display: flex; flex-wrap: wrap; gap: .8rem 2.5rem; margin: 1.2rem 0; }
.figures b { display: block; font-size: 1.5rem; font-weight: 600; } .figures span { color: var(--soft); }
svg { width: 100%; height: auto; display: block; } svg text { font-size: 12px; fill: var(--soft); }
.grid { stroke: var(--line); fill: none; } .axis { stroke: var(--soft); fill: none; }
.bits { fill: var(--pale); }
circle.output { fill: var(--blue); stroke: var(--paper); } circle.output.worst { fill: var(--red); }
circle.weight { fill: none; stroke: var(--soft); }
.key svg { display: inline; width: 12px; height: 12px; vertical-align: -1px; } .key span { margin-right: 1.4rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; } td, th { padding: .2rem .7rem .2rem 0; text-align: left;
  white-space: nowrap; border-bottom: 1px solid var(--line); } th { color: var(--soft); font-weight: 500; }
.number { text-align: right; font-variant-numeric: tabular-nums; } .heading td:first-child { color: var(--soft); }
.heading td { white-space: normal; overflow-wrap: anywhere; }
)";

static std::string figure(const std::string &value, std::string_view meaning) {
  return "<div><b>" + escaped(value) + "</b><span>" + escaped(meaning) + "</span></div>\n";
}

static std::string modelOf(const Report &report) { return report.files.empty() ? "model" : report.files.front().name; }

static std::string methodOf(const Report &report) {
  const auto method = report.options.find("method");
  return method == report.options.end() ? "" : ", " + method->second;
}

static std::string figures(const Report &report, const std::vector<const Tensor *> &worst) {
  std::string result = figure(decimal(totalOfLinears(report).bits(), 3), "bits per weight of linears") +
                       figure(decimal(totalOfAll(report).bits(), 3), "bits per weight of everything") +
                       figure(decimal(static_cast<double>(totalOfAll(report).bytes) / 1e6, 2) + " MB", "all weights");
  if (worst.empty())
    return result;
  const bool calibrated = isCalibrated(report);
  const double most = calibrated ? *worst.front()->outputError : *worst.front()->weightError;
  return result + figure(percent(most),
                         (calibrated ? "largest output error, " : "largest weight error, ") + worst.front()->name);
}

static std::string row(const Tensor &tensor, size_t number, const std::vector<Column> &columns) {
  std::string cells = "<td class=\"number\">" + std::to_string(number) + "</td>";
  for (const Column &column : columns)
    cells += (column.isNumber ? "<td class=\"number\">" : "<td>") + escaped(column.cell(tensor)) + "</td>";
  return "<tr>" + cells + "</tr>\n";
}

static std::string table(const Report &report, const std::vector<const Tensor *> &tensors) {
  const std::vector<Column> columns = columnsOf(report);
  std::string result = "<div class=\"wide\"><table>\n<tr><th class=\"number\">#</th>";
  for (const Column &column : columns)
    result += "<th" + std::string(column.isNumber ? " class=\"number\"" : "") + " title=\"" + escaped(column.help) +
              "\">" + escaped(column.title) + "</th>";
  result += "</tr>\n";
  for (const Tensor *tensor : tensors)
    result += row(*tensor, tensor - report.tensors.data() + 1, columns);
  return result + "</table></div>\n";
}

static std::string key(std::string_view kind, std::string_view meaning) {
  return "<span><svg viewBox=\"0 0 12 12\"><circle class=\"" + std::string(kind) +
         "\" cx=\"6\" cy=\"6\" r=\"4.5\"/></svg> " + std::string(meaning) + "</span>";
}

static std::string keys(const Report &report) {
  if (!isCalibrated(report))
    return "<p class=\"key\">" + key("output", "weight error") + key("output worst", "the ten largest") + "</p>\n";
  return "<p class=\"key\">" + key("output", "output error over the calibration data") +
         key("output worst", "the ten largest") + key("weight", "weight error") + "</p>\n";
}

static std::string heading(const Report &report) {
  std::string rows;
  for (const auto &[name, value] : headingOf(report))
    rows += "<tr><td>" + escaped(name) + "</td><td>" + escaped(value) + "</td></tr>\n";
  return "<table class=\"heading\">\n" + rows + "</table>\n";
}

std::string toHtml(const Report &report) {
  const std::vector<const Tensor *> lost = worst(report, worstCount);
  std::vector<const Tensor *> all;
  for (const Tensor &tensor : report.tensors)
    all.push_back(&tensor);
  const std::string title = escaped(modelOf(report) + ": " + report.format + methodOf(report));
  std::string page = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width\">\n<title>" +
                     title + "</title>\n<style>" + style + "</style>\n</head>\n<body>\n<h1>" + title +
                     "</h1>\n<p>What quantization did to each tensor.</p>\n<div class=\"figures\">\n" +
                     figures(report, lost) + "</div>\n";
  if (const std::string picture = chart(report, lost); !picture.empty())
    page += "<h2>Error and bits of each linear</h2>\n" + keys(report) + picture;
  if (!lost.empty())
    page += "<h2>Those that lost most</h2>\n" + table(report, lost);
  return page + "<h2>All tensors</h2>\n" + table(report, all) + "<h2>What it was made from, and how</h2>\n" +
         heading(report) + "</body>\n</html>\n";
}

} // namespace halftone::report
