"""halftone bench: formats and other programs in turn, with what each was asked and the ratios of runs next to each other."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import json
import subprocess
import sys
from pathlib import Path

import pytest
from synthetic import TINY

COURSE = ("--decode=5", "--prefill=6", "--runs=3")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    subprocess.run([sys.executable, Path(__file__).parent / "Inputs" / "tiny.py", folder], check=True)
    return folder / "tiny.onnx"


@pytest.fixture
def bench(tool, model):
    def call(*options, model=model):
        return subprocess.run([tool, "bench", model, *COURSE, *options], capture_output=True, text=True, timeout=600)

    return call


@pytest.fixture
def peer(tmp_path):
    """A program that notes how it is called, and says what llama-bench would: speeds that differ from run to run."""
    path, log = tmp_path / "peer.py", tmp_path / "calls"
    path.write_text(f"""#!{sys.executable}
import json, sys
words = sys.argv[1:]
with open({str(log)!r}, "a") as file:
    print(json.dumps(words), file=file)
decode = words[words.index("-n") + 1] != "0"
print(json.dumps([{{"n_gen": 5, "avg_ts": (1.0 if decode else 4.0) * (1 + sum(1 for _ in open({str(log)!r})))}}]))
""")
    path.chmod(0o755)
    return path, lambda: [json.loads(line) for line in log.read_text().splitlines()]


def test_formats_and_threads(bench):
    done = bench("--format=f32,int4-g16", "--threads=1,2", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["decode_tokens"], found["depth"], found["prefill_tokens"], found["runs"]) == (5, 1, 6, 3)
    rows = found["tokens_per_second"]
    assert [(row["name"], row["threads"]) for row in rows] == [("f32", 1), ("int4-g16", 1), ("f32", 2), ("int4-g16", 2)]
    for row in rows:
        for what in ("decode", "prefill"):
            least, most = row[f"{what}_range"]
            assert 0 < least <= row[what] <= most
        assert row["of_memory"] > 0 and row["of_peak"] > 0 and 0 < row["first_token_s"] < 60 and row["peak_mb"] > 1
    assert all(row["decode_ratio"] == row["prefill_ratio"] == 1 for row in rows if row["name"] == "f32")


def test_other_programs_run_in_turn(bench, peer):
    path, calls = peer
    done = bench("--format=int4-g16", "--threads=2", "--depth=3", f"--against=other={path} -m a.gguf -fa 0", "--json")
    assert done.returncode == 0, done.stderr
    ours, other = json.loads(done.stdout)["tokens_per_second"]
    asked = calls()
    common = ["-m", "a.gguf", "-fa", "0", "-t", "2", "-r", "1", "-o", "json"]
    assert asked == 3 * [[*common, "-p", "6", "-n", "0"], [*common, "-p", "0", "-n", "5", "-d", "3"]]
    assert other["name"] == "other" and other["decode_range"] == [3, 7] and other["decode"] == 5
    assert other["prefill_range"] == [8, 24] and other["prefill"] == 16
    assert other["first_token_s"] is None and other["of_peak"] is None and other["peak_mb"] > 1
    # Each ratio is of two runs next to each other, so their median lies between those of the extremes.
    low, high = ours["decode_range"]
    assert low / 7 <= other["decode_ratio"] <= high / 3


def test_text(bench, peer):
    done = bench("--format=int4-g16", "--threads=1", f"--against=other={peer[0]}")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "tokens_per_second:" in lines and any(line.split()[:2] == ["int4-g16", "1"] for line in lines)
    assert any(line.split()[:3] == ["other", "1", "5.0"] for line in lines)


def test_an_executable_is_taken_as_it_is(tool, model, bench, tmp_path):
    subprocess.run([tool, "compile", model, "--format=int8-g16", "-o", tmp_path / "mine"], check=True, capture_output=True)
    done = bench("--threads=1", "--json", model=tmp_path / "mine")
    assert done.returncode == 0, done.stderr
    assert [row["name"] for row in json.loads(done.stdout)["tokens_per_second"]] == ["mine"]


@pytest.mark.parametrize("options, said", [
    (["--against=ik"], "--against: 'ik' is not NAME=COMMAND"),
    (["--against=ik=/no/such/bench -m a"], "--against: ik: /no/such/bench: there is no such program"),
    (["--against=ik=/bin/true"], "ik: /bin/true: gives no JSON: "),
    (["--against=ik=/bin/false"], "ik: /bin/false: ended with status 1"),
    (["--against=ik=/bin/echo []"], "gives no JSON"),
    (["--threads=0"], "--threads: '0' is no number of threads"),
    (["--format=int9-g32"], "int9-g32"),
    ([f"--depth={TINY.context}"], f"5 tokens after {TINY.context} need a context of {TINY.context + 5}, this one is of {TINY.context}"),
])
def test_errors(bench, options, said):
    done = bench("--format=int4-g16", *options)
    errors = [line for line in done.stderr.splitlines() if "error: " in line]
    assert done.returncode == 1 and len(errors) == 1 and said in errors[0], done.stderr
    assert done.stdout == ""
