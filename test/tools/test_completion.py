"""halftone completion: bash itself completes command lines, and what it offers is what --help lists."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import re
import shutil
import subprocess

import pytest

# Bash completes what is typed after the script was sourced: COMP_WORDS as readline splits it, at blanks and '='.
DRIVER = """
source "$1"; shift
compopt() { :; }
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
_halftone
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def complete(tool, tmp_path_factory):
    folder = tmp_path_factory.mktemp("completion")
    script = folder / "halftone.bash"
    script.write_bytes(subprocess.run([tool, "completion", "bash"], check=True, capture_output=True).stdout)
    (folder / "model.onnx").touch()
    (folder / "inputs.npz").touch()

    def call(*words):
        done = subprocess.run(["bash", "-c", DRIVER, "bash", script, "halftone", *words], cwd=folder, check=True, capture_output=True, text=True)
        assert done.stderr == ""
        return done.stdout.split()

    return call


def commandsOf(tool):
    text = subprocess.run([tool, "--help"], check=True, capture_output=True, text=True).stdout
    return re.findall(r"^  (\w+) ", text, re.M)


def helpOf(tool, command):
    return subprocess.run([tool, command, "--help"], check=True, capture_output=True, text=True).stdout


def test_commands(tool, complete):
    assert complete("") == [*commandsOf(tool), "--help", "--version"]
    assert complete("compi") == ["compile"]


def test_options_are_those_of_help(tool, complete):
    commands = commandsOf(tool)
    assert len(commands) >= 2
    for command in commands:
        listed = re.findall(r"^  (-[\w-]+)", helpOf(tool, command), re.M)
        assert complete(command, "-") == listed and "--help" in listed


def test_values(complete):
    assert complete("compile", "--emit", "a") == ["asm"]
    assert complete("compile", "--emit", "=") == ["exe", "lib", "obj", "mlir", "llvm", "asm"]
    assert complete("compile", "--stop-after", "=", "l") == ["lower"]
    assert complete("compile", "--context", "") == []


def test_files(complete):
    assert complete("compile", "mod") == ["model.onnx"]
    assert complete("compile", "--tokenizer", "=", "in") == ["inputs.npz"]
    assert sorted(complete("compile", "--calibrate", "=", "")) == ["halftone.bash", "inputs.npz", "model.onnx", "self"]
    assert complete("compile", "--calibrate", "=", "s") == ["self"]


def test_shells(complete):
    assert complete("completion", "") == ["bash", "zsh", "fish"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts_are_the_shell_s_language(shell, tool, tmp_path):
    program = shutil.which(shell)
    if not program:
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / "script"
    script.write_bytes(subprocess.run([tool, "completion", shell], check=True, capture_output=True).stdout)
    subprocess.run([program, "-n", script], check=True)


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_name_every_option(shell, tool):
    script = subprocess.run([tool, "completion", shell], check=True, capture_output=True, text=True).stdout
    for command in commandsOf(tool):
        for option in re.findall(r"^  (-[\w-]+)", helpOf(tool, command), re.M):
            assert re.search(rf"'{option}[=+\[]" if shell == "zsh" else rf"-[ls] {option.lstrip('-')} ", script), (command, option)


def test_an_unknown_shell_is_an_error(tool):
    done = subprocess.run([tool, "completion", "tcsh"], capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr == "halftone: error: no completion for 'tcsh'; there are bash, zsh, fish\n"
