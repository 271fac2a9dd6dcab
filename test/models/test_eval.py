"""halftone eval, and the executable's --perplexity and --bench: figures against ONNX Runtime and numpy by protocol.py; errors."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import json
import os
import pty
import re
import signal
import subprocess
import time

import numpy as np
import pytest
from byte_tokenizer import byteTokenizer
from protocol import BOS, SCORED, documents, scoredIds
from synthetic import TINY

SEPARATOR = "--documents=<|endoftext|>"


def logProbabilities(logits):
    """log softmax in f64."""
    shifted = logits.astype(np.float64) - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def surprises(logits, ids):
    """-log p of each of ids[1:]."""
    return -logProbabilities(logits)[np.arange(len(logits)), ids[1:]]


class Expected:
    """The figures of `halftone eval`, from logits of ONNX Runtime and of an executable."""

    def __init__(self, oracle, binary, sequences, folder):
        reference, model, divergences, same = [], [], [], []
        for ids in sequences:
            want, got = oracle.logits(ids[:-1]), binary.logits(ids[:-1], folder)
            reference.append(surprises(want, ids))
            model.append(surprises(got, ids))
            p, q = logProbabilities(want), logProbabilities(got)
            divergences.append((np.exp(p) * (p - q)).sum(-1))
            same.append(want.argmax(-1) == got.argmax(-1))
        self.tokens = sum(map(len, reference))
        self.perplexities = [float(np.exp(np.concatenate(part).mean())) for part in (reference, model)]
        self.divergences = np.concatenate(divergences)
        self.same = float(np.concatenate(same).mean())

    def check(self, found, format):
        """Perplexities within 0.01 %, divergences within 1 %: what ONNX Runtime's and the f32 executable's roundings, up to 2e-4
        of a logit, leave open; a most likely token may differ once in 1000."""
        against = found["against"][0]
        assert (found["tokens"], against["format"]) == (self.tokens, format)
        assert [found["reference"]["perplexity"], against["perplexity"]] == pytest.approx(self.perplexities, rel=1e-4)
        assert against["mean_kl_divergence"] == pytest.approx(self.divergences.mean(), rel=0.01)
        assert against["kl_divergence_99.9_percentile"] == pytest.approx(np.quantile(self.divergences, 0.999), rel=0.01)
        assert against["same_top_share"] == pytest.approx(self.same, abs=max(1e-3, 1 / self.tokens))


@pytest.fixture
def evaluate(halftone, tmp_path):
    """evaluate(model, text, *options): the JSON of `halftone eval`; its work folder goes to tmp_path/work, where nothing may stay."""
    (tmp_path / "work").mkdir()

    def call(model, text, *options, fails=False):
        words = [model.onnx, f"--tokenizer={model.tokenizerPath}", f"--text={text}", *options]
        done = halftone("eval", *words, *([] if fails else ["--json"]),
                        env={**os.environ, "TMPDIR": str(tmp_path / "work")})
        assert os.listdir(tmp_path / "work") == []
        if fails:
            assert (done.returncode, done.stdout) == (1, "")
            return re.fullmatch(r"(?:\[\d/\d\] \w+\n|\w+ 0/\d+\n)*halftone: error: ([^\n]+)\n", done.stderr)[1]
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return call


@pytest.mark.parametrize("model, count", [("stories260K", 12), ("stories15M", 4)], indirect=["model"])
@pytest.mark.parametrize("format", ["int8-g32", "int4-g32"])
def test_documents_by_the_protocol(format, model, count, evaluate, compiled, oracle, tmp_path):
    texts = model.documents(count)
    (tmp_path / "text").write_text("\n<|endoftext|>\n".join(texts))
    binary = compiled(model, format)
    found = evaluate(model, tmp_path / "text", SEPARATOR, f"--against={binary.path}")
    assert (found["documents"], found["length"]) == (len(texts), SCORED)
    sequences = [scoredIds(model.tokenizer, text) for text in texts]
    Expected(oracle(model), binary, sequences, tmp_path).check(found, format)
    info = json.loads(binary.run("--info").stdout)
    assert found["against"][0]["executable"] == str(binary.path)
    assert [found["against"][0][key] for key in ("weight_bytes", "bits_per_weight")] == [info["weight_bytes"], info["bits_per_weight"]]
    assert found["reference"]["format"] == "f32" and 32 <= found["reference"]["bits_per_weight"] < 33  # tiles are padded


@pytest.fixture
def windows(stories260K, tmp_path):
    """(text file, sequences): a text of a little more than three contexts, BOS before each window."""
    text = "\n".join(stories260K.documents(9)) + "\n"
    (tmp_path / "long").write_text(text)
    tokens, size = stories260K.tokenizer.encode(text)[1:], stories260K.context
    assert len(tokens) > 3 * size and len(tokens) % size
    return tmp_path / "long", [np.array([BOS, *tokens[start : start + size]]) for start in range(0, len(tokens), size)]


def test_a_text_in_windows(stories260K, evaluate, compiled, oracle, windows, tmp_path):
    binary = compiled(stories260K, "int4-g32")
    found = evaluate(stories260K, windows[0], f"--against={binary.path}")
    assert (found["windows"], found["length"]) == (len(windows[1]), 512)
    Expected(oracle(stories260K), binary, windows[1], tmp_path).check(found, "int4-g32")


def test_several_executables_and_none(stories260K, evaluate, compiled, tmp_path):
    (tmp_path / "text").write_text(stories260K.documents(1)[0])
    paths = [compiled(stories260K, format).path for format in ("int8-g32", "f32")]
    found = evaluate(stories260K, tmp_path / "text", *(f"--against={path}" for path in paths), "--length=40", SEPARATOR)
    assert [other["executable"] for other in found["against"]] == [str(path) for path in paths]
    assert found["tokens"] == 40 and found["against"][0]["mean_kl_divergence"] > 0
    same = found["against"][1]
    assert (same["mean_kl_divergence"], same["same_top_share"], same["perplexity"]) == (0, 1, found["reference"]["perplexity"])
    alone = evaluate(stories260K, tmp_path / "text", "--length=40", SEPARATOR)
    assert alone["against"] == [] and alone["reference"] == found["reference"]


def test_threads_change_no_figure(stories260K, evaluate, compiled, tmp_path):
    (tmp_path / "text").write_text("<|endoftext|>".join(stories260K.documents(3)))
    against = f"--against={compiled(stories260K, 'int4-g32').path}"
    one, two = (evaluate(stories260K, tmp_path / "text", SEPARATOR, against, f"--threads={n}") for n in (1, 2))
    assert one == two


def test_the_table_has_the_same_figures(stories260K, evaluate, halftone, compiled, tmp_path):
    (tmp_path / "text").write_text("<|endoftext|>".join(stories260K.documents(2)))
    against = f"--against={compiled(stories260K, 'int8-g32').path}"
    words = [stories260K.onnx, "--tokenizer", stories260K.tokenizerPath, "--text", tmp_path / "text", SEPARATOR, against]
    done, found = halftone("eval", *words), evaluate(stories260K, tmp_path / "text", SEPARATOR, against)
    heading, names, reference, other = done.stdout.splitlines()
    assert heading == f"{found['tokens']} scored tokens of 2 documents, at most 256 of each"
    assert names.split() == ["model", "bits", "weight", "bytes", "perplexity", "mean", "KL", "99.9", "%", "KL", "same", "top"]

    def first(row):
        return [f"({row['format']})", f"{row['bits_per_weight']:.2f}", str(row["weight_bytes"]), f"{row['perplexity']:.4f}"]

    assert reference.split()[1:] == first(found["reference"])
    want = found["against"][0]
    assert other.split()[1:] == first(want) + [
        f"{want['mean_kl_divergence']:.5f}", f"{want['kl_divergence_99.9_percentile']:.5f}", f"{100 * want['same_top_share']:.2f}", "%"]


# What --perplexity prints comes from the same logits as --logits; nine digits are off by 5e-9 at most.
NINE_DIGITS = 6e-9


def test_perplexity_of_documents(stories260K, compiled, tmp_path):
    (tmp_path / "text").write_text("\n<|endoftext|>\n".join(stories260K.documents(5)))
    binary = compiled(stories260K, "int8-g32")
    found = json.loads(binary.run("--perplexity", tmp_path / "text", SEPARATOR, "--json").stdout)
    sequences = [scoredIds(stories260K.tokenizer, text) for text in stories260K.documents(5)]
    want = np.concatenate([surprises(binary.logits(ids[:-1], tmp_path), ids) for ids in sequences])
    assert (found["documents"], found["tokens"], found["length"]) == (5, len(want), SCORED)
    assert found["perplexity"] == pytest.approx(np.exp(want.mean()), rel=NINE_DIGITS)


def test_perplexity_of_windows(stories260K, compiled, windows, tmp_path):
    binary = compiled(stories260K, "int8-g32")
    found = json.loads(binary.run("--perplexity", windows[0], "--json").stdout)
    want = np.concatenate([surprises(binary.logits(ids[:-1], tmp_path), ids) for ids in windows[1]])
    assert (found["windows"], found["tokens"], found["length"]) == (len(windows[1]), len(want), 512)
    assert found["perplexity"] == pytest.approx(np.exp(want.mean()), rel=NINE_DIGITS)


def test_perplexity_of_stories15M_is_onnxruntimes(stories15M, compiled, oracle, tmp_path):
    if not stories15M.text:
        pytest.skip("../shared/data/text is not here")
    (tmp_path / "text").write_text("<|endoftext|>".join(stories15M.documents(4)))
    found = json.loads(compiled(stories15M, "f32").run("--perplexity", tmp_path / "text", SEPARATOR, "--json").stdout)
    sequences = [scoredIds(stories15M.tokenizer, text) for text in documents(tmp_path / "text")]
    want = np.concatenate([surprises(oracle(stories15M).logits(ids[:-1]), ids) for ids in sequences])
    assert found["tokens"] == len(want) and found["perplexity"] == pytest.approx(np.exp(want.mean()), rel=1e-4)


@pytest.mark.parametrize("threads", [1, 2])
def test_bench(threads, stories260K, compiled):
    """Tests run beside one another, so speeds may be anything but impossible: three of the five runs took as long as the median says or
    longer, and all of that lies between start and end. test/runtime bounds them from the other side."""
    binary, start = compiled(stories260K, "int8-g32"), time.monotonic()
    done = binary.run("--bench", "--json", "--threads", threads)
    seconds = time.monotonic() - start
    assert done.returncode == 0, done.stderr
    found, info = json.loads(done.stdout), json.loads(binary.run("--info").stdout)
    assert (found["bytes_per_token"], found["format"], found["threads"]) == (info["decode_bytes"], "int8-g32", threads)
    assert 0 < info["decode_bytes"] <= info["weight_bytes"]
    assert (found["decode_tokens"], found["prefill_tokens"], found["runs"]) == (128, 256, 5)
    assert 3 * 128 / found["decode_tokens_per_second"] + 3 * 256 / found["prefill_tokens_per_second"] < seconds
    assert 1e8 < found["bandwidth_bytes_per_second"] < 5e12


# Errors.

def script(path, logits):
    """A program that says it is a model, and does `logits` when it is asked for some."""
    path.write_text("#!/bin/sh\n" + f"""[ "$1" = --info ] && echo '{{"context": 64, "format": "int4-g32"}}' && exit\n{logits}\n""")
    path.chmod(0o755)
    return path


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text"
    path.write_text("ABBA<|endoftext|>BA CAB")
    return path


def test_what_is_no_executable_of_halftone(tiny, evaluate, text, tmp_path):
    def errorOf(path):
        return evaluate(tiny, text, SEPARATOR, f"--against={path}", fails=True)

    none = "; it is no executable that halftone compiled"
    assert re.fullmatch(rf"{tmp_path}/nowhere: cannot be run: .+{none}", errorOf(tmp_path / "nowhere"))
    assert re.fullmatch(rf"{text}: cannot be run: .+{none}", errorOf(text))
    assert errorOf("/bin/true") == f"/bin/true: --info gives no facts of a model{none}"
    assert errorOf("/bin/false") == f"/bin/false: ended with status 1{none}"


def test_an_executable_that_fails_or_dies(tiny, evaluate, text, tmp_path):
    def errorOf(logits):
        return evaluate(tiny, text, SEPARATOR, f"--against={script(tmp_path / 'model', logits)}", fails=True)

    assert errorOf("echo some words; echo 'model: error: no luck' >&2; exit 3") == f"{tmp_path}/model: ended with status 3: no luck"
    assert re.fullmatch(rf"{tmp_path}/model: died: Segmentation fault.*", errorOf("kill -SEGV $$"))
    assert re.fullmatch(rf"{tmp_path}/model: wrote no logits: .*: No such file or directory", errorOf("exit 0"))


def test_a_full_disk_is_an_error(tiny, halftone, text, tmp_path):
    words = [tiny.onnx, f"--tokenizer={tiny.tokenizerPath}", f"--text={text}", "--json"]
    with open("/dev/full", "w") as full:
        done = halftone("eval", *words, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert done.stderr.endswith("halftone: error: standard output: cannot write: No space left on device\n")


def test_another_tokenizer(tiny, evaluate, text, halftone, tmp_path):
    (tmp_path / "other.model").write_bytes(byteTokenizer(TINY.vocabulary - 1))
    done = halftone("compile", tiny.onnx, f"--tokenizer={tmp_path / 'other.model'}", "-o", tmp_path / "other")
    assert done.returncode == 0, done.stderr
    error = evaluate(tiny, text, SEPARATOR, f"--against={tmp_path / 'other'}", fails=True)
    hash = r"\(sha256 \w{8}\.\.\.\)"
    assert re.fullmatch(rf"{tmp_path}/other: has another tokenizer, other.model {hash}, than .*tokenizer.model {hash}", error)


@pytest.mark.parametrize("more", [8, -50])
def test_another_vocabulary(more, tiny, evaluate, synthetic, halftone, tmp_path):
    """Without a tokenizer in it, nothing but the logits tells: their number, or ids that are too large."""
    other = synthetic("other", TINY.__class__(**{**TINY.__dict__, "vocabulary": TINY.vocabulary + more}))
    assert halftone("compile", other.onnx, "-o", tmp_path / "other").returncode == 0
    (tmp_path / "text").write_text("ABBA")
    error = evaluate(tiny, tmp_path / "text", SEPARATOR, f"--against={tmp_path / 'other'}", fails=True)
    assert f"{tmp_path}/other: " in error and f"vocabulary of {TINY.vocabulary + more}" in error


def test_texts_and_lengths_that_do_not_fit(tiny, evaluate, compiled, text, tmp_path):
    assert evaluate(tiny, tmp_path / "none", fails=True) == f"{tmp_path}/none: cannot open: No such file or directory"
    (tmp_path / "empty").write_text(" <|endoftext|>\n")
    assert evaluate(tiny, tmp_path / "empty", SEPARATOR, fails=True) == (
        f"{tmp_path}/empty: no token to score: the text has 15 bytes, no document that is not empty")
    context = tiny.context
    assert evaluate(tiny, text, f"--length={context + 1}", fails=True) == (
        f"{tiny.onnx}: the context holds {context} tokens, {context + 1} are to be scored; --length={context} fits")
    short = compiled(tiny, "int8-g32", "--context=8")
    assert evaluate(tiny, text, f"--against={short.path}", fails=True) == (
        f"{short.path}: the context holds 8 tokens, {context} are to be scored; --length=8 fits")
    assert evaluate(tiny, text, f"--against={short.path}", "--length=8")["length"] == 8


# Signals and the terminal.

@pytest.fixture
def started(root, tiny, text, tmp_path):
    """started(logits, stderr): `halftone eval` at work on a program that does `logits` when asked for some; its folder is tmp_path/work."""
    tool = root / "build" / "bin" / "halftone"
    if not tool.exists():
        pytest.skip("build/bin/halftone is not built")
    (tmp_path / "work").mkdir()

    def start(logits, stderr=subprocess.DEVNULL):
        words = ["eval", tiny.onnx, f"--tokenizer={tiny.tokenizerPath}", f"--text={text}", SEPARATOR]
        return subprocess.Popen([tool, *words, f"--against={script(tmp_path / 'model', logits)}"], stdout=subprocess.PIPE, stderr=stderr,
                                env={**os.environ, "TMPDIR": str(tmp_path / "work")})

    return start


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("stage", ["compiling", "scoring"])
def test_a_signal_leaves_nothing(stage, number, started, tmp_path):
    """Of a killed one the next run removes what is left. While it compiles, the compiler's own folder stands in that of eval."""
    waiting = tmp_path / "waiting"
    process = started(f"touch {waiting}; exec sleep 3")

    def isThere():
        return waiting.exists() if stage == "scoring" else any((tmp_path / "work").glob("*/f32.halftone-work-*"))

    while process.poll() is None and not isThere():
        time.sleep(0.001)
    process.send_signal(number)
    assert (process.wait(timeout=60), process.stdout.read()) == (-number, b"")
    if number == signal.SIGKILL:
        assert os.listdir(tmp_path / "work") != []
        assert started("exit 1").wait(timeout=60) == 1
    assert os.listdir(tmp_path / "work") == []


def test_a_terminal_shows_documents(started, tmp_path):
    leader, follower = pty.openpty()
    process = started("sleep 0.2; exit 1", stderr=follower)
    os.close(follower)
    shown = b""
    try:
        while piece := os.read(leader, 4096):
            shown += piece
    except OSError:  # how a terminal says that its other end is closed
        pass
    assert process.wait(timeout=60) == 1
    assert re.search(rb"\[8/8\] package.*\r\x1b\[Kdocument 0/2\r\x1b\[K.*\r\x1b\[Khalftone: error: ", shown, re.S), shown
