"""The documents: the README's length, links that lead somewhere, pages generated for every stage, the licence line in every source."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import re
import subprocess
import sys

import pytest

LINK = re.compile(r"\]\(([^)#]+?)\)")
CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def test_readme_is_short(root):
    assert len((root / "README.md").read_text().splitlines()) <= 120


def test_links_lead_somewhere(root):
    documents = [root / "README.md", root / "CONTRIBUTING.md", *(root / "docs").rglob("*.md")]
    broken = [(d.name, link) for d in documents for link in LINK.findall(CODE.sub("", d.read_text())) if not (d.parent / link).exists()]
    assert not broken


def test_scripts_named_in_the_readme_exist(root):
    named = set(re.findall(r"\b(?:scripts|test|python)/[\w/]+\.\w+", (root / "README.md").read_text()))
    assert {"scripts/demo.sh", "scripts/test.sh"} <= named
    assert not [name for name in named if not (root / name).exists()]


def test_every_pass_is_documented(root):
    """A pass has a summary, a description of more than a line, and stands on its stage's page."""
    if not (root / "build" / "docs").is_dir():
        pytest.skip("nothing is built")
    for definitions in (root / "passes").glob("*/Passes.td"):
        page = (root / "build" / "docs" / f"{definitions.parent.name}.md").read_text()
        for name, text in re.findall(r'Pass<"([\w-]+)".*?{(.*?)\n}', definitions.read_text(), re.S):
            assert f"### `-{name}`" in page
            assert "let summary" in text and text.count("\n") >= 5, name


def test_sources_carry_the_licence(root):
    folders = ("dialects", "include", "lib", "passes", "python", "scripts", "test", "tools")
    suffixes = {".cpp", ".h", ".td", ".py", ".sh"}
    sources = [path for folder in folders for path in (root / folder).rglob("*") if path.suffix in suffixes]
    assert len(sources) > 100
    head = lambda path: path.read_text()[:1500]
    assert not [path for path in sources if "Apache-2.0 WITH LLVM-exception" not in head(path)]


def test_examples_are_fenced(root, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("Before:\n  %a = one\n\n  %b = two\n=>\n  %c\n\n- item\n  goes on\n```\n  code\n```\n")
    subprocess.run([sys.executable, root / "docs" / "fence_examples.py", page], check=True)
    assert page.read_text() == "Before:\n```mlir\n  %a = one\n\n  %b = two\n=>\n  %c\n```\n\n- item\n  goes on\n```\n  code\n```\n"
