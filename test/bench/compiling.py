"""What scale.py and calibration.py share: random models, and a compile that is measured."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HALFTONE = ROOT / "build" / "bin" / "halftone"


def export(path, *arguments):
    command = [sys.executable, "-m", "halftone.export.random_llama", "-o", path, *arguments]
    subprocess.run(command, env={"PYTHONPATH": str(ROOT / "python")}, check=True, stderr=subprocess.DEVNULL)


def compileModel(model, output, *options):
    """(seconds, {stage: seconds}, peak of RssAnon in bytes, sampled every 20 ms)."""
    start, peak = time.monotonic(), 0
    command = [HALFTONE, "compile", model, *options, "-o", output]
    with tempfile.TemporaryFile("w+") as text:
        process = subprocess.Popen(command, stderr=text)
        while process.poll() is None:
            status = Path(f"/proc/{process.pid}/status").read_text()
            if match := re.search(r"RssAnon:\s+(\d+) kB", status):
                peak = max(peak, int(match.group(1)) * 1024)
            time.sleep(0.02)
        text.seek(0)
        said = text.read()
    if process.returncode:
        raise SystemExit(said)
    stages = {name: float(seconds) for name, seconds in re.findall(r"^(\w+) +(\d+\.\d+) +\d+$", said, re.MULTILINE)}
    return time.monotonic() - start, stages, peak
