"""The emitted executable as a program: static, alone in an empty root, the same for any thread count, and its command line."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from protocol import Quality, logSoftmax, scoredIds

FORMATS = pytest.mark.parametrize("format", ["f32", "int8-g32", "int4-g32", "int4-g32-asym"])
MODELS = pytest.mark.parametrize("model", ["tiny", "stories260K", "stories15M"], indirect=True)
STORY = ("Once upon a time", "-n", 20, "--temperature", 0)


@MODELS
def test_is_static(model, compiled):
    path = compiled(model, "int4-g32").path
    ldd = subprocess.run(["ldd", path], capture_output=True, text=True)
    assert any(phrase in ldd.stdout + ldd.stderr for phrase in ("not a dynamic executable", "statically linked"))
    readelf = ["/usr/lib/llvm-22/bin/llvm-readelf", "--program-headers", path]
    assert "INTERP" not in subprocess.run(readelf, capture_output=True, text=True, check=True).stdout


@MODELS
def test_runs_in_an_empty_root(model, compiled, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("chroot needs root")
    binary = compiled(model, "int4-g32")
    shutil.copy(binary.path, tmp_path / "model")
    alone = subprocess.run(["chroot", tmp_path, "/model", *map(str, STORY)], capture_output=True, timeout=60)
    assert alone.returncode == 0, alone.stderr
    assert alone.stdout == binary.run(*STORY).stdout != b""


def test_mlock_keeps_the_weights_in_memory(stories260K, compiled):
    """As the system sees the process while it runs; the error tells what the system allows."""
    path = compiled(stories260K, "int8-g32").path
    info = json.loads(subprocess.run([path, "--info"], capture_output=True, check=True).stdout)
    process = subprocess.Popen([path, "--mlock", "--bench", "--runs=1000"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    process.stderr.read(1)  # progress stands there once the session has started
    locked = int(re.search(r"VmLck:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text()).group(1))
    process.kill()
    process.communicate()
    assert 1024 * locked >= info["weight_bytes"]
    if not shutil.which("setpriv"):
        pytest.skip("setpriv is not there to take the right to lock memory away")
    limited = subprocess.run(["setpriv", "--bounding-set=-all", "--inh-caps=-all", "sh", "-c", f"ulimit -l 0; exec {path} --mlock a"],
                             capture_output=True, text=True, timeout=60)
    assert limited.returncode == 1
    assert re.search(r"--mlock: cannot keep \d+ bytes of weights in memory: .*; the system allows at most 0 \(ulimit -l\)", limited.stderr)


@FORMATS
@MODELS
def test_threads_change_nothing(model, format, compiled, tmp_path):
    binary = compiled(model, format)
    ids = scoredIds(model.tokenizer, model.documents(1)[0])[: model.context]
    one, two, four = (binary.logits(ids, tmp_path, "--threads", threads) for threads in (1, 2, 4))
    assert one.tobytes() == two.tobytes() == four.tobytes()


QUANTIZED = pytest.mark.parametrize("format", ["int8-g32", "int4-g32", "int4-g32-asym"])


@QUANTIZED
def test_a_prefix_gives_the_prefix_of_the_logits(format, stories260K, compiled, tmp_path):
    """Chunks of the prefill and its masked last one compute one function. A rounding may flip an activation's code, which costs a
    KL of at most .0012: see test_quality.py."""
    binary, quality = compiled(stories260K, format), Quality()
    ids = scoredIds(stories260K.tokenizer, stories260K.documents(1)[0])
    whole = logSoftmax(binary.logits(ids, tmp_path))
    for length in (1, 2, 31, 64, 65, 127, 200):
        quality.add(whole[:length], logSoftmax(binary.logits(ids[:length], tmp_path)), ids[: length + 1])
    assert quality.meanDivergence <= 0.0012


def test_a_prefix_in_f32(stories260K, compiled, tmp_path):
    binary = compiled(stories260K, "f32")
    ids = scoredIds(stories260K.tokenizer, stories260K.documents(1)[0])
    whole = binary.logits(ids, tmp_path)
    for length in (1, 2, 31, 64, 65, 127, 200):
        assert np.abs(binary.logits(ids[:length], tmp_path) - whole[:length]).max() <= 2e-4


@QUANTIZED
def test_decode_follows_prefill(format, stories260K, compiled, tmp_path):
    """Greedy tokens, made one by one, are what --logits (prefill) finds most likely. Rounding flips make about 1 % of the most
    likely tokens differ on this model (test_quality.py); a wrong cache or position makes nearly all differ."""
    binary, tokenizer = compiled(stories260K, format), stories260K.tokenizer
    agreeing = total = 0
    for prompt in stories260K.prompts[:3]:
        first = tokenizer.encode(prompt)
        ids = binary.greedy(first, 150)
        likely = binary.logits(ids[:-1], tmp_path).argmax(-1)
        agreeing += int((likely[len(first) - 1 :] == ids[len(first) :]).sum())
        total += len(ids) - len(first)
    assert total > 200 and agreeing >= 0.9 * total


@FORMATS
@MODELS
def test_same_input_same_bytes(model, format, halftone, tmp_path):
    """Two builds in different folders, the second with one thread on one processor."""
    digests = []
    alone = ["taskset", "-c", "0"]
    for folder, prefix, options in ((tmp_path / "a", [], []), (tmp_path / "another" / "folder", alone, ["--threads=1"])):
        folder.mkdir(parents=True)
        shutil.copy(model.onnx, folder / "model.onnx")
        shutil.copy(model.tokenizerPath, folder / "tokenizer.model")
        command = ["compile", "model.onnx", "--tokenizer=tokenizer.model", f"--format={format}", "-o", "out"]
        done = halftone(*command, *options, cwd=folder, prefix=prefix)
        assert done.returncode == 0, done.stderr
        assert sorted(os.listdir(folder)) == ["model.onnx", "out", "tokenizer.model"]
        digests.append(hashlib.sha256((folder / "out").read_bytes()).hexdigest())
    assert digests[0] == digests[1]


@pytest.fixture(scope="module")
def stories(stories260K, compiled):
    return compiled(stories260K, "int8-g32")


def test_stdout_is_prompt_and_continuation(stories):
    done = stories.run(*STORY)
    assert done.stdout.startswith(b"Once upon a time") and len(done.stdout) > len(b"Once upon a time") + 5
    assert b"tokens/s" in done.stderr and b"tokens/s" not in done.stdout


def test_prompt_from_stdin(stories):
    prompt, *rest = STORY
    assert stories.run(*rest, input=prompt.encode()).stdout == stories.run(*STORY).stdout


def test_seed_decides_the_text(stories):
    sampled = ["Once upon a time", "-n", 60, "--temperature", 1, "--top-p", 0.9, "--seed"]
    first, again, other = (stories.run(*sampled, seed).stdout for seed in (7, 7, 8))
    assert first == again != other


def test_n_counts_new_tokens(stories, stories260K):
    """Greedy text of n tokens is a beginning of that of more."""
    texts = [stories.run("Once upon a time", "-n", n, "--temperature", 0).stdout.rstrip(b"\n") for n in (0, 1, 10, 40)]
    assert texts[0] == b"Once upon a time"
    assert all(longer.startswith(shorter) and longer != shorter for shorter, longer in zip(texts, texts[1:]))
    prompt = stories260K.tokenizer.encode("Once upon a time")
    assert [len(stories.greedy(prompt, n)) - len(prompt) for n in (0, 1, 10)] == [0, 1, 10]


def test_info_says_where_it_comes_from(stories, stories260K):
    done = stories.run("--info")
    assert done.returncode == 0
    text = (done.stdout + done.stderr).decode()
    assert "stories260K.onnx" in text and "int8-g32" in text and str(stories260K.onnx.parent) not in text


def test_help_lists_the_options(stories):
    done = stories.run("--help")
    text = (done.stdout + done.stderr).decode()
    assert done.returncode == 0
    for option in ("-n", "--temperature", "--top-k", "--top-p", "--seed", "--threads", "--context", "--tokens", "--logits", "--info"):
        assert option in text


def badIds(folder):
    """What is wrong with the ids, the file, and what the error must name."""
    def save(name, array):
        np.save(folder / name, array)
        return folder / name

    (folder / "text.npy").write_text("no array at all")
    yield folder / "missing.npy", "missing.npy"
    yield folder / "text.npy", "text.npy"
    yield save("float.npy", np.ones(3, np.float32)), "float.npy"
    yield save("matrix.npy", np.ones((3, 3), np.int64)), "matrix.npy"
    yield save("large.npy", np.array([1, 512], np.int64)), "512"
    yield save("negative.npy", np.array([1, -1], np.int64)), "-1"
    yield save("long.npy", np.ones(513, np.int64)), "513"


def test_bad_ids(stories, tmp_path):
    for path, named in badIds(tmp_path):
        done = stories.run("--logits", path, "-o", tmp_path / "logits.npy")
        assert (done.returncode, done.stdout) == (1, b""), path
        assert named in done.stderr.decode() and len(done.stderr.splitlines()) == 1, done.stderr
        assert not (tmp_path / "logits.npy").exists()


BAD_ARGUMENTS = {
    "unknown option": (["--no-such-option"], "--no-such-option"),
    "no number": (["x", "-n", "many"], "many"),
    "negative temperature": (["x", "--temperature", "-1"], "-1"),
    "top-p over one": (["x", "--top-p", "1.5"], "1.5"),
    "no threads": (["x", "--threads", "0"], "0"),
    "value missing": (["x", "--seed"], "--seed"),
    "prompt longer than the context": (["word " * 600], "512"),
}


@pytest.mark.parametrize("name", BAD_ARGUMENTS)
def test_bad_arguments(name, stories):
    arguments, named = BAD_ARGUMENTS[name]
    done = stories.run(*arguments)
    assert done.returncode == 1 and done.stdout == b""
    assert named in done.stderr.decode()
