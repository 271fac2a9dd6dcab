"""Exporters: other model files in, ONNX shaped as transformers + optimum write it out."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
