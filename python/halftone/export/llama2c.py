"""python -m halftone.export.llama2c CHECKPOINT -o FOLDER|FILE.onnx: a llama2.c checkpoint as ONNX, as transformers + optimum shape it."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import argparse
import sys
from pathlib import Path

from halftone.export.checkpoint import Checkpoint, CheckpointError
from halftone.export.command import execute
from halftone.export.llama import buildLlama
from halftone.export.llama2c_tokenizer import TokenizerError, writeTokenizer
from halftone.export.write import ExportError, writeModel


def export(checkpoint, output, tokenizer=None, external=False):
    """Writes `checkpoint` (a path) to `output`, a folder (model.onnx inside) or a file that ends in .onnx.
    `tokenizer` (tokenizer.bin or tokenizer.model) becomes tokenizer.model beside it. Returns the paths written."""
    output = Path(output)
    path = output if output.suffix == ".onnx" else output / "model.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    source = Checkpoint(checkpoint)
    metadata = {"max_position_embeddings": str(source.config.context)}
    written = []
    if tokenizer:
        written.append(writeTokenizer(tokenizer, path.parent / "tokenizer.model", source.config.vocabulary))
    return writeModel(buildLlama(source.config, source.weight), path, metadata, external) + written


def _arguments(arguments):
    parser = argparse.ArgumentParser(prog="python -m halftone.export.llama2c", description=__doc__)
    parser.add_argument("checkpoint", help="llama2.c checkpoint; bytes after it are ignored")
    parser.add_argument("-o", "--output", required=True, help="a folder, or a file that ends in .onnx")
    parser.add_argument("--tokenizer", help="tokenizer.bin or tokenizer.model, written as tokenizer.model beside the model")
    parser.add_argument("--external-data", action="store_true", help="weights in a file beside the model, for any size")
    return parser.parse_args(arguments)


def main(arguments=None):
    options = _arguments(arguments)
    work = lambda: export(options.checkpoint, options.output, options.tokenizer, options.external_data)
    return execute(work, options.output, CheckpointError, TokenizerError, ExportError)


if __name__ == "__main__":
    sys.exit(main())
