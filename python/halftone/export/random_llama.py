"""python -m halftone.export.random_llama -o FOLDER|FILE.onnx: a Llama-architecture decoder of any size with random weights, as ONNX
with its weights in a file beside it. What it says is noise; what it costs to compile and to run is that of a real one."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import argparse
import dataclasses
import sys
import zlib
from pathlib import Path

from halftone.export.command import execute
from halftone.export.llama import Config, buildLlama
from halftone.export.weight import Weight
from halftone.export.write import writeModel

# The sizes of models that are well known, from their config.json.
SHAPES = {
    "SmolLM2-135M": Config(576, 1536, 30, 9, 3, 49152, 8192, tied=True, theta=100000.0),
    "TinyLlama-1.1B": Config(2048, 5632, 22, 32, 4, 32000, 2048, tied=False),
    "Llama-2-7B": Config(4096, 11008, 32, 32, 32, 32000, 4096, tied=False),
    "Llama-2-70B": Config(8192, 28672, 80, 64, 8, 32000, 4096, tied=False),
}


def randomWeights(config, seed=0):
    """What buildLlama takes as `weight`: normal values of deviation 1 / sqrt(columns), with which activations keep their size,
    and norms' scales near 1. Each weight depends on the seed, its name and its layer alone."""
    shapes = config.weightShapes()

    def weight(name, layer):
        shape = shapes[name]
        key = [seed, zlib.crc32(name.encode()), 0 if layer is None else 1 + layer]
        if len(shape) == 1:
            return Weight.random(shape, key, mean=1.0, deviation=0.1)
        return Weight.random(shape, key, deviation=shape[-1] ** -0.5)

    return weight


def hollowWeights(config):
    """What buildLlama takes as `weight`: holes, numbered from 1."""
    shapes = config.weightShapes()
    names = list(shapes)

    def weight(name, layer):
        number = 1 + names.index(name) + len(names) * (0 if layer is None else 1 + layer)
        return Weight(tuple(shapes[name]), first=number)

    return weight


def export(config, output, seed=0, hollow=False):
    """Writes a model of `config` to `output`, a folder (model.onnx inside) or a file that ends in .onnx; a hollow one has holes
    as weights. Returns the paths written: the graph's and its weights'."""
    output = Path(output)
    path = output if output.suffix == ".onnx" else output / "model.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = {"max_position_embeddings": str(config.context)}
    weights = hollowWeights(config) if hollow else randomWeights(config, seed)
    return writeModel(buildLlama(config, weights), path, metadata, external=True)


# option -> (field of Config, what it says)
SIZES = {
    "--layers": ("layers", "blocks of the decoder"),
    "--hidden": ("dim", "the width of the residual stream"),
    "--heads": ("heads", "query heads; each is hidden / heads wide"),
    "--kv-heads": ("kvHeads", "key and value heads"),
    "--ffn": ("hidden", "the width inside the feed-forward network"),
    "--vocab": ("vocabulary", "tokens"),
    "--context": ("context", "positions"),
}


def _arguments(arguments):
    parser = argparse.ArgumentParser(prog="python -m halftone.export.random_llama", description=__doc__)
    parser.add_argument("-o", "--output", required=True, help="a folder, or a file that ends in .onnx")
    parser.add_argument("--shape", choices=SHAPES, default="SmolLM2-135M", help="where the sizes not given come from (%(default)s)")
    for option, (field, text) in SIZES.items():
        parser.add_argument(option, dest=field, type=int, metavar="N", help=text)
    parser.add_argument("--tied", action=argparse.BooleanOptionalAction, help="one matrix as embedding and head")
    parser.add_argument("--theta", type=float, help="base of the rotary angles")
    parser.add_argument("--seed", type=int, default=0, help="of the weights (%(default)s)")
    parser.add_argument("--hollow", action="store_true", help="no weights: holes in the file, which read as zeros and take no disk; for dry runs")
    return parser.parse_args(arguments)


def _config(options):
    given = {field.name: getattr(options, field.name) for field in dataclasses.fields(Config)}
    config = dataclasses.replace(SHAPES[options.shape], **{name: x for name, x in given.items() if x is not None})
    for option, (field, _) in SIZES.items():
        if getattr(config, field) < 1:
            raise ValueError(f"{option} is {getattr(config, field)}; it must be at least 1")
    config.check()
    return config


def main(arguments=None):
    options = _arguments(arguments)
    return execute(lambda: export(_config(options), options.output, options.seed, options.hollow), options.output, ValueError)


if __name__ == "__main__":
    sys.exit(main())
