"""What quality.py and performance.py share: a model compiled in many formats, and a table put in its place in a page of docs/."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FORMATS = ("f32,f16,bf16,int8-row,int8-g32,int8-g32-asym,int4-g128,int4-g128-asym,int4-g32,int4-g32-asym,nf4-g64,"
           "int3-g32,int3-g32-asym,int2-g32,int2-g32-asym")
BEGIN, END = "<!-- begin table -->", "<!-- end table -->"


def parser(description, page):
    """Options of both; --output is the page, by default docs/`page`."""
    options = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--formats", default=FORMATS, help="names between commas; default: %(default)s")
    options.add_argument("--model", type=Path, default=ROOT / "demo" / "stories15M.onnx", help="default: what scripts/demo.sh makes")
    options.add_argument("--tokenizer", type=Path, default=ROOT / "demo" / "tokenizer.model")
    options.add_argument("--halftone", type=Path, default=ROOT / "build" / "bin" / "halftone")
    options.add_argument("--output", type=Path, default=ROOT / "docs" / page, help="the page whose table is replaced; - for stdout alone")
    return options


def run(*command):
    """stdout of a command, whose progress the user sees; ends the script where it fails."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{Path(command[0]).name} failed with status {done.returncode}")
    return done.stdout


def compileAll(options, folder):
    """{format: executable} of the model, in `folder`."""
    executables = {}
    for format in options.formats.split(","):
        executables[format] = Path(folder) / format
        run(options.halftone, "compile", options.model, f"--tokenizer={options.tokenizer}", f"--format={format}", "-o", executables[format])
    return executables


def table(heading, rows):
    """Lines of Markdown."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines).replace("| --- ", "|---").replace("--- |", "---|")


def publish(text, output):
    """Prints `text` and puts it between the two comments in the page `output`."""
    print(text, end="")
    if str(output) == "-":
        return
    page = output.read_text(encoding="utf-8")
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"{output}: has no line '{BEGIN}' with '{END}' behind it")
    output.write_text(f"{before}{begin}\n{text}{end}{after}", encoding="utf-8")
