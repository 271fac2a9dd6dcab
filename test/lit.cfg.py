"""lit's configuration: .mlir and .test files under test/, run with the tools of the build beside LLVM's FileCheck and not."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import os

import lit.formats

config.name = "halftone"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["models", "python", "Inputs"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.halftone_build, "test")

# qopt and halftone from the build; FileCheck, not, mlir-opt, split-file from LLVM.
tools = [os.path.join(config.halftone_build, "bin"), config.llvm_tools]
config.environment["PATH"] = os.pathsep.join([*tools, config.environment["PATH"]])
config.substitutions.append(("%source", config.halftone_source))
config.substitutions.append(("%python", config.python))

# `REQUIRES: avx512vnni`: the test runs generated code for that instruction set on this processor.
with open("/proc/cpuinfo") as cpuinfo:
    flags = next((line.split(":")[1].split() for line in cpuinfo if line.startswith("flags")), [])
names = {"avx2": "avx2", "avx512f": "avx512f", "avx512_vnni": "avx512vnni", "avx512_bf16": "avx512bf16"}
config.available_features.update(feature for flag, feature in names.items() if flag in flags)
