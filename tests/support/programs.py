"""A program in C that uses volumes by libgfapi (glupytest/program), in a process of its own; Python comes with a volume."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from support.logs import unexpected
from support.mounts import TRANSLATORS
from support.volfiles import Layer, volfile

_HOME = Path(os.environ["GLUPY_STAGE"], "glupytest")


class Program:
    """A context manager. Volumes have the names that start() gives them; they need not be stopped.

    expected: patterns of log entries at WARNING or above that the test provokes.
    folder: where modules are looked for, besides tests/translators.
    tombs: count the references that are given up to what a destroyed inode table had; see disturbed().
    """

    def __init__(self, *, expected: tuple[str, ...] = (), folder: Path | None = None, tombs: bool = False) -> None:
        self.top = Path(tempfile.mkdtemp(prefix="glupy-test.", dir="/var/lib"))
        os.chmod(self.top, 0o755)
        self.expected = expected
        folders = ":".join(str(path) for path in (folder, TRANSLATORS) if path)
        (self.top / "glupy.conf").write_text(f"[glupy]\ntranslators = {folders}\n")
        self.environment = {**os.environ, "GLUPY_CONF": str(self.top / "glupy.conf")}
        if tombs:
            preload = os.environ.get("LD_PRELOAD", "").split(":") + [str(_HOME / "tombs.so")]
            self.environment |= {"LD_PRELOAD": ":".join(filter(None, preload)), "TOMBS": str(self.top / "tombs")}
        self.logs: dict[str, Path] = {}

    def __enter__(self) -> Program:
        self.process = subprocess.Popen([_HOME / "program"], env=self.environment, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return self

    def ask(self, *words: object) -> str:
        """What the program answers to a line: "done", or "failed: " and why. AssertionError when it has died."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, f"the program ended with {self.process.wait()}\n{self._errors()}"
        return answer.strip()

    def start(self, name: str, layers: Sequence[Layer]) -> str:
        """Have it use a volume; what it answers."""
        file = self.top / f"{name}.vol"
        file.write_text(volfile(layers))
        self.logs[name] = self.top / f"{name}.log"
        return self.ask("start", name, file, self.logs[name])

    def text(self, name: str) -> str:
        """A volume's log so far."""
        return self.logs[name].read_text(errors="replace") if self.logs[name].exists() else ""

    def end(self) -> int:
        """Have it end, and wait; its exit status."""
        assert self.process.stdin
        if not self.process.stdin.closed:
            self.process.stdin.close()
        return self.process.wait()

    def disturbed(self) -> int:
        """After the end: how many references were given up to what was gone, of tables that had something."""
        found = dict(re.findall(r"(\w+)=(\d+)", (self.top / "tombs").read_text()))
        assert int(found["tables"]) and int(found["buried"]), found
        return int(found["disturbed"])

    def _errors(self) -> str:
        assert self.process.stderr
        return self.process.stderr.read()[-8000:]

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if kind is None:
                status = self.end()
                assert status == 0, f"the program ended with {status}\n{self._errors()}"
                for log in self.logs.values():
                    wrong = unexpected(log, self.expected)
                    assert not wrong, "unexpected in GlusterFS's log:\n" + "\n".join(wrong[:20])
            else:
                print(*(self.text(name)[-4000:] for name in self.logs), sep="\n")
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            shutil.rmtree(self.top, ignore_errors=True)
