"""python -m halftone.bench_onnxruntime -m MODEL.onnx -t THREADS [-p N] [-n N] [-d N] [-r RUNS]: ONNX Runtime's speed on a decoder, with
the options and the JSON of llama-bench, as `halftone bench --against` wants them. The model is any that takes `input_ids`,
`attention_mask`, `position_ids` and `past_key_values.*`; with weights of 4 bits by `halftone quantize --onnx-style=matmulnbits`."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import argparse
import json
import statistics
import time

import numpy as np
import onnxruntime


class Decoder:
    """A session whose outputs of one call are the past of the next."""

    def __init__(self, path, threads):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.inputs = {value.name: value for value in self.session.get_inputs()}
        self.outputs = [value.name for value in self.session.get_outputs()]
        self.restart()

    def restart(self):
        types = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
        self.past = {}
        for name, value in self.inputs.items():
            if name.startswith("past_key_values."):
                batch, heads, _, size = value.shape
                self.past[name] = np.zeros((1, heads, 0, size), types[value.type])
        self.length = 0

    def feed(self, tokens):
        """Logits of the tokens, as the graph gives them."""
        end = self.length + len(tokens)
        feeds = {"input_ids": np.array([tokens], np.int64), "attention_mask": np.ones((1, end), np.int64),
                 "position_ids": np.arange(self.length, end, dtype=np.int64)[None]}  # fmt: skip
        results = self.session.run(None, {name: value for name, value in feeds.items() if name in self.inputs} | self.past)
        named = dict(zip(self.outputs, results))
        self.past = {name: named[name.replace("past_key_values", "present")] for name in self.past}
        self.length = end
        return named["logits"]


def prefill(model, tokens):
    model.restart()
    start = time.perf_counter()
    model.feed(tokens)
    return len(tokens) / (time.perf_counter() - start)


def decode(model, tokens, depth):
    model.restart()
    model.feed(tokens[:depth])
    start = time.perf_counter()
    for token in tokens[depth:]:
        model.feed([token])
    return (len(tokens) - depth) / (time.perf_counter() - start)


def main():
    parser = argparse.ArgumentParser(prog="python -m halftone.bench_onnxruntime", description=__doc__)
    parser.add_argument("-m", required=True, metavar="MODEL.onnx")
    parser.add_argument("-t", type=int, default=1, metavar="THREADS")
    parser.add_argument("-p", type=int, default=0, metavar="N", help="tokens read at once")
    parser.add_argument("-n", type=int, default=0, metavar="N", help="tokens decoded one by one")
    parser.add_argument("-d", type=int, default=1, metavar="N", help="tokens before these")
    parser.add_argument("-r", type=int, default=5, metavar="RUNS")
    parser.add_argument("-o", choices=["json"], default="json")
    options = parser.parse_args()
    model = Decoder(options.m, options.t)
    tokens = np.random.default_rng(0).integers(0, 256, max(options.p, options.n + options.d)).tolist()
    tests = [(options.p, 0, lambda: prefill(model, tokens[: options.p]))] if options.p else []
    if options.n:
        tests.append((0, options.n, lambda: decode(model, tokens[: options.d + options.n], options.d)))
    found = []
    for prompt, generated, run in tests:
        run()  # warms up
        speeds = [run() for _ in range(options.r)]
        found.append({"n_prompt": prompt, "n_gen": generated, "avg_ts": statistics.mean(speeds), "samples_ts": speeds})
    print(json.dumps(found))


if __name__ == "__main__":
    main()
