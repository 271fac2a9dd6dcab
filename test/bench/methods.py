#!/usr/bin/env python3
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The table of docs/methods.md: what each method loses by bits and block, and docs/methods.svg: mean KL over bits per weight.

usage: test/bench/methods.py [--bits 4,3,2] [--blocks g32,g128,row] [--methods rtn,gptq] [--budgets 3,4] [--keep FOLDER] [--output PAGE]"""
import json
import math
import re
import subprocess
import tempfile
from pathlib import Path

from tables import ROOT, parser, publish, run, table

TEXTS = ROOT.parent / "shared" / "data" / "text"
# A name, and what it is called with.
METHODS = {
    "rtn": ["--method=rtn"],
    "hqq": ["--method=hqq"],
    "imatrix": ["--method=imatrix"],
    "awq": ["--method=awq"],
    "gptq": ["--method=gptq"],
    "gptq, act-order": ["--method=gptq", "--act-order"],
    "gptq, grid search": ["--method=gptq", "--grid-search"],
    "gptq, both": ["--method=gptq", "--act-order", "--grid-search"],
    "awq, gptq, both": ["--method=awq,gptq", "--act-order", "--grid-search"],
    "gptq, asymmetric": ["--method=gptq", "--block-order", "--grid-search", "--asymmetric-calibration"],
}
BUDGETED = "gptq, asymmetric"
WITHOUT_DATA = ("rtn", "hqq")
# What other engines' formats lose on the same model and text, weights alone (activations stay f32), with importance matrices from the same
# calibration text: (bits per weight of the linears, mean KL). llama.cpp as of llama-cpp-python 0.3.36; ik_llama.cpp at 8337e4cd.
OTHERS = {
    "llama.cpp": [("q4_K", 4.5, 0.03909), ("iq4_xs", 4.25, 0.04893), ("q3_K", 3.4375, 0.22701), ("iq3_s", 3.4375, 0.17434), ("q2_K", 2.625, 0.85784)],
    "ik_llama.cpp": [("iq4_k", 4.5, 0.02885), ("iq3_k", 3.4375, 0.14285), ("iq2_s", 2.5625, 0.73783), ("iq2_k", 2.375, 0.94843)],
}


def compileOne(options, folder, method, *arguments):
    """(the executable, which is made unless it is there, bits per weight of its linears)"""
    data = [] if method in WITHOUT_DATA and not any("--bits" in argument for argument in arguments) else [f"--calibrate={options.calibration}"]
    path = folder / re.sub("[^a-z0-9.]+", "-", " ".join([method, *arguments]))
    if not path.exists():
        subprocess.run([options.halftone, "compile", options.model, f"--tokenizer={options.tokenizer}", *METHODS[method], *data, *arguments, "-o", path],
                       check=True, capture_output=True)
    sizes = [(math.prod(shape), stored) for _, shape, format, stored in json.loads(run(path, "--info"))["weights"]
             if len(shape) == 2 and format != "f32"]  # tables of angles stay f32
    linears = [size for size in sizes if size[0] < max(sizes)[0]]  # the embedding, which is the head too, is larger than any
    return path, 8 * sum(stored for _, stored in linears) / sum(elements for elements, _ in linears)


def divergences(options, paths):
    found = run(options.halftone, "eval", options.model, f"--tokenizer={options.tokenizer}", f"--text={options.text}",
                f"--documents={options.documents}", "--json", *[f"--against={path}" for path in paths])
    return [figures["mean_kl_divergence"] for figures in json.loads(found)["against"]]


def picture(series):
    """An SVG of mean KL, on a logarithmic axis, over bits per weight: {name: [(bits, kl), ...]}."""
    width, height, left, bottom = 760, 460, 60, 40
    points = [point for values in series.values() for point in values]
    low, high = min(bits for bits, _ in points) - 0.2, max(bits for bits, _ in points) + 0.2
    least, most = math.log10(min(kl for _, kl in points)) - 0.1, math.log10(max(kl for _, kl in points)) + 0.1

    def x(bits):
        return left + (width - left - 200) * (bits - low) / (high - low)

    def y(kl):
        return (height - bottom) - (height - bottom - 20) * (math.log10(kl) - least) / (most - least)

    shapes = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
              f'<rect width="{width}" height="{height}" fill="white"/>']
    for bits in range(math.ceil(low), math.floor(high) + 1):
        shapes.append(f'<path d="M{x(bits):.1f} 20V{height - bottom}" stroke="#ddd"/><text x="{x(bits):.1f}" y="{height - bottom + 16}" text-anchor="middle">{bits}</text>')
    for exponent in range(math.ceil(least), math.floor(most) + 1):
        shapes.append(f'<path d="M{left} {y(10**exponent):.1f}H{width - 200}" stroke="#ddd"/>'
                      f'<text x="{left - 6}" y="{y(10**exponent) + 4:.1f}" text-anchor="end">{10**exponent:g}</text>')
    for index, (name, values) in enumerate(series.items()):
        color = f"hsl({360 * index / len(series):.0f} 70% 42%)"
        values = sorted(values)
        line = "".join(f"{'L' if i else 'M'}{x(bits):.1f} {y(kl):.1f}" for i, (bits, kl) in enumerate(values))
        shapes.append(f'<path d="{line}" fill="none" stroke="{color}" stroke-width="1.5"/>')
        shapes += [f'<circle cx="{x(bits):.1f}" cy="{y(kl):.1f}" r="3.5" fill="{color}"><title>{name}: {bits:.2f} bits, {kl:.5f}</title></circle>'
                   for bits, kl in values]
        shapes.append(f'<circle cx="{width - 180}" cy="{30 + 18 * index}" r="4" fill="{color}"/><text x="{width - 170}" y="{34 + 18 * index}">{name}</text>')
    shapes.append(f'<text x="{(left + width - 200) / 2:.0f}" y="{height - 6}" text-anchor="middle">bits per weight of linears</text>'
                  '<text x="14" y="14">mean KL, nats per token</text></svg>')
    return "\n".join(shapes) + "\n"


def main():
    arguments = parser(__doc__, "methods.md")
    arguments.add_argument("--text", type=Path, default=TEXTS / "tinystories.test.txt")
    arguments.add_argument("--calibration", type=Path, default=TEXTS / "tinystories.calib.txt")
    arguments.add_argument("--documents", default="<|endoftext|>", help="what separates the documents; default: %(default)s")
    arguments.add_argument("--methods", default=";".join(METHODS), help="names separated by ';'; default: all")
    arguments.add_argument("--bits", default="4,3,2")
    arguments.add_argument("--blocks", default="g32,g128,row")
    arguments.add_argument("--budgets", default="3,3.5,4,4.5", help="bits per weight of mixed formats; default: %(default)s")
    arguments.add_argument("--keep", type=Path, help="folder of the executables; those that are there already are not made again")
    options = arguments.parse_args()
    methods, blocks = options.methods.split(";"), options.blocks.split(",")
    columns = [(bits, block) for bits in options.bits.split(",") for block in blocks]
    budgets = [bits for bits in options.budgets.split(",") if bits]
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        made = {(method, bits, block): compileOne(options, folder, method, f"--format=int{bits}-{block}-asym")
                for method in methods for bits, block in columns}
        mixed = {bits: compileOne(options, folder, BUDGETED, f"--bits={bits}") for bits in budgets}
        found = divergences(options, [path for path, _ in [*made.values(), *mixed.values()]])
    kl = dict(zip([*made, *mixed], found))
    rows = [[method, *[f"{kl[method, *column]:.4f}" for column in columns]] for method in methods]
    text = table(["method", *[f"int{bits}-{block}-asym" for bits, block in columns]], rows)
    if budgets:
        text += "\nMixed formats under a budget, " + BUDGETED + ":\n\n" + table(
            ["bits per weight", *budgets], [["used", *[f"{mixed[bits][1]:.3f}" for bits in budgets]], ["mean KL", *[f"{kl[bits]:.4f}" for bits in budgets]]])
    series = {method: [(made[method, bits, block][1], kl[method, bits, block]) for bits, block in columns if block == blocks[0]] for method in methods}
    if budgets:
        series["mixed, " + BUDGETED] = [(mixed[bits][1], kl[bits]) for bits in budgets]
    text += "\nOther engines' formats, with importance matrices from the same text, activations in f32:\n\n" + table(
        ["engine", "format", "bits per weight", "mean KL"],
        [[engine, name, f"{bits:.2f}", f"{loss:.4f}"] for engine, points in OTHERS.items() for name, bits, loss in points])
    series |= {engine: [(bits, loss) for _, bits, loss in points] for engine, points in OTHERS.items()}
    publish(f"{options.model.name} calibrated on {options.calibration.name}, mean KL on {options.text.name}.\n\n" + text, options.output)
    if options.output.suffix == ".md":
        options.output.with_suffix(".svg").write_text(picture(series))


if __name__ == "__main__":
    main()
