"""mypy on a translator's file, where it is installed."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from glupy.command import machine
from glupy.command.findings import WARNING, Finding

_LINE = re.compile(r"(?P<file>.+?):(?P<line>\d+): error: (?P<text>.*?)(?:  \[(?P<code>[\w-]+)\])?")

#: What asks for annotations, which a translator need not have.
_ANNOTATING = ("var-annotated",)


def findings(file: Path) -> list[Finding]:
    """What mypy says of a file by glupy's stubs; functions without annotations are looked at, too."""
    mypy = machine.program("mypy")
    if mypy is None:
        return []
    package = machine.home() / "python"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "glupy-mypy"
    done = subprocess.run(
        [mypy, "--check-untyped-defs", *(f"--disable-error-code={code}" for code in _ANNOTATING),
         "--hide-error-context", "--no-error-summary", "--no-color-output", "--no-pretty", "--show-error-codes",
         "--follow-imports=silent",
         f"--cache-dir={cache}", str(file)],
        env={**os.environ, "MYPYPATH": str(package)}, cwd=file.parent, text=True, capture_output=True, check=False)
    lines = [match for line in done.stdout.splitlines() for match in [_LINE.fullmatch(line)] if match]
    if done.returncode > 1 or done.returncode and not lines:
        return [Finding(str(file), None, WARNING, "mypy", f"mypy failed: {(done.stderr or done.stdout).strip()}; "
                        "--no-mypy leaves it out")]
    return [Finding(os.path.join(file.parent, match["file"]), int(match["line"]), WARNING, "mypy",
                    f"{match['text']} ({match['code']})") for match in lines]
