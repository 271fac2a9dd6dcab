"""Reads a page of mlir-tblgen and writes it with its indented examples between code fences; used by docs/CMakeLists.txt.

usage: fence_examples.py PAGE      In a description an example is indented and the text around it is not; Markdown would run its lines
together.
"""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import sys
from pathlib import Path


def fenced(lines):
    """Yields `lines` with a fence around each run of indented ones; a line `=>` joins a before to an after. Lists, and blocks that
    are fenced already, stay as they are."""
    fencedAlready, inList, example, blanks = False, False, False, []
    for line in lines:
        fencedAlready ^= line.startswith("```")
        if not line.strip():
            blanks.append(line)  # whether it belongs to an example, the next line tells
            continue
        indented = line.startswith("  ")
        item = line.lstrip().startswith(("- ", "* ")) and not (example and indented)
        inList = item or inList and indented and not blanks
        belongs = not fencedAlready and not inList and (indented or example and line.strip() == "=>")
        if example and not belongs:
            yield "```"
        yield from blanks
        if belongs and not example:
            yield "```mlir"
        yield line
        example, blanks = belongs, []
    if example:
        yield "```"


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text("\n".join(fenced(page.read_text().splitlines())) + "\n")
