"""Where the Python that runs this has its files, for src/loader/python.c: a macro for the C compiler a line.

Of a virtual environment's Python, those of the one that it was made with.
"""

import json
import os
import sys

PLACES = {
    "PREFIX": sys.base_prefix,
    "EXEC_PREFIX": sys.base_exec_prefix,
    "STDLIB": os.path.dirname(os.__file__),
    "EXECUTABLE": os.path.realpath(sys._base_executable),
}

for name, path in PLACES.items():
    print(f"-DPYTHON_{name}={json.dumps(path, ensure_ascii=False)}")  # as C quotes a string
