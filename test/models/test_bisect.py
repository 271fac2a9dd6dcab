"""halftone bisect: the first stage, block, operation and weight where two models part, and nothing where they do not."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import json

import pytest

TEXT = "ABBA C BA CAB ABBA" * 3
THIRD = "model.layers.1.mlp.up_proj.weight"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("bisect")
    (path / "text").write_text(TEXT)
    return path


@pytest.fixture(scope="module")
def dumps(halftone, tiny, folder):
    """dumps(name, *options): the folder of dumps of a compile up to quantize."""
    made = {}

    def make(name, *options):
        if name not in made:
            done = halftone("compile", tiny.onnx, f"--tokenizer={tiny.tokenizerPath}", *options, "--stop-after=quantize", f"--dump-dir={name}",
                            "--keep-weights", "-o", "unused", cwd=folder)
            assert done.returncode == 0, done.stderr
            made[name] = name
        return made[name]

    return make


@pytest.fixture(scope="module")
def bisect(halftone, tiny, folder):
    """bisect(a, b, *options): (exit status, what was found, standard error)"""

    def call(first, second, *options):
        done = halftone("bisect", first, second, f"--tokenizer={tiny.tokenizerPath}", "--text=text", "--json", *options, cwd=folder)
        return done.returncode, json.loads(done.stdout) if done.returncode < 2 else done.stdout, done.stderr

    return call


def test_the_same_does_not_part(bisect, dumps):
    code, found, _ = bisect(dumps("int4", "--format=int4-g16"), dumps("again", "--format=int4-g16"))
    assert code == 0 and found["same"] and [stage["stage"] for stage in found["stages"]] == ["01-import", "02-prepare", "03-calibrate", "04-quantize"]
    assert all(stage["outputs"] == 0 and stage["first_part"] is None for stage in found["stages"])


def test_a_weight_in_another_format_is_named(bisect, dumps):
    """One weight of the second block: the stage, the block and the weight are found, and no other weight."""
    code, found, _ = bisect(dumps("int4", "--format=int4-g16"), dumps("pinned", "--format=int4-g16", f"--formats={THIRD}=int8-g16"))
    assert code == 1 and not found["same"]
    *before, last = found["stages"]
    assert last["stage"] == "04-quantize" and all(stage["same"] for stage in before)
    assert [part["difference"] > 1e-4 for part in last["parts"]] == [False, False, True, True]
    assert last["first_part"] == 3 and "operation" not in last
    [weight] = last["weights"]
    assert (weight["first"], weight["first_format"], weight["second_format"]) == (THIRD, "int4-g16", "int8-g16")
    assert 0.03 < weight["values"] < 0.3 and weight["outputs"] == pytest.approx(last["parts"][2]["difference"], rel=1e-3)


def test_two_modules(bisect, dumps):
    """Activations in f32 against int8: besides weights, an operation that is in one only. A cache in int4: nothing but operations."""
    around = ("--format=int4-g16", "--embedding-format=f32", "--head-format=f32")
    first, cache = (f"{dumps(name, *around, *options)}/04-quantize.mlir" for name, options in (("around", ()), ("cache", ("--kv-format=int4",))))
    code, found, _ = bisect(f"{dumps('around')}/01-import.mlir", first)
    [stage] = found["stages"]
    assert code == 1 and (stage["stage"], stage["first_part"]) == ("", 2)
    assert "lowbit.linear" in stage["operation"]["first"] and "lowbit.quantize_activation" in stage["operation"]["second"]
    assert len(stage["weights"]) == 7
    code, found, _ = bisect(first, cache)
    [stage] = found["stages"]
    assert code == 1 and (stage["first_part"], stage["weights"]) == (2, [])


def test_a_rotated_model_is_the_same_in_the_end(bisect, dumps):
    """Inside, everything is turned; what comes out is what counts."""
    code, found, _ = bisect(f"{dumps('plain', '--format=f32')}/01-import.mlir", f"{dumps('turned', '--format=f32', '--rotate')}/02-prepare.mlir")
    assert code == 0, found


def test_tolerance(bisect, dumps):
    first, second = dumps("int4", "--format=int4-g16"), dumps("pinned", "--format=int4-g16", f"--formats={THIRD}=int8-g16")
    assert bisect(first, second, "--tolerance=0.9")[0] == 0


def test_executables(bisect, compiled, tiny):
    paths = [compiled(tiny, format).path for format in ("int4-g16", "int8-g16", "f32")]
    code, found, _ = bisect(paths[0], paths[0])
    assert code == 0 and found["executables"]["outputs"] == 0 and found["facts"] == []
    code, found, _ = bisect(paths[0], paths[1])
    assert code == 1 and found["executables"]["outputs"] > 0.01 and found["executables"]["mean_kl_divergence"] > 0
    what = [fact["what"] for fact in found["facts"]]
    assert what[0] == "format" and what[1].startswith("weight ") and '"int4-g16"' in found["facts"][1]["first"]


def test_threads_and_targets_do_not_part(bisect, compiled, tiny):
    paths = [compiled(tiny, "int4-g16", *options).path for options in ((), ("--target=x86-64",))]
    code, found, _ = bisect(*paths)
    assert code == 0 and [fact["what"] for fact in found["facts"]] == ["targets"]


def test_text_for_people(halftone, dumps, tiny, folder):
    first, second = dumps("int4", "--format=int4-g16"), dumps("pinned", "--format=int4-g16", f"--formats={THIRD}=int8-g16")
    done = halftone("bisect", first, second, f"--tokenizer={tiny.tokenizerPath}", "--text=text", cwd=folder)
    assert done.returncode == 1 and f"first weight: {THIRD}\n" in done.stdout and "stage 04-quantize: parts here" in done.stdout
    assert done.stdout.endswith("they part\n")


def test_errors(bisect, compiled, dumps, tiny, folder):
    """One each, and a status of its own."""
    module = f"{dumps('int4', '--format=int4-g16')}/04-quantize.mlir"
    executable = str(compiled(tiny, "int4-g16").path)
    (folder / "broken.mlir").write_text("module {")
    (folder / "empty").mkdir(exist_ok=True)
    for first, second, words in ((module, executable, ["a module of IR", "an executable", "two of a kind"]),
                                 ("missing", module, ["missing"]),
                                 ("broken.mlir", module, ["broken.mlir"]),
                                 ("empty", dumps("int4"), ["no dump of one stage is in both", "--dump-dir"]),
                                 (tiny.onnx, module, [tiny.onnx.name])):
        code, output, error = bisect(first, second)
        assert code == 2 and output == "" and error.startswith("halftone: error: ") and len(error.strip().splitlines()) == 1, error
        assert all(word in error for word in words), error


def test_weights_are_kept_only_with_dumps(halftone, tiny, folder):
    done = halftone("compile", tiny.onnx, f"--tokenizer={tiny.tokenizerPath}", "--keep-weights", "-o", "unused", cwd=folder)
    assert done.returncode == 1 and "--keep-weights" in done.stderr and "--dump-dir" in done.stderr
