"""A real mount: what applications see of a translator, through the kernel, in processes of GlusterFS's own.

`glupy run` makes it, so that a test's mount is the one that an author has tried out by hand.
"""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import glupy
from glupy import LoadError
from glupy.testing import logs
from glupy.testing.failed import Failed
from glupy.testing.given import from_file, option_texts

#: What a brick and its client say of coming and going.
_USUAL = (r"0-server: (?:accepted client|disconnecting|Shutting down|releasing|fd - )", r"xlator_attr", r"0-socket: ", r"socket\.c:",
          r"rpcsvc|rpc-transport|0-rpc-service", r"server-rpc-fops", r"-client: ", r"MSGID: 114\d\d\d",
          r"Failed to set max open fd", r"volfile-id argument not given",  # outside of glusterd
          r"0-glusterfs-fuse: .* => -1 \(")  # what an application was refused

#: Seconds in which the processes have to end.
_PATIENCE = 60


class MountFailed(Exception):
    """There is no mount: the sentence of `glupy run` says why, and what would do."""


class Mount:
    """A translator's mount. A context manager; made by glupy.testing.mounted().

    path       where it is mounted
    directory  what it shows: what is written there directly passes nobody
    processes  the process that mounts, and after it the brick, if there is one
    """

    path: Path
    directory: Path
    processes: list[int]

    def __init__(self, file: Path, expect: Sequence[str], brick: bool, options: dict[str, str]) -> None:
        self._expected = list(expect)
        self._command = [str(_program()), "run", "--json", *(["--brick"] if brick else []),
                         *(f"-o{name}={value}" for name, value in options.items()), str(file)]

    def __enter__(self) -> Mount:
        self._said = tempfile.TemporaryFile("w+", errors="replace")
        self._process = subprocess.Popen(self._command, text=True, stdout=subprocess.PIPE, stderr=self._said)
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            said = self.log()
            self._close()
            raise MountFailed(said.strip() or "glupy run ended without a word")
        announced = json.loads(line)
        self.path, self.directory = Path(announced["mountpoint"]), Path(announced["directory"])
        self.processes = announced["processes"]
        return self

    def log(self) -> str:
        """What the translator and GlusterFS have said so far, as `glupy run` shows it; all of it once the mount has ended."""
        self._said.flush()
        self._said.seek(0)
        return self._said.read()

    def expect(self, *patterns: str) -> None:
        """Entries at WARNING and worse that this test is about, as regular expressions."""
        for pattern in patterns:
            re.compile(pattern)
        self._expected += patterns

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            wrong = self._wrong()
            status = self._ended()
            if kind is not None:
                print(self.log())
        except BaseException:
            self._close()
            raise
        if kind is None and (wrong or status != 0):
            said = self.log()
            self._close()
            raise Failed("\n".join(wrong) or f"glupy run ended with status {status}:\n{said[-4000:]}")
        self._process.stdout.close()  # type: ignore[union-attr]

    def _wrong(self) -> list[str]:
        """What is in the logs, before the end adds to them, and what has died."""
        wrong = [] if self._process.poll() is None else ["the mount has ended before the test"]
        for log in sorted(self.path.parent.glob("*.log")):
            wrong += [f"in the log: {entry}" for entry in logs.unexpected(log, (*self._expected, *_USUAL))[:20]]
        return wrong

    def _ended(self) -> int:
        self._process.terminate()
        try:
            return self._process.wait(_PATIENCE)
        finally:
            self._process.kill()

    def _close(self) -> None:
        assert self._process.stdout
        self._process.stdout.close()
        self._said.close()


def mounted(given: type[Any] | str | os.PathLike[str], /, *, expect: Sequence[str] = (), brick: bool = False,
            **options: object) -> Mount:
    """A mount through a translator, which takes root and FUSE: `with mounted("policy.py", limit=3) as mount:`.

    given    the file, or the class that is in a file of its own: GlusterFS's processes load it as they do on a volume
    expect   regular expressions of entries at WARNING and worse that are no failure in this test
    brick    the translator is in a glusterfsd of its own, where bricks have it, and the mount is its client
    options  of the translator, and those that every one has; underscores stand for dashes

    Raises LoadError for a class that is in no file of its own; entering it raises MountFailed.
    """
    return Mount(_file_of(given), expect, brick, option_texts(options))


def _file_of(given: type[Any] | str | os.PathLike[str]) -> Path:
    if not isinstance(given, type):
        return Path(os.path.abspath(given))
    file = Path(inspect.getsourcefile(given) or "")
    try:
        found = from_file(file)
    except LoadError as error:
        raise LoadError(f"{given.__name__} is not the translator of a file of its own, as a mount needs it: {error}", file) from None
    if found.__qualname__ != given.__qualname__:
        raise LoadError(f"its translator is {found.__name__} and not {given.__name__}, which a mount cannot load", file)
    return file


def _program() -> Path:
    """The command `glupy` of this very package."""
    return Path(glupy.__file__).resolve().parents[2] / "bin/glupy"
