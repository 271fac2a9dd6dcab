"""The program of an emitted binary around a fake model: what it prints where, its exit codes, signals, files and errors. Each test runs
it as an ordinary program (under sanitizers in that build) and as the static one that users get."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
import fake_program as fake

ROOT = Path(__file__).resolve().parents[2]
BUILDS = [Path(os.environ["HALFTONE_BUILD"])] if "HALFTONE_BUILD" in os.environ else [ROOT / "build", ROOT / "build-sanitize"]
PROGRAMS = [path for build in BUILDS for name in ("fake_model", "fake_model_static") if (path := build / "test/runtime" / name).exists()]
FACTS = r"1000 parameters, fake-g32, 4\.50 bits per weight, 562 bytes, (\d+) tokens at \d+\.\d tokens/s, (\d+) threads?(, seed \d+)?\n"


@pytest.fixture(params=PROGRAMS or [None], ids=lambda path: path and f"{path.parents[2].name}-{path.name}")
def program(request):
    assert request.param, f"no build holds test/runtime/fake_model; looked in {[str(build) for build in BUILDS]}"
    return request.param


@pytest.fixture
def make(program, tmp_path):
    return lambda name="stories", **changes: fake.build(program, tmp_path / name, **changes)


def run(path, *words, stdin=b"", timeout=60, **more):
    result = subprocess.run([str(path), *map(str, words)], input=stdin, capture_output=True, timeout=timeout, **more)
    assert b"Sanitizer" not in result.stderr, result.stderr.decode()
    return result.returncode, result.stdout, result.stderr.decode()


def fails(path, *words, **more):
    """The error of a run that must fail: one line on stderr, nothing on stdout."""
    code, output, error = run(path, *words, **more)
    assert (code, output) == (1, b""), (code, output, error)
    assert re.fullmatch(r"[\w.-]+: error: [^\n]+\n", error), error
    return error.split(": error: ")[1][:-1]


PROMPTS = ["Once", "a", "the end, or not?", "caf\u00e9 \U0001f600 \u6f22\u5b57", "", "Once the time and a half of more"]


@pytest.mark.parametrize("prompt", PROMPTS)
def test_stdout_is_prompt_and_continuation_and_stderr_is_one_line_of_facts(make, prompt):
    code, output, error = run(make(), prompt, "--temperature", 0, "-n", 25)
    tokens = fake.encode(prompt)
    new = fake.continueGreedily(tokens, 25)
    assert code == 0
    assert output.decode() == prompt + fake.decode(new, atStart=not prompt)
    match = re.fullmatch(FACTS, error)
    assert match and int(match[1]) in (len(new), len(new) + 1), error


def test_text_does_not_depend_on_the_number_of_threads(make):
    path = make()
    texts = {run(path, "Once", "--temperature=0.9", "--seed=11", f"--threads={threads}")[1] for threads in (1, 2, 3, 4, 8)}
    assert len(texts) == 1


def test_a_seed_repeats_a_text_and_the_line_of_facts_tells_it(make):
    path = make()
    words = ["Once", "--temperature", "30", "--top-k", "0"]
    first, again, other = (run(path, *words, "--seed", seed) for seed in (5, 5, 6))
    assert first[1] == again[1] != other[1]
    assert ", seed 5\n" in first[2]
    _, text, error = run(path, *words)
    seed = re.search(r"seed (\d+)\n", error)[1]
    assert run(path, *words, "--seed", seed)[1] == text


def test_the_context_ends_the_text(make):
    path = make()
    for context in (64, 20, 8):
        _, output, error = run(path, "a the", "--temperature=0", "--context", context)
        new = fake.continueGreedily(fake.encode("a the"), context=context)
        assert output.decode() == "a the" + fake.decode(new)
    assert fails(path, "a the b", "--context", 8) == "the prompt has 9 tokens, the context holds 8"
    assert fails(path, "a", "--context", 65) == "--context: 65 is more than the model's 64"


def test_generation_stops_at_the_end_token_without_showing_it(make):
    new = fake.continueGreedily(fake.encode("a"), stopAt=9)
    assert len(new) == 6
    code, output, error = run(make(stopAt=9), "a", "--temperature=0")
    assert (code, output.decode()) == (0, "a" + fake.decode(new))


def test_no_new_tokens_show_the_prompt_alone(make):
    assert run(make(), "Once the", "-n", 0)[:2] == (0, b"Once the")


def test_the_prompt_may_come_on_stdin_less_its_last_newline(make):
    path = make()
    wanted = run(path, "a\nb", "--temperature=0", "-n", 9)[1]
    assert run(path, "--temperature=0", "-n", 9, stdin=b"a\nb\n")[1] == wanted
    assert run(path, "a\nb", "--temperature=0", "-n", 9, stdin=b"ignored")[1] == wanted
    closed = subprocess.run(["sh", "-c", f"exec {path} --temperature=0 -n 9 <&-"], capture_output=True)
    assert (closed.returncode, closed.stdout) == (0, run(path, "", "--temperature=0", "-n", 9)[1])


def test_text_that_is_not_utf8_goes_in_as_it_is_and_never_comes_out_of_the_model(make):
    _, output, _ = run(make(), b"a\xffb".decode("utf-8", errors="surrogateescape"), "--temperature=40", "--top-k=0", "--top-p=1", "--seed=3")
    assert output.startswith(b"a\xffb")
    text = output[3:].decode("utf-8")  # raises on anything invalid
    assert "\ufffd" in text


def test_token_ids_in_and_out(make):
    new = fake.continueGreedily([5, 260, 7], 12)
    for path in (make(), make("bare", tokenizer=b"")):
        for words, stdin in (["5 260, 7"], b""), ([], b"5\n260\n7\n"):
            code, output, _ = run(path, "--tokens", *words, "--temperature=0", "-n", 12, stdin=stdin)
            assert (code, output.decode()) == (0, " ".join(map(str, [5, 260, 7] + new)))
    assert fails(path, "--tokens", "5 x") == "'x' in the prompt is not a token id; --tokens takes numbers"
    assert fails(path, "--tokens", "5 300") == "token 300 of the prompt is outside the vocabulary of 300"
    assert fails(path, "--tokens", "") == "the prompt is empty, and no token begins a text of its own"
    assert fails(path, "text") == "this binary has no tokenizer; give token ids, with --tokens"


def test_ids_that_the_tokenizer_lacks_are_never_drawn(make):
    path = make(tokenizer=fake.tokenizerModel(count=290))
    for seed in range(20):
        assert run(path, "a", "--temperature=1000", "--top-k=0", "--top-p=1", "--seed", seed)[0] == 0


# Several prompts.

LINES = ["Once", "a", "the end, or not?", "caf\u00e9", "a", "b", "c d e"]


@pytest.fixture
def lines(tmp_path):
    (tmp_path / "prompts").write_text("\n".join(LINES) + "\n\n")
    return tmp_path / "prompts"


@pytest.mark.parametrize("threads", [1, 2, 3, 40])
def test_each_prompt_is_continued_as_if_alone_with_the_next_seed(make, lines, threads):
    path, words = make(), ["--temperature=30", "--top-k=0", "-n", 12]
    alone = [run(path, prompt, *words, "--seed", 5 + place) for place, prompt in enumerate(LINES)]
    code, output, error = run(path, "--prompts", lines, *words, "--seed=5", f"--threads={threads}")
    assert (code, output) == (0, b"".join(text + b"\n" for _, text, _ in alone))
    assert alone[1][1] != alone[4][1]  # one prompt, two seeds
    match = re.fullmatch(FACTS, error)
    assert int(match[1]) == sum(int(re.fullmatch(FACTS, line)[1]) for _, _, line in alone) and int(match[2]) == threads


def test_prompts_are_documents_and_so_are_their_continuations(make, lines):
    lines.write_text("a\nb<>Once\n<>\n")
    _, output, _ = run(make(), "--prompts", lines, "--documents=<>", "--temperature=0", "-n", 5)
    texts = [prompt + fake.decode(fake.continueGreedily(fake.encode(prompt), 5)) for prompt in ("a\nb", "Once")]
    assert output.decode() == "".join(text + "<>" for text in texts)


def test_prompts_of_token_ids_are_lines_of_them(make, lines):
    lines.write_text("5 260, 7\n9\n")
    wanted = "".join(" ".join(map(str, ids + fake.continueGreedily(ids, 9))) + "\n" for ids in ([5, 260, 7], [9]))
    for path in (make(), make("bare", tokenizer=b"")):
        assert run(path, "--tokens", "--prompts", lines, "--temperature=0", "-n", 9)[1].decode() == wanted


def test_wrong_prompts_are_errors_that_count_them(make, lines):
    path = make()
    assert fails(path, "--prompts", "missing", cwd=lines.parent) == "missing: cannot open: No such file or directory"
    assert fails(path, "--prompts", "prompts", "--context", 10, cwd=lines.parent) == (
        f"prompts: prompt 3: the prompt has {len(fake.encode(LINES[2]))} tokens, the context holds 10")
    assert fails(path, "--prompts", "prompts", "a", cwd=lines.parent) == "--prompts takes no prompt, but there is one: 'a'"
    lines.write_text("1 2\n3 300\n")
    assert fails(path, "--tokens", "--prompts", "prompts", cwd=lines.parent).startswith("prompts: prompt 2: token 300 of the prompt is outside")
    lines.write_text(" \n")
    assert fails(path, "--prompts", "prompts", cwd=lines.parent) == "prompts: holds no prompt"
    assert "no tokenizer" in fails(make("bare", tokenizer=b""), "--prompts", lines)


@pytest.mark.parametrize("threads", [1, 3])
def test_a_prompt_that_fails_ends_the_run_behind_the_texts_before_it(make, lines, threads):
    lines.write_text("1\n1 2\n1 2 3 4 5 6 7\n1 2\n")
    code, output, error = run(make(notANumberAt=6), "--tokens", "--prompts", "prompts", "-n", 2, "--temperature=0", f"--threads={threads}", cwd=lines.parent)
    assert (code, output.count(b"\n")) == (1, 2)
    assert re.fullmatch(r"stories: error: prompts: prompt 3: [^\n]+\n", error), error


def test_control_c_leaves_whole_texts_only(make, lines):
    process = subprocess.Popen([make(delay=20_000), "--prompts", lines, "--temperature=0", "-n", "8", "--threads=2"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    output = os.read(process.stdout.fileno(), 1)
    process.send_signal(signal.SIGINT)
    rest, error = process.communicate(timeout=30)
    texts = (output + rest).decode().split("\n")
    assert process.returncode == 130 and re.fullmatch(FACTS, error.decode())
    whole = [prompt + fake.decode(fake.continueGreedily(fake.encode(prompt), 8)) for prompt in LINES]
    assert texts[-1] == "" and 1 <= len(texts) - 1 < len(LINES) and texts[:-1] == whole[:len(texts) - 1]


# The command line.

def test_help_lists_all_options_on_stdout(make):
    code, output, error = run(make(), "--help")
    assert (code, error) == (0, "")
    for flag in ("-n N", "--temperature T", "--top-p P", "--top-k K", "--seed S", "--threads N", "--context N", "--logits IDS",
                 "-o FILE", "--perplexity FILE", "--documents SEPARATOR", "--length N", "--bench", "--decode N", "--depth N", "--prefill N",
                 "--runs N", "--profile", "--json", "--info", "--version",
                 "--help", "--tokens", "--prompts FILE", "--mlock"):
        assert f"\n  {flag}" in output.decode(), flag
    assert output.startswith(b"usage: stories [PROMPT]")
    assert run(make(), "-h")[:2] == (0, output)


def test_version_and_info(make):
    info = {"format": "x", "nested": {"a": [1, 2]}}
    path = make(info=info)
    code, output, error = run(path, "--info")
    assert (code, json.loads(output), error, output[-1:]) == (0, info, "", b"\n")
    code, output, error = run(path, "--version")
    assert (code, error) == (0, "") and re.fullmatch(rb"halftone \d+\.\d+\.\d+, model ABI 3\n", output)


def test_wrong_words_are_errors_of_status_1(make):
    path = make()
    assert "unknown option '--tmperature'" in fails(path, "--tmperature", "1")
    assert fails(path, "a", "-n") == "-n needs a value: N"
    assert fails(path, "a", "--threads=0") == "--threads: '0' is not a whole number from 1 to 1024"
    assert "two prompts" in fails(path, "a", "b")
    assert fails(path, "--logits", "x.npy") == "--logits needs -o, the file to write"


# Streams and signals.

def test_text_appears_token_by_token(make):
    process = subprocess.Popen([make(delay=20000), "Once", "--temperature=0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert os.read(process.stdout.fileno(), 4096) == b"Once"
    reads = 0
    while data := os.read(process.stdout.fileno(), 4096):
        reads += 1
        data.decode("utf-8")  # each piece is whole characters
    assert reads > 10
    assert process.wait() == 0


def test_a_terminal_gets_a_newline_and_a_shared_pipe_too_but_nothing_else_does(make):
    path = make()
    words = [path, "a", "--temperature=0", "-n", "3"]
    text = run(*words)[1].decode()
    shared = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
    assert re.fullmatch(re.escape(text + "\n") + FACTS, shared)
    leader, follower = pty.openpty()
    result = subprocess.run(words, stdout=follower, stderr=subprocess.PIPE, text=True)
    os.close(follower)
    assert os.read(leader, 4096).decode() == text + "\r\n"
    assert re.fullmatch(FACTS, result.stderr)


def test_control_c_ends_after_the_current_token(make):
    process = subprocess.Popen([make(delay=50000), "Once", "--temperature=0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    output = b""
    while len(output) < 8:
        output += os.read(process.stdout.fileno(), 4096)
    process.send_signal(signal.SIGINT)
    rest, error = process.communicate(timeout=30)
    assert process.returncode == 130
    count = int(re.fullmatch(FACTS, error.decode())[1])
    new = fake.continueGreedily(fake.encode("Once"))
    assert 1 <= count < len(new)
    assert (output + rest).decode() == "Once" + fake.decode(new[:count])


def test_a_second_control_c_kills(make):
    process = subprocess.Popen([make(delay=20_000_000), "a"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert os.read(process.stdout.fileno(), 10) == b"a"
    time.sleep(0.3)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
    assert process.wait(timeout=10) == -signal.SIGINT


def test_a_reader_that_leaves_ends_the_program_quietly(make):
    process = subprocess.Popen([make(delay=20000), "Once"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert os.read(process.stdout.fileno(), 4) == b"Once"
    process.stdout.close()
    assert process.wait(timeout=30) == 0
    assert process.stderr.read() == b""


def test_a_full_disk_is_an_error(make):
    with open("/dev/full", "wb") as full:
        result = subprocess.run([make(), "a"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert (result.returncode, result.stderr) == (1, "stories: error: stdout: cannot write: No space left on device\n")


# Logits.

def expectedLogits(tokens):
    rows = []
    for count in range(1, len(tokens) + 1):
        likeliest = sum((place + 1) * token for place, token in enumerate(tokens[:count])) % fake.VOCABULARY
        rows.append(-numpy.abs(numpy.arange(fake.VOCABULARY, dtype=numpy.float32) - likeliest) / 2)
    return numpy.array(rows, numpy.float32)


@pytest.mark.parametrize("count", [1, 3, 4, 5, 8, 63, 64])
@pytest.mark.parametrize("kind", ["int64", "int32", "batch"])
def test_logits_of_a_file_of_ids(make, tmp_path, count, kind):
    tokens = [(7 * place * place + 3) % fake.VOCABULARY for place in range(count)]
    ids = numpy.array([tokens] if kind == "batch" else tokens, "int32" if kind == "int32" else "int64")
    numpy.save(tmp_path / "ids.npy", ids)
    code, output, error = run(make(), "--logits", "ids.npy", "-o", "logits.npy", "--threads=3", cwd=tmp_path)
    assert (code, output) == (0, b"")
    assert int(re.fullmatch(FACTS, error)[1]) == count
    logits = numpy.load(tmp_path / "logits.npy")
    assert logits.dtype == numpy.float32
    numpy.testing.assert_array_equal(logits, expectedLogits(tokens))


def test_wrong_ids_are_errors_and_leave_no_output(make, tmp_path):
    path = make()
    ids = tmp_path / "ids.npy"
    output = tmp_path / "logits.npy"

    def errorFor(array):
        numpy.save(ids, array)
        before = sorted(tmp_path.iterdir())
        error = fails(path, "--logits", "ids.npy", "-o", "logits.npy", cwd=tmp_path)
        assert sorted(tmp_path.iterdir()) == before
        return error

    assert errorFor(numpy.array([1, 2, 300])) == "ids.npy: element 2 is 300, outside the vocabulary of 300"
    assert errorFor(numpy.array([1, -1])) == "ids.npy: element 1 is -1, outside the vocabulary of 300"
    assert errorFor(numpy.zeros(65, int)) == "ids.npy: 65 token ids, the context holds 64"
    assert errorFor(numpy.zeros(0, int)) == "ids.npy: no token ids"
    assert errorFor(numpy.zeros((2, 3), int)) == "ids.npy: the shape is [2, 3], token ids of one text have [n] or [1, n]"
    assert "float32" in errorFor(numpy.zeros(3, numpy.float32))
    ids.write_bytes(b"not an array")
    assert "ids.npy" in fails(path, "--logits", "ids.npy", "-o", "logits.npy", cwd=tmp_path)
    assert "missing.npy: cannot open" in fails(path, "--logits", "missing.npy", "-o", "logits.npy", cwd=tmp_path)
    numpy.save(ids, numpy.array([1, 2]))
    assert "nowhere/logits.npy" in fails(path, "--logits", "ids.npy", "-o", "nowhere/logits.npy", cwd=tmp_path)
    content = ids.read_bytes()
    assert "ids.npy" in fails(path, "--logits", "ids.npy", "-o", "./ids.npy", cwd=tmp_path)
    assert ids.read_bytes() == content and not output.exists()


def test_control_c_while_scoring_leaves_no_output(make, tmp_path):
    numpy.save(tmp_path / "ids.npy", numpy.zeros(64, int))
    path = make(delay=100_000)
    before = sorted(tmp_path.iterdir())
    process = subprocess.Popen([path, "--logits", "ids.npy", "-o", "logits.npy"], cwd=tmp_path, stderr=subprocess.PIPE)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130
    assert process.stderr.read() == b""
    assert sorted(tmp_path.iterdir()) == before


# Figures. JSON has nine digits, which are off by 5e-9 at most, a product of two of them by twice as much; sums are in f64.
NINE_DIGITS = 1.1e-8


# Perplexity.

def surpriseOf(tokens):
    """-log p of each token but the first, by the formula of the fake, in f64."""
    logits = expectedLogits(tokens[:-1]).astype(numpy.float64)
    return numpy.log(numpy.exp(logits).sum(-1)) - logits[numpy.arange(len(logits)), tokens[1:]]


def perplexityOf(sequences):
    return float(numpy.exp(numpy.concatenate([surpriseOf(tokens) for tokens in sequences]).mean()))


DOCUMENTS = ["Once the end.", "a", "the time of a half, and more of it than before; of all that was"]


def scored(path, *words, **more):
    """The JSON of a run of --perplexity."""
    code, output, error = run(path, "--perplexity", *words, "--json", **more)
    assert (code, error) == (0, ""), error
    return json.loads(output)


@pytest.mark.parametrize("length", [None, 1, 4, 5, 64])
@pytest.mark.parametrize("threads", [1, 3])
def test_perplexity_of_documents(make, tmp_path, length, threads):
    (tmp_path / "text").write_text(" \n" + "\n<|end|>\n".join([*DOCUMENTS, "", " "]))
    options = [] if length is None else [f"--length={length}"]
    found = scored(make(), tmp_path / "text", "--documents=<|end|>", f"--threads={threads}", *options)
    cut = 1 + (64 if length is None else length)  # the fake's context, shorter than 256
    sequences = [fake.encode(document)[:cut] for document in DOCUMENTS]
    assert found["tokens"] == sum(len(sequence) - 1 for sequence in sequences)
    assert (found["documents"], found["length"], found["threads"], found["format"]) == (3, cut - 1, threads, "fake-g32")
    assert found["perplexity"] == pytest.approx(perplexityOf(sequences), rel=NINE_DIGITS)
    assert found["nats_per_token"] == pytest.approx(numpy.log(perplexityOf(sequences)), rel=NINE_DIGITS)


@pytest.mark.parametrize("length", [None, 10])
def test_perplexity_of_windows_scores_each_token_once(make, tmp_path, length):
    text = " ".join(DOCUMENTS) + "\n"
    (tmp_path / "text").write_text(text)
    found = scored(make(), tmp_path / "text", *([] if length is None else ["--length", length]))
    tokens, size = fake.encode(text)[1:], length or 64
    windows = [[1, *tokens[start : start + size]] for start in range(0, len(tokens), size)]
    assert (found["windows"], found["tokens"], found["length"]) == (len(windows), len(tokens), size)
    assert len(windows) > 1 and found["perplexity"] == pytest.approx(perplexityOf(windows), rel=NINE_DIGITS)


def test_perplexity_for_a_person(make, tmp_path):
    (tmp_path / "text").write_text(DOCUMENTS[0])
    code, output, error = run(make(), "--perplexity", tmp_path / "text")
    assert (code, error) == (0, "")
    assert re.search(rf"^perplexity +{perplexityOf([fake.encode(DOCUMENTS[0])]):.4f}$", output.decode(), re.M), output


def test_a_text_that_cannot_be_scored_is_an_error(make, tmp_path):
    path, text = make(), tmp_path / "text"
    assert fails(path, "--perplexity", "missing", cwd=tmp_path) == "missing: cannot open: No such file or directory"
    text.write_text("")
    assert fails(path, "--perplexity", "text", cwd=tmp_path) == "text: no token to score: the text has 0 bytes"
    text.write_text("\n<>")
    assert "no document that is not empty" in fails(path, "--perplexity", "text", "--documents", "<>", cwd=tmp_path)
    text.write_text("Once")
    assert fails(path, "--perplexity", text, "--length", 65) == "--length: 65 tokens, the context holds 64"
    assert fails(path, "--perplexity", text, "--length=21", "--context=20") == "--length: 21 tokens, the context holds 20"
    assert "no tokenizer" in fails(make("bare", tokenizer=b""), "--perplexity", text)
    text.write_text("a<>Once the end")
    assert fails(make("nan", notANumberAt=5), "--perplexity", "text", "--documents=<>", cwd=tmp_path) == (
        "text: document 2: the logit of token 0 is NaN")


def test_control_c_ends_perplexity_without_a_figure(make, tmp_path):
    (tmp_path / "text").write_text("a\n" * 200)
    process = subprocess.Popen([make(delay=20_000), "--perplexity", tmp_path / "text", "--length=4"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30) == (b"", b"") and process.returncode == 130


def test_progress_of_perplexity_stands_on_a_terminal(make, tmp_path):
    (tmp_path / "text").write_text("<>".join(DOCUMENTS * 10))
    leader, follower = pty.openpty()
    words = [make(delay=5_000), "--perplexity", tmp_path / "text", "--documents=<>", "--json"]
    output = subprocess.run(words, stdout=subprocess.PIPE, stderr=follower, check=True).stdout
    os.close(follower)
    shown = os.read(leader, 1 << 16).decode()
    assert json.loads(output)["documents"] == 30
    assert re.search(r"document \d+/30, perplexity so far \d+\.\d{4}, \d+ s left, peak \d+ MB", shown), shown
    assert shown.endswith("\r\x1b[K")


# Speed.

def test_bench_counts_what_a_call_takes(make):
    """Each call of the fake sleeps 2 ms: a token, or a chunk of 4, takes at least that. Three of the five runs took as long as the median
    says or longer, all of it between start and end."""
    path, start = make(delay=2000), time.monotonic()
    code, output, error = run(path, "--bench", "--json", "--threads=2", timeout=300)
    seconds = time.monotonic() - start
    assert (code, error.count("error")) == (0, 0)
    found = json.loads(output)
    assert (found["decode_tokens"], found["prefill_tokens"], found["runs"]) == (63, 64, 5)  # all that the context of 64 has
    assert (found["bytes_per_token"], found["threads"], found["format"]) == (562, 2, "fake-g32")
    assert found["decode_tokens_per_second"] <= 500 and found["prefill_tokens_per_second"] <= 2000
    assert 3 * 63 / found["decode_tokens_per_second"] + 3 * 64 / found["prefill_tokens_per_second"] < seconds
    for name in ("decode_tokens_per_second", "prefill_tokens_per_second", "bandwidth_bytes_per_second"):
        least, greatest = found[f"{name}_range"]
        assert least <= found[name] <= greatest
    assert found["decode_bytes_per_second"] == pytest.approx(562 * found["decode_tokens_per_second"], rel=NINE_DIGITS)
    assert found["bandwidth_bytes_per_second"] > 1e8 and found["reread_bytes_per_second"] > 1e8
    assert found["decode_depth"] == 1
    # The fake "multiplies" once in a nanosecond on each thread, and sleeps longer than that, never less.
    assert 5e8 < found["peak_operations_per_second"]["fake"] <= 2e9


def test_bench_measures_what_is_asked_for(make):
    path = make()
    code, output, _ = run(path, "--bench", "--json", "--decode=7", "--depth=20", "--prefill=13", "--runs=2")
    found = json.loads(output)
    assert code == 0 and (found["decode_tokens"], found["decode_depth"], found["prefill_tokens"], found["runs"]) == (7, 20, 13, 2)
    assert json.loads(run(path, "--bench", "--json", "--depth=60", "--runs=1")[1])["decode_tokens"] == 4  # all that the context of 64 has
    assert fails(path, "--bench", "--decode=7", "--depth=60") == "7 tokens after 60 need a context of 67, this one is of 64"
    assert fails(path, "--bench", "--depth=64") == "1 tokens after 64 need a context of 65, this one is of 64"
    assert fails(path, "--bench", "--prefill=65") == "65 tokens do not fit into a context of 64"
    assert fails(path, "--bench", "--runs=0") == "--runs: '0' is not a whole number from 1 to 1000"
    assert found["prefill_operations_per_second"] == pytest.approx(2000 * found["prefill_tokens_per_second"], rel=NINE_DIGITS)


def test_profile_times_each_kernel(make):
    """The fake sleeps 2 ms in its kernel 0 and has next to nothing to do in kernel 1; chunks are of 4 tokens, the context of 64."""
    kernels = [["phase", "a \"nap\"", 1000, 2000, 10, ["fake"]], ["phase", "sums", 0, 0, 0, []], ["never", "idle", 1, 1, 1, ["fake"]]]
    path = make(delay=2000, info={"format": "fake-g32", "bits_per_weight": 4.5, "kernels": kernels})
    code, output, error = run(path, "--profile", "--json", "--threads=2", timeout=300)
    assert (code, error) == (0, "")
    found = json.loads(output)
    assert found["threads"] == 2 and found["bandwidth_bytes_per_second"] > 1e8 and found["reread_bytes_per_second"] > 1e8
    for name, tokens, calls, positions in (("decode", 63, 63, sum(range(2, 65))), ("prefill", 64, 16, sum(range(4, 65, 4)))):
        phase = found[name]
        assert phase["tokens"] == tokens
        nap, sums = phase["kernels"]  # slowest first, and none that never ran
        assert (nap["function"], nap["does"], nap["calls"]) == ("phase", 'a "nap"', calls)
        assert nap["seconds"] >= 0.002 * calls > sums["seconds"] and sums["calls"] == calls
        assert nap["bytes_per_second"] == pytest.approx((1000 * calls + 10 * positions) / nap["seconds"], rel=NINE_DIGITS)
        assert 5e8 < nap["peak_operations_per_second"] <= 2e9 and sums["peak_operations_per_second"] == 0
        assert nap["operations_per_second"] == pytest.approx(2000 * tokens / nap["seconds"], rel=NINE_DIGITS)
    code, output, error = run(path, "--profile", "--threads=1", timeout=300)
    assert (code, error) == (0, "")
    assert re.search(rb"It multiplies by fake at \d\.\d GOP/s: the peak\.\n", output)
    assert re.search(rb"decode: 63 tokens, \d+\.\d us a token, 1 thread\n", output) and output.count(b'a "nap" (phase)') == 2
    assert "info in this binary: it has no list of kernels" in fails(make(), "--profile")


# Damaged and foreign binaries.

def test_a_truncated_binary_is_an_error_and_not_a_bus_error(make):
    path = make()
    content = path.read_bytes()
    path.write_bytes(content[:-250_000])
    assert re.fullmatch(r"this binary is truncated: its weights should have \d+ bytes", fails(path, "a"))


def test_a_segment_of_another_size_is_an_error(make):
    path = make(segment_bytes=400_000)
    assert re.fullmatch(r"this binary is damaged: its weights have \d+ bytes, expected 400000", fails(path, "a"))
    assert "ABI 1, this runtime has 3" in fails(make(abi=1), "a")


def test_a_damaged_tokenizer_is_an_error_with_its_offset(make):
    model = fake.tokenizerModel()
    assert re.fullmatch(r"the tokenizer in this binary: byte \d+: .*", fails(make(tokenizer=model[:1000]), "a"))
    assert "JSON" in fails(make(tokenizer=b"{}"), "a")


def test_logits_that_are_no_numbers_are_an_error(make):
    code, output, error = run(make(notANumberAt=5), "a", "--temperature=0")
    assert (code, error) == (1, "stories: error: the logit of token 0 is NaN\n")


def test_a_processor_that_lacks_a_feature_is_told_before_anything_runs(make):
    shown = {"amx-int8": "amx_int8", "avx512fp16": "avx512_fp16", "avx512vnni": "avx512_vnni", "avx512bf16": "avx512_bf16"}
    flags = re.search(r"flags\s*:(.*)", Path("/proc/cpuinfo").read_text())
    lacking = [name for name, word in shown.items() if flags and word not in flags[1].split()]
    if not lacking:
        pytest.skip("this processor lacks none of " + ", ".join(shown))
    one, all = (make(f"with{len(names)}", features=",".join("+" + name for name in ["sse3"] + names))
                for names in ([lacking[0]], lacking))
    assert fails(one, "a") == f"this binary needs {shown[lacking[0]]}; this processor lacks it"
    if len(lacking) > 1:
        assert fails(all, "a").endswith("; this processor lacks them")
    assert run(one, "--info")[0] == 0


# The static program alone.

@pytest.fixture(params=[path for path in PROGRAMS if path.name == "fake_model_static"] or [None], ids=lambda path: path and path.parents[2].name)
def static(request, tmp_path):
    assert request.param, "no build holds test/runtime/fake_model_static"
    return fake.build(request.param, tmp_path / "stories")


def test_the_static_program_needs_no_interpreter_and_no_library(static):
    content = static.read_bytes()
    offset, count = int.from_bytes(content[32:40], "little"), int.from_bytes(content[56:58], "little")
    types = [int.from_bytes(content[offset + 56 * place:][:4], "little") for place in range(count)]
    assert 2 not in types and 3 not in types  # PT_DYNAMIC, PT_INTERP


def test_the_static_program_runs_in_an_empty_root(static, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root may change its root")
    root = tmp_path / "root"
    root.mkdir()
    static.rename(root / "stories")
    numpy.save(root / "ids.npy", numpy.array([1, 2, 3]))
    inside = dict(preexec_fn=lambda: (os.chroot(root), os.chdir("/")))
    wanted = "Once" + fake.decode(fake.continueGreedily(fake.encode("Once"), 9))
    code, output, error = run("/stories", "Once", "--temperature=0", "-n", 9, "--threads=2", **inside)
    assert (code, output.decode()) == (0, wanted), error
    assert run("/stories", "--logits", "ids.npy", "-o", "logits.npy", **inside)[0] == 0
    numpy.testing.assert_array_equal(numpy.load(root / "logits.npy"), expectedLogits([1, 2, 3]))
    assert sorted(path.name for path in root.iterdir()) == ["ids.npy", "logits.npy", "stories"]


def test_memory_that_cannot_be_had_is_an_error(static):
    words = f"ulimit -v 200000; exec {static} a --threads=64"
    result = subprocess.run(["sh", "-c", words], capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (1, "")
    assert re.fullmatch(r"stories: error: thread \d+ of 64: cannot start: [^\n]+\n", result.stderr), result.stderr
