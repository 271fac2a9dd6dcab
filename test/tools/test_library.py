"""halftone compile --emit=lib and --emit=obj: a C program outside of the project, with two models in it."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

INPUTS = Path(__file__).parent / "Inputs"
TOKENS = [1, 5, 9, 2, 77, 13, 100, 3, 3, 42, 7]
LLVM = "/usr/lib/llvm-22/bin"
COMPILERS = [name for name in ("gcc", "clang-22") if shutil.which(name)]


def run(*command, **options):
    done = subprocess.run(list(map(str, command)), capture_output=True, timeout=300, **options)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.fixture(scope="module")
def folder(tool, tmp_path_factory):
    """tiny.onnx; as `first` in int4-g32 and as `second` in f32, each as library, object and executable."""
    folder = tmp_path_factory.mktemp("library")
    run(sys.executable, INPUTS / "tiny.py", folder)
    for name, format in (("first", "int4-g32"), ("second", "f32")):
        for emit, output in (("lib", f"lib{name}.a"), ("obj", f"{name}.o"), ("exe", name)):
            run(tool, "compile", "tiny.onnx", f"--format={format}", f"--emit={emit}", "-o", output, cwd=folder)
        (folder / f"lib{name}.h").unlink()  # the same as NAME.h
    shutil.copy(INPUTS / "use_model.c", folder)
    return folder


def program(folder, compiler, parts, flags=()):
    """The program, built as a user would."""
    output = folder / f"program-{compiler}-{len(os.listdir(folder))}"
    run(compiler, "-std=c99", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Werror", "use_model.c", *parts, "-lpthread",
        *flags, "-o", output, cwd=folder)  # fmt: skip
    return output


def logits(folder, name):
    """What the executable gives."""
    np.save(folder / "ids.npy", np.array(TOKENS, np.int64))
    run(folder / name, "--logits", folder / "ids.npy", "-o", folder / f"{name}.npy")
    return np.load(folder / f"{name}.npy")


LIBRARIES, OBJECTS = ("libfirst.a", "libsecond.a"), ("first.o", "second.o")


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize(
    "parts, flags",
    [(LIBRARIES, ()), (OBJECTS, ()), (LIBRARIES, ("-static",)), (OBJECTS, ("-no-pie",)), (LIBRARIES, ("-fuse-ld=lld-22",))],
    ids=["libraries", "objects", "static", "fixed", "lld"],
)
@pytest.mark.parametrize("threads", [1, 2])
def test_a_c_program_gives_the_executables_bits(threads, parts, flags, compiler, folder):
    if "-fuse-ld=lld-22" in flags and compiler == "gcc":
        flags = ("-B", LLVM, "-fuse-ld=lld")
    first, second = logits(folder, "first"), logits(folder, "second")
    output = run(program(folder, compiler, parts, flags), threads, *TOKENS)
    scored, mixed, decoded, other = np.frombuffer(output, np.float32).reshape(4, *first.shape)
    assert np.array_equal(scored, first) and np.array_equal(other, second)
    # One token at a time goes through other kernels, which sum in another order; codes make most of it exact.
    assert np.abs(decoded - first).max() < 1e-3 and np.array_equal(mixed[-1], decoded[-1])


def test_a_cxx_program_and_a_shared_library(folder):
    """From C++, in position independent code that others load."""
    source = folder / "plugin.cpp"
    source.write_text("""#include "first.h"
        #include <vector>
        extern "C" int lengthOf() {
          halftone_session *session = nullptr;
          if (halftone_create(&first, nullptr, &session, nullptr))
            return -1;
          std::vector<int64_t> tokens = {1, 2, 3};
          const int status = halftone_prefill(session, tokens.data(), 3, nullptr);
          const int length = static_cast<int>(halftone_length(session));
          halftone_free(session);
          return status ? -1 : length;
        }""")
    run("g++", "-fPIC", "-shared", "-Wall", "-Werror", source, folder / "libfirst.a", "-o", folder / "plugin.so")
    code = f"import ctypes; print(ctypes.CDLL('{folder}/plugin.so').lengthOf())"
    assert run(sys.executable, "-c", code).split() == [b"3"]


@pytest.mark.parametrize("name", ["libfirst.a", "first.o"])
def test_nothing_but_the_model_and_the_functions_is_global(name, folder):
    symbols = [line.split()[-2:] for line in run(f"{LLVM}/llvm-nm", folder / name).decode().splitlines() if len(line.split()) > 1]
    strong = {symbol for kind, symbol in symbols if kind in "TDRBVGC"}
    weak = {symbol for kind, symbol in symbols if kind == "W"}
    assert strong == {"first", "first_weights"}
    functions = "create decode describe free length prefill rewind run".split()
    assert weak == {f"halftone_{x}" for x in functions} | {"halftone_barrier"}
    variables = {symbol for kind, symbol in symbols if kind in "DdBb" and not symbol.startswith((".", "_ZN8halftone7runtime12_GLOBAL", "_ZN8halftone7runtimeL"))}
    assert variables <= {"first", "halftone_facts", "halftone_probes", "halftone_variants"}  # constants that hold addresses
    undefined = {symbol for kind, symbol in symbols if kind == "U"} - strong - weak
    assert not undefined & {"exit", "_exit", "_Exit", "abort", "quick_exit", "signal", "sigaction", "setlocale"}


def test_the_name_in_c(tool, folder, tmp_path):
    shutil.copy(folder / "tiny.onnx", tmp_path)

    def compile(*arguments):
        command = [tool, "compile", "tiny.onnx", "--emit=lib", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)

    for output, arguments, symbol in (
        ("libtiny-0.1.a", (), "tiny_0_1"), ("7b.a", (), "model_7b"), ("x.a", ("--symbol=story_teller",), "story_teller"),
    ):  # fmt: skip
        assert compile("-o", output, *arguments).returncode == 0
        assert f"extern const struct halftone_model {symbol};" in (tmp_path / output).with_suffix(".h").read_text()
    bad = compile("-o", "y.a", "--symbol=no-name")
    assert bad.returncode == 1 and "--symbol: 'no-name' is no name in C" in bad.stderr
    taken = compile("-o", "y.a", "--symbol=halftone_facts")
    assert taken.returncode == 1 and "'halftone_facts' is the name of something else" in taken.stderr
    same = compile("-o", "z.h")
    assert same.returncode == 1 and "z.h: the header would have the same name" in same.stderr
    assert not list(tmp_path.glob("[yz]*"))


def test_a_cmake_project(root, tool, folder, tmp_path):
    """halftone_add_model: the model is a library of the project, compiled again only when its file changes."""
    package = root / "build" / "lib" / "cmake" / "halftone"
    if not package.is_dir():
        pytest.skip("the build has no CMake package")
    shutil.copy(folder / "tiny.onnx", tmp_path)
    (tmp_path / "main.c").write_text("""#include "story.h"
        #include <stdio.h>
        int main(void) {
          struct halftone_properties properties;
          if (halftone_describe(&story, &properties, NULL))
            return 1;
          printf("%d tokens\\n", (int)properties.vocabulary);
          return 0;
        }""")
    (tmp_path / "CMakeLists.txt").write_text("""
        cmake_minimum_required(VERSION 3.25)
        project(story LANGUAGES C)
        find_package(Halftone REQUIRED CONFIG)
        halftone_add_model(story tiny.onnx OPTIONS --format=int8-g32)
        add_executable(tell main.c)
        target_link_libraries(tell PRIVATE story)""")
    run("cmake", "-G", "Ninja", "-S", tmp_path, "-B", tmp_path / "build", f"-DHalftone_DIR={package}")
    run("ninja", "-C", tmp_path / "build")
    assert run(tmp_path / "build" / "tell") == b"300 tokens\n"
    assert b"no work to do" in run("ninja", "-C", tmp_path / "build")
    (tmp_path / "tiny.onnx").touch()
    assert b"no work to do" not in run("ninja", "-C", tmp_path / "build")
