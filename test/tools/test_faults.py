"""halftone compile and quantize when the system lets them down: every call that opens, fills or names a file fails once, with a full disk and with a
broken one; a file that they read ends while it is read; they are killed at any moment; another is at work on the same output.
What stands at the output is always the old file or a whole new one, and nothing stands beside it."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

INPUTS = Path(__file__).parent / "Inputs"
OLD = b"what stood here before"


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    """Inputs/fault.c as a library to preload."""
    compiler = next(filter(None, map(shutil.which, ("clang-22", "cc", "gcc"))), None)
    if not compiler:
        pytest.skip("there is no C compiler")
    library = tmp_path_factory.mktemp("shim") / "fault.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, INPUTS / "fault.c", "-ldl"], check=True)
    return library


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    subprocess.run([sys.executable, INPUTS / "tiny.py", folder], check=True)
    return folder / "tiny.onnx"


COMMANDS = {
    "compile": ["compile", "tiny.onnx", "--threads=1", "-o", "out"],
    "quantize": ["quantize", "tiny.onnx", "--onnx-style=qdq", "--threads=1", "-o", "out"],
}
LEAST_CALLS = {"compile": 250, "quantize": 20}


@pytest.fixture(scope="module", params=COMMANDS)
def command(request):
    """One of the commands, by its name."""
    return request.param


@pytest.fixture(scope="module")
def work(tool, command):
    """work(folder): runs it there."""

    def call(folder, **environment):
        return subprocess.run([tool, *COMMANDS[command]], cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120)

    return call


@pytest.fixture(scope="module")
def whole(work, model, tmp_path_factory):
    """The bytes of the output that an undisturbed run gives."""
    folder = tmp_path_factory.mktemp("whole")
    shutil.copy(model, folder)
    done = work(folder)
    assert done.returncode == 0, done.stderr
    return (folder / "out").read_bytes()


@pytest.fixture(scope="module")
def calls(work, shim, model, whole, tmp_path_factory):
    """The calls that a run makes: one line each, "pwrite PATH"."""
    folder = tmp_path_factory.mktemp("calls")
    shutil.copy(model, folder)
    log = folder.parent / "calls.log"
    done = work(folder, LD_PRELOAD=str(shim), FAULT_LOG=str(log))
    assert done.returncode == 0 and (folder / "out").read_bytes() == whole
    return log.read_text().splitlines()


def fault(number, code, work, shim, model, whole, folder):
    """Lets call `number` fail. Returns what is wrong with what came of it, or None."""
    folder.mkdir()
    shutil.copy(model, folder)
    (folder / "out").write_bytes(OLD)
    done = work(folder, LD_PRELOAD=str(shim), FAULT_CALL=str(number), FAULT_ERRNO=str(code))
    there, output = sorted(os.listdir(folder)), (folder / "out").read_bytes()
    shutil.rmtree(folder)
    if there != ["out", "tiny.onnx"]:
        return f"left behind: {there}"
    if done.returncode == 0:  # the call could be done without
        return None if output == whole else "success, and an output that is not whole"
    errors = [line for line in done.stderr.splitlines() if "error: " in line]
    if done.returncode != 1 or len(errors) != 1:
        return f"status {done.returncode}: {done.stderr[-300:]}"
    if os.strerror(code) not in errors[0]:
        return f"does not say why: {errors[0]}"
    return None if output == OLD else "failed, and the old output is gone"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO], ids=errno.errorcode.get)
def test_every_call_fails_once(code, command, calls, work, shim, model, whole, tmp_path):
    assert len(calls) > LEAST_CALLS[command]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        numbers = range(1, len(calls) + 1)
        results = pool.map(lambda n: fault(n, code, work, shim, model, whole, tmp_path / str(n)), numbers)
        wrong = {f"{n} ({calls[n - 1]})": result for n, result in zip(numbers, results) if result}
    assert not wrong


KILLS = 100


def test_killed_at_any_moment(tool, command, work, model, whole, tmp_path):
    shutil.copy(model, tmp_path)
    start = time.monotonic()
    work(tmp_path)
    duration = time.monotonic() - start
    moments = random.Random(1)
    killed = 0
    while killed < KILLS:
        (tmp_path / "out").write_bytes(OLD)
        process = subprocess.Popen([tool, *COMMANDS[command]], cwd=tmp_path, stderr=subprocess.DEVNULL)
        time.sleep(moments.uniform(0, duration))
        process.kill()
        killed += process.wait() == -signal.SIGKILL
        assert (tmp_path / "out").read_bytes() in (OLD, whole)
    assert work(tmp_path).returncode == 0
    assert sorted(os.listdir(tmp_path)) == ["out", "tiny.onnx"] and (tmp_path / "out").read_bytes() == whole


def test_two_at_once_into_one_output(work, model, whole, tmp_path):
    shutil.copy(model, tmp_path)
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: work(tmp_path), range(4)))
    assert [x.returncode for x in done] == [0] * 4
    assert sorted(os.listdir(tmp_path)) == ["out", "tiny.onnx"] and (tmp_path / "out").read_bytes() == whole


def test_a_folder_that_cannot_be_written(tool, command, work, model, tmp_path):
    shutil.copy(model, tmp_path)
    if os.geteuid() == 0:  # whom permissions do not stop: a read-only file system does
        mount = f"mount --bind {tmp_path} {tmp_path} && mount -o remount,ro,bind {tmp_path} || exit 99"
        script = f"{mount}; cd {tmp_path} && exec {tool} {' '.join(COMMANDS[command])}"
        done = subprocess.run(["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True)
        if done.returncode == 99 or "unshare" in done.stderr:
            pytest.skip("nothing can be mounted here")
    else:
        tmp_path.chmod(0o555)
        done = work(tmp_path)
    assert done.returncode == 1 and done.stderr.count("error: ") == 1
    assert "out: cannot " in done.stderr and os.listdir(tmp_path) == ["tiny.onnx"]


def test_a_model_that_ends_while_it_is_read(calls, work, shim, model, whole, tmp_path):
    """The file is cut to nothing once it is mapped: reading it is then a signal, SIGBUS, and to the user an error like any other."""
    outcomes = set()
    for number in [n for n, call in enumerate(calls, 1) if call.startswith("mmap") and call.endswith("tiny.onnx")]:
        shutil.copy(model, tmp_path)
        (tmp_path / "out").write_bytes(OLD)
        done = work(tmp_path, LD_PRELOAD=str(shim), FAULT_CALL=str(number))
        output = (tmp_path / "out").read_bytes()
        assert sorted(os.listdir(tmp_path)) == ["out", "tiny.onnx"]
        outcomes.add(done.returncode)
        if done.returncode == 0:  # all had been read before
            assert output == whole
            continue
        errors = [line for line in done.stderr.splitlines() if "error: " in line]
        assert done.returncode == 1 and output == OLD and len(errors) == 1 and "tiny.onnx: " in errors[0], done.stderr
    assert 1 in outcomes


def test_a_reader_that_goes_away(tool, model, tmp_path):
    """Text for a pipe that nobody reads any more: SIGPIPE, and no work folder is left."""
    shutil.copy(model, tmp_path)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    script = f"{tool} compile tiny.onnx --emit=asm | head -c 1 >/dev/null; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env={**os.environ, "TMPDIR": str(temporary)}, capture_output=True
    )
    assert done.returncode == 128 + signal.SIGPIPE, done.stderr
    assert os.listdir(temporary) == []
