"""How the exporters end as programs: the files written, or one line that says what is wrong."""
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import sys


def execute(export, output, *errors):
    """Calls `export()`, which returns the paths it wrote, and lists them on stderr. Returns the exit status: 1 for one of `errors`
    or an OSError, told in one line; `output` stands for the file where the system names none."""
    try:
        for path in export():
            print(f"{path}: {path.stat().st_size} bytes", file=sys.stderr)
    except errors as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error.filename or output}: {error.strerror}", file=sys.stderr)
        return 1
    return 0
