"""Adds up the JUnit files of a test run and prints 'N passed, N failed, N skipped'; used by test.sh.

usage: count_results.py FOLDER      FOLDER holds SUITE.xml files, 'suites' (the suites that were started, one a line) and perhaps
'failed-steps'. A suite without results, or with none, counts as one failure: it crashed, or tests nothing.
"""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path


def outcome(case):
    """One test case's outcome; GoogleTest says 'notrun' of a disabled test, the others write a <skipped> element."""
    tags = {child.tag for child in case}
    if tags & {"failure", "error"}:
        return "failed"
    return "skipped" if "skipped" in tags or case.get("status") == "notrun" else "passed"


def countSuite(path):
    try:
        cases = ElementTree.parse(path).iter("testcase")
        return Counter(outcome(case) for case in cases)
    except (OSError, ElementTree.ParseError):
        return Counter()


def lines(path):
    return path.read_text().split() if path.exists() else []


def main(folder):
    total, complaints = Counter(), []
    for step in lines(folder / "failed-steps"):
        complaints.append(f"step '{step}' failed")
    for suite in lines(folder / "suites"):
        counts = countSuite(folder / f"{suite}.xml")
        total += counts
        if not counts:
            complaints.append(f"suite '{suite}' has no results")
        print(f"{suite}: {counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    for complaint in complaints:
        print(complaint)
    failed = total["failed"] + len(complaints)
    skipped = f", {total['skipped']} skipped" if total["skipped"] else ""
    print(f"{total['passed']} passed, {failed} failed{skipped}")
    return 1 if failed or not total["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
